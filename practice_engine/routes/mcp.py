"""MCP servers (api.md section 14; recordings ``mcp_*``).

0.72.4 has any number for each project. 0.83 has one for each project and one for the platform, made on first use (recordings
``mcp_project_*``, ``mcp_platform_*``).
"""

from practice_engine import accounts, ids, pages
from practice_engine.core import Engine, route
from practice_engine.flow_views import flow_json
from practice_engine.http import PUBLIC, V072, V083, HttpError, Json, Request
from practice_engine.schema import PAGE, Field, Schema, read, required

TOOL_NAME_LENGTH = 47
TOKEN_LENGTH = 72
MCP_PIECE = "@activepieces/piece-mcp"
TOOLS = {"enabledTools": Field("array")}
#: The tools that can be switched off, without their prefix; all are on at first (recording ``mcp_project_get``).
ALL_TOOLS = (
    *("build_flow", "create_flow", "duplicate_flow", "rename_flow", "update_trigger", "add_step", "update_step"),
    *("delete_step", "add_branch", "update_branch", "delete_branch", "lock_and_publish", "change_flow_status"),
    *("delete_flow", "manage_notes", "create_table", "delete_table", "manage_fields", "insert_records"),
    *("update_record", "delete_records", "test_flow", "test_step", "retry_run", "run_action"),
)
TOOL: Schema = {"type": required(choices=("PIECE", "FLOW")), "toolName": required(), "flowId": Field("id")}
PIECE: Schema = {
    **dict.fromkeys(("pieceName", "pieceVersion", "actionName", "actionDisplayName", "logoUrl"), required()),
    "connectionExternalId": Field(),
}


@route("GET", "/v1/mcp-servers", query={**PAGE, "projectId": required("id"), "name": Field()}, before=V083)
def list_servers(engine: Engine, request: Request) -> Json:
    """List the project's servers; the project must be named in both flavours."""
    name = request.query.get("name", "").lower()
    rows = [row for row in request.own_rows(engine.state.mcp_servers) if name in row["name"].lower()]
    return pages.page(rows, request.query, lambda row: _server_json(engine, row))


@route("POST", "/v1/mcp-servers", body={"name": required(), "projectId": required("id")}, before=V083)
def create(engine: Engine, request: Request) -> Json:
    return engine.state.add_row(
        "mcp_servers",
        name=request.values["name"],
        projectId=request.principal.project,
        token=ids.new_id(),
        externalId=ids.new_id(),
        tools=[],
    )


@route("GET", "/v1/mcp-servers/{id:id}", before=V083)
def get(engine: Engine, request: Request) -> Json:
    return _server_json(engine, request.own_row(engine.state.mcp_servers, entity="MCP"))


@route("POST", "/v1/mcp-servers/{id:id}", body={"name": Field(), "tools": Field("array")}, before=V083)
def change(engine: Engine, request: Request) -> Json:
    """Rename, and replace the tools if the body has any."""
    row, changes = _any_server(engine, request), dict(request.values)
    if "tools" in changes:
        changes["tools"] = [new_tool(engine, row, values) for values in changes["tools"]]
    return _change(engine, request, row, changes)


@route("POST", "/v1/mcp-servers/{id:id}/rotate", before=V083)
def rotate(engine: Engine, request: Request) -> Json:
    """Replace the token; the old one is invalid at once."""
    return _change(engine, request, _any_server(engine, request), {"token": ids.new_id()})


@route("DELETE", "/v1/mcp-servers/{id:id}", before=V083)
def delete(engine: Engine, request: Request) -> None:
    del engine.state.mcp_servers[request.own_row(engine.state.mcp_servers, entity="MCP")["id"]]


@route("GET", "/v1/projects/{id}/mcp-server", since=V083)
@route("GET", "/v1/mcp-server", since=V083)
def get_own(engine: Engine, request: Request) -> Json:
    """The project's server with its token, and the flows that start with the MCP piece; or the platform's, without flows."""
    server = _own_server(engine, request)
    if server["type"] == "PLATFORM":
        return server
    flows = [
        flow_json(engine.state, flow, V083)
        for flow in request.own_rows(engine.state.flows)
        if engine.state.versions[flow["versionId"]]["trigger"]["settings"].get("pieceName") == MCP_PIECE
    ]
    return {**server, "flows": flows}


@route("POST", "/v1/projects/{id}/mcp-server", body=TOOLS, since=V083)
@route("POST", "/v1/mcp-server", body=TOOLS, since=V083)
def change_own(engine: Engine, request: Request) -> Json:
    """Set the tools that are on; names are not checked (recording ``mcp_project_update_tools``)."""
    changes = request.values
    if not all(isinstance(name, str) for name in changes.get("enabledTools", [])):
        raise HttpError.invalid("body/enabledTools must be an array of texts")
    server = _own_server(engine, request)
    if changes:
        server |= {**changes, "updated": ids.stamp()}
    return get_own(engine, request)


@route("POST", "/v1/projects/{id}/mcp-server/rotate", since=V083)
@route("POST", "/v1/mcp-server/rotate", since=V083)
def rotate_own(engine: Engine, request: Request) -> Json:
    """Replace the token; the old one is invalid at once."""
    server = _own_server(engine, request)
    server |= {"token": ids.new_id(TOKEN_LENGTH), "updated": ids.stamp()}
    return get_own(engine, request)


@route("POST", "/mcp", auth=PUBLIC, since=V083)
@route("POST", "/mcp/platform", auth=PUBLIC, since=V083)
def speak(engine: Engine, request: Request) -> Json:
    """Refuse: the protocol takes tokens of its own OAuth only, which the practice engine does not issue (``mcp_http_*``)."""
    raise HttpError(401, {"error": "unauthorized", "message": "not an access token of the MCP server"})


def new_tool(engine: Engine, server: Json, values: Json) -> Json:
    """A tool from a request; the server adds to its name (api.md section 14)."""
    base = read(values, TOOL, "body/tools")
    tool = engine.state.new_row(type=base["type"], externalId=ids.new_id(), mcpId=server["id"])
    tool["toolName"] = f"{base['toolName'][: TOOL_NAME_LENGTH - 5]}_{tool['id'][:4]}"
    if base["type"] == "PIECE":
        tool["pieceMetadata"] = read(values.get("pieceMetadata"), PIECE, "body/tools/pieceMetadata")
    elif "flowId" not in base:
        raise HttpError.invalid("body/tools/0 must have required property 'flowId'")
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
            tools.append({**tool, "flow": flow_json(engine.state, flow, V072, "LOCKED")})
    return {**row, "tools": tools}


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
        raise HttpError.domain("AUTHORIZATION", message="not owned by your project")
    return _server_json(engine, row)


def _own_server(engine: Engine, request: Request) -> Json:
    """The server of the project in the path or, for administrators, of the platform; created if it does not exist."""
    platform = "id" not in request.params
    if platform:
        accounts.require_admin(request, engine.state)
    owner = accounts.PLATFORM if platform else request.principal.project
    servers = engine.state.mcp_own_servers
    if owner not in servers:
        servers[owner] = engine.state.new_row(
            platformId=owner if platform else None,
            projectId=None if platform else owner,
            type="PLATFORM" if platform else "PROJECT",
            token=ids.new_id(TOKEN_LENGTH),
            enabledTools=[f"ap_{name}" for name in ALL_TOOLS],
        )
    return servers[owner]
