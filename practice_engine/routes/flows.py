"""Flows. 0.72.4: api.md section 6; 0.83.0: engine-0.83.md sections 4 to 6; of both recordings ``flow_*``, ``flows_*``.

How the versions show flows differently is in ``flow_views.py``, their operations in ``operations.py``.
"""

from practice_engine import flow_views, ids, operations, pages
from practice_engine.core import Engine, route
from practice_engine.flow_views import flow_json
from practice_engine.http import V083, HttpError, Json, Request
from practice_engine.schema import PAGE, PROJECT, Field, required
from practice_engine.state import State

from .folders import find_or_create

COUNT = {"folderId": Field(), "status": Field(choices=("ENABLED", "DISABLED"), many=True), "tags": Field(many=True)}
LIST = {
    **PAGE,
    **COUNT,
    "projectId": PROJECT,
    "name": Field(),
    "versionState": Field(choices=("DRAFT", "LOCKED")),
    **dict.fromkeys(("externalIds", "connectionExternalIds", "agentExternalIds"), Field(many=True)),
    "operationStatus": Field(),
}
CREATE = {
    "displayName": required(),
    "folderId": Field("id", nullable=True),
    "folderName": Field(),
    "metadata": Field("object", nullable=True),
    "projectId": PROJECT,
}
VERSION = {"versionId": Field("id"), "projectId": Field("id")}


@route("GET", "/v1/flows", query=LIST)
def list_flows(engine: Engine, request: Request) -> Json:
    """List flows. 0.72.4: the last changed first; 0.83.0: the enabled first."""
    query, version = request.query, request.version
    state = query.get("versionState", "DRAFT")
    selected = _select(engine, request)
    if version < V083:
        rows = [flow_json(engine.state, flow, version, state) for flow in selected]
        return pages.page([row for row in rows if _matches(row, query)], query, sort_key="updated")
    rows = [row for row in (flow_json(engine.state, flow, version) for flow in selected) if _matches(row, query)]
    flows = engine.state.flows
    return pages.page_of_flows(rows, query, lambda row: flow_json(engine.state, flows[row["id"]], version, state))


@route("GET", "/v1/flows/count", query={**COUNT, "projectId": required("id", since=V083)})
def count(engine: Engine, request: Request) -> int:
    return len(_select(engine, request))


@route("POST", "/v1/flows", body=CREATE, status=201)
def create(engine: Engine, request: Request) -> Json:
    """Add a disabled flow, a draft with an empty trigger. 0.83.0 finds an unknown folder by its database only."""
    values, state, project = request.values, engine.state, request.principal.project
    folder = values.get("folderId")
    if request.version >= V083 and folder is not None and folder not in state.folders:
        raise HttpError.plain(500, "the folder is not known to the database", "23503")
    if folder is None and values.get("folderName"):
        folder = find_or_create(engine, project, values["folderName"])["id"]
    trigger = {
        "name": "trigger",
        "type": "EMPTY",
        "displayName": "Select Trigger",
        "valid": False,
        "settings": {},
        "lastUpdatedDate": ids.stamp(),
    }
    columns = {"folderId": folder, "metadata": values.get("metadata"), "ownerId": request.principal.user}
    flow, _ = add_flow(state, project, {"displayName": values["displayName"], "trigger": trigger}, columns)
    return flow_json(engine.state, flow, request.version)


@route("GET", "/v1/flows/{id:id}", query=VERSION)
def get(engine: Engine, request: Request) -> Json:
    """A flow with its latest version, or the one that the query names."""
    flow = request.own_row(engine.state.flows)
    version = request.query.get("versionId")
    if version and engine.state.versions.get(version, {}).get("flowId") != flow["id"]:
        raise HttpError.domain("ENTITY_NOT_FOUND")
    if request.version >= V083 and flow["operationStatus"] != "NONE" and flow["publishedVersionId"] is None:
        raise _no_version()
    return flow_json(engine.state, flow, request.version, version_id=version)


@route("GET", "/v1/flows/{id:id}/versions", query={**PAGE, "projectId": Field("id")})
def versions(engine: Engine, request: Request) -> Json:
    flow = request.own_row(engine.state.flows)
    rows = [version for version in engine.state.versions.values() if version["flowId"] == flow["id"]]
    return pages.page(rows, request.query, lambda row: flow_views.version_header(engine.state, row, request.version))


