"""The MCP servers of 0.72.4, any number for each project (api.md section 14; recordings ``mcp_*``). 0.83: see ``mcp_server.py``."""

from workflows_ui.practice_engine import ids, pages
from workflows_ui.practice_engine.core import Engine, Routes
from workflows_ui.practice_engine.http import V072, V083, HttpError, Json, Request, Response
from workflows_ui.practice_engine.schema import PAGE, Field, Schema, read, required

from .flows import flow_json

routes = Routes()
TOOL_NAME_LENGTH = 47
TOOL: Schema = {"type": required(choices=("PIECE", "FLOW")), "toolName": required(), "flowId": Field("id")}
PIECE: Schema = {
    **dict.fromkeys(("pieceName", "pieceVersion", "actionName", "actionDisplayName", "logoUrl"), required()),
    "connectionExternalId": Field(),
}


@routes.route("GET", "/v1/mcp-servers", query={**PAGE, "projectId": required("id"), "name": Field()}, before=V083)
def find(engine: Engine, request: Request) -> Json:
    """List the project's servers; the project must be named in both flavours."""
    name = request.query.get("name", "").lower()
    rows = [row for row in request.own_rows(engine.state.mcp_servers) if name in row["name"].lower()]
    return pages.page(rows, request.query, lambda row: _server_json(engine, row))


@routes.route("POST", "/v1/mcp-servers", body={"name": required(), "projectId": required("id")}, before=V083)
def create(engine: Engine, request: Request) -> Json:
    return engine.state.add_row(
        "mcp_servers",
        name=request.values["name"],
        projectId=request.principal.project,
        token=engine.ids.new(),
        externalId=engine.ids.new(),
        tools=[],
    )


@routes.route("GET", "/v1/mcp-servers/{id:id}", before=V083)
def get(engine: Engine, request: Request) -> Json:
    return _server_json(engine, _get_server(engine, request))


@routes.route("POST", "/v1/mcp-servers/{id:id}", body={"name": Field(), "tools": Field("array")}, before=V083)
def change(engine: Engine, request: Request) -> Json:
    """Rename, and replace the tools if the body has any."""
    row, changes = _any_server(engine, request), dict(request.values)
    if "tools" in changes:
        changes["tools"] = [new_tool(engine, row, values) for values in changes["tools"]]
    return _change(engine, request, row, changes)


@routes.route("POST", "/v1/mcp-servers/{id:id}/rotate", before=V083)
def rotate(engine: Engine, request: Request) -> Json:
    """Replace the token; the old one is invalid at once."""
    return _change(engine, request, _any_server(engine, request), {"token": engine.ids.new()})


@routes.route("DELETE", "/v1/mcp-servers/{id:id}", before=V083)
def delete(engine: Engine, request: Request) -> Response:
    del engine.state.mcp_servers[_get_server(engine, request)["id"]]
    return Response.empty()


def new_tool(engine: Engine, server: Json, values: Json) -> Json:
    """Return a tool from a request; the server adds to its name (api.md section 14)."""
    base = read(values, TOOL, "body/tools")
    tool = engine.state.new_row(type=base["type"], externalId=engine.ids.new(), mcpId=server["id"])
    tool["toolName"] = f"{base['toolName'][: TOOL_NAME_LENGTH - 5]}_{tool['id'][:4]}"
    if base["type"] == "PIECE":
        tool["pieceMetadata"] = read(values.get("pieceMetadata"), PIECE, "body/tools/pieceMetadata")
    elif "flowId" not in base:
        raise HttpError.invalid("body/tools: 'flowId' is missing")
    else:
        tool["flowId"] = base["flowId"]
    return tool


def _server_json(engine: Engine, row: Json) -> Json:
    """A server; tools of flows that were never published are hidden."""
    tools = []
    for tool in row["tools"]:
        flow = engine.state.flows.get(tool.get("flowId", ""))
        if tool["type"] == "PIECE":
            tools.append(tool)
        elif flow is not None and flow["publishedVersionId"]:
            tools.append({**tool, "flow": flow_json(engine, flow, V072, "LOCKED")})
    return {**row, "tools": tools}


def _get_server(engine: Engine, request: Request) -> Json:
    error = HttpError.domain("ENTITY_NOT_FOUND", {"entityId": request.params["id"], "entityType": "MCP"})
    return request.own_row(engine.state.mcp_servers, request.params["id"], error)


def _any_server(engine: Engine, request: Request) -> Json:
    """A server of any project, which only ``_change`` checks. Unknown: 500 (``mcp_rotate_unknown``)."""
    row = engine.state.mcp_servers.get(request.params["id"])
    if row is None:
        raise HttpError.plain(500, "there is no such MCP server")
    return row


def _change(engine: Engine, request: Request, row: Json, changes: Json) -> Json:
    """Change a server, then check its project: the engine does it in this order."""
    row |= {**changes, "updated": ids.stamp()}
    if row["projectId"] != request.principal.project:
        raise HttpError.domain("AUTHORIZATION", {"message": "not owned by your project"})
    return _server_json(engine, row)
