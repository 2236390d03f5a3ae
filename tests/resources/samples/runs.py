"""A run."""

from tests.resources.samples import Sample
from tests.stub_engine import run

SAMPLE = Sample(
    "/flow-runs",
    lambda name: run(flowVersion={"displayName": name}),
    ("/flow-runs", "/flows"),
    filter="status=FAILED",
    odd_filter="status=NO_SUCH_STATE",
    huge={"steps": {"a": {"output": "y" * 3_000_000}}},
    # The runs that are found first have succeeded, which is asked about.
    typed={"retry": {"succeeded": "on"}, "retry-latest": {"succeeded": "on"}},
)
