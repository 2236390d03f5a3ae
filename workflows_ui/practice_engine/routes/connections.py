"""App connections (api.md section 10; recordings ``conn_*``)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workflows_ui.practice_engine import ids, pages, tree, validity
from workflows_ui.practice_engine.accounts import PLATFORM
from workflows_ui.practice_engine.http import Json, Request, Response, answer, empty, invalid, refuse
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import PAGE, PROJECT, Field, Schema, need, read

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
SOME = need(shortest=1)
OAUTH: Schema = {
    "code": SOME,
    "scope": need(),
    "code_challenge": Field(),
    "authorization_method": Field(choices=("HEADER", "BODY")),
    "props": Field("object"),
}
# What `value` must hold besides its `type` (api.md 10.3).
VALUES: dict[str, Schema] = {
    "SECRET_TEXT": {"secret_text": SOME},
    "BASIC_AUTH": {"username": SOME, "password": SOME},
    "CUSTOM_AUTH": {"props": need("object")},
    "NO_AUTH": {},
    "OAUTH2": {
        **OAUTH,
        "client_id": SOME,
        "client_secret": SOME,
        "redirect_url": SOME,
        "grant_type": Field(choices=("authorization_code", "client_credentials")),
    },
    "PLATFORM_OAUTH2": {**OAUTH, "client_id": SOME, "redirect_url": SOME},
    "CLOUD_OAUTH2": {**OAUTH, "client_id": SOME},
}
LIST = {
    **PAGE,
    "projectId": PROJECT,
    "pieceName": Field(),
    "displayName": Field(),
    "status": Field(choices=("ACTIVE", "MISSING", "ERROR"), many=True),
    "scope": Field(choices=("PROJECT", "PLATFORM")),
    "imbraceUserId": Field(),
}
UPSERT = {
    "externalId": need(),
    "displayName": need(),
    "pieceName": need(),
    "type": need(choices=tuple(VALUES)),
    "value": need("object"),
    "metadata": Field("object", nullable=True),
    "projectId": PROJECT,
}


@routes.route("GET", "/v1/app-connections", query=LIST)
def find(engine: PracticeEngine, request: Request) -> Json:
    """The project's connections, oldest first, without their secrets."""
    query = request.query
    rows = [row for row in _mine(engine, request) if _matches(row, query)]
    rows.sort(key=lambda row: str(row["created"]))
    result = pages.page(rows, query.get("limit"), query.get("cursor"), oldest_first=True)
    return {**result, "data": [_listed(engine, row) for row in result["data"]]}


@routes.route("GET", "/v1/app-connections/owners", query={"projectId": PROJECT})
def owners(engine: PracticeEngine, request: Request) -> Json:
    """Who owns connections."""
    users = {row["ownerId"]: engine.state.users[row["ownerId"]] for row in _mine(engine, request)}
    return pages.bare([{key: user[key] for key in ("firstName", "lastName", "email")} for user in users.values()])


@routes.route("GET", "/v1/app-connections/{id:id}", flavours=("imbrace",))
def get(engine: PracticeEngine, request: Request) -> Json:
    """One connection with its secret: Imbrace's fork only (recording ``conn_get_by_id_route``: 404 on Activepieces)."""
    row = _one(engine, request)
    return {**_listed(engine, row), "value": row["value"]}


@routes.route("POST", "/v1/app-connections", body=UPSERT)
def upsert(engine: PracticeEngine, request: Request) -> Response:
    """Create, or update the one with this external id; 201 either way."""
    values = request.values
    if values["value"].get("type") != values["type"]:
        raise invalid("body/value/type must be the same as body/type")
    value = read(values["value"], VALUES[values["type"]], "body/value", request.flavour)
    piece = validity.piece(request.principal.project, values["pieceName"])
    if values["type"] != "NO_AUTH" and piece["auth"]:
        _check(values["type"], value)
    row = next((one for one in _mine(engine, request) if one["externalId"] == values["externalId"]), None)
    moment = ids.stamp()
    if row is None:
        row = new(engine, request.principal.project, request.principal.user, values["externalId"])
    row |= {"displayName": values["displayName"], "type": values["type"], "pieceName": values["pieceName"]}
    row |= {"updated": moment, "status": "ACTIVE", "value": {"type": values["type"], **value}}
    if "metadata" in values:
        row["metadata"] = values["metadata"]
    return answer(_plain(row), 201)


