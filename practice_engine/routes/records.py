"""Records of tables (api.md section 13; recordings ``records_*``).

0.83 shows cells that were never set as null, wants an operator in each filter and the table in each delete (engine-0.83.md section 9).
"""

import re
from collections.abc import Callable
from typing import Any

from practice_engine import ids, pages
from practice_engine.core import Engine, route
from practice_engine.http import V083, HttpError, Json, Request
from practice_engine.schema import PAGE, Field, Schema, read, required

from .tables import get_table, limits, table_fields

FILTER = re.compile(r"filters\[(\d+)\]\[(fieldId|value|operator)\]")
TABLE = {"tableId": required("id"), "projectId": Field("id")}
DELETE = {"ids": required(many=True), "tableId": required("id", since=V083), "projectId": Field("id")}
#: Rows that 0.83 writes together, and milliseconds that this takes.
BATCH, BATCH_TOOK = 50, 8
CELL: Schema = {"fieldId": required(), "value": required()}


@route("GET", "/v1/records", query={**PAGE, **TABLE})
def list_records(engine: Engine, request: Request) -> Json:
    """List the records of a table, oldest first. They never page: a limit only cuts, a cursor is ignored."""
    rows = [row for row in request.own_rows(engine.state.records) if row["tableId"] == request.query["tableId"]]
    for condition in _filters(request):
        rows = [row for row in rows if _matches(row, condition)]
    limit = int(request.query.get("limit", pages.DEFAULT_LIMIT))
    return pages.single_page([_record_json(engine, request, row) for row in (rows[:limit] if limit > 0 else rows)])


@route("GET", "/v1/records/{id:id}")
def get(engine: Engine, request: Request) -> Json:
    return _record_json(engine, request, request.own_row(engine.state.records, error=_no_record(request)))


@route("POST", "/v1/records", body={**TABLE, "records": required("array")}, status=201)
def create(engine: Engine, request: Request) -> list[Json]:
    """Add rows, each a list of cells. Unknown fields are dropped, values become texts."""
    identity = request.values["tableId"]
    rows = [_read_cells(cells, f"body/records/{number}") for number, cells in enumerate(request.values["records"])]
    if identity not in engine.state.tables:
        # The database's own code comes through (recording records_create_unknown_table).
        raise HttpError.plain(500, "there is no such table", "23503")
    table = get_table(engine, request, identity)
    limit, _ = limits(engine, request)
    if sum(row["tableId"] == identity for row in engine.state.records.values()) + len(rows) > limit:
        raise HttpError.domain("VALIDATION", message=f"Max records per table reached: {limit}")
    if request.version >= V083:
        rows = [rows[place] for place in sorted(range(len(rows)), key=_time)]
    return [_record_json(engine, request, add_record(engine, table, cells)) for cells in rows]


@route("POST", "/v1/records/{id:id}", body={**TABLE, "cells": Field("array"), "agentUpdate": Field("boolean")})
def change(engine: Engine, request: Request) -> Json:
    """Change cells of a record; the record's own date stays (recording ``records_update``)."""
    record = request.own_row(engine.state.records, error=_no_record(request))
    if record["tableId"] != request.values["tableId"]:
        raise _no_record(request)
    _write(engine, record, _read_cells(request.values.get("cells", []), "body/cells"))
    return _record_json(engine, request, record)


@route("DELETE", "/v1/records", body=DELETE)
def delete(engine: Engine, request: Request) -> list[Json] | None:
    """Delete by ids in the body; 404 if the first does not exist. The table's id is not compared (``records_delete_wrong_table``)."""
    selected = request.values["ids"]
    own = {row["id"] for row in request.own_rows(engine.state.records)}
    if selected and selected[0] not in own:
        raise HttpError.not_found("Record", selected[0])
    for key in own & set(selected):
        del engine.state.records[key]
    return [] if request.version >= V083 else None


