"""Places in a body, and the accesses in expressions and code that lead to them."""

from __future__ import annotations

import re
from typing import Final

#: In a path: any item of a list.
ITEM: Final = 0
Path = tuple[str | int, ...]

_ACCESS = re.compile(
    r"""\s*(?:\?\.|\.)?\s*\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`([^`$\\]*)`|(\d+))\s*\]"""
    r"""|\s*\??\.\s*([^\W\d][\w$]*)(\s*\()?"""
)
_ESCAPE = re.compile(r"\\(.)")
#: Keys that belong to lists and texts themselves.
_OWN = frozenset({"length"})


def accesses(text: str, at: int) -> Path:
    """The keys that follow a name from there: `.a['b'][0]` gives a, b, 0. Methods and `length` end it."""
    keys: list[str | int] = []
    while found := _ACCESS.match(text, at):
        quoted = next((part for part in found.group(1, 2, 3) if part is not None), None)
        if quoted is not None:
            keys.append(_ESCAPE.sub(r"\1", quoted))
        elif found[4] is not None:
            keys.append(ITEM)
        elif found[6] is not None or found[5] in _OWN:
            break
        else:
            keys.append(found[5])
        at = found.end()
    return tuple(keys)
