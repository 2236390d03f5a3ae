"""Messages for invalid JSON: the problem, its position, and a hint.

The browser (static/launch_json.js) uses the same texts.
"""

import re

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.launch_forms.schema.json_text import BadPayload

#: Why a text is not JSON, by what was found where parsing stopped.
HINTS: dict[str, str | Promise] = {
    "syntax": _("Something is not right here."),
    "empty": _("A value is missing here."),
    "early": _("The text ends too early: a bracket, a brace or a quotation mark is not closed."),
    "quotes": _('Names and texts are written in straight double quotation marks: "like this".'),
    "comma": _("There is a comma too many before the closing bracket."),
    "word": _("Only true, false and null are written without quotation marks, in lower case."),
    "missing": _("A comma or a colon is missing before this."),
    "extra": _("The value has ended before this. Put several values into a list: [ ... ]"),
    "control": _("A line break or tab inside a text is written as \\n or \\t."),
    "escape": _('After a backslash only " \\ / b f n r t or u with four digits may follow.'),
    "digits": _("A number is written like 12, -0.5 or 1e6, without leading zeros."),
}
#: Why JSON cannot be sent, by BadPayload.problem; `problems` fills in the limit.
_PROBLEMS: dict[str, str | Promise] = {
    "number": _("There is a number that JSON cannot carry, such as NaN, Infinity, or one that is too long."),
    "letter": _("There is half of a character, such as \\ud83d without its second part. Write the whole character."),
    "deep": _("Lists and objects are nested more than 200 deep."),
    "large": _("The values are too large: at most {size} MB can be sent."),
}

_CURLY = "“”„‟’‘«»`'"
_IN_NUMBERS = "0123456789.+-_"
_WORD = re.compile(r"[A-Za-z_]\w*")
_OPENING, _CLOSING = "{[,:", "}]"
#: Longer texts (in characters) get no specific hint: nobody reads them, and the analysis would take seconds.
_LONGEST = 500_000


def problems() -> dict[str, str]:
    """Why JSON cannot be sent, by BadPayload.problem."""
    limit = settings.LAUNCH_JSON_BYTES // 1024 // 1024
    return {problem: str(text).format(size=limit) for problem, text in _PROBLEMS.items()}


def describe(problem: BadPayload, text: str) -> str:
    """The message for a text that json_text.parse rejected."""
    if problem.line is None or problem.column is None:
        return problems()[problem.problem]
    position = gettext("Line %(line)d, column %(column)d:") % {"line": problem.line, "column": problem.column}
    return f"{position} {HINTS[_hint(text, problem.line, problem.column)]}"


def _hint(text: str, line: int, column: int) -> str:
    """The key of HINTS for a text that json.loads rejected at this line and column (both from 1)."""
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
    """Whether a string is open at the end; escaped quotes do not count."""
    inside = False
    escaped = False
    for character in text:
        if inside and character == "\\" and not escaped:
            escaped = True
            continue
        if character == '"' and not escaped:
            inside = not inside
        escaped = False
    return inside


def _closed(text: str, offset: int) -> bool:
    return re.match(r'"(?:[^"\\]|\\.)*"', text[offset:], re.DOTALL) is not None


def _complete(text: str) -> bool:
    """Whether all brackets outside of strings are closed."""
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
    return depth == 0
