"""Reading tables, their columns and records as the engine sends them, with missing or malformed parts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils.translation import gettext_lazy as _, ngettext

from workflows_ui.core import formats
from workflows_ui.core.paths import dict_at, dicts_at, list_at, pick, text_at
from workflows_ui.core.readers import EngineObject, parts_of, plain_text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import TooLarge
from workflows_ui.lists import file_formats
from workflows_ui.resource_admin.resource import Row, Text

#: Records per call: more than any table holds, then fewer if the answer would exceed the size limit.
_AT_ONCE, _AT_ONCE_FOR = (100_000, 1000, 100, 10, 1), 600
#: Comparisons made by the console: engines before 0.83 do not know them. They need no value.
HAS_VALUE, HAS_NONE = "exists", "not_exists"
#: Seconds for which a table's name and columns are cached while a person views its records.
_REMEMBERED_FOR = 60
_LISTED, _LONGEST_NAME = "tables-listed", 200
TEXT, NUMBER, DATE, DROPDOWN = "TEXT", "NUMBER", "DATE", "STATIC_DROPDOWN"
KINDS: dict[str, Text] = {TEXT: _("Text"), NUMBER: _("Number"), DATE: _("Date"), DROPDOWN: _("Choice from a list")}


def key_of(row: Row) -> str:
    """The id of a table, column or record; "" without one."""
    return text_at(row, "id")


def name_of(row: Row) -> str:
    """The name of a table or column; may be empty."""
    return text_at(row, "name")


def label_of(row: Row) -> str:
    """The name of a table or column, else its id."""
    return name_of(row) or key_of(row)


def kind_of(field: Row) -> Text:
    """The label for a column's type; an unknown one is shown as it is."""
    kind = text_at(field, "type")
    return KINDS.get(kind, kind[:60])


def options_of(field: Row) -> list[str]:
    """The choices of a column of kind STATIC_DROPDOWN (recording `fields_create_dropdown`); none for other kinds."""
    return [value for option in dicts_at(field, "data.options") if (value := text_at(option, "value"))]


def cell(record: Row, field: str) -> str:
    """The text in a record's cell; "" if it is missing. `cells` is a map by the column's id (recording `records_get`)."""
    return plain_text(pick(dict_at(record, "cells").get(field), "value"))


def typed(text: str, type: str) -> file_formats.Cell:
    """The value in a cell of a column of this type, for files: a number, a day or a moment if it is one, else its text."""
    if type == NUMBER:
        return file_formats.read_number(text)
    return file_formats.read_moment(text) if type == DATE else text


def last_change(record: Row) -> datetime | None:
    """When a record or one of its cells was last changed: the engine stores a change with the cell only (recording `records_update`)."""
    moments = [formats.moment(pick(part, "updated")) for part in (record, *dict_at(record, "cells").values())]
    return max((moment for moment in moments if moment is not None), default=None)


def table(session: EngineSession, id: str, *, fresh: bool = True) -> Row:
    """The table; at most a minute old unless `fresh`. Raises EngineError."""
    if fresh:
        session.forget(table_name(id))
    return session.remember(table_name(id), _REMEMBERED_FOR, lambda: session.workflows.get_table(id))


def fields(session: EngineSession, id: str, *, fresh: bool = True) -> list[Row]:
    """The table's columns that have an id, in their order. Raises EngineError."""
    if fresh:
        session.forget(columns_name(id))

    def ask() -> list[Row]:
        return [row for row in session.workflows.list_fields(id) if key_of(row)]

    return session.remember(columns_name(id), _REMEMBERED_FOR, ask)


@contextmanager
def forgetting(session: EngineSession, id: str) -> Iterator[None]:
    """Forget the table and its columns after something that may have changed them."""
    try:
        yield
    finally:
        session.forget(table_name(id), columns_name(id), _LISTED)


def remember_names(session: EngineSession, rows: Iterable[Row]) -> None:
    """Cache the names of tables from a list, for pages that cannot make a call."""
    names = {key_of(row): name_of(row)[:_LONGEST_NAME] for row in rows}
    session.forget(_LISTED)
    session.remember(_LISTED, _REMEMBERED_FOR, lambda: names)


def listed_name(session: EngineSession, id: str) -> str:
    """The table's name from a list within the last minute; "" if there was none."""
    return session.known(_LISTED, dict[str, str]()).get(id, "")


def table_name(id: str) -> str:
    return f"table:{id}"


def columns_name(id: str) -> str:
    return f"fields:{id}"


@dataclass(frozen=True)
class Records:
    """Records of a table, newest first. `whole` is False if they are only the oldest matching ones."""

    rows: list[Row]
    whole: bool = True

    @property
    def gap(self) -> Text:
        """The message if there are more records than these; else ""."""
        if self.whole:
            return ""
        return ngettext(
            "There are more records than the console can read at once: only the oldest one is shown. Use filters to find others.",
            "There are more records than the console can read at once: only the oldest %(count)d are shown. Use filters to find others.",
            len(self.rows),
        ) % {"count": len(self.rows)}


def records(session: EngineSession, id: str, conditions: Iterable[Mapping[str, str]] = ()) -> Records:
    """The matching records of the table, requested at once: they never page (recording `records_list`).

    `conditions`: fieldId, operator and value each. Raises EngineError.
    """
    wanted_conditions = [*conditions]
    remote = [item for item in wanted_conditions if item["operator"] not in (HAS_VALUE, HAS_NONE)]
    local = [item for item in wanted_conditions if item["operator"] in (HAS_VALUE, HAS_NONE)]
    listed, whole = _load_rows(session, id, remote)
    rows: list[Row] = [row.raw for row in parts_of(listed, EngineObject)]
    matching = [*{key_of(row) or str(number): row for number, row in enumerate(rows)}.values()][::-1]
    for item in local:
        matching = [row for row in matching if bool(cell(row, item["fieldId"])) == (item["operator"] == HAS_VALUE)]
    return Records(matching, whole)


def _load_rows(session: EngineSession, id: str, conditions: list[Mapping[str, str]]) -> tuple[list[object], bool]:
    """The engine's list, oldest first, up to the size limit of an answer; and whether it is complete."""
    name = f"records-at-once:{id}:{conditions!r}"
    most = session.known(name, _AT_ONCE[0])
    waiting = [limit for limit in _AT_ONCE if limit <= most]
    while True:
        limit = waiting.pop(0)
        try:
            rows = list_at(session.workflows.list_records(id, limit=limit, filters=conditions or None), "data")
        except TooLarge:
            if not waiting:
                raise
            continue
        if limit < most:
            session.forget(name)
            session.remember(name, _AT_ONCE_FOR, partial(int, limit))
        return rows, limit == _AT_ONCE[0] or len(rows) < limit


def unique(names: Sequence[str]) -> list[str]:
    """The names, with a number after repeated ones: the engine lets columns share a name."""
    result: list[str] = []
    for name in names:
        number, item = 2, name
        while item in result:
            item, number = f"{name} ({number})", number + 1
        result.append(item)
    return result
