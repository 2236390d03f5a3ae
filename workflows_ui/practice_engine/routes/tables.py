"""Tables and their fields (api.md section 13; recordings ``table*``, ``fields_*``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows_ui.practice_engine import ids, pages
from workflows_ui.practice_engine.http import Json, Request, Response, answer, empty, invalid, refuse
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import PAGE, Field, need

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
MOST_FIELDS = 15
TYPES = ("TEXT", "NUMBER", "DATE", "STATIC_DROPDOWN")
CHANGE = {
    "name": Field(),
    "trigger": Field(choices=("ON_NEW_RECORD", "ON_UPDATE_RECORD"), nullable=True),
    "status": Field(choices=("ENABLED", "DISABLED"), nullable=True),
    "projectId": Field("id"),
}


@routes.route(
    "GET", "/v1/tables", query={**PAGE, "name": Field(), "externalIds": Field(many=True), "projectId": Field("id")}
)
def find(engine: PracticeEngine, request: Request) -> Json:
    """The project's tables, newest first."""
    query = request.query
    rows = [row for row in engine.state.tables.values() if row["projectId"] == request.principal.project]
    rows = [row for row in rows if query.get("name", "").lower() in row["name"].lower()]
    rows = [row for row in rows if row["externalId"] in query.get("externalIds", [row["externalId"]])]
    rows.sort(key=lambda row: str(row["created"]), reverse=True)
    return pages.page(rows, query.get("limit"), query.get("cursor"))


@routes.route("POST", "/v1/tables", body={"name": need(), "externalId": Field(), "projectId": Field("id")})
def create(engine: PracticeEngine, request: Request) -> Json:
    """A new table; names need not differ."""
    return new_table(engine, request.principal.project, request.values["name"], request.values.get("externalId"))


@routes.route("GET", "/v1/tables/{id:id}")
def get(engine: PracticeEngine, request: Request) -> Json:
    """One table."""
    return one(engine, request, request.params["id"])


@routes.route("POST", "/v1/tables/{id:id}", body=CHANGE)
def change(engine: PracticeEngine, request: Request) -> Json:
    """Change a table."""
    table = one(engine, request, request.params["id"])
    values = {key: value for key, value in request.values.items() if key != "projectId"}
    table |= {**values, "updated": ids.stamp()}
    return table


@routes.route("DELETE", "/v1/tables/{id:id}")
def delete(engine: PracticeEngine, request: Request) -> Response:
    """Delete with everything in it."""
    table = one(engine, request, request.params["id"])
    del engine.state.tables[table["id"]]
    for rows in (engine.state.fields, engine.state.records):
        for key in [key for key, row in rows.items() if row["tableId"] == table["id"]]:
            del rows[key]
    return empty()


@routes.route("GET", "/v1/tables/{id:id}/export")
def export(engine: PracticeEngine, request: Request) -> Json:
    """All of it: cells by field name, empty ones as empty texts (recording ``tables_export``)."""
    table = one(engine, request, request.params["id"])
    fields = fields_of(engine, table["id"])
    rows = [
        {field["name"]: record["cells"].get(field["id"], {}).get("value", "") for field in fields}
        for record in engine.state.records.values()
        if record["tableId"] == table["id"]
    ]
    return {
        "fields": [{"id": field["id"], "name": field["name"]} for field in fields],
        "rows": rows,
        "name": table["name"],
    }


@routes.route("POST", "/v1/tables/{id:id}/clear")
def clear(engine: PracticeEngine, request: Request) -> Response:
    """Delete all records."""
    table = one(engine, request, request.params["id"])
    for key in [key for key, row in engine.state.records.items() if row["tableId"] == table["id"]]:
        del engine.state.records[key]
    return empty()


@routes.route(
    "POST",
    "/v1/tables/{id:id}/webhooks",
    body={"events": need(many=True), "webhookUrl": need(), "flowId": need("id")},
)
def add_webhook(engine: PracticeEngine, request: Request) -> Json:
    """Register a webhook. It is kept and never called."""
    table = one(engine, request, request.params["id"])
    moment = ids.stamp()
    base: Json = {"id": engine.ids.new(), "created": moment, "updated": moment, "projectId": table["projectId"]}
    return {**base, "tableId": table["id"], **request.values}


