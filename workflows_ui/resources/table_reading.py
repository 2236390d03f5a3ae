"""Reading tables, their columns and records as the engine sends them, whatever is missing or odd in them."""

import json
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, Text

#: What the engine holds at most in one table; beyond it answers 409 `VALIDATION` (api.md section 13).
MOST_RECORDS, MOST_FIELDS = 1500, 15
#: Seconds for which a table's name and columns are remembered while one looks through its records.
_REMEMBERED_FOR = 60
_LISTED, _LONGEST_NAME = "tables-listed", 200
TEXT, NUMBER, DATE, DROPDOWN = "TEXT", "NUMBER", "DATE", "STATIC_DROPDOWN"
KINDS: dict[str, Text] = {
    TEXT: _("Text"),
    NUMBER: _("Number"),
    DATE: _("Date"),
    DROPDOWN: _("Choice from a list"),
}


def key_of(row: Row) -> str:
    """The id of a table, column or record; "" where it has none."""
    found = row.get("id")
    return found if isinstance(found, str) else ""


def name_of(row: Row) -> str:
    """The name of a table or column; may be empty."""
    found = row.get("name")
    return found if isinstance(found, str) else ""


def kind_of(field: Row) -> Text:
    """What a column holds, in words; a kind that is not known by its own word."""
    found = field.get("type")
    return KINDS.get(found, found[:60]) if isinstance(found, str) else ""


def options_of(field: Row) -> list[str]:
    """The choices of a column of kind STATIC_DROPDOWN (recording `fields_create_dropdown`); none for other kinds."""
    data = field.get("data")
    options = data.get("options") if isinstance(data, Mapping) else None
    if not isinstance(options, list):
        return []
    found = [option.get("value") for option in options if isinstance(option, Mapping)]
    return [value for value in found if isinstance(value, str) and value]


def cell(record: Row, field: str) -> str:
    """The text in a record's cell; "" where it is missing. `cells` is a map by the column's id (recording `records_get`)."""
    cells = record.get("cells")
    found = cells.get(field) if isinstance(cells, Mapping) else None
    value = found.get("value") if isinstance(found, Mapping) else None
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def table(caller: Caller, id: str, *, fresh: bool = True) -> Row:
    """The table; at most a minute old where it need not be fresh. Raises EngineError."""
    if fresh:
        caller.forget(table_name(id))
    return caller.remember(table_name(id), _REMEMBERED_FOR, lambda: caller.workflows.get_table(id))


def fields(caller: Caller, id: str, *, fresh: bool = True) -> list[Row]:
    """The table's columns that have an id, in their order. Raises EngineError."""
    if fresh:
        caller.forget(columns_name(id))

    def ask() -> list[Row]:
        return [row for row in caller.workflows.list_fields(id) if key_of(row)]

    return caller.remember(columns_name(id), _REMEMBERED_FOR, ask)


def changed(caller: Caller, id: str) -> None:
    """Forgets the table and its columns, after something that changed them, or may have."""
    caller.forget(table_name(id), columns_name(id), _LISTED)


def listed(caller: Caller, rows: Iterable[Row]) -> None:
    """Remembers the names of tables as a list shows them, for pages that cannot afford to ask."""
    names = {key_of(row): name_of(row)[:_LONGEST_NAME] for row in rows}
    caller.forget(_LISTED)
    caller.remember(_LISTED, _REMEMBERED_FOR, lambda: names)


def listed_name(caller: Caller, id: str) -> str:
    """The table's name as a list showed it within the last minute; "" where none did."""
    names: dict[str, str] = {}
    return caller.known(_LISTED, names).get(id, "")


def table_name(id: str) -> str:
    """What a table is remembered as."""
    return f"table:{id}"


def columns_name(id: str) -> str:
    """What a table's columns are remembered as."""
    return f"fields:{id}"


def records(caller: Caller, id: str, conditions: Iterable[Mapping[str, str]] = ()) -> list[Row]:
    """All records of the table that fit, newest first, asked for at once: they never page (recording `records_list_limit5`).

    `conditions`: fieldId, operator and value each. Raises EngineError.
    """
    found = caller.workflows.list_records(id, limit=MOST_RECORDS, filters=[*conditions] or None).get("data") or []
    rows: list[Row] = [row for row in found if isinstance(row, dict)]
    return [*{key_of(row) or str(number): row for number, row in enumerate(rows)}.values()][::-1]


def unique(names: Sequence[str]) -> list[str]:
    """The names, with a number behind each one that stood before: the engine lets columns share a name."""
    found: list[str] = []
    for name in names:
        number, one = 2, name
        while one in found:
            one, number = f"{name} ({number})", number + 1
        found.append(one)
    return found