def add_record(engine: Engine, table: Json, cells: dict[str, str]) -> Json:
    """Add a record; ``cells`` maps field ids to texts."""
    record = engine.state.add_row("records", tableId=table["id"], projectId=table["projectId"], cells={})
    _write(engine, record, cells)
    return record


def _time(place: int) -> int:
    """The millisecond of a new row: within a batch each is one later, but the next batch begins with its own clock, so that more rows
    than a batch holds lose their order (recording ``records_many_51_order``)."""
    return place // BATCH * BATCH_TOOK + place % BATCH


def _write(engine: Engine, record: Json, cells: dict[str, str]) -> None:
    moment = ids.stamp()
    for key, value in cells.items():
        field = engine.state.fields.get(key)
        if field and field["tableId"] == record["tableId"]:
            created = record["cells"].get(key, {}).get("created", moment)
            record["cells"][key] = {"updated": moment, "created": created, "value": value, "fieldName": field["name"]}


def _read_cells(cells: Any, path: str) -> dict[str, str]:
    if not isinstance(cells, list):
        raise HttpError.invalid(f"{path} must be an array")
    values = [read(cell, CELL, f"{path}/{number}") for number, cell in enumerate(cells)]
    if len({cell["fieldId"] for cell in values}) < len(values):
        # The database's own code comes through (recording records_many_06_same_field_twice).
        raise HttpError.plain(500, "a record has one cell for each field", "23505")
    return {cell["fieldId"]: cell["value"] for cell in values}


def _no_record(request: Request) -> HttpError:
    """Recording ``records_get_unknown`` of each version."""
    if request.version >= V083:
        return HttpError.not_found("record", request.params["id"])
    return HttpError(404, "[object Object]")


def _record_json(engine: Engine, request: Request, record: Json) -> Json:
    """A record as its version shows it: 0.83 with a cell for every field of the table."""
    if request.version < V083:
        return record
    unset: Json = {"updated": record["updated"], "created": record["created"], "value": None}
    cells = {field["id"]: {**unset, "fieldName": field["name"]} for field in table_fields(engine, record["tableId"])}
    return {**record, "cells": {**cells, **record["cells"]}}


def _filters(request: Request) -> list[Json]:
    newer = request.version >= V083
    filters: dict[int, Json] = {}
    for key, texts in request.raw_query.items():
        if match := FILTER.fullmatch(key):
            filters.setdefault(int(match[1]), {})[match[2]] = texts[0]
    for one in filters.values():
        operator = one.setdefault("operator", "" if newer else "eq")
        known = (newer and operator in EXISTENCE) or (operator in OPERATORS and "value" in one)
        if "fieldId" not in one or not known:
            raise HttpError.invalid("querystring/filters: a filter needs a field, a value and a known operator")
    return [filters[number] for number in sorted(filters)]


def _matches(row: Json, condition: Json) -> bool:
    cell, operator = row["cells"].get(condition["fieldId"]), condition["operator"]
    if operator in EXISTENCE:
        return (cell is not None and cell["value"] != "") == EXISTENCE[operator]
    return cell is not None and OPERATORS[operator](cell["value"], condition["value"])


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    """Compare as numbers if both are, else as texts."""

    def check(first: str, second: str) -> bool:
        try:
            return compare(float(first), float(second))
        except ValueError:
            return re.fullmatch(r"-?\d+(\.\d+)?", second) is None and compare(first, second)

    return check


#: Whether a filter of this kind, which has no value, wants the cell to be set.
EXISTENCE = {"exists": True, "not_exists": False}
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda one, two: one == two,
    "neq": lambda one, two: one != two,
    "gt": _compared(lambda one, two: one > two),
    "gte": _compared(lambda one, two: one >= two),
    "lt": _compared(lambda one, two: one < two),
    "lte": _compared(lambda one, two: one <= two),
    "co": lambda one, two: two.lower() in one.lower(),
}
