"""Folders (api.md section 9; recordings ``folders_*``, ``folder_del_*``)."""

from typing import Any

from practice_engine import ids, pages
from practice_engine.core import Engine, route
from practice_engine.http import V083, HttpError, Json, Request
from practice_engine.schema import PAGE, PROJECT, required


@route("GET", "/v1/folders", query={**PAGE, "projectId": PROJECT})
def list_folders(engine: Engine, request: Request) -> Json:
    """List folders, oldest first. On 0.72.4 the number of flows is a text here, and a number everywhere else."""
    number = int if request.version >= V083 else str
    rows = request.own_rows(engine.state.folders)
    return pages.page(rows, request.query, lambda row: _folder_json(engine, row, number), oldest_first=True)


@route("POST", "/v1/folders", body={"displayName": required(), "projectId": PROJECT})
def create(engine: Engine, request: Request) -> Json:
    return _folder_json(engine, find_or_create(engine, request.principal.project, request.values["displayName"]))


@route("GET", "/v1/folders/{id:id}")
def get(engine: Engine, request: Request) -> Json:
    return _folder_json(engine, _get_folder(engine, request))


@route("POST", "/v1/folders/{id:id}", body={"displayName": required()})
def rename(engine: Engine, request: Request) -> Json:
    folder = _get_folder(engine, request)
    name = request.values["displayName"]
    taken = _find(engine, folder["projectId"], name)
    if taken is not None and taken["id"] != folder["id"]:
        raise HttpError.domain("VALIDATION", message="another folder has this name")
    folder |= {"displayName": name, "updated": ids.stamp()}
    return _folder_json(engine, folder)


@route("DELETE", "/v1/folders/{id:id}", status=200)
def delete(engine: Engine, request: Request) -> None:
    """Delete; its flows stay, without a folder. 200 with an empty body (recording ``folder_del_02_delete``)."""
    folder = _get_folder(engine, request)
    for flow in engine.state.flows.values():
        if flow["folderId"] == folder["id"]:
            flow["folderId"] = None
    del engine.state.folders[folder["id"]]


def find_or_create(engine: Engine, project: str, name: str) -> Json:
    """The folder with this name, whatever its case; created if it does not exist."""
    found = _find(engine, project, name)
    return found or engine.state.add_row("folders", displayName=name, projectId=project, displayOrder=0)


def _folder_json(engine: Engine, folder: Json, number: Any = int) -> Json:
    flows = sum(flow["folderId"] == folder["id"] for flow in engine.state.flows.values())
    return {**folder, "numberOfFlows": number(flows)}


def _get_folder(engine: Engine, request: Request) -> Json:
    error = HttpError.domain("ENTITY_NOT_FOUND", message=f"there is no folder {request.params['id']}")
    return request.own_row(engine.state.folders, error=error)


def _find(engine: Engine, project: str, name: str) -> Json | None:
    rows = engine.state.folders.values()
    return next(
        (row for row in rows if row["projectId"] == project and row["displayName"].lower() == name.lower()), None
    )