@routes.route(
    "POST",
    "/v1/app-connections/replace",
    body={"sourceAppConnectionId": need("id"), "targetAppConnectionId": need("id"), "projectId": PROJECT},
)
def replace(engine: PracticeEngine, request: Request) -> Response:
    """Make every flow that uses one connection use another."""
    rows = {row["id"]: row for row in _mine(engine, request)}
    source, target = (
        rows.get(request.values["sourceAppConnectionId"]),
        rows.get(request.values["targetAppConnectionId"]),
    )
    if source is None or target is None:
        raise refuse("ENTITY_NOT_FOUND", {"entityType": "AppConnection"})
    if source["pieceName"] != target["pieceName"]:
        raise refuse("INVALID_APP_CONNECTION", {"error": "the two connections are for different pieces"})
    for flow in engine.state.flows.values():
        if flow["projectId"] == request.principal.project:
            version = engine.state.versions[flow["versionId"]]
            text = json.dumps(version["trigger"])
            version["trigger"] = json.loads(
                text.replace(f"connections['{source['externalId']}']", f"connections['{target['externalId']}']")
            )
            version["connectionIds"] = tree.connection_ids(version["trigger"])
    return empty(200)


@routes.route(
    "POST", "/v1/app-connections/{id:id}", body={"displayName": SOME, "metadata": Field("object", nullable=True)}
)
def rename(engine: PracticeEngine, request: Request) -> Json:
    """Rename (recording ``conn_update_name``)."""
    row = _one(engine, request)
    row |= {**request.values, "updated": ids.stamp()}
    return _plain(row)


@routes.route("DELETE", "/v1/app-connections/{id:id}")
def delete(engine: PracticeEngine, request: Request) -> Response:
    """Delete. A connection of the platform says 204 and stays (api.md 10.2)."""
    row = _one(engine, request)
    if row["scope"] == "PROJECT":
        del engine.state.connections[row["id"]]
    return empty()


def new(engine: PracticeEngine, project: str, owner: str, external: str) -> Json:
    """A row for a connection, kept; the caller fills in the rest."""
    moment = ids.stamp()
    row: Json = {
        "id": engine.ids.new(),
        "created": moment,
        "updated": moment,
        "externalId": external,
        "displayName": external,
    }
    row |= {"type": "NO_AUTH", "pieceName": "", "projectIds": [project], "scope": "PROJECT", "status": "ACTIVE"}
    row |= {"platformId": PLATFORM, "ownerId": owner, "metadata": None, "value": {}}
    engine.state.connections[row["id"]] = row
    return row


def _mine(engine: PracticeEngine, request: Request) -> list[Json]:
    return [row for row in engine.state.connections.values() if request.principal.project in row["projectIds"]]


def _one(engine: PracticeEngine, request: Request) -> Json:
    row = engine.state.connections.get(request.params["id"])
    if row is None or request.principal.project not in row["projectIds"]:
        raise refuse("ENTITY_NOT_FOUND", {"entityType": "AppConnection", "entityId": request.params["id"]})
    return row


def _matches(row: Json, query: Json) -> bool:
    return (
        row["pieceName"] == query.get("pieceName", row["pieceName"])
        and query.get("displayName", "").lower() in row["displayName"].lower()
        and row["status"] in query.get("status", [row["status"]])
        and row["scope"] == query.get("scope", row["scope"])
        and ("imbraceUserId" not in query or (row["metadata"] or {}).get("imbraceUserId") == query["imbraceUserId"])
    )


def _check(kind: str, value: Json) -> None:
    """The piece's own check: a secret that says "wrong" is refused, and so is the recorded one, ``sk-test``."""
    texts = [text for text in _texts(value) if "wrong" in text.lower() or text == "sk-test"]
    if texts and kind.endswith("OAUTH2"):
        raise refuse("INVALID_CLAIM", {"message": "the authorization code was refused"})
    if texts:
        raise refuse("INVALID_APP_CONNECTION", {"error": "the service refused this secret"})


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def _plain(row: Json) -> Json:
    return {key: value for key, value in row.items() if key != "value"}


def _listed(engine: PracticeEngine, row: Json) -> Json:
    flows = [
        flow["id"]
        for flow in engine.state.flows.values()
        if row["externalId"] in engine.state.versions[flow["versionId"]]["connectionIds"]
    ]
    return {**_plain(row), "owner": engine.state.users.get(row["ownerId"]), "flowIds": flows}
