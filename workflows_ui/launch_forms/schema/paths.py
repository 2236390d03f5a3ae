"""Paths into a body, and the accesses in expressions and code that they are read from."""

from __future__ import annotations

import re
from typing import Final

#: A key of a path: any item of a list.
ITEM: Final = 0
Path = tuple[str | int, ...]

_ACCESS = re.compile(
    r"""\s*(?:\?\.|\.)?\s*\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`([^`$\\]*)`|(\d+))\s*\]"""
    r"""|\s*\??\.\s*([^\W\d][\w$]*)(\s*\()?"""
)
_ESCAPE = re.compile(r"\\(.)")
#: Properties of lists and texts themselves.
_OWN = frozenset({"length"})


def accesses(text: str, position: int) -> tuple[Path, int]:
    """The keys that follow a name at `position`, and their end: `.a['b'][0]` gives a, b, 0. Stops at methods and `length`."""
    keys: list[str | int] = []
    while match := _ACCESS.match(text, position):
        quoted = next((part for part in match.group(1, 2, 3) if part is not None), None)
        if quoted is not None:
            keys.append(_ESCAPE.sub(r"\1", quoted))
        elif match[4] is not None:
            keys.append(ITEM)
        elif match[6] is not None or match[5] in _OWN:
            break
        else:
            keys.append(match[5])
        position = match.end()
    return tuple(keys), position
