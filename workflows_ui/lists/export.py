"""A list as a file: the values of its columns as cells (file_formats.py), or the engine's rows as JSON; written part by part, and sent."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from django.db.models import Model, QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.text import slugify
from django.utils.translation import gettext as _, pgettext

from workflows_ui.core import formats
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists import file_formats
from workflows_ui.lists.declaration import AnyRow, Column, List, Row
from workflows_ui.lists.file_formats import FORMATS, Cell, Facts, Line
from workflows_ui.web import responses

#: Rows of the console read at a time.
_PART = 500
_MOMENTS = frozenset({"when", "exact"})
#: Most letters of the filters in a file's name.
_LONGEST_NAME = 80


def stream(
    file: file_formats.FileWriter,
    rows: QuerySet[Model] | Sequence[AnyRow],
    *,
    headings: Callable[[], Sequence[str]],
    line: Callable[[AnyRow], Line],
    prepare: Callable[[Sequence[AnyRow]], Sequence[AnyRow]] = list,
    together: int = _PART,
) -> Iterator[bytes]:
    """Rows of the console as a file, part by part, in the language and time zone of the caller.

    Args:
        headings: the first line of a table.
        line: a row's cells; for a JSON file, its values by name.
        prepare: makes what `line` takes of some rows.
        together: rows that are in memory at a time.
    """
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def parts() -> Iterator[bytes]:
        with file:
            # The request's language and zone are no longer active when the response is streamed.
            with translation.override(language), timezone.override(zone):
                data = file.head(headings())
            found = rows.iterator(chunk_size=together) if isinstance(rows, QuerySet) else iter(rows)
            while part := list(islice(found, together)):
                if data:
                    yield data
                with translation.override(language), timezone.override(zone):
                    data = file.body([line(row) for row in prepare(part)])
            if data:
                yield data
            with translation.override(language), timezone.override(zone):
                rest = file.tail()
            yield from rest

    return parts()


def send(content: bytes | Iterator[bytes], name: str, key: str, **headers: str) -> HttpResponseBase:
    """Send a file in a format, a key of FORMATS, which the browser remembers for the next one."""
    response = responses.download(content, name, FORMATS[key].content_type, **headers)
    file_formats.remember(response, key)
    return response


def facts(title: str, workspace: str, filters: Facts) -> Facts:
    """What a file tells about itself: what it lists, of which workspace ("" for none), with which filters, in which time zone, and when."""
    told = [(_("List"), title), *([(_("Workspace"), workspace)] if workspace else [])]
    told += list(filters) or [(_("Filters"), _("None: the whole list"))]
    return [
        *told,
        (_("Time zone"), timezone.get_current_timezone_name()),
        (pgettext("file", "Created"), f"{timezone.localtime():%Y-%m-%d %H:%M:%S}"),
    ]


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


def lines(key: str, kind: List, session: EngineSession, rows: Sequence[Row]) -> list[Line]:
    """Rows of the engine as lines of a file in this format, secrets masked."""
    masked = kind.masked(session, rows)
    return list(masked) if key == "json" else [cells(kind, row) for row in masked]


def name(kind: List, key: str, filters: Facts = ()) -> str:
    """The file's name, with today's date in the person's time zone, and the filters in short."""
    told = slugify(" ".join(value for _label, value in filters))[:_LONGEST_NAME].strip("-")
    return f"{'-'.join(filter(None, (kind.name, f'{timezone.localdate():%Y-%m-%d}', told)))}.{FORMATS[key].ending}"


def keys(kind: List) -> list[str]:
    """The names of the values in `cells`, without the id."""
    return [
        name for column in kind.list_display for name in (column.key, *([f"{column.key}_note"] if column.below else []))
    ]


def cells(kind: List, row: Row) -> list[Cell]:
    cells: list[Cell] = []
    for column in kind.list_display:
        cells.append(_cell(column, column.value(row)))
        if column.below:
            cells.append(str(column.below(row)))
    return [*cells, kind.key(row)]


def value_cell(value: object) -> Cell:
    """Any JSON value as a cell."""
    return value if value is None or isinstance(value, bool | int | float) else _value_text(value)


def _cell(column: Column, value: object) -> Cell:
    if isinstance(value, Badge):
        return str(value.word)
    if column.kind in _MOMENTS:
        return formats.moment(value)
    if column.kind == "duration":
        return value / 1000 if isinstance(value, int | float) and not isinstance(value, bool) else None
    if column.kind == "count" and isinstance(value, str):
        return file_formats.read_number(value)
    if isinstance(value, list):
        return "; ".join(_value_text(item) for item in value)
    return value_cell(value)


def _value_text(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    # A value that is only drawn, without a text of its own, would show its Python representation in the file.
    has_text = any("__str__" in vars(cls) for cls in type(value).__mro__[:-1])
    return str(value) if has_text else ""
