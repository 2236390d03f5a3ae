"""Flows (api.md section 6; recordings ``flow_*``, ``flows_*``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows_ui.practice_engine import ids, operations, pages, tree
from workflows_ui.practice_engine.http import Json, Request, Response, answer, empty, refuse
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import PAGE, PROJECT, Field, need

from .folders import find_or_create

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
STATUS = Field(choices=("ENABLED", "DISABLED"), many=True)
LIST = {
    **PAGE,
    "projectId": PROJECT,
    "folderId": Field(),
    "status": STATUS,
    "name": Field(),
    "versionState": Field(choices=("DRAFT", "LOCKED")),
    "externalIds": Field(many=True),
    "connectionExternalIds": Field(many=True),
    "agentExternalIds": Field(many=True),
    "tags": Field(many=True),
    "operationStatus": Field(),
}
CREATE = {
    "displayName": need(),
    "folderId": Field("id", nullable=True),
    "folderName": Field(),
    "metadata": Field("object", nullable=True),
    "projectId": PROJECT,
}


@routes.route("GET", "/v1/flows", query=LIST)
def find(engine: PracticeEngine, request: Request) -> Json:
    """Flows, last edited first; those being deleted are hidden."""
    rows = [
        shown(engine, flow, request.query.get("versionState", "DRAFT"))
        for flow in _select(engine, request, request.query)
    ]
    rows = [row for row in rows if _matches(row, request.query)]
    rows.sort(key=lambda row: str(row["updated"]), reverse=True)
    return pages.page(rows, request.query.get("limit"), request.query.get("cursor"))


@routes.route("GET", "/v1/flows/count", query={"folderId": Field(), "status": STATUS, "tags": Field(many=True)})
def count(engine: PracticeEngine, request: Request) -> int:
    """A bare number."""
    return len(_select(engine, request, request.query))


@routes.route("POST", "/v1/flows", body=CREATE)
def create(engine: PracticeEngine, request: Request) -> Response:
    """A new flow: DISABLED, a draft with an empty trigger."""
    values = request.values
    folder = values.get("folderId")
    if folder is None and values.get("folderName"):
        folder = find_or_create(engine, request.principal.project, values["folderName"])["id"]
    flow = new(engine, request.principal.project, values["displayName"], folder, values.get("metadata"))
    return answer(shown(engine, flow), 201)


@routes.route("GET", "/v1/flows/{id:id}", query={"versionId": Field("id"), "projectId": Field("id")})
def get(engine: PracticeEngine, request: Request) -> Json:
    """One flow with its latest version, or the one asked for."""
    flow = one(engine, request)
    wanted = request.query.get("versionId")
    if wanted and engine.state.versions.get(wanted, {}).get("flowId") != flow["id"]:
        raise refuse("ENTITY_NOT_FOUND")
    return shown(engine, flow, version=wanted)


@routes.route("GET", "/v1/flows/{id:id}/versions", query={**PAGE, "projectId": Field("id")})
def versions(engine: PracticeEngine, request: Request) -> Json:
    """The headers of a flow's versions, newest first."""
    flow = one(engine, request)
    rows = [version for version in engine.state.versions.values() if version["flowId"] == flow["id"]]
    rows.sort(key=lambda version: str(version["created"]), reverse=True)
    kept = ("id", "created", "updated", "flowId", "displayName", "valid", "state", "updatedBy", "schemaVersion")
    result = pages.page(rows, request.query.get("limit"), request.query.get("cursor"))
    return {**result, "data": [{name: row[name] for name in kept} for row in result["data"]]}


@routes.route("GET", "/v1/flows/{id:id}/template", query={"versionId": Field("id"), "projectId": Field("id")})
def template(engine: PracticeEngine, request: Request) -> Json:
    """A flow as a template to share (recording ``flow_template``: times are numbers in texts)."""
    flow = one(engine, request)
    version = engine.state.versions[request.query.get("versionId") or flow["publishedVersionId"] or flow["versionId"]]
    moment = str(ids.epoch_ms(ids.stamp()))
    return {
        "created": moment,
        "updated": moment,
        "name": version["displayName"],
        "description": "",
        "tags": [],
        "pieces": tree.pieces(version["trigger"]),
        "template": {
            "displayName": version["displayName"],
            "trigger": version["trigger"],
            "valid": version["valid"],
            "schemaVersion": version["schemaVersion"],
        },
        "blogUrl": "",
    }


