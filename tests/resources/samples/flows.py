"""A flow."""

import json

from tests.resources.samples import Sample
from tests.shelf import flow

_FILE = json.dumps({"template": flow(name="From a file")["version"]}).encode()

SAMPLE = Sample(
    "/flows",
    lambda name: flow(name=name),
    ("/flows", "/folders"),
    late=("/flow-runs", "/app-connections"),
    filter="status=ENABLED",
    odd_filter="status=NO_SUCH_STATE",
    typed={"import": {"file": _FILE}, "import-here": {"file": _FILE}},
    huge={"metadata": {"note": "y" * 3_000_000}},
)
