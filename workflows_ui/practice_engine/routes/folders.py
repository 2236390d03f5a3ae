"""Folders (api.md section 9; recordings ``folders_*``, ``folder_del_*``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows_ui.practice_engine import ids, pages
from workflows_ui.practice_engine.http import Json, Request, Response, empty, refuse
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import PAGE, PROJECT, need

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()


@routes.route("GET", "/v1/folders", query={**PAGE, "projectId": PROJECT})
def find(engine: PracticeEngine, request: Request) -> Json:
    """The project's folders, oldest first. The number of flows is a text here, and a number everywhere else."""
    rows = [row for row in engine.state.folders.values() if row["projectId"] == request.principal.project]
    rows.sort(key=lambda row: str(row["created"]))
    result = pages.page(rows, request.query.get("limit"), request.query.get("cursor"), oldest_first=True)
    return {**result, "data": [shown(engine, row, str) for row in result["data"]]}


@routes.route("POST", "/v1/folders", body={"displayName": need(), "projectId": PROJECT})
def create(engine: PracticeEngine, request: Request) -> Json:
    """A new folder, or the one that has this name already."""
    return shown(engine, find_or_create(engine, request.principal.project, request.values["displayName"]))


@routes.route("GET", "/v1/folders/{id:id}")
def get(engine: PracticeEngine, request: Request) -> Json:
    """One folder."""
    return shown(engine, _one(engine, request))


@routes.route("POST", "/v1/folders/{id:id}", body={"displayName": need()})
def rename(engine: PracticeEngine, request: Request) -> Json:
    """Rename; a name that another folder has is a 409."""
    folder = _one(engine, request)
    name = request.values["displayName"]
    taken = _named(engine, folder["projectId"], name)
    if taken is not None and taken["id"] != folder["id"]:
        raise refuse("VALIDATION", {"message": "another folder has this name"})
    folder |= {"displayName": name, "updated": ids.stamp()}
    return shown(engine, folder)


@routes.route("DELETE", "/v1/folders/{id:id}")
def delete(engine: PracticeEngine, request: Request) -> Response:
    """Delete; its flows stay, without a folder. 200 with an empty body (recording ``folder_del_02_delete``)."""
    folder = _one(engine, request)
    for flow in engine.state.flows.values():
        if flow["folderId"] == folder["id"]:
            flow["folderId"] = None
    del engine.state.folders[folder["id"]]
    return empty(200)


def find_or_create(engine: PracticeEngine, project: str, name: str) -> Json:
    """The folder with this name, whatever its case; made if there is none."""
    found = _named(engine, project, name)
    if found is not None:
        return found
    moment = ids.stamp()
    folder: Json = {"id": engine.ids.new(), "created": moment, "updated": moment, "displayName": name}
    folder |= {"projectId": project, "displayOrder": 0}
    engine.state.folders[folder["id"]] = folder
    return folder


def shown(engine: PracticeEngine, folder: Json, number: Any = int) -> Json:
    """A folder with its number of flows."""
    flows = sum(flow["folderId"] == folder["id"] for flow in engine.state.flows.values())
    return {**folder, "numberOfFlows": number(flows)}


def _one(engine: PracticeEngine, request: Request) -> Json:
    folder = engine.state.folders.get(request.params["id"])
    if folder is None or folder["projectId"] != request.principal.project:
        raise refuse("ENTITY_NOT_FOUND", {"message": f"there is no folder {request.params['id']}"})
    return folder


def _named(engine: PracticeEngine, project: str, name: str) -> Json | None:
    rows = engine.state.folders.values()
    return next(
        (row for row in rows if row["projectId"] == project and row["displayName"].lower() == name.lower()), None
    )
