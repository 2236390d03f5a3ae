"""Tables and their fields (api.md section 13; recordings ``table*``, ``fields_*``).

0.83 puts tables into folders, wants the project named, and allows more of everything (engine-0.83.md section 9). It makes tables with
their fields in one call, and takes external ids that others have already (13.6).
"""

import re
from typing import Any

from practice_engine import flow_views, ids, pages
from practice_engine.core import Engine, route
from practice_engine.http import V083, HttpError, Json, Request
from practice_engine.schema import PAGE, PROJECT_083, Field, read, required

from .folders import find_or_create

FOLDER = Field("id", nullable=True, since=V083)
KINDS = ("TEXT", "NUMBER", "DATE", "STATIC_DROPDOWN")
EXTERNAL_ID = re.compile(r"[\w.-]+")
LIST = {**PAGE, "name": Field(), "externalIds": Field(many=True), "folderId": FOLDER, "projectId": PROJECT_083}
CREATE = {
    "name": required(),
    "externalId": Field(),
    "folderId": FOLDER,
    "folderName": Field(since=V083),
    "fields": Field("array", since=V083),
    "projectId": PROJECT_083,
}
#: A field that is made together with its table, where its external id is demanded (recording ``tables_ext_08``).
WITH_TABLE = {"name": required(), "type": required(), "externalId": required(), "data": Field("object", nullable=True)}
CHANGE = {
    "name": Field(),
    "trigger": Field(choices=("ON_NEW_RECORD", "ON_UPDATE_RECORD"), nullable=True),
    "status": Field(choices=("ENABLED", "DISABLED"), nullable=True),
    "folderId": FOLDER,
}
CREATE_FIELD = {
    "tableId": required("id"),
    "name": required(),
    "type": required(choices=KINDS),
    "externalId": Field(),
    "data": Field("object", nullable=True),
    "projectId": Field("id"),
}
WEBHOOK = {"events": required(many=True), "webhookUrl": required(), "flowId": required("id")}


@route("GET", "/v1/tables", query=LIST)
def list_tables(engine: Engine, request: Request) -> Json:
    query, rows = request.query, request.own_rows(engine.state.tables)
    rows = [row for row in rows if query.get("name", "").lower() in row["name"].lower()]
    rows = [row for row in rows if row["externalId"] in query.get("externalIds", [row["externalId"]])]
    rows = [row for row in rows if "folderId" not in query or row.get("folderId") == query["folderId"]]
    return pages.page(rows, query, lambda row: _table_json(request, row))


@route("GET", "/v1/tables/count", query={"projectId": required("id")}, since=V083)
def count(engine: Engine, request: Request) -> int:
    return len(request.own_rows(engine.state.tables))


@route("POST", "/v1/tables", body=CREATE)
def create(engine: Engine, request: Request) -> Json:
    """Add a table; neither names nor external ids need differ. A folder given by name is created if it does not exist.

    A field of an unknown type is a 409, but the table stays, without fields (recordings ``tables_ext_09`` and ``_10``). The limit of
    fields is not checked here (``tables_create_101_fields``).
    """
    values, project = request.values, request.principal.project
    if request.version >= V083 and not EXTERNAL_ID.fullmatch(values.get("externalId", "unset")):
        raise HttpError.invalid("body/externalId is not one")
    fields = [read(one, WITH_TABLE, f"body/fields/{number}") for number, one in enumerate(values.get("fields", []))]
    table = add_table(engine, project, values["name"], values.get("externalId"))
    table["folderId"] = values.get("folderId")
    if values.get("folderName"):
        table["folderId"] = find_or_create(engine, project, values["folderName"])["id"]
    if any(field["type"] not in KINDS for field in fields):
        raise HttpError.domain("VALIDATION", message="a field has an unknown type")
    for field in fields:
        data = field.get("data") if field["type"] == "STATIC_DROPDOWN" else None
        add_field(engine, table, field["name"], field["type"], data, field["externalId"])
    return _table_json(request, table)


@route("GET", "/v1/tables/{id:id}")
def get(engine: Engine, request: Request) -> Json:
    return _table_json(request, get_table(engine, request))


@route("POST", "/v1/tables/{id:id}", body={**CHANGE, "projectId": Field("id")})
def change(engine: Engine, request: Request) -> Json:
    table = get_table(engine, request)
    table |= {**{key: value for key, value in request.values.items() if key in CHANGE}, "updated": ids.stamp()}
    return _table_json(request, table)


@route("DELETE", "/v1/tables/{id:id}")
def delete(engine: Engine, request: Request) -> None:
    table = get_table(engine, request)
    del engine.state.tables[table["id"]]
    for rows in (engine.state.fields, engine.state.records):
        _delete_rows(rows, table)


@route("GET", "/v1/tables/{id:id}/export")
def export(engine: Engine, request: Request) -> Json:
    """All records: cells by field name, empty ones as empty texts (recording ``tables_export``)."""
    table = get_table(engine, request)
    fields = table_fields(engine, table["id"])
    names = [field["name"] for field in fields]
    return {
        "fields": [{"id": field["id"], "name": field["name"]} for field in fields],
        "rows": [dict(zip(names, values, strict=True)) for values in _cell_values(engine, table, fields)],
        "name": table["name"],
    }


