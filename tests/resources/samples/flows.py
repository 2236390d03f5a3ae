"""A flow."""

from tests.resources.samples import Sample
from tests.shelf import flow

SAMPLE = Sample(
    "/flows",
    lambda name: flow(name=name),
    ("/flows", "/folders"),
    filter="status=ENABLED",
    odd_filter="status=NO_SUCH_STATE",
    huge={"metadata": {"note": "y" * 3_000_000}},
)
