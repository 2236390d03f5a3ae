"""Search of a step's code for what it reads of its inputs: keys, variables assigned from them, items of lists.

Code is neither run nor parsed: the results are candidates for fields, which a builder reviews.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
_NAME = r"[A-Za-z_$][\w$]*"
#: The function's parameter: a name (`inputs`), or a destructuring pattern (`{ items, currency }`).
_PARAMETER = re.compile(rf"\bcode\s*=\s*(?:async\b\s*)?(?:function\b\s*)?\(?\s*(?:({_NAME})|\{{([^{{}}]{{0,2000}})\}})")
_VARIABLE = re.compile(
    rf"\b(?:const|let|var)\s+(?:({_NAME})|\{{([^{{}}]{{0,2000}})\}})(?:\s*:[^=;\n]{{0,80}})?\s*=(?!=)\s*(?:await\s+)?\(?\s*({_NAME})"
)
_KEY = re.compile(rf"""\s*(?:(['"])(.+?)\1|({_NAME}))\s*(?::\s*({_NAME}))?\s*(?:=.*)?""", re.DOTALL)
#: `rows.map((row) =>`, also after `(inputs.rows ?? [])`.
_GOES_THROUGH = re.compile(
    rf"(?:\s*(?:\?\?|\|\|)\s*\[\s*\]\s*\))?\s*\)?\s*\??\.\s*(map|forEach|filter|find|some|every|flatMap|reduce)\s*\(\s*(?:async\s*)?\(?\s*({_NAME})(?:\s*,\s*({_NAME}))?"
)
_FOR = re.compile(rf"\bfor\s*\(\s*(?:const|let|var)\s+({_NAME})\s+of\s+$")
#: Characters after a list for which the name of its items is valid.
_NEAR = 2_000
_MOST_NAMES = 200


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


@dataclass(frozen=True)
class _Meaning:
    """The path in the body that a name refers to in a range of the code; None for the object of all inputs."""

    path: Path | None
    start: int
    stop: int


def find_paths(code: str, inputs: Mapping[str, Path]) -> Iterator[Path]:
    """The paths that the code reads at or below its inputs (name -> path in the body), possibly repeated."""
    reader = _Reader(code, inputs)
    reader.parameter()
    reader.variables()
    # The list grows while it is read, at most to _MOST_NAMES.
    for name, meaning in reader.names:
        yield from reader.uses(name, meaning)


class _Reader:
    def __init__(self, code: str, inputs: Mapping[str, Path]) -> None:
        self.code, self.inputs = code, inputs
        self.names: list[tuple[str, _Meaning]] = []

    def parameter(self) -> None:
        match = _PARAMETER.search(self.code)
        whole = _Meaning(None, 0, len(self.code))
        if match is None or match[1]:
            self.names.append((match[1] if match else "inputs", whole))
        else:
            self._destructure(match[2], whole, 0)

    def variables(self) -> None:
        """Add names assigned as in `const rows = inputs.rows ?? []` and `const { a, b: c } = inputs.x`."""
        for match in _VARIABLE.finditer(self.code):
            meaning = next((meaning for name, meaning in self.names if name == match[3]), None)
            if meaning is None:
                continue
            keys, _end = accesses(self.code, match.end())
            path = self._resolve(meaning, keys)
            if match[1] and path is not None:
                self._add(match[1], path, match.end(), len(self.code))
            elif match[2]:
                inner = _Meaning(path, 0, 0)
                if path is not None or not keys:
                    self._destructure(match[2], inner, match.end())

    def uses(self, name: str, meaning: _Meaning) -> Iterator[Path]:
        """The paths that are read by this name. Also adds the names of items of lists."""
        if meaning.path:
            yield meaning.path
        for match in re.finditer(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", self.code[meaning.start : meaning.stop]):
            position = meaning.start + match.end()
            keys, end = accesses(self.code, position)
            path = self._resolve(meaning, keys)
            if path is not None:
                yield path
                self._items(meaning.start + match.start(), position, end, path)

    def _resolve(self, meaning: _Meaning, keys: Path) -> Path | None:
        if meaning.path is not None:
            return (*meaning.path, *keys)
        return (*self.inputs[str(keys[0])], *keys[1:]) if keys and keys[0] in self.inputs else None

    def _destructure(self, text: str, meaning: _Meaning, start: int) -> None:
        for part in text.split(","):
            match = _KEY.fullmatch(part)
            path = self._resolve(meaning, (match[2] or match[3],)) if match else None
            if match and path is not None:
                self._add(match[4] or match[3] or "", path, start, len(self.code))

    def _items(self, start: int, position: int, end: int, path: Path) -> None:
        """Add names of items as in `rows.map((row) => ...)` and `for (const row of rows)`."""
        after = _GOES_THROUGH.match(self.code, end)
        name = after and (after[3] if after[1] == "reduce" else after[2])
        if after and name:
            self._add(name, (*path, ITEM), after.end(), after.end() + _NEAR)
        before = _FOR.search(self.code[max(0, start - 80) : start])
        if before:
            self._add(before[1], (*path, ITEM), position, position + _NEAR)

    def _add(self, name: str, path: Path, start: int, stop: int) -> None:
        new = (name, _Meaning(path, start, stop))
        if len(self.names) < _MOST_NAMES and len(path) < 20 and new not in self.names:
            self.names.append(new)