@route("GET", "/v1/tables/{id:id}/template", since=V083)
def template(engine: Engine, request: Request) -> Json:
    """What is needed to make the table elsewhere: fields by their external ids, cells as texts (``tables_template``)."""
    table = get_table(engine, request)
    fields = table_fields(engine, table["id"])
    rows = [
        [{"fieldId": field["externalId"], "value": value} for field, value in zip(fields, values, strict=True)]
        for values in _cell_values(engine, table, fields)
    ]
    field_keys = ("name", "type", "data", "externalId")
    content: Json = {"name": table["name"], "externalId": table["externalId"], "data": {"type": "CSV", "rows": rows}}
    content["fields"] = [{key: field[key] for key in field_keys if field[key] is not None} for field in fields]
    user, metadata = engine.state.users[request.principal.user], {"externalId": table["externalId"]}
    shared = flow_views.shared_template(user, table["name"], ["@activepieces/piece-tables"], metadata)
    return {**shared, "tables": [content]}


@route("POST", "/v1/tables/{id:id}/clear")
def clear(engine: Engine, request: Request) -> None:
    _delete_rows(engine.state.records, get_table(engine, request))


@route("POST", "/v1/tables/{id:id}/webhooks", body=WEBHOOK)
def add_webhook(engine: Engine, request: Request) -> Json:
    """Register a webhook. It is never called."""
    table = get_table(engine, request)
    if request.version >= V083:  # its address is not shown there (recording tables_webhook_create)
        del request.values["webhookUrl"]
    return engine.state.new_row(projectId=table["projectId"], tableId=table["id"], **request.values)


@route("DELETE", "/v1/tables/{id:id}/webhooks/{webhookId:id}", status=200)
def delete_webhook(engine: Engine, request: Request) -> None:
    get_table(engine, request)


@route("GET", "/v1/fields", query={"tableId": required("id"), "projectId": Field("id")})
def find_fields(engine: Engine, request: Request) -> list[Json]:
    """List the fields of a table; 0.83 answers 404 for a table that is gone (recording ``tables_again_10_fields_gone``)."""
    if request.version >= V083:
        get_table(engine, request, request.query["tableId"])
    return table_fields(engine, request.query["tableId"])


@route("GET", "/v1/fields/{id:id}")
def get_field(engine: Engine, request: Request) -> Json:
    return request.own_row(engine.state.fields, entity="Field")


@route("POST", "/v1/fields", body=CREATE_FIELD, status=201)
def create_field(engine: Engine, request: Request) -> Json:
    """Add a field; a dropdown needs its choices."""
    values = request.values
    data = values.get("data") if values["type"] == "STATIC_DROPDOWN" else None
    if values["type"] == "STATIC_DROPDOWN" and not isinstance((data or {}).get("options"), list):
        raise HttpError.invalid("body must have required property 'data'")
    table = get_table(engine, request, values["tableId"])
    _, limit = limits(engine, request)
    if len(table_fields(engine, table["id"])) >= limit:
        raise HttpError.domain("VALIDATION", message=f"Max fields per table reached: {limit}")
    return add_field(engine, table, values["name"], values["type"], data, values.get("externalId"))


@route("POST", "/v1/fields/{id:id}", body={"name": required()})
def rename_field(engine: Engine, request: Request) -> Json:
    field = get_field(engine, request)
    field |= {"name": request.values["name"], "updated": ids.stamp()}
    for record in engine.state.records.values():
        if field["id"] in record["cells"]:
            record["cells"][field["id"]]["fieldName"] = field["name"]
    return field


@route("DELETE", "/v1/fields/{id:id}", status=200)
def delete_field(engine: Engine, request: Request) -> None:
    """Delete a field and its cells: 200 with an empty body (recording ``fields_delete``)."""
    field = get_field(engine, request)
    del engine.state.fields[field["id"]]
    for record in engine.state.records.values():
        record["cells"].pop(field["id"], None)


def add_table(engine: Engine, project: str, name: str, external: str | None = None) -> Json:
    external = external or ids.new_id()
    unset = {"trigger": None, "status": None, "folderId": None}
    return engine.state.add_row("tables", name=name, projectId=project, externalId=external, **unset)


def add_field(engine: Engine, table: Json, name: str, kind: str, data: Any = None, external: str | None = None) -> Json:
    owner = {"tableId": table["id"], "projectId": table["projectId"], "externalId": external or ids.new_id()}
    return engine.state.add_row("fields", name=name, type=kind, data=data, **owner)


def table_fields(engine: Engine, table: str) -> list[Json]:
    """The fields of a table, oldest first."""
    return [field for field in engine.state.fields.values() if field["tableId"] == table]


def get_table(engine: Engine, request: Request, identity: str | None = None) -> Json:
    """The table, by default that of the path. Raises a 404 unless it exists in the caller's project."""
    return request.own_row(engine.state.tables, identity, "Table")


def limits(engine: Engine, request: Request) -> tuple[int, int]:
    """How many records and fields a table may have (recordings ``*_create_over_limit``; api.md section 13)."""
    records, fields = engine.settings.max_records_per_table, engine.settings.max_fields_per_table
    return (records, fields) if request.version >= V083 else (min(records, 1500), min(fields, 15))


def _delete_rows(rows: dict[str, Json], table: Json) -> None:
    for key in [key for key, row in rows.items() if row["tableId"] == table["id"]]:
        del rows[key]


def _cell_values(engine: Engine, table: Json, fields: list[Json]) -> list[list[str]]:
    """The values of all records in the order of ``fields``."""
    records = [record["cells"] for record in engine.state.records.values() if record["tableId"] == table["id"]]
    return [[cells.get(field["id"], {}).get("value", "") for field in fields] for cells in records]


def _table_json(request: Request, table: Json) -> Json:
    """A table as its version shows it: 0.72.4 has no folders of tables."""
    if request.version >= V083:
        return {"folderId": None, **table}
    return {key: value for key, value in table.items() if key != "folderId"}
