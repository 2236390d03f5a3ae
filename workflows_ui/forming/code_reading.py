"""What a step's code reads of its inputs, as far as its text tells: keys, variables made from them, items of lists.

Code is neither run nor parsed: what is found are places that are worth a field, for a builder to review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflows_ui.forming.paths import ITEM, Path, accesses

_NAME = r"[A-Za-z_$][\w$]*"
#: The function's parameter: a name (`inputs`), or its keys taken apart (`{ items, currency }`).
_PARAMETER = re.compile(rf"\bcode\s*=\s*(?:async\b\s*)?(?:function\b\s*)?\(?\s*(?:({_NAME})|\{{([^{{}}]{{0,2000}})\}})")
_VARIABLE = re.compile(
    rf"\b(?:const|let|var)\s+(?:({_NAME})|\{{([^{{}}]{{0,2000}})\}})(?:\s*:[^=;\n]{{0,80}})?\s*=(?!=)\s*(?:await\s+)?\(?\s*({_NAME})"
)
_KEY = re.compile(rf"""\s*(?:(['"])(.+?)\1|({_NAME}))\s*(?::\s*({_NAME}))?\s*(?:=.*)?""", re.DOTALL)
_GOES_THROUGH = re.compile(
    rf"\s*\)?\s*\??\.\s*(map|forEach|filter|find|some|every|flatMap|reduce)\s*\(\s*(?:async\s*)?\(?\s*({_NAME})(?:\s*,\s*({_NAME}))?"
)
_FOR = re.compile(rf"\bfor\s*\(\s*(?:const|let|var)\s+({_NAME})\s+of\s+$")
#: How far after a list the name of its items counts.
_NEAR = 2_000
_MOST_NAMES = 200


@dataclass(frozen=True)
class _Meaning:
    """What a name stands for between two letters of the code: a place in the body, or (None) all inputs together."""

    path: Path | None
    start: int
    stop: int


def places(code: str, inputs: Mapping[str, Path]) -> Iterator[Path]:
    """The places that the code reads at or below its inputs, given as name -> place in the body; some of them more than once."""
    reader = _Reader(code, inputs)
    reader.parameter()
    reader.variables()
    number = 0
    while number < len(reader.names) and number < _MOST_NAMES:
        yield from reader.uses(*reader.names[number])
        number += 1


class _Reader:
    def __init__(self, code: str, inputs: Mapping[str, Path]) -> None:
        self.code, self.inputs = code, inputs
        #: Grows while it is read: items of lists get names of their own.
        self.names: list[tuple[str, _Meaning]] = []

    def parameter(self) -> None:
        found = _PARAMETER.search(self.code)
        whole = _Meaning(None, 0, len(self.code))
        if found is None or found[1]:
            self.names.append((found[1] if found else "inputs", whole))
        else:
            self._take_apart(found[2], whole, 0)

    def variables(self) -> None:
        """`const rows = inputs.rows ?? []` and `const { a, b: c } = inputs.x` give names to places."""
        for found in _VARIABLE.finditer(self.code):
            meaning = next((meaning for name, meaning in self.names if name == found[3]), None)
            if meaning is None:
                continue
            path = self._at(meaning, accesses(self.code, found.end()))
            if found[1] and path is not None:
                self._add(found[1], path, found.end(), len(self.code))
            elif found[2]:
                inner = _Meaning(path, 0, 0)
                if path is not None or not accesses(self.code, found.end()):
                    self._take_apart(found[2], inner, found.end())

    def uses(self, name: str, meaning: _Meaning) -> Iterator[Path]:
        """The places that are read under this name; names of items found on the way are added."""
        if meaning.path:
            yield meaning.path
        for found in re.finditer(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", self.code[meaning.start : meaning.stop]):
            at = meaning.start + found.end()
            keys = accesses(self.code, at)
            path = self._at(meaning, keys)
            if path is not None:
                yield path
                self._items(meaning.start + found.start(), at, path)

    def _at(self, meaning: _Meaning, keys: Path) -> Path | None:
        if meaning.path is not None:
            return (*meaning.path, *keys)
        return (*self.inputs[str(keys[0])], *keys[1:]) if keys and keys[0] in self.inputs else None

    def _take_apart(self, text: str, meaning: _Meaning, start: int) -> None:
        for part in text.split(","):
            found = _KEY.fullmatch(part)
            if found:
                path = self._at(meaning, (found[2] or found[3],))
                if path is not None:
                    self._add(found[4] or found[3] or "", path, start, len(self.code))

    def _items(self, start: int, at: int, path: Path) -> None:
        """`rows.map((row) => ...)` and `for (const row of rows)` give a name to the items of a list."""
        after = _GOES_THROUGH.match(self.code, _end(self.code, at))
        if after:
            name = after[3] if after[1] == "reduce" else after[2]
            if name:
                self._add(name, (*path, ITEM), after.end(), after.end() + _NEAR)
        before = _FOR.search(self.code[max(0, start - 80) : start])
        if before:
            self._add(before[1], (*path, ITEM), at, at + _NEAR)

    def _add(self, name: str, path: Path, start: int, stop: int) -> None:
        if len(self.names) < _MOST_NAMES and len(path) < 20:
            new = (name, _Meaning(path, start, stop))
            if new not in self.names:
                self.names.append(new)


def _end(code: str, at: int) -> int:
    """Where the keys after a name end, before a method."""
    while found := _STEP.match(code, at):
        at = found.end()
    fallback = _FALLBACK.match(code, at)
    return fallback.end() if fallback else at


_STEP = re.compile(r"""\s*\??\.\s*[A-Za-z_$][\w$]*(?![\w$]*\s*\()|\s*(?:\?\.)?\s*\[\s*(?:'[^']*'|"[^"]*"|\d+)\s*\]""")
#: `(inputs.rows ?? []).map(...)`
_FALLBACK = re.compile(r"\s*(?:\?\?|\|\|)\s*\[\s*\]\s*\)")
