"""A list as a file, piece by piece: CSV for spreadsheets with values as the list shows them, JSON for programs with the engine's rows."""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from workflows_ui.kit import redact, show
from workflows_ui.kit.resource import Column, Resource, Row
from workflows_ui.kit.words import StateWord

#: Kinds of files: how each is called in the response.
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}
#: What a spreadsheet takes for a formula when a cell begins with it; some take the wide letters for the plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Where numbers have a decimal comma (Vietnam, most of Europe), spreadsheets part cells at semicolons, and heed no quotes around commas:
#: there a formula may also begin in the midst of a text. A dash and a blank begin an item of somebody's list.
_FORMULA_WITHIN = re.compile(r"(?<=[;\t\r\n])(?=[=+@＝＋＠]|[-－](?! ))")
#: Spreadsheets read the letters of all languages only behind this mark.
_MARK = "\ufeff"
_MOMENTS = frozenset({"when", "exact"})


def head(kind: str, resource: Resource) -> bytes:
    """What stands before the first row; `kind` is a key of TYPES."""
    if kind == "json":
        return b"["
    zone = timezone.get_current_timezone_name()
    labels = []
    for column in resource.list_display:
        labels.append(f"{column.label} ({zone})" if column.kind in _MOMENTS else str(column.label))
        if column.below:
            labels.append(_("%(column)s: note") % {"column": column.label})
    return _encoded(_MARK + _lines([[*labels, _("Id")]]))


def body(kind: str, resource: Resource, rows: Sequence[Row], *, before: int) -> bytes:
    """Rows of the file, secrets masked; `before` says how many rows stand before them."""
    masked = [redact.step(row, secrets=resource.secrets) for row in rows]
    if kind == "csv":
        return _encoded(_lines([_cells(resource, row) for row in masked]))
    found = [json.dumps(row, ensure_ascii=False, default=str) for row in masked]
    between = ",\n" if before else "\n"
    return _encoded("".join(f"{between if number == 0 else ',' + chr(10)}{text}" for number, text in enumerate(found)))


def tail(kind: str) -> bytes:
    """What stands behind the last row."""
    return b"\n]\n" if kind == "json" else b""


def name(resource: Resource, kind: str) -> str:
    """The file's name, with today's date in the person's zone."""
    return f"{resource.name}-{timezone.localdate():%Y-%m-%d}.{kind}"


def harmless(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would begin to run it as a formula."""
    text = _FORMULA_WITHIN.sub("'", text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(resource: Resource, row: Row) -> list[str]:
    cells = []
    for column in resource.list_display:
        cells.append(_cell(column, column.value(row)))
        if column.below:
            cells.append(harmless(str(column.below(row))))
    return [*cells, harmless(resource.key(row))]


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return harmless(_words(column, value))
    # A number may begin with a minus: it is no formula.
    return show.duration(value) if column.kind == "duration" else str(value)


def _words(column: Column, value: Any) -> str:
    if isinstance(value, StateWord):
        return str(value.word)
    if column.kind in _MOMENTS:
        found = show.moment(value)
        return f"{timezone.localtime(found):%Y-%m-%d %H:%M:%S}" if found else ""
    if column.kind == "duration":
        return ""
    if isinstance(value, list):
        return "; ".join(_plain(one) for one in value)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    # What is only drawn, and says nothing in words, would be a program's text in the file.
    told = any("__str__" in vars(kind) for kind in type(value).__mro__[:-1])
    return str(value) if told else ""


def _lines(rows: Sequence[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def _encoded(text: str) -> bytes:
    """The engine may send halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace")
