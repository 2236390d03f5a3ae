"""Patterns for texts, matched by RE2 in linear time, so that a pattern of a builder or of an imported file is never slow.

The language is the part of regular expressions that JSON Schema's ECMAScript, Python and RE2 have in common: characters, `.`, `^ $`,
`\\d \\w \\s` and their opposites, `[...]`, `( )`, `(?: )`, `|`, `* + ? {n} {n,} {n,m}`. No look-around, no back-references.
"""

import contextlib
import re
from functools import lru_cache
from typing import Protocol, cast

import re2

MOST_CHARACTERS = 200
#: Longer texts never match a pattern.
LONGEST_TEXT = 2_000
#: The classes for all scripts, as in Python. RE2's own are ASCII only, and `\w+` must match Vietnamese names.
_CLASSES = {
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "w": r"\p{L}\p{N}_",
    "W": r"\p{M}\p{S}\p{Z}\p{C}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\x{203f}\x{2040}\x{2054}\x{fe33}\x{fe34}\x{fe4d}-\x{fe4f}\x{ff3f}",
    "s": r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}",
    "S": r"\x00-\x08\x0e-\x1b!-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}"
    r"\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}",
}
_CONTROLS = frozenset("ntrfv")
_SET = re.compile(r"\[(\^?\]?(?:\\.|[^\]\\])*)\]|\\(.)|\(\?(?!:)", re.DOTALL)
_IN_SET = re.compile(r"\\(.)|\[", re.DOTALL)
_OPTIONS = re2.Options()
_OPTIONS.dot_nl, _OPTIONS.log_errors = True, False


class BadPattern(Exception):
    """Not a pattern of this language. `part` is the part that cannot be read; "" for a pattern that is too long or too large."""

    def __init__(self, part: str = "") -> None:
        super().__init__(part)
        self.part = part


class Matcher(Protocol):
    """A compiled pattern of RE2, whose package has no types."""

    def fullmatch(self, text: bytes) -> object | None: ...


@lru_cache(maxsize=500)
def compiled(pattern: str) -> Matcher:
    """The compiled pattern. Raises BadPattern."""
    if len(pattern) > MOST_CHARACTERS:
        raise BadPattern
    _read(pattern)  # before the substitution, so that an error quotes what was typed
    return _read(_SET.sub(_expand_classes, pattern))


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches; a text of more than 2,000 characters does not. Raises BadPattern."""
    matcher = compiled(pattern)
    return len(text) <= LONGEST_TEXT and matcher.fullmatch(text.encode(errors="replace")) is not None


def from_search(pattern: str) -> str:
    """A pattern of JSON Schema, which is searched for in the text, converted to one for the whole text. Raises BadPattern.

    `^(?:X)$`, the format in which the console writes its own patterns, gives X.
    """
    inner = pattern.removeprefix("^(?:").removesuffix(")$")
    if pattern == f"^(?:{inner})$":
        with contextlib.suppress(BadPattern):
            compiled(inner)
            return inner
    compiled(pattern)
    if re.fullmatch(r"\^(?:\\.|[^\\|])*\$", pattern, re.DOTALL):
        return pattern[1:-1]
    whole_pattern = rf"[\s\S]*(?:{pattern})[\s\S]*"
    compiled(whole_pattern)
    return whole_pattern


def _read(pattern: str) -> Matcher:
    try:
        return cast(Matcher, re2.compile(pattern.encode(errors="replace"), _OPTIONS))
    except re2.error as problem:
        # RE2's messages are `problem: part of the pattern`.
        _problem, _separator, part = problem.args[0].decode(errors="replace").partition(": ")
        raise BadPattern(part) from None


def _expand_classes(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"[{_IN_SET.sub(_set_content, match[1])}]"
    if match[2] is None:
        raise BadPattern(match[0])
    inner = _set_content(match)
    return f"[{inner}]" if match[2] in _CLASSES else inner


def _set_content(match: re.Match[str]) -> str:
    """RE2's notation inside of a set for an escaped character, or for `[`, which would open a POSIX class."""
    character = match[0][-1]
    if character in _CLASSES and len(match[0]) > 1:
        return _CLASSES[character]
    if character.isalnum() and character not in _CONTROLS:
        raise BadPattern(match[0])
    return match[0] if character in _CONTROLS else re.escape(character) if character.isascii() else character
