"""A flow."""

import json

from tests.resources.samples import Sample
from tests.stub_engine import flow

#: A tree that fits every version of the engine, so that nothing has to be asked.
_TREE = {"name": "trigger", "type": "EMPTY", "valid": True, "displayName": "Select a trigger", "settings": {}}
_FILE = json.dumps({"template": {"displayName": "From a file", "trigger": _TREE, "schemaVersion": "8"}}).encode()

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
