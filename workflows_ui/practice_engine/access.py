"""Which project a request of 0.83.0 is about, and whether its caller may enter it (engine-0.83.md sections 2 and 3).

0.72.4 knows one project for each user, and compares it (``engine.py``). 0.83.0 looks up what the request names first: an unknown
object is a 404 even without a login, a known one is a 403 without a login and for users without a role in its project.
"""

from dataclasses import replace

from . import accounts, schema
from .core import Route
from .http import HttpError, Principal, Request
from .state import State

#: First part of a path with an id: where the object is kept, and the engine's name for it (recordings ``*_unknown``).
OBJECTS = {
    "flows": ("flows", "flow"),
    "flow-runs": ("runs", "flow_run"),
    "folders": ("folders", "folder"),
    "tables": ("tables", "table"),
    "fields": ("fields", "field"),
    "records": ("records", "record"),
    "app-connections": ("connections", "app_connection"),
    "projects": ("projects", "project"),
}


def object_projects(request: Request, route: Route, state: State) -> list[str]:
    """Return the projects of the object named by the path, none if it names no object.

    Raises the 400 and 404 of a wrong id.
    """
    first = route.path.removeprefix("/v1/").split("/")[0]
    if first not in OBJECTS or "id" not in request.params:
        return []
    for name in route.id_params():
        schema.check_id(request.params[name], f"params/{name}")
    return _row_projects(state, *OBJECTS[first], request.params["id"])


def enter_project(request: Request, state: State, projects: list[str]) -> Principal:
    """Return the caller in one of ``projects`` or, if empty, in the project that query, body or table name.

    Raises 404 for an unknown project or table, 403 without a role in it.
    """
    for values in (request.query, request.values):
        if not projects and isinstance(values.get("projectId"), str):
            projects = _row_projects(state, "projects", "project", values["projectId"])
        if not projects and isinstance(values.get("tableId"), str):
            projects = _row_projects(state, "tables", "table", values["tableId"])
    caller = request.principal
    if not projects or caller.project in projects:
        return caller
    allowed = [project for project in projects if project in accounts.project_ids(state, caller.user)]
    if not allowed:
        # Recording member_flows_of_other_project.
        params = {"message": "no role in this project", "userId": caller.user, "projectId": projects[0]}
        raise HttpError.domain("AUTHORIZATION", params)
    return replace(caller, project=allowed[0])


def require_admin(request: Request, state: State) -> None:
    """Raise a 403 unless the caller is an administrator of the platform (recording ``member_users_list``)."""
    if not accounts.is_admin(state, request.principal.user):
        raise HttpError.domain("AUTHORIZATION", {"message": "only for administrators of the platform"})


def _row_projects(state: State, kind: str, entity: str, identity: str) -> list[str]:
    row = getattr(state, kind).get(identity)
    if row is None:
        raise HttpError.not_found(entity, identity)
    if kind == "projects":
        return [identity]
    return list(row["projectIds"]) if "projectIds" in row else [row["projectId"]]