@routes.route("DELETE", "/v1/tables/{id:id}/webhooks/{webhookId:id}")
def delete_webhook(engine: PracticeEngine, request: Request) -> Response:
    """Forget a webhook."""
    one(engine, request, request.params["id"])
    return empty(200)


@routes.route("GET", "/v1/fields", query={"tableId": need("id"), "projectId": Field("id")})
def find_fields(engine: PracticeEngine, request: Request) -> list[Json]:
    """The fields of a table, as a plain array."""
    return fields_of(engine, request.query["tableId"])


@routes.route("GET", "/v1/fields/{id:id}")
def get_field(engine: PracticeEngine, request: Request) -> Json:
    """One field."""
    return _field(engine, request)


@routes.route(
    "POST",
    "/v1/fields",
    body={
        "tableId": need("id"),
        "name": need(),
        "type": need(choices=TYPES),
        "externalId": Field(),
        "data": Field("object", nullable=True),
        "projectId": Field("id"),
    },
)
def create_field(engine: PracticeEngine, request: Request) -> Response:
    """A new field; a dropdown needs its choices."""
    values = request.values
    if values["type"] == "STATIC_DROPDOWN" and not isinstance((values.get("data") or {}).get("options"), list):
        raise invalid("body: 'data' is missing")
    table = one(engine, request, values["tableId"])
    if len(fields_of(engine, table["id"])) >= MOST_FIELDS:
        raise refuse("VALIDATION", {"message": f"a table has {MOST_FIELDS} fields at most"})
    data = values.get("data") if values["type"] == "STATIC_DROPDOWN" else None
    return answer(new_field(engine, table, values["name"], values["type"], data, values.get("externalId")), 201)


@routes.route("POST", "/v1/fields/{id:id}", body={"name": need()})
def rename_field(engine: PracticeEngine, request: Request) -> Json:
    """Rename a field."""
    field = _field(engine, request)
    field |= {"name": request.values["name"], "updated": ids.stamp()}
    for record in engine.state.records.values():
        if field["id"] in record["cells"]:
            record["cells"][field["id"]]["fieldName"] = field["name"]
    return field


@routes.route("DELETE", "/v1/fields/{id:id}")
def delete_field(engine: PracticeEngine, request: Request) -> Response:
    """Delete a field and its cells: 200 with an empty body (recording ``fields_delete``)."""
    field = _field(engine, request)
    del engine.state.fields[field["id"]]
    for record in engine.state.records.values():
        record["cells"].pop(field["id"], None)
    return empty(200)


def new_table(engine: PracticeEngine, project: str, name: str, external: str | None = None) -> Json:
    """Make a table and keep it."""
    moment = ids.stamp()
    table: Json = {"id": engine.ids.new(), "created": moment, "updated": moment, "name": name, "projectId": project}
    table |= {"externalId": external or engine.ids.new(), "trigger": None, "status": None}
    engine.state.tables[table["id"]] = table
    return table


def new_field(
    engine: PracticeEngine, table: Json, name: str, kind: str, data: Json | None = None, external: str | None = None
) -> Json:
    """Make a field and keep it."""
    moment = ids.stamp()
    field: Json = {"id": engine.ids.new(), "created": moment, "updated": moment, "name": name, "type": kind}
    field |= {"tableId": table["id"], "projectId": table["projectId"], "externalId": external or engine.ids.new()}
    field["data"] = data
    engine.state.fields[field["id"]] = field
    return field


def fields_of(engine: PracticeEngine, table: str) -> list[Json]:
    """The fields of a table, oldest first."""
    return [field for field in engine.state.fields.values() if field["tableId"] == table]


def one(engine: PracticeEngine, request: Request, table: str) -> Json:
    """The table within the caller's project; a 404 refusal if there is none."""
    found = engine.state.tables.get(table)
    if found is None or found["projectId"] != request.principal.project:
        raise refuse("ENTITY_NOT_FOUND", {"entityType": "Table", "entityId": table})
    return found


def _field(engine: PracticeEngine, request: Request) -> Json:
    field = engine.state.fields.get(request.params["id"])
    if field is None or field["projectId"] != request.principal.project:
        raise refuse("ENTITY_NOT_FOUND", {"entityType": "Field", "entityId": request.params["id"]})
    return field
