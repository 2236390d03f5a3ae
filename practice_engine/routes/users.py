"""Users, signing in and signing up at a plain Activepieces.

0.72.4: api.md section 16, recordings ``users_*``; 0.83.0: engine-0.83.md section 2, recordings ``sign_in*``, ``sign_up_*``.
"""

import hmac
from datetime import timedelta

from practice_engine import accounts, flow_views, ids, pages
from practice_engine.bodies import FormFile
from practice_engine.core import Engine, route
from practice_engine.http import PUBLIC, V083, HttpError, Json, Request
from practice_engine.schema import PAGE, Field, required

SIGN_IN = {"email": required(), "password": required()}
SIGN_UP = {**SIGN_IN, "firstName": required(), "lastName": required()}
PER_MINUTE = 50
PREFERENCES = {"trackEvents": False, "newsLetter": False}
VERIFIED = {**PREFERENCES, "verified": True}


@route("GET", "/v1/users/me", before=V083)
def me(engine: Engine, request: Request) -> Json:
    user = accounts.basic_user(engine.state.users[request.principal.user])
    return {**user, "projectId": request.principal.project, **VERIFIED}


@route("GET", "/v1/users/projects", before=V083)
def projects(engine: Engine, request: Request) -> Json:
    """List the caller's only project."""
    return pages.single_page([current_project(engine, request)])


@route("GET", "/v1/users/projects/{which}", before=V083)
def current_project(engine: Engine, request: Request) -> Json:
    """The caller's project, whatever the path names (api.md section 16).

    It is personal on Activepieces, and a team with its organization's id on Imbrace.
    """
    row = engine.state.projects[request.principal.project]
    if request.on_gateway:
        return {**row, "type": "TEAM"}
    return {**row, "type": "PERSONAL", "externalId": None}


@route("GET", "/v1/users", query=PAGE, since=V083)
def list_users(engine: Engine, request: Request) -> Json:
    """List all users of the platform, for its administrators."""
    accounts.require_admin(request, engine.state)
    return pages.page(engine.state.users.values(), request.query, accounts.full_user, oldest_first=True)


@route("GET", "/v1/users/{id:id}", since=V083)
def get(engine: Engine, request: Request) -> Json:
    """One user, with badges for what they made (recordings ``user_get_by_id``, ``users_me``)."""
    user = engine.state.users.get(request.params["id"])
    if user is None:
        raise HttpError.not_found("user", request.params["id"])
    flows = [flow for flow in engine.state.flows.values() if flow_views.owner_id(engine.state, flow) == user["id"]]
    badges = [{"name": "first-build", "created": flows[0]["created"]}] if flows else []
    return {**accounts.full_user(user), "badges": badges}


@route("POST", "/v1/users/me", since=V083)
def change(engine: Engine, request: Request) -> Json:
    """Set a profile picture; its file is dropped (recording ``user_update_me_picture``)."""
    if not isinstance(request.payload_object.get("profilePicture"), FormFile):
        raise HttpError.plain(400, "a profile picture is sent as a file")
    user = engine.state.users[request.principal.user]
    host = request.headers.get("host", "practice.example")
    user["imageUrl"] = f"http://{host}/api/v1/platforms/assets/{ids.new_id()}"
    return {**{name: user[name] for name in ("email", "firstName", "lastName", "imageUrl")}, **PREFERENCES}


@route("POST", "/v1/users/{id:id}", body={"status": Field(choices=("ACTIVE", "INACTIVE"))}, since=V083)
def change_status(engine: Engine, request: Request) -> Json:
    """Activate or deactivate a user; deactivated, their tokens are refused (recordings ``session_02``, ``session_inactive_*``)."""
    accounts.require_admin(request, engine.state)
    user = engine.state.users.get(request.params["id"])
    if user is None:
        raise HttpError.not_found("user", request.params["id"])
    user |= request.values
    return accounts.full_user(user)


