"""A list as a file, in pieces: CSV with values as the list shows them, but durations as numbers of seconds, JSON with the engine's rows."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from django.db.models import Model, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.declaration import AnyRow, Column, List, Row

#: File types, with their content type.
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}
#: Characters that start a formula in a spreadsheet cell; some spreadsheets accept the full-width characters too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: In locales with a decimal comma (Vietnam, most of Europe), spreadsheets split cells at semicolons and ignore quotes around commas: there,
#: a formula may also start in the middle of a text. A dash and a blank start an item of a list in a text.
_FORMULA_WITHIN = re.compile(r"(?<=[;\t\r\n])(?=[=+@＝＋＠]|[-－](?! ))")
#: Spreadsheets only read the characters of all languages after a byte order mark.
BYTE_ORDER_MARK = "\ufeff"
#: Rows of the console read at a time.
_PART = 500
_MOMENTS = frozenset({"when", "exact"})


def stream(
    file_type: str,
    rows: QuerySet[Model] | Sequence[AnyRow],
    *,
    headings: Callable[[], Sequence[str]],
    cells: Callable[[AnyRow], Sequence[str]],
    record: Callable[[AnyRow], Mapping[str, object]],
    prepare: Callable[[Sequence[AnyRow]], Sequence[AnyRow]] = list,
    together: int = _PART,
) -> Iterator[bytes]:
    """Rows of the console as a file, part by part, in the language and time zone of the caller.

    Args:
        file_type: a key of TYPES.
        headings: the first line of a table.
        cells: a row's line of a table.
        record: a row's JSON.
        prepare: makes what `cells` and `record` take of some rows.
        together: rows that are in memory at a time.
    """
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def parts() -> Iterator[bytes]:
        # The request's language and zone are no longer active when the response is streamed.
        with translation.override(language), timezone.override(zone):
            first = BYTE_ORDER_MARK + csv_text([headings()]) if file_type == "csv" else "["
        yield encode(first)
        found = rows.iterator(chunk_size=together) if isinstance(rows, QuerySet) else iter(rows)
        separator = "\n"
        while part := list(islice(found, together)):
            with translation.override(language), timezone.override(zone):
                prepared = prepare(part)
                if file_type == "csv":
                    text = csv_text([cells(row) for row in prepared])
                else:
                    dumped = (json.dumps(record(row), ensure_ascii=False, default=str) for row in prepared)
                    text, separator = separator + ",\n".join(dumped), ",\n"
            yield encode(text)
        yield tail(file_type)

    return parts()


def head(file_type: str, kind: List) -> bytes:
    """What precedes the first row; `file_type` is a key of TYPES."""
    return b"[" if file_type == "json" else encode(BYTE_ORDER_MARK + csv_text([headings(kind)]))


def headings(kind: List) -> list[str]:
    """The first line of a table of the list's columns."""
    zone = timezone.get_current_timezone_name()
    labels = []
    for column in kind.list_display:
        unit = zone if column.kind in _MOMENTS else _("seconds") if column.kind == "duration" else ""
        labels.append(f"{column.label} ({unit})" if unit else str(column.label))
        if column.below:
            labels.append(_("%(column)s: note") % {"column": column.label})
    return [*labels, _("ID")]


def body(file_type: str, kind: List, session: EngineSession, rows: Sequence[Row], *, before: int) -> bytes:
    """Rows of the file, secrets masked; `before` is the number of rows before them."""
    masked = kind.masked(session, rows)
    if file_type == "csv":
        return encode(csv_text([cells(kind, row) for row in masked]))
    text = ",\n".join(json.dumps(row, ensure_ascii=False, default=str) for row in masked)
    return encode((",\n" if before else "\n") + text if text else "")


def tail(file_type: str) -> bytes:
    return b"\n]\n" if file_type == "json" else b""


def name(kind: List, file_type: str) -> str:
    """The file's name, with today's date in the person's time zone."""
    return f"{kind.name}-{timezone.localdate():%Y-%m-%d}.{file_type}"


def escape_formulas(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would start a formula."""
    text = _FORMULA_WITHIN.sub("'", text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def keys(kind: List) -> list[str]:
    """The names of the values in `cells`, without the id."""
    return [
        name for column in kind.list_display for name in (column.key, *([f"{column.key}_note"] if column.below else []))
    ]


def cells(kind: List, row: Row) -> list[str]:
    cells = []
    for column in kind.list_display:
        cells.append(_cell(column, column.value(row)))
        if column.below:
            cells.append(escape_formulas(str(column.below(row))))
    return [*cells, escape_formulas(kind.key(row))]


def _cell(column: Column, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return escape_formulas(_text(column, value))
    # A number may begin with a minus: it is not a formula.
    return f"{value / 1000:.3f}" if column.kind == "duration" else str(value)


def value_cell(value: object) -> str:
    """Any JSON value as a cell."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return escape_formulas(_value_text(value))


def _text(column: Column, value: object) -> str:
    if isinstance(value, Badge):
        return str(value.word)
    if column.kind in _MOMENTS:
        moment = formats.moment(value)
        return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else ""
    if column.kind == "duration":
        return ""
    if isinstance(value, list):
        return "; ".join(_value_text(item) for item in value)
    return _value_text(value)


def _value_text(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    # A value that is only drawn, without a text of its own, would show its Python representation in the file.
    has_text = any("__str__" in vars(cls) for cls in type(value).__mro__[:-1])
    return str(value) if has_text else ""


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def encode(text: str) -> bytes:
    """UTF-8 without lone surrogates, which the engine may send and no file can hold."""
    return text.encode("utf-8", "replace")
