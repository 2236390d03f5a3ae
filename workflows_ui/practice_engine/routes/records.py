"""Records of tables (api.md section 13; recordings ``records_*``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workflows_ui.practice_engine import ids, pages
from workflows_ui.practice_engine.http import Json, Refusal, Request, Response, answer, bare, empty, invalid, refuse
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import PAGE, Field, Schema, need, read

from .tables import one

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
MOST_RECORDS = 1500
FILTER = re.compile(r"filters\[(\d+)\]\[(fieldId|value|operator)\]")
CELL: Schema = {"fieldId": need(), "value": need()}


@routes.route("GET", "/v1/records", query={**PAGE, "tableId": need("id"), "projectId": Field("id")})
def find(engine: PracticeEngine, request: Request) -> Json:
    """The records of a table, oldest first. They never page: a limit only cuts, a cursor is ignored."""
    table = request.query["tableId"]
    rows = [row for row in engine.state.records.values() if row["tableId"] == table]
    rows = [row for row in rows if row["projectId"] == request.principal.project]
    for wanted in _filters(request):
        rows = [row for row in rows if _passes(row, wanted)]
    limit = int(request.query.get("limit", pages.DEFAULT_LIMIT))
    return pages.bare(rows[:limit] if limit > 0 else rows)


@routes.route("GET", "/v1/records/{id:id}")
def get(engine: PracticeEngine, request: Request) -> Json:
    """One record."""
    return _one(engine, request)


@routes.route("POST", "/v1/records", body={"tableId": need("id"), "records": need("array"), "projectId": Field("id")})
def create(engine: PracticeEngine, request: Request) -> Response:
    """New records: a list of rows, each a list of cells. Unknown fields are dropped, values become texts."""
    table = request.values["tableId"]
    rows = [_cells(cells, f"body/records/{number}") for number, cells in enumerate(request.values["records"])]
    if table not in engine.state.tables:
        # The database's own code comes through (recording records_create_unknown_table).
        raise bare(500, "there is no such table", "23503")
    found = one(engine, request, table)
    if sum(row["tableId"] == table for row in engine.state.records.values()) + len(rows) > MOST_RECORDS:
        raise refuse("VALIDATION", {"message": f"a table has {MOST_RECORDS} records at most"})
    return answer([new(engine, found, cells) for cells in rows], 201)


@routes.route(
    "POST",
    "/v1/records/{id:id}",
    body={"tableId": need("id"), "cells": Field("array"), "agentUpdate": Field("boolean"), "projectId": Field("id")},
)
def change(engine: PracticeEngine, request: Request) -> Json:
    """Change cells of a record."""
    record = _one(engine, request)
    if record["tableId"] != request.values["tableId"]:
        raise Refusal(404, "[object Object]")
    _write(engine, record, _cells(request.values.get("cells", []), "body/cells"))
    return record


@routes.route("DELETE", "/v1/records", body={"ids": need(many=True), "projectId": Field("id")})
def delete(engine: PracticeEngine, request: Request) -> Response:
    """Delete by ids in the body; 404 if the first is not there."""
    wanted = request.values["ids"]
    rows = engine.state.records
    if wanted and (wanted[0] not in rows or rows[wanted[0]]["projectId"] != request.principal.project):
        raise refuse("ENTITY_NOT_FOUND", {"entityType": "Record", "entityId": wanted[0]})
    for key in wanted:
        if key in rows and rows[key]["projectId"] == request.principal.project:
            del rows[key]
    return empty()


def new(engine: PracticeEngine, table: Json, cells: dict[str, str]) -> Json:
    """Make a record and keep it; ``cells`` maps field ids to texts."""
    moment = ids.stamp()
    record: Json = {"id": engine.ids.new(), "created": moment, "updated": moment, "tableId": table["id"]}
    record |= {"projectId": table["projectId"], "cells": {}}
    _write(engine, record, cells)
    engine.state.records[record["id"]] = record
    return record


def _write(engine: PracticeEngine, record: Json, cells: dict[str, str]) -> None:
    moment = ids.stamp()
    record["updated"] = moment
    for field, value in cells.items():
        known = engine.state.fields.get(field)
        if known and known["tableId"] == record["tableId"]:
            created = record["cells"].get(field, {}).get("created", moment)
            record["cells"][field] = {"updated": moment, "created": created, "value": value, "fieldName": known["name"]}


def _cells(cells: Any, where: str) -> dict[str, str]:
    if not isinstance(cells, list):
        raise invalid(f"{where} must be an array")
    read_cells = [read(cell, CELL, f"{where}/{number}", "") for number, cell in enumerate(cells)]
    return {cell["fieldId"]: cell["value"] for cell in read_cells}


def _one(engine: PracticeEngine, request: Request) -> Json:
    record = engine.state.records.get(request.params["id"])
    if record is None or record["projectId"] != request.principal.project:
        raise Refusal(404, "[object Object]")  # recording records_get_unknown
    return record


def _filters(request: Request) -> list[Json]:
    found: dict[int, Json] = {}
    for key, texts in request.raw_query.items():
        if match := FILTER.fullmatch(key):
            found.setdefault(int(match[1]), {})[match[2]] = texts[0]
    for wanted in found.values():
        if "fieldId" not in wanted or "value" not in wanted or wanted.get("operator", "eq") not in OPERATORS:
            raise invalid("querystring/filters: a filter needs a field, a value and a known operator")
    return [found[number] for number in sorted(found)]


def _passes(row: Json, wanted: Json) -> bool:
    cell = row["cells"].get(wanted["fieldId"])
    return cell is not None and OPERATORS[wanted.get("operator", "eq")](cell["value"], wanted["value"])


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    """As numbers where both are, else as texts."""

    def check(first: str, second: str) -> bool:
        try:
            return compare(float(first), float(second))
        except ValueError:
            return compare(first, second) if not _is_number(second) else False

    return check


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda one, two: one == two,
    "neq": lambda one, two: one != two,
    "gt": _compared(lambda one, two: one > two),
    "gte": _compared(lambda one, two: one >= two),
    "lt": _compared(lambda one, two: one < two),
    "lte": _compared(lambda one, two: one <= two),
    "co": lambda one, two: two.lower() in one.lower(),
}
