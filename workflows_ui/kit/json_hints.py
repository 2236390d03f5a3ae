"""Finds out what a person probably meant where their text stops being JSON. Gives keys of payload_words.HINTS."""

import re

_CURLY = "“”„‟’‘«»`'"
_IN_NUMBERS = "0123456789.+-_"
_WORD = re.compile(r"[A-Za-z_]\w*")
_OPENING, _CLOSING = "{[,:", "}]"
#: Longer texts (characters) get no closer hint: nobody reads them, and looking would take seconds.
_LONGEST = 500_000


def at(text: str, line: int, column: int) -> str:
    """The hint for a text that json.loads gave up at this line and column (both from 1)."""
    if len(text) > _LONGEST:
        return "syntax"
    lines = text.split("\n")
    offset = sum(len(row) + 1 for row in lines[: line - 1]) + column - 1
    here = text[offset : offset + 1]
    rest = text[offset:].lstrip()
    before = text[:offset].rstrip()
    special = _inside_a_text(text, offset, before, here, rest)
    if special:
        return special
    if here == "," and rest[1:].lstrip()[:1] in {"}", "]"}:
        return "comma"  # Python from 3.13 on points at the comma, older ones at what follows it
    if rest[:1] in set(_CLOSING) and before.endswith(","):
        return "comma"
    if rest[:1] in set(_CURLY) or before[-1:] in set(_CURLY):
        return "quotes"
    if here and here in _IN_NUMBERS and text[:offset][-1:].isdigit():
        return "digits"
    return _between_values(before, rest)


def _inside_a_text(text: str, offset: int, before: str, here: str, rest: str) -> str:
    if not rest:
        return "early"
    if here and here < " " and _open_quote(text[:offset]):
        return "control"
    if _open_quote(text[:offset]) and (here == "\\" or text[offset - 1 : offset] == "\\"):
        return "escape"
    if here == '"' and not _open_quote(text[:offset]) and not _closed(text, offset):
        return "early"
    return ""


def _between_values(before: str, rest: str) -> str:
    if before[-1:] in set(_OPENING) or not before:
        if rest[0] in "}],:":
            return "empty"
        if rest[0] in "0123456789+-.":
            return "digits"
        if _WORD.match(rest):
            return "quotes" if before[-1:] in {"{", ","} and re.match(r"\w+\s*:", rest) else "word"
        return "syntax"
    return "extra" if _complete(before) else "missing"


def _open_quote(text: str) -> bool:
    """Whether a text is open at the end; quotes behind a backslash do not count."""
    inside = False
    escaped = False
    for letter in text:
        if inside and letter == "\\" and not escaped:
            escaped = True
            continue
        if letter == '"' and not escaped:
            inside = not inside
        escaped = False
    return inside


def _closed(text: str, offset: int) -> bool:
    return re.match(r'"(?:[^"\\]|\\.)*"', text[offset:], re.DOTALL) is not None


def _complete(text: str) -> bool:
    """Whether every bracket that was opened outside of texts is closed."""
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
    return depth == 0
