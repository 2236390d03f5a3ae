"""Messages for invalid JSON: the problem, its position, and a hint.

The browser (static/launch_json.js) uses the same texts.
"""

import re

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core.json_text import BadPayload

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
_OPENING = "{[,:"
#: A text and its closing quotation mark, if there is one.
_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*("?)', re.DOTALL)
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
    offset = sum(len(row) + 1 for row in text.split("\n")[: line - 1]) + column - 1
    here, rest = text[offset : offset + 1], text[offset:].lstrip()
    before = text[:offset].rstrip()
    # What comes before, without texts: a quotation mark that is left opens one that is not closed.
    outside = _TEXT.sub(lambda match: "" if match[1] else '"', text[:offset])
    following = _TEXT.match(text, offset)
    if not rest or (following and not following[1] and '"' not in outside):
        return "early"
    if '"' in outside and here and here < " ":
        return "control"
    if '"' in outside and "\\" in (here, text[offset - 1 : offset]):
        return "escape"
    # Python from 3.13 on points at the comma, older ones at what follows it.
    if (here == "," and rest[1:].lstrip()[:1] in {"}", "]"}) or (rest[:1] in {"}", "]"} and before.endswith(",")):
        return "comma"
    if rest[:1] in set(_CURLY) or before[-1:] in set(_CURLY):
        return "quotes"
    if here and here in _IN_NUMBERS and text[:offset][-1:].isdigit():
        return "digits"
    return _between_values(before, rest, outside)


def _between_values(before: str, rest: str, outside: str) -> str:
    if before and before[-1] not in _OPENING:
        complete = sum(map(outside.count, "[{")) == sum(map(outside.count, "]}"))
        return "extra" if complete else "missing"
    if rest[0] in "}],:":
        return "empty"
    if rest[0] in "0123456789+-.":
        return "digits"
    if _WORD.match(rest):
        return "quotes" if before[-1:] in {"{", ","} and re.match(r"\w+\s*:", rest) else "word"
    return "syntax"
