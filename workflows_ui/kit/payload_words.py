"""Words for a text that is not JSON: what is wrong, where, and how it is written right."""

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.kit import json_hints
from workflows_ui.services.payloads import BadPayload

#: Why a text is not JSON, by what stands where the reading stopped. The browser (static/launch.js) uses the same words.
HINTS: dict[str, str | Promise] = {
    "syntax": _("Something is not right here."),
    "empty": _("A value is missing here."),
    "early": _("The text ends too early: a bracket, a brace or a quotation mark is not closed."),
    "quotes": _('Names and texts stand in straight double quotation marks: "like this".'),
    "comma": _("There is a comma too many before the closing bracket."),
    "word": _("Only true, false and null stand without quotation marks, in small letters."),
    "missing": _("A comma or a colon is missing before this."),
    "extra": _("The value has ended before this. Put several values into a list: [ ... ]"),
    "control": _("A line break or tab inside a text is written as \\n or \\t."),
    "escape": _('After a backslash only " \\ / b f n r t or u with four digits may follow.'),
    "digits": _("A number is written like 12, -0.5 or 1e6, without leading zeros."),
}
PROBLEMS: dict[str, str | Promise] = {
    "number": _("There is a number that JSON cannot carry, such as NaN, Infinity, or one that is too long."),
    "letter": _("There is half of a letter, such as \\ud83d without its second part. Write the whole letter."),
    "deep": _("Lists and objects are nested more than 200 deep."),
    "large": _("This is more than 25 MB, which is the most that the engine takes."),
}


def of(problem: BadPayload, text: str) -> str:
    """The message for a text that payloads.parse refused: line and column in words, and what is probably meant."""
    if problem.line is None or problem.column is None:
        return str(PROBLEMS[problem.problem])
    where = gettext("Line %(line)d, column %(column)d:") % {"line": problem.line, "column": problem.column}
    return f"{where} {HINTS[json_hints.at(text, problem.line, problem.column)]}"
