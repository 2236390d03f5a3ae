"""MCP servers (api.md section 14; recordings ``mcp_*``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows_ui.practice_engine import ids, pages
from workflows_ui.practice_engine.http import Json, Request, Response, bare, empty, invalid, refuse
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import PAGE, Field, Schema, need, read

from .flows import shown as flow_shown

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
TOOL_NAME = 47
PIECE: Schema = {
    "pieceName": need(),
    "pieceVersion": need(),
    "actionName": need(),
    "actionDisplayName": need(),
    "logoUrl": need(),
    "connectionExternalId": Field(),
}


@routes.route("GET", "/v1/mcp-servers", query={**PAGE, "projectId": need("id"), "name": Field()})
def find(engine: PracticeEngine, request: Request) -> Json:
    """The project's servers; the project must be named in both flavours."""
    rows = [row for row in engine.state.mcp_servers.values() if row["projectId"] == request.principal.project]
    rows = [row for row in rows if request.query.get("name", "").lower() in row["name"].lower()]
    rows.sort(key=lambda row: str(row["created"]), reverse=True)
    result = pages.page(rows, request.query.get("limit"), request.query.get("cursor"))
    return {**result, "data": [_shown(engine, row) for row in result["data"]]}


@routes.route("POST", "/v1/mcp-servers", body={"name": need(), "projectId": need("id")})
def create(engine: PracticeEngine, request: Request) -> Json:
    """A new server without tools."""
    return _shown(engine, new(engine, request.principal.project, request.values["name"]))


@routes.route("GET", "/v1/mcp-servers/{id:id}")
def get(engine: PracticeEngine, request: Request) -> Json:
    """One server."""
    return _shown(engine, _one(engine, request))


@routes.route("POST", "/v1/mcp-servers/{id:id}", body={"name": Field(), "tools": Field("array")})
def change(engine: PracticeEngine, request: Request) -> Json:
    """Rename, and replace the tools if there are any in the body."""
    row = _any(engine, request)
    if "name" in request.values:
        row["name"] = request.values["name"]
    if "tools" in request.values:
        row["tools"] = [tool(engine, row, values) for values in request.values["tools"]]
    row["updated"] = ids.stamp()
    return _shown(engine, _mine(row, request))


@routes.route("POST", "/v1/mcp-servers/{id:id}/rotate")
def rotate(engine: PracticeEngine, request: Request) -> Json:
    """A new token; the old one is dead at once."""
    row = _any(engine, request)
    row |= {"token": engine.ids.new(), "updated": ids.stamp()}
    return _shown(engine, _mine(row, request))


@routes.route("DELETE", "/v1/mcp-servers/{id:id}")
def delete(engine: PracticeEngine, request: Request) -> Response:
    """Delete."""
    del engine.state.mcp_servers[_one(engine, request)["id"]]
    return empty()


def new(engine: PracticeEngine, project: str, name: str) -> Json:
    """Make a server and keep it."""
    moment = ids.stamp()
    row: Json = {"id": engine.ids.new(), "created": moment, "updated": moment, "name": name, "projectId": project}
    row |= {"token": engine.ids.new(), "externalId": engine.ids.new(), "tools": []}
    engine.state.mcp_servers[row["id"]] = row
    return row


def tool(engine: PracticeEngine, server: Json, values: Json) -> Json:
    """A tool from a request; its name is made anew by the server (api.md section 14)."""
    base = read(
        values, {"type": need(choices=("PIECE", "FLOW")), "toolName": need(), "flowId": Field("id")}, "body/tools", ""
    )
    moment = ids.stamp()
    made: Json = {"type": base["type"], "id": engine.ids.new(), "created": moment, "updated": moment}
    made |= {"externalId": engine.ids.new(), "mcpId": server["id"]}
    made["toolName"] = f"{base['toolName'][: TOOL_NAME - 5]}_{made['id'][:4]}"
    if base["type"] == "PIECE":
        made["pieceMetadata"] = read(values.get("pieceMetadata"), PIECE, "body/tools/pieceMetadata", "")
    elif "flowId" not in base:
        raise invalid("body/tools: 'flowId' is missing")
    else:
        made["flowId"] = base["flowId"]
    return made


def _shown(engine: PracticeEngine, row: Json) -> Json:
    """A server; tools of flows that were never published are hidden."""
    tools = []
    for made in row["tools"]:
        flow = engine.state.flows.get(made.get("flowId", ""))
        if made["type"] == "PIECE":
            tools.append(made)
        elif flow is not None and flow["publishedVersionId"]:
            tools.append({**made, "flow": flow_shown(engine, flow, "LOCKED")})
    return {**row, "tools": tools}


def _one(engine: PracticeEngine, request: Request) -> Json:
    row = engine.state.mcp_servers.get(request.params["id"])
    if row is None or row["projectId"] != request.principal.project:
        raise refuse("ENTITY_NOT_FOUND", {"entityId": request.params["id"], "entityType": "MCP"})
    return row


def _any(engine: PracticeEngine, request: Request) -> Json:
    """Of any project: the engine changes first and looks at the project afterwards. Unknown: 500 (``mcp_rotate_unknown``)."""
    row = engine.state.mcp_servers.get(request.params["id"])
    if row is None:
        raise bare(500, "there is no such MCP server")
    return row


def _mine(row: Json, request: Request) -> Json:
    if row["projectId"] != request.principal.project:
        raise refuse("AUTHORIZATION", {"message": "not owned by your project"})
    return row
