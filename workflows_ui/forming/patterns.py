"""Patterns for texts, matched in linear time whatever the pattern: a part of the regular expressions that everybody knows.

Python's own engine tries all ways one after the other, and a pattern such as `(a+)+b` keeps it busy for years. Here all ways are
walked at once (Thompson's construction), so a builder's pattern, or an imported one, can only be wrong, never dangerous.
Letters, `.`, `\\d \\w \\s` and their opposites, `[...]`, `( )`, `(?: )`, `|`, `* + ? {n} {n,} {n,m}`. No look-around, no backreferences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MOST_LETTERS = 200
#: Of the built automaton: repetitions are written out.
MOST_STATES = 600
MOST_REPEATS = 200
#: Longer texts are refused where there is a pattern: work is states times letters.
LONGEST_TEXT = 2_000
_COUNT = re.compile(r"\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")
_CLASSES = {"d", "D", "w", "W", "s", "S"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class BadPattern(Exception):
    """Not a pattern of this language. `problem`: long, open, nothing_to_repeat, set, unknown, many; `at`: the letter, from 0."""

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(f"{problem} at {at}")
        self.problem = problem
        self.at = at


@dataclass(frozen=True)
class _Node:
    """A piece of pattern: `one` (a letter's test), `row` (one after the other), `ways` (one of), `times`."""

    sort: str
    test: re.Pattern[str] | None = None
    inner: tuple[_Node, ...] = ()
    least: int = 1
    most: int | None = 1


class Pattern:
    """A compiled pattern. `matches` says whether the whole text is one of its texts."""

    def __init__(self, node: _Node) -> None:
        self._tests: list[re.Pattern[str] | None] = []
        self._next: list[list[int]] = []
        end = self._state()
        self._start = self._build(node, end)
        self._end = end

    def matches(self, text: str) -> bool:
        """Whether the whole text fits."""
        now = self._closure({self._start})
        for letter in text:
            now = self._closure({state for at in now if self._takes(at, letter) for state in self._next[at]})
            if not now:
                return False
        return self._end in now

    def _takes(self, at: int, letter: str) -> bool:
        test = self._tests[at]
        return test is not None and test.match(letter) is not None

    def _closure(self, states: set[int]) -> set[int]:
        found, waiting = set(states), list(states)
        while waiting:
            at = waiting.pop()
            if self._tests[at] is None:
                new = [state for state in self._next[at] if state not in found]
                found.update(new)
                waiting.extend(new)
        return found

    def _state(self, test: re.Pattern[str] | None = None, after: tuple[int, ...] = ()) -> int:
        if len(self._tests) >= MOST_STATES:
            raise BadPattern("many", 0)
        self._tests.append(test)
        self._next.append(list(after))
        return len(self._tests) - 1

    def _build(self, node: _Node, after: int) -> int:
        """The state from which `node` and then `after` are reached; built from the end."""
        if node.sort == "one":
            return self._state(node.test, (after,))
        if node.sort == "row":
            for inner in reversed(node.inner):
                after = self._build(inner, after)
            return after
        if node.sort == "ways":
            return self._state(None, tuple(self._build(inner, after) for inner in node.inner))
        return self._times(node, after)

    def _times(self, node: _Node, after: int) -> int:
        (inner,) = node.inner
        if node.most is None:
            around = self._state(None, (after,))
            self._next[around].insert(0, self._build(inner, around))
            start = around
        else:
            start = after
            for _ in range(node.most - node.least):
                start = self._state(None, (self._build(inner, start), after))
        for _ in range(node.least):
            start = self._build(inner, start)
        return start


@lru_cache(maxsize=500)
def compiled(pattern: str) -> Pattern:
    """The pattern, ready to match. Raises BadPattern."""
    if len(pattern) > MOST_LETTERS:
        raise BadPattern("long", MOST_LETTERS)
    reader = _Reader(pattern)
    node = reader.ways()
    if reader.at < len(pattern):
        raise BadPattern("open", reader.at)
    return Pattern(node)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits; a text of more than 2,000 letters does not. Raises BadPattern."""
    return len(text) <= LONGEST_TEXT and compiled(pattern).matches(text)


def from_search(pattern: str) -> str:
    """A pattern of JSON Schema, which is searched for in the text, as one for the whole text. Raises BadPattern.

    `^(?:X)$`, which is what is written for our own, gives X again.
    """
    start, end = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith(r"\$")
    inner = pattern[start : len(pattern) - end]
    if inner.startswith("(?:") and inner.endswith(")") and start and end and _closes_last(inner):
        inner = inner[3:-1]
    elif _has_ways(inner):
        # In `^a|b$` the anchors belong to one way each: no builder means that.
        inner = f"(?:{inner})"
        if start != end or start:
            raise BadPattern("unknown", 0)
    found = inner if start else f"[\\s\\S]*{inner}"
    return found if end else f"{found}[\\s\\S]*"


def _closes_last(text: str) -> bool:
    """Whether the bracket that opens `text` is closed by its last letter."""
    reader = _Reader(text)
    reader.atom()
    return reader.at == len(text)


def _has_ways(text: str) -> bool:
    reader = _Reader(text)
    return len(reader.ways().inner) > 1 and reader.at == len(text) and reader.split


class _Reader:
    """Reads a pattern from the left."""

    def __init__(self, text: str, depth: int = 0) -> None:
        self.text = text
        self.at = 0
        self.depth = depth
        #: Whether the outermost level has more than one way.
        self.split = False

    def ways(self) -> _Node:
        rows = [self._row()]
        level = self.depth
        while self._peek() == "|":
            self.at += 1
            rows.append(self._row())
            self.split = self.split or level == 0
        return rows[0] if len(rows) == 1 else _Node("ways", inner=tuple(rows))

    def _row(self) -> _Node:
        found = []
        while self.at < len(self.text) and self._peek() not in ("|", ")"):
            found.append(self._times(self.atom()))
        return _Node("row", inner=tuple(found))

    def _times(self, atom: _Node) -> _Node:
        sign = self._peek()
        if sign in ("*", "+", "?"):
            self.at += 1
            ends: tuple[int, int | None] = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif sign == "{" and (found := _COUNT.match(self.text, self.at)):
            low = int(found[1])
            ends = (low, low if not found[2] else int(found[3]) if found[3] else None)
            if low > MOST_REPEATS or (ends[1] or 0) > MOST_REPEATS or (ends[1] is not None and ends[1] < low):
                raise BadPattern("many", self.at)
            self.at = found.end()
        else:
            return atom
        if self._peek() == "?":  # not greedy: the same for a whole text
            self.at += 1
        if self._peek() in ("*", "+", "?") or _COUNT.match(self.text, self.at):
            raise BadPattern("nothing_to_repeat", self.at)
        return _Node("times", inner=(atom,), least=ends[0], most=ends[1])

    def atom(self) -> _Node:
        letter = self.text[self.at]
        if letter in ("*", "+", "?") or (letter == "{" and _COUNT.match(self.text, self.at)):
            raise BadPattern("nothing_to_repeat", self.at)
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._set()
        if letter in ("^", "$"):
            raise BadPattern("unknown", self.at)
        if letter == "\\":
            return self._escape()
        self.at += 1
        return _one(r"[\s\S]" if letter == "." else re.escape(letter))

    def _group(self) -> _Node:
        opened = self.at
        self.at += 1
        if self._peek() == "?":
            if not self.text.startswith("?:", self.at):
                raise BadPattern("unknown", opened)
            self.at += 2
        self.depth += 1
        if self.depth > 20:
            raise BadPattern("many", opened)
        inner = self.ways()
        self.depth -= 1
        if self._peek() != ")":
            raise BadPattern("open", opened)
        self.at += 1
        return inner

    def _escape(self) -> _Node:
        test = self._escaped()
        return _one(test if len(test) == 2 and test[1] in _CLASSES else re.escape(test))

    def _escaped(self) -> str:
        """A class such as `\\d` as it is, else the letter that is meant."""
        letter = self.text[self.at + 1 : self.at + 2]
        if not letter:
            raise BadPattern("open", self.at)
        if letter in _CLASSES:
            self.at += 2
            return f"\\{letter}"
        if letter.isalnum() and letter not in _CONTROLS:
            raise BadPattern("unknown", self.at)
        self.at += 2
        return _CONTROLS.get(letter, letter)

    def _set(self) -> _Node:
        opened = self.at
        self.at += 1
        negated = self._peek() == "^"
        self.at += negated
        parts: list[str] = []
        while (letter := self._peek()) != "]" or not parts:
            if not letter:
                raise BadPattern("open", opened)
            low = self._in_set()
            if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self._in_set()
                if len(low) != 1 or len(high) != 1 or low > high:
                    raise BadPattern("set", opened)
                parts.append(f"{re.escape(low)}-{re.escape(high)}")
            else:
                parts.append(low if len(low) == 2 else re.escape(low))
        self.at += 1
        return _one(f"[{'^' if negated else ''}{''.join(parts)}]")

    def _in_set(self) -> str:
        if self._peek() == "\\":
            return self._escaped()
        self.at += 1
        return self.text[self.at - 1]

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]


def _one(test: str) -> _Node:
    # A test sees one letter at a time, so that nothing in it can be slow.
    return _Node("one", test=re.compile(test, re.DOTALL))
