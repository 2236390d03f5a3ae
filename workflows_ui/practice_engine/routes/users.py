"""The caller and the other users. 0.72.4: api.md section 16, recordings ``users_*``; 0.83.0: engine-0.83.md section 2."""

from workflows_ui.practice_engine import access, accounts, flow_views, ids, pages
from workflows_ui.practice_engine.core import Engine, Routes
from workflows_ui.practice_engine.http import V083, HttpError, Json, Request
from workflows_ui.practice_engine.multipart import FormFile
from workflows_ui.practice_engine.schema import PAGE

routes = Routes()
PREFERENCES = {"trackEvents": False, "newsLetter": False}


@routes.route("GET", "/v1/users/me", before=V083)
def me(engine: Engine, request: Request) -> Json:
    user = accounts.basic_user(engine.state.users[request.principal.user])
    return {**user, "projectId": request.principal.project, **PREFERENCES, "verified": True}


@routes.route("GET", "/v1/users/projects", before=V083)
def projects(engine: Engine, request: Request) -> Json:
    """List the caller's only project."""
    return pages.single_page([current_project(engine, request)])


@routes.route("GET", "/v1/users/projects/{which}", before=V083)
def current_project(engine: Engine, request: Request) -> Json:
    """Return the caller's project, whatever the path names (api.md section 16).

    It is personal on Activepieces, and a team with its organization's id on Imbrace.
    """
    row = engine.state.projects[request.principal.project]
    if request.on_gateway:
        return {**row, "type": "TEAM"}
    return {**row, "type": "PERSONAL", "externalId": None}


@routes.route("GET", "/v1/users", query=PAGE, since=V083)
def find(engine: Engine, request: Request) -> Json:
    """List all users of the platform, for its administrators."""
    access.require_admin(request, engine.state)
    return pages.page(engine.state.users.values(), request.query, accounts.full_user, oldest_first=True)


@routes.route("GET", "/v1/users/{id:id}", since=V083)
def get(engine: Engine, request: Request) -> Json:
    """Return one user, with badges for what they made (recordings ``user_get_by_id``, ``users_me``)."""
    user = engine.state.users.get(request.params["id"])
    if user is None:
        raise HttpError.not_found("user", request.params["id"])
    flows = [flow for flow in engine.state.flows.values() if flow_views.owner_id(engine.state, flow) == user["id"]]
    badges = [{"name": "first-build", "created": flows[0]["created"]}] if flows else []
    return {**accounts.full_user(user), "badges": badges}


@routes.route("POST", "/v1/users/me", since=V083)
def change(engine: Engine, request: Request) -> Json:
    """Set a profile picture; its file is dropped (recording ``user_update_me_picture``)."""
    if not isinstance(request.payload_object.get("profilePicture"), FormFile):
        raise HttpError.plain(400, "a profile picture is sent as a file")
    user = engine.state.users[request.principal.user]
    host = request.headers.get("host", "practice.example")
    user["imageUrl"] = f"http://{host}/api/v1/platforms/assets/{engine.ids.new()}"
    return {**{name: user[name] for name in ("email", "firstName", "lastName", "imageUrl")}, **PREFERENCES}


@routes.route("DELETE", "/v1/users/me/profile-picture", since=V083)
def remove_picture(engine: Engine, request: Request) -> Json:
    engine.state.users[request.principal.user]["imageUrl"] = None
    return {"success": True}


def signed_in_user(user: Json, project: str, token: str) -> Json:
    """Return what 0.83.0 responds to a sign-in or sign-up (recordings ``sign_in``, ``sign_up_invited``)."""
    more = {
        "identityId": ids.named_id(f"identity {user['id']}"),
        "lastActiveDate": None,
        **PREFERENCES,
        "verified": True,
    }
    return {**accounts.basic_user(user), **more, "token": token, "projectId": project}
