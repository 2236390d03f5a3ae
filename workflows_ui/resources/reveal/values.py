"""Finds the masked values of a remote object: for the page that shows a single one of them, with a logged reason.

The console's own credentials are not among them: they are removed from every answer (engine/masking.py), for everybody.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from workflows_ui.engine import HIDDEN

#: Maximum masked values on one page, and the depth of the search, which equals the maximum depth shown.
MOST, _DEEPEST = 200, 60
_LONGEST_KEY = 80


@dataclass(frozen=True)
class Hidden:
    """One masked value: its path as text, and the value. `key` identifies the path and reveals nothing of the value."""

    key: str
    where: str
    value: str = field(repr=False)


def hidden_values(original: Any, masked: Any) -> list[Hidden]:
    """The values that differ between an object as the engine sent it and its masked copy, in order, at most MOST."""
    result = []
    for path, value in _differing(original, masked, ()):
        if value in ("", HIDDEN):
            continue
        name = "\x1f".join(path).encode("utf-8", "replace")
        where = " › ".join(part[:_LONGEST_KEY] for part in path)
        result.append(Hidden(hashlib.sha256(name).hexdigest()[:24], where, value))
        if len(result) == MOST:
            break
    return result


def _differing(original: Any, masked: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if original == masked or len(path) > _DEEPEST:
        return
    if isinstance(original, dict) and isinstance(masked, dict):
        for key, inner in original.items():
            yield from _differing(inner, masked.get(str(key)), (*path, str(key)))
    elif isinstance(original, list) and isinstance(masked, list) and len(original) == len(masked):
        for number, (inner, hid) in enumerate(zip(original, masked, strict=True), start=1):
            yield from _differing(inner, hid, (*path, str(number)))
    else:
        yield path, original if isinstance(original, str) else _json(original)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