@routes.route("POST", "/v1/flows/{id:id}")
def operate(engine: PracticeEngine, request: Request) -> Json:
    """Apply an operation; answers the whole flow with the edited version."""
    flow = one(engine, request)
    operations.apply(engine, flow, request.payload, request.principal.user, request.flavour)
    return shown(engine, flow)


@routes.route("DELETE", "/v1/flows/{id:id}")
def delete(engine: PracticeEngine, request: Request) -> Response:
    """Deleting takes a moment: first DELETING, then gone (recordings ``flow_del_*``)."""
    flow = one(engine, request)
    if flow["operationStatus"] != "NONE":
        raise refuse("FLOW_OPERATION_INVALID", {"message": f"flow {flow['id']} is being deleted already"})
    flow |= {"operationStatus": "DELETING", "status": "DISABLED", "updated": ids.stamp()}
    flow.pop("triggerSource", None)
    engine.clock.after(engine.settings.delete_after, lambda: _gone(engine, flow["id"]))
    return empty()


def _gone(engine: PracticeEngine, flow: str) -> None:
    state = engine.state
    with state.lock:
        state.flows.pop(flow, None)
        for rows in (state.versions, state.runs, state.events):
            for key in [key for key, row in rows.items() if row["flowId"] == flow]:
                del rows[key]
        state.dirty()


def new(
    engine: PracticeEngine, project: str, name: str, folder: str | None = None, metadata: Json | None = None
) -> Json:
    """Make a flow with its first draft, and keep both; gives the flow's row."""
    moment = ids.stamp()
    flow: Json = {
        "id": engine.ids.new(),
        "created": moment,
        "updated": moment,
        "projectId": project,
        "externalId": engine.ids.new(),
        "status": "DISABLED",
        "operationStatus": "NONE",
        "folderId": folder,
        "publishedVersionId": None,
        "metadata": metadata,
        "versionId": engine.ids.new(),
    }
    engine.state.flows[flow["id"]] = flow
    engine.state.versions[flow["versionId"]] = {
        "id": flow["versionId"],
        "created": moment,
        "updated": moment,
        "flowId": flow["id"],
        "displayName": name,
        "trigger": {
            "name": "trigger",
            "valid": False,
            "displayName": "Select Trigger",
            "type": "EMPTY",
            "settings": {},
        },
        "valid": False,
        "agentIds": [],
        "state": "DRAFT",
        "connectionIds": [],
        "updatedBy": None,
        "schemaVersion": "8",
        "backupFiles": None,
    }
    return flow


def one(engine: PracticeEngine, request: Request) -> Json:
    """The flow of the path, within the caller's project; a 404 refusal if there is none."""
    flow = engine.state.flows.get(request.params["id"])
    if flow is None or flow["projectId"] != request.principal.project:
        raise refuse("ENTITY_NOT_FOUND")
    return flow


def shown(engine: PracticeEngine, flow: Json, state: str = "DRAFT", version: str | None = None) -> Json:
    """A flow with a version: the latest, the published one (``state`` LOCKED), or the one named."""
    chosen = version or (flow["publishedVersionId"] if state == "LOCKED" else flow["versionId"])
    if chosen is None:
        # One flow that was never published makes the whole list fail (api.md 6.4).
        raise refuse("ENTITY_NOT_FOUND")
    whole = {key: value for key, value in flow.items() if key not in ("versionId", "sample")}
    return {**whole, "version": engine.state.versions[chosen]}


def _select(engine: PracticeEngine, request: Request, query: Json) -> list[Json]:
    rows = [flow for flow in engine.state.flows.values() if flow["projectId"] == request.principal.project]
    rows = [flow for flow in rows if flow["operationStatus"] != "DELETING"]
    if "status" in query:
        rows = [flow for flow in rows if flow["status"] in query["status"]]
    if "folderId" in query:
        folder = None if query["folderId"] == "NULL" else query["folderId"]
        rows = [flow for flow in rows if flow["folderId"] == folder]
    if "tags" in query:
        # Flows that have no tags at all pass too (api.md 6.4).
        tags = set(query["tags"])
        rows = [flow for flow in rows if not (found := (flow["metadata"] or {}).get("tags")) or tags & set(found)]
    return rows


def _matches(row: Json, query: Json) -> bool:
    version = row["version"]
    return (
        query.get("name", "").lower() in version["displayName"].lower()
        and row["externalId"] in query.get("externalIds", [row["externalId"]])
        and (
            "connectionExternalIds" not in query
            or bool(set(query["connectionExternalIds"]) & set(version["connectionIds"]))
        )
        and ("agentExternalIds" not in query or bool(set(query["agentExternalIds"]) & set(version["agentIds"])))
    )
