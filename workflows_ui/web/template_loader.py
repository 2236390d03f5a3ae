"""Loads the templates of pages without their indentation, which was a quarter of each page. Done once, when a template is compiled.

A run of white space with a line break becomes one line break; beside a tag that writes nothing and stands alone in its lines, only
the one before it stays. White space is never removed where there was none left, so words stay apart. What is shown as it is (`pre`,
`textarea`), and what is looked up in a catalogue (`blocktranslate`), stays unchanged.
"""

import re

from django.template import Origin
from django.template.loaders import filesystem

_KEPT = re.compile(
    r"(<(?:pre|textarea|script|style)\b.*?</(?:pre|textarea|script|style)>"
    r"|\{%\s*blocktrans(?:late)?\b.*?\{%\s*endblocktrans(?:late)?\s*%\}"
    r"|\{%\s*verbatim\b.*?\{%\s*endverbatim\s*%\})",
    re.DOTALL,
)
_COMMENT = re.compile(r"\{%\s*comment\b.*?\{%\s*endcomment\s*%\}", re.DOTALL)
_BREAK = re.compile(r"[ \t]*\n\s*")
#: Tags that write nothing where they stand.
_SILENT = r"\{%\s*(?:(?:end)?(?:if|for|with|block|partialdef)|elif|else|empty|load|extends|url\b[^%]*\bas\b|get_current_language)\b[^%]*%\}"
_ALONE = re.compile(rf"\n({_SILENT})\n")


def condensed(source: str) -> str:
    """A template's source without indentation and empty lines."""
    parts = _KEPT.split(_COMMENT.sub("", source))
    # What is kept has the odd positions.
    return "".join(part if number % 2 else _condense(part) for number, part in enumerate(parts))


def _condense(part: str) -> str:
    part = _BREAK.sub("\n", part)
    while (shorter := _ALONE.sub(r"\n\1", part)) != part:
        part = shorter
    return part


class Loader(filesystem.Loader):
    """Django's loader of the folders in DIRS; texts, such as mails, keep their lines."""

    def get_contents(self, origin: Origin) -> str:
        source: str = super().get_contents(origin)
        return condensed(source) if str(origin.name).endswith(".html") else source
