"""Projects of 0.83.0, which 0.72.4 has no routes for, and the platform: flags and health.

engine-0.83.md section 2; recordings ``project_*``, ``projects_list``, ``flags``, ``platform*``, ``health*``.
"""

from practice_engine import accounts, ids, pages
from practice_engine.core import Engine, constant, route
from practice_engine.http import PUBLIC, V083, HttpError, Json, Request
from practice_engine.schema import PAGE, Field, required
from practice_engine.state import read_data

from . import tables

#: What is constant in a community edition.
CONSTANTS = "routes/platform.json"
#: Kinds of rows that are deleted with a project.
CONTENT = ("flows", "versions", "runs", "folders", "tables", "fields", "records", "mcp_servers", "events")


@route("GET", "/v1/projects", query={**PAGE, "displayName": Field()}, since=V083)
def list_projects(engine: Engine, request: Request) -> Json:
    """List the projects that the caller may enter."""
    name = request.query.get("displayName", "").lower()
    rows = [engine.state.projects[key] for key in accounts.project_ids(engine.state, request.principal.user)]
    rows = [row for row in rows if name in row["displayName"].lower()]
    return pages.page(rows, request.query, lambda row: _project_json(engine, row), sort_key="")


@route("POST", "/v1/projects", body={"displayName": required()}, since=V083, status=201)
def create(engine: Engine, request: Request) -> Json:
    """Add a team project, for administrators of the platform."""
    accounts.require_admin(request, engine.state)
    name, owner = request.values["displayName"], request.principal.user
    return _project_json(engine, accounts.new_project(engine.state, owner, name, "TEAM"))


@route("GET", "/v1/projects/{id}", since=V083)
def get(engine: Engine, request: Request) -> Json:
    """A project. ``current`` is not an id (recording ``project_get_bad_id``: 404, not 400)."""
    return {**_project_json(engine, engine.state.projects[request.principal.project]), "deleted": None}


@route("POST", "/v1/projects/{id}", body={"displayName": Field()}, since=V083)
def rename(engine: Engine, request: Request) -> Json:
    row = engine.state.projects[request.principal.project]
    row |= {**request.values, "updated": ids.stamp()}
    return _project_json(engine, row)


@route("DELETE", "/v1/projects/{id}", since=V083)
def delete(engine: Engine, request: Request) -> None:
    """Delete a team project with its content. A personal one stays (by the engine's source; not recorded)."""
    row = engine.state.projects[request.principal.project]
    if row.get("type", "PERSONAL") == "PERSONAL":
        raise HttpError.domain("VALIDATION", message="a personal project cannot be deleted")
    flows = {flow["id"] for flow in engine.state.flows.values() if flow["projectId"] == row["id"]}
    for kind in CONTENT:
        rows = getattr(engine.state, kind)
        for key, one in list(rows.items()):
            if one.get("projectId") == row["id"] or one.get("flowId") in flows:
                del rows[key]
    del engine.state.projects[row["id"]]


@route("GET", "/v1/flags", auth=PUBLIC, before=V083)
def flags_before(engine: Engine, request: Request) -> Json:
    """Facts about the server: no recording of 0.72.4 has them, and only these are used."""
    version = ".".join(str(number) for number in request.version)
    edition = "ee" if request.on_gateway else "ce"
    return {"CURRENT_VERSION": version, "EDITION": edition, **_limits(engine, request)}


@route("GET", "/v1/flags", auth=PUBLIC, since=V083)
def flags(engine: Engine, request: Request) -> Json:
    settings = engine.settings
    base = f"http://{request.headers.get('host', 'practice.example')}"
    return {
        **read_data(CONSTANTS)["flags"],
        "CURRENT_VERSION": settings.version,
        "THIRD_PARTY_AUTH_PROVIDER_REDIRECT_URL": f"{base}/redirect",
        "PUBLIC_URL": f"{base}/",
        "WEBHOOK_URL_PREFIX": f"{base}/api/v1/webhooks",
        "FLOW_RUN_TIME_SECONDS": settings.flow_limit,
        "WEBHOOK_TIMEOUT_SECONDS": settings.wait_limit,
        **_limits(engine, request),
        "MAX_FILE_SIZE_MB": settings.max_file_size_mb,
    }


constant("/v1/health", {"status": "Healthy"}, auth=PUBLIC, since=V083)
constant("/v1/health/system", {"cpu": True, "disk": True, "ram": True, "database": True}, since=V083)


@route("GET", "/v1/platforms/{id:id}", since=V083)
def platform(engine: Engine, request: Request) -> Json:
    if request.params["id"] != accounts.PLATFORM:
        raise HttpError.not_found("platform", request.params["id"])
    owner = engine.state.users[accounts.ANH]
    row = {"id": accounts.PLATFORM, "created": owner["created"], "updated": owner["created"], "ownerId": owner["id"]}
    return {**row, **read_data(CONSTANTS)["platform"]}


@route("GET", "/v1/templates", since=V083)
def templates(engine: Engine, request: Request) -> Json:
    """Fail: the gallery is in the vendor's cloud, which cannot be reached (recording ``templates_list``)."""
    raise HttpError.plain(500, "the gallery of templates cannot be reached")


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


def _limits(engine: Engine, request: Request) -> Json:
    return dict(zip(("MAX_RECORDS_PER_TABLE", "MAX_FIELDS_PER_TABLE"), tables.limits(engine, request), strict=True))
