"""The looks of operations on tables, their fields and records (see looks.py)."""

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import TooLarge
from .looks import MANY, attribute, created, gone, page_rows
from .writes import NOT_DONE, UNCLEAR, Json, Look, Seen, done

#: The most records of a table that is read whole.
_RECORDS = 100_000
#: Records that are read of a table that is cleared, if the answer is not too large.
_OLDEST = (1000, 100, 10, 1)


def _table(workflows: Any, arguments: Json) -> Json:
    found: Json = workflows.get_table(arguments["table_id"])
    return found


def _field(workflows: Any, arguments: Json) -> Json:
    found: Json = workflows.get_field(arguments["field_id"])
    return found


def _records(workflows: Any, arguments: Json) -> list[Json]:
    rows: list[Json] = workflows.list_records(arguments["table_id"], limit=_RECORDS)["data"]
    return rows


TABLE_CREATED = created(
    lambda workflows, arguments: page_rows(workflows.list_tables(limit=MANY)),
    lambda row, arguments: row.get("name") == arguments["name"],
)
TABLE_GONE = gone(_table)
FIELD_CREATED = created(
    lambda workflows, arguments: workflows.list_fields(arguments["table_id"]),
    lambda row, arguments: (row.get("name"), row.get("type")) == (arguments["name"], arguments["type"]),
)
FIELD_RENAMED = attribute(_field, lambda field: field.get("name"), lambda arguments: arguments["name"])
FIELD_GONE = gone(_field)


def _table_values(row: Json) -> Json:
    return {key: row.get(key) for key in ("name", "trigger", "status")}


def _see_table(workflows: Any, arguments: Json, before: Any) -> Seen:
    found = _table(workflows, arguments)
    wanted = {key: arguments[key] for key in ("name", "trigger", "status") if arguments[key] is not None}
    if all(found.get(key) == value for key, value in wanted.items()):
        return done(found)
    return NOT_DONE if _table_values(found) == before else UNCLEAR


TABLE_CHANGED = Look(_see_table, lambda workflows, arguments: _table_values(_table(workflows, arguments)))


def _record_ids(workflows: Any, arguments: Json) -> list[Any]:
    return [row.get("id") for row in _records(workflows, arguments)]


def _before_records(workflows: Any, arguments: Json) -> list[Any] | None:
    """The ids of the records that are there; None if the table is too large to be read: the write is then sent all the same."""
    known = arguments["known"]
    try:
        return _record_ids(workflows, arguments) if known is None else [*known]
    except TooLarge:
        return None


def _values(record: Json) -> dict[str, str]:
    """The cells of a record that are not empty, by the field's id."""
    cells = record.get("cells")
    found = cells.items() if isinstance(cells, dict) else ()
    texts = ((key, cell.get("value") if isinstance(cell, dict) else cell) for key, cell in found)
    return {key: str(text) for key, text in texts if text not in (None, "")}


def _sent_values(record: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in record.items() if value not in (None, "")}


def _see_records(workflows: Any, arguments: Json, before: Any) -> Seen:
    """Done if the records that are new are exactly those that were sent; if there are others too, another writer may have made any."""
    if before is None:
        return UNCLEAR
    known = {*before}
    new = [row for row in _records(workflows, arguments) if row.get("id") not in known]
    if not new:
        return NOT_DONE if arguments["records"] else done([])
    rest = [_values(row) for row in new]
    for record in map(_sent_values, arguments["records"]):
        if record not in rest:
            return UNCLEAR
        rest.remove(record)
    return UNCLEAR if rest else done(new)


def _oldest(workflows: Any, arguments: Json) -> list[Any]:
    """The ids of the table's oldest records, which the engine lists first: as many as an answer holds, since it deletes all or none."""
    for limit in _OLDEST:
        try:
            return [row.get("id") for row in workflows.list_records(arguments["table_id"], limit=limit)["data"]]
        except TooLarge:
            if limit == _OLDEST[-1]:
                raise
    return []


def _see_cleared(workflows: Any, arguments: Json, before: Any) -> Seen:
    """Done if none of the records that were the oldest is among the oldest ones."""
    rows = workflows.list_records(arguments["table_id"], limit=len(before))["data"] if before else []
    left = {row.get("id") for row in rows} & {*before}
    if not left:
        return done()
    return NOT_DONE if left == {*before} else UNCLEAR


def _see_records_gone(workflows: Any, arguments: Json, _before: Any) -> Seen:
    wanted: Sequence[str] = list(arguments["record_ids"])
    if arguments["table_id"] is None:
        return UNCLEAR
    left = {*_record_ids(workflows, arguments)} & {*wanted}
    if not left:
        return done()
    return NOT_DONE if left == {*wanted} else UNCLEAR


def _record(workflows: Any, arguments: Json) -> Json:
    found: Json = workflows.get_record(arguments["record_id"])
    return found


def _see_record(workflows: Any, arguments: Json, before: Any) -> Seen:
    found = _record(workflows, arguments)
    values = _values(found)
    wanted = {key: str(value) for key, value in arguments["cells"].items() if value is not None}
    if all(values.get(key, "") == value for key, value in wanted.items()):
        return done(found)
    return NOT_DONE if values == before else UNCLEAR


RECORDS_CREATED = Look(_see_records, _before_records, frozenset({"known"}))
TABLE_CLEARED = Look(_see_cleared, _oldest)
RECORDS_GONE = Look(_see_records_gone)
RECORD_CHANGED = Look(_see_record, lambda workflows, arguments: _values(_record(workflows, arguments)))