@route("GET", "/v1/flows/{id:id}/template", query=VERSION)
def template(engine: Engine, request: Request) -> Json:
    """A flow as a template to share: its latest version on 0.83.0 (``flow_template_branches_loop_notes``), else the published."""
    flow = request.own_row(engine.state.flows)
    default = flow["versionId"] if request.version >= V083 else flow["publishedVersionId"] or flow["versionId"]
    version = engine.state.versions[request.query.get("versionId") or default]
    return flow_views.template(engine.state, flow, version, request.version)


@route("POST", "/v1/flows/{id:id}")
def operate(engine: Engine, request: Request) -> Json:
    """Apply an operation; respond with the whole flow and the edited version.

    On 0.83.0 a flow that is being deleted has no version any more (recording ``flow_del_published_04_op_at_once``).
    """
    flow = request.own_row(engine.state.flows)
    if request.version >= V083 and flow["operationStatus"] != "NONE":
        raise _no_version()
    operations.apply(engine, flow, request)
    return flow_json(engine.state, flow, request.version)


@route("DELETE", "/v1/flows/{id:id}")
def delete(engine: Engine, request: Request) -> None:
    """Delete. That takes a moment: first DELETING, then gone (recordings ``flow_del_*``)."""
    flow, newer = request.own_row(engine.state.flows), request.version >= V083
    if flow["operationStatus"] != "NONE":
        if newer and flow["publishedVersionId"] is None:
            raise HttpError.not_found("flow", flow["id"])
        code = "FLOW_OPERATION_IN_PROGRESS" if newer else "FLOW_OPERATION_INVALID"
        raise HttpError.domain(code, message=f"flow {flow['id']} is already being deleted")
    if not newer:
        flow["status"] = "DISABLED"
        flow.pop("triggerSource", None)
    flow |= {"operationStatus": "DELETING", "updated": ids.stamp()}
    engine.clock.call_later(engine.settings.delete_after, lambda: _remove(engine, flow["id"]))


def add_flow(state: State, project: str, version_columns: Json, columns: Json) -> tuple[Json, Json]:
    """Add a disabled flow and its draft, with these columns, and return their rows."""
    defaults: Json = {"status": "DISABLED", "operationStatus": "NONE", "publishedVersionId": None}
    flow = state.add_row("flows", **{"projectId": project, "externalId": ids.new_id(), **defaults, **columns})
    lists: Json = {"agentIds": [], "connectionIds": [], "notes": []}
    unset = dict.fromkeys(("updatedBy", "backupFiles"))
    draft: Json = {"flowId": flow["id"], "state": "DRAFT", "valid": False, **lists, **unset}
    version = state.add_row("versions", **draft | version_columns)
    flow["versionId"] = version["id"]
    return flow, version


def _no_version() -> HttpError:
    message = "the flow has no version any more"
    return HttpError.domain("ENTITY_NOT_FOUND", entityType="FlowVersion", message=message)


def _remove(engine: Engine, flow: str) -> None:
    state = engine.state
    with state.lock:
        state.flows.pop(flow, None)
        for rows in (state.versions, state.runs, state.events):
            for key in [key for key, row in rows.items() if row["flowId"] == flow]:
                del rows[key]
        state.dirty()


def _select(engine: Engine, request: Request) -> list[Json]:
    """The project's flows that match what does not depend on a version; those being deleted are hidden."""
    query = request.query
    rows = [flow for flow in request.own_rows(engine.state.flows) if flow["operationStatus"] != "DELETING"]
    if "status" in query:
        rows = [flow for flow in rows if flow["status"] in query["status"]]
    if "folderId" in query:
        folder = None if query["folderId"] == "NULL" else query["folderId"]
        rows = [flow for flow in rows if flow["folderId"] == folder]
    if "tags" in query:
        # Flows without any tags match too (api.md 6.4).
        tags = set(query["tags"])
        rows = [flow for flow in rows if not (own := (flow["metadata"] or {}).get("tags")) or tags & set(own)]
    return rows


def _matches(row: Json, query: Json) -> bool:
    version = row["version"]
    return (
        query.get("name", "").lower() in version["displayName"].lower()
        and row["externalId"] in query.get("externalIds", [row["externalId"]])
        and all(
            name not in query or set(query[name]) & set(version[key])
            for name, key in (("connectionExternalIds", "connectionIds"), ("agentExternalIds", "agentIds"))
        )
    )
