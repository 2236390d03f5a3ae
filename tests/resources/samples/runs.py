"""A run."""

from tests.resources.samples import Sample
from tests.shelf import run

SAMPLE = Sample(
    "/flow-runs",
    lambda name: run(flowVersion={"displayName": name}),
    ("/flow-runs", "/flows"),
    filter="status=FAILED",
    odd_filter="status=NO_SUCH_STATE",
    huge={"steps": {"a": {"output": "y" * 3_000_000}}},
)
