"""JSON files that belong to this package: the catalogue of pieces and the sample company."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@cache
def read_data(name: str) -> Any:
    """Return the content of ``name``, a path below this package, parsed once per process. Callers copy what they change."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))