@route("DELETE", "/v1/users/me/profile-picture", since=V083)
def remove_picture(engine: Engine, request: Request) -> Json:
    engine.state.users[request.principal.user]["imageUrl"] = None
    return {"success": True}


@route("POST", "/v1/authentication/sign-in", auth=PUBLIC, before=V083)
def sign_in_before(engine: Engine, request: Request) -> Json:
    """A JWT with an expiry time, for the person's project."""
    user = _authenticate(engine, request.payload_object)
    if user is None:
        raise HttpError.domain("INVALID_CREDENTIALS")
    return {**accounts.basic_user(user), **_issue_token(engine, user["id"]), **VERIFIED}


@route("POST", "/v1/authentication/sign-in", auth=PUBLIC, body=SIGN_IN, since=V083, per_minute=PER_MINUTE)
def sign_in(engine: Engine, request: Request) -> Json:
    """A token for the person's project. A wrong password and an unknown address are the same 401."""
    user = _authenticate(engine, request.values)
    if user is None:
        raise HttpError(401, {"code": "INVALID_CREDENTIALS", "params": None})
    if user["status"] != "ACTIVE":
        raise HttpError.domain("USER_IS_INACTIVE", email=user["email"])
    return _signed_in_user(engine, user)


@route("POST", "/v1/authentication/sign-up", auth=PUBLIC, body=SIGN_UP, since=V083, per_minute=PER_MINUTE)
def sign_up(engine: Engine, request: Request) -> Json:
    """Add a user with a personal project, for a person who accepted an invitation to the platform."""
    values, state = request.values, engine.state
    wanted = (values["email"], "PLATFORM", "ACCEPTED")
    rows = state.invitations.values()
    invitation = next((row for row in rows if (row["email"], row["type"], row["status"]) == wanted), None)
    if invitation is None:
        message = "there is no accepted invitation for this address"
        raise HttpError.domain("INVITATION_ONLY_SIGN_UP", message=message)
    del state.invitations[invitation["id"]]
    user = state.add_row(
        "users",
        status="ACTIVE",
        **{name: values[name] for name in SIGN_UP},
        platformRole=invitation["platformRole"],
        externalId=None,
        platformId=accounts.PLATFORM,
    )
    accounts.new_project(state, user["id"], f"{values['firstName']}'s Project", "PERSONAL")
    return _signed_in_user(engine, user)


def _signed_in_user(engine: Engine, user: Json) -> Json:
    """What 0.83.0 responds to a sign-in or sign-up (recordings ``sign_in``, ``sign_up_invited``)."""
    more = {"identityId": ids.named_id(f"identity {user['id']}"), "lastActiveDate": None, **VERIFIED}
    return {**accounts.basic_user(user), **more, **_issue_token(engine, user["id"])}


def _authenticate(engine: Engine, given: Json) -> Json | None:
    """The user with this address and password. The sample users share the practice password."""
    user = next((one for one in engine.state.users.values() if one["email"] == given.get("email")), None)
    wanted = (user or {}).get("password") or engine.credentials.password
    right = hmac.compare_digest(str(given.get("password") or "").encode(), str(wanted).encode())
    return user if right else None


def _issue_token(engine: Engine, user: str) -> Json:
    """A token, and the id of the project that the user signs in to: that of their organization, or the personal one."""
    state = engine.state
    shared = [accounts.organization_project(key) for key, one in state.organizations.items() if user in one["members"]]
    project = next(iter(shared), "") or next(key for key, row in state.projects.items() if row["ownerId"] == user)
    expires = int((ids.now() + timedelta(days=7)).timestamp())
    token = accounts.jwt({"id": user, "type": "USER", "projectId": project, "exp": expires, "practice": True})
    organization = engine.state.projects[project]["externalId"] or ""
    engine.state.credentials[token] = accounts.credential_row("bearer", user, organization, project=project)
    return {"token": token, "projectId": project}
