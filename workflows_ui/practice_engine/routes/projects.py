"""Projects of 0.83.0 (engine-0.83.md section 2; recordings ``project_*``, ``projects_list``). 0.72.4 has none of these routes."""

from workflows_ui.practice_engine import access, accounts, ids, pages
from workflows_ui.practice_engine.core import Engine, Routes
from workflows_ui.practice_engine.http import V083, HttpError, Json, Request, Response
from workflows_ui.practice_engine.schema import PAGE, Field, required

routes = Routes()
#: Kinds of rows that are deleted with a project.
CONTENT = ("flows", "versions", "runs", "folders", "tables", "fields", "records", "mcp_servers", "events")


@routes.route("GET", "/v1/projects", query={**PAGE, "displayName": Field()}, since=V083)
def find(engine: Engine, request: Request) -> Json:
    """List the projects that the caller may enter."""
    name = request.query.get("displayName", "").lower()
    rows = [engine.state.projects[key] for key in accounts.project_ids(engine.state, request.principal.user)]
    rows = [row for row in rows if name in row["displayName"].lower()]
    return pages.page(rows, request.query, lambda row: _project_json(engine, row), sort_key="")


@routes.route("POST", "/v1/projects", body={"displayName": required()}, since=V083)
def create(engine: Engine, request: Request) -> Response:
    """Add a team project, for administrators of the platform."""
    access.require_admin(request, engine.state)
    name, owner = request.values["displayName"], request.principal.user
    row = accounts.new_project(engine.state, engine.ids.new(), owner, name, "TEAM")
    return Response.from_json(_project_json(engine, row), 201)


@routes.route("GET", "/v1/projects/{id}", since=V083)
def get(engine: Engine, request: Request) -> Json:
    """Return a project. ``current`` is not an id (recording ``project_get_bad_id``: 404, not 400)."""
    return {**_project_json(engine, engine.state.projects[request.principal.project]), "deleted": None}


@routes.route("POST", "/v1/projects/{id}", body={"displayName": Field()}, since=V083)
def rename(engine: Engine, request: Request) -> Json:
    row = engine.state.projects[request.principal.project]
    row |= {**request.values, "updated": ids.stamp()}
    return _project_json(engine, row)


@routes.route("DELETE", "/v1/projects/{id}", since=V083)
def delete(engine: Engine, request: Request) -> Response:
    """Delete a team project with its content. A personal one stays (by the engine's source; not recorded)."""
    row = engine.state.projects[request.principal.project]
    if row.get("type", "PERSONAL") == "PERSONAL":
        raise HttpError.domain("VALIDATION", {"message": "a personal project cannot be deleted"})
    flows = {flow["id"] for flow in engine.state.flows.values() if flow["projectId"] == row["id"]}
    for kind in CONTENT:
        rows = getattr(engine.state, kind)
        for key, one in list(rows.items()):
            if one.get("projectId") == row["id"] or one.get("flowId") in flows:
                del rows[key]
    del engine.state.projects[row["id"]]
    return Response.empty()


def _project_json(engine: Engine, row: Json) -> Json:
    """A project with its plan and counts. On a plain Activepieces the sample projects are personal."""
    flows = [flow for flow in engine.state.flows.values() if flow["projectId"] == row["id"]]
    active = sum(flow["status"] == "ENABLED" for flow in flows)
    kind = row.get("type", "PERSONAL")
    plan = {"id": ids.named_id(f"plan {row['id']}"), "created": row["created"], "updated": row["created"]}
    plan |= {"projectId": row["id"], "locked": False, "name": "free" if kind == "PERSONAL" else "platform"}
    return {
        **{name: value for name, value in row.items() if name != "deleted"},
        "externalId": None,
        "type": kind,
        "poolId": None,
        "plan": {**plan, "piecesFilterType": "NONE", "pieces": []},
        "analytics": {"totalUsers": 0, "activeUsers": 0, "totalFlows": len(flows), "activeFlows": active},
    }
