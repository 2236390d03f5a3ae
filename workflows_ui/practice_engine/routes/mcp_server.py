"""The MCP server of 0.83: one for each project and one for the platform, made on first use (recordings ``mcp_project_*``,
``mcp_platform_*``). ``mcp.py`` has the servers of 0.72.4.
"""

from workflows_ui.practice_engine import access, ids
from workflows_ui.practice_engine.accounts import PLATFORM
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.core import Engine, Routes
from workflows_ui.practice_engine.http import V083, HttpError, Json, Request
from workflows_ui.practice_engine.schema import Field

from .flows import flow_json

routes = Routes()
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


@routes.route("GET", "/v1/projects/{id}/mcp-server", since=V083)
def get(engine: Engine, request: Request) -> Json:
    """Return the project's server with its token, and the flows that start with the MCP piece."""
    project = request.principal.project
    flows = [
        flow_json(engine, flow, V083)
        for flow in request.own_rows(engine.state.flows)
        if engine.state.versions[flow["versionId"]]["trigger"]["settings"].get("pieceName") == MCP_PIECE
    ]
    return {**_server(engine, project), "flows": flows}


@routes.route("POST", "/v1/projects/{id}/mcp-server", body=TOOLS, since=V083)
def change(engine: Engine, request: Request) -> Json:
    """Set the tools that are on; names are not checked (recording ``mcp_project_update_tools``)."""
    tools = _tools(request)
    _change(_server(engine, request.principal.project), tools)
    return get(engine, request)


@routes.route("POST", "/v1/projects/{id}/mcp-server/rotate", since=V083)
def rotate(engine: Engine, request: Request) -> Json:
    """Replace the token; the old one is invalid at once."""
    _change(_server(engine, request.principal.project), {"token": engine.ids.new(TOKEN_LENGTH)})
    return get(engine, request)


@routes.route("GET", "/v1/mcp-server", since=V083)
def get_platform(engine: Engine, request: Request) -> Json:
    """Return the platform's server, for administrators; it lists no flows."""
    access.require_admin(request, engine.state)
    return _server(engine, PLATFORM)


@routes.route("POST", "/v1/mcp-server", body=TOOLS, since=V083)
def change_platform(engine: Engine, request: Request) -> Json:
    tools = _tools(request)
    return _change(get_platform(engine, request), tools)


@routes.route("POST", "/v1/mcp-server/rotate", since=V083)
def rotate_platform(engine: Engine, request: Request) -> Json:
    return _change(get_platform(engine, request), {"token": engine.ids.new(TOKEN_LENGTH)})


@routes.route("POST", "/mcp", auth=PUBLIC, since=V083)
@routes.route("POST", "/mcp/platform", auth=PUBLIC, since=V083)
def speak(engine: Engine, request: Request) -> Json:
    """Refuse: the protocol takes tokens of its own OAuth only, which the practice engine does not issue (``mcp_http_*``)."""
    raise HttpError(401, {"error": "unauthorized", "message": "not an access token of the MCP server"})


def _server(engine: Engine, owner: str) -> Json:
    """The row of the server of a project or, by its id, of the platform; made if there is none."""
    servers = engine.state.mcp_own_servers
    if owner not in servers:
        platform = owner == PLATFORM
        servers[owner] = engine.state.new_row(
            platformId=owner if platform else None,
            projectId=None if platform else owner,
            type="PLATFORM" if platform else "PROJECT",
            token=engine.ids.new(TOKEN_LENGTH),
            enabledTools=[f"ap_{name}" for name in ALL_TOOLS],
        )
    return servers[owner]


def _tools(request: Request) -> Json:
    if not all(isinstance(name, str) for name in request.values.get("enabledTools", [])):
        raise HttpError.invalid("body/enabledTools must be an array of texts")
    return request.values


def _change(row: Json, changes: Json) -> Json:
    if changes:
        row |= {**changes, "updated": ids.stamp()}
    return row
