"""Signing in and up at a plain Activepieces. 0.72.4: as its source says; 0.83.0: recordings ``sign_in*``, ``sign_up_*``."""

import hmac
from datetime import timedelta

from workflows_ui.practice_engine import accounts, ids
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.core import Engine, Routes
from workflows_ui.practice_engine.http import V083, HttpError, Json, Request
from workflows_ui.practice_engine.schema import required

from . import users

routes = Routes()
SIGN_IN = {"email": required(), "password": required()}
SIGN_UP = {**SIGN_IN, "firstName": required(), "lastName": required()}
PER_MINUTE = 50


@routes.route("POST", "/v1/authentication/sign-in", auth=PUBLIC, before=V083)
def sign_in_before(engine: Engine, request: Request) -> Json:
    """Return a JWT with an expiry time, for the person's project."""
    user = _authenticate(engine, request.payload_object)
    if user is None:
        raise HttpError.domain("INVALID_CREDENTIALS", {})
    project, token = _issue_token(engine, user["id"])
    return {**accounts.basic_user(user), "token": token, "projectId": project, **users.PREFERENCES, "verified": True}


@routes.route("POST", "/v1/authentication/sign-in", auth=PUBLIC, body=SIGN_IN, since=V083, per_minute=PER_MINUTE)
def sign_in(engine: Engine, request: Request) -> Json:
    """Return a token for the person's project. A wrong password and an unknown address are the same 401."""
    user = _authenticate(engine, request.values)
    if user is None:
        raise HttpError(401, {"code": "INVALID_CREDENTIALS", "params": None})
    return users.signed_in_user(user, *_issue_token(engine, user["id"]))


@routes.route("POST", "/v1/authentication/sign-up", auth=PUBLIC, body=SIGN_UP, since=V083, per_minute=PER_MINUTE)
def sign_up(engine: Engine, request: Request) -> Json:
    """Add a user with a personal project, for a person who accepted an invitation to the platform."""
    values, state = request.values, engine.state
    wanted = (values["email"], "PLATFORM", "ACCEPTED")
    rows = state.invitations.values()
    invitation = next((row for row in rows if (row["email"], row["type"], row["status"]) == wanted), None)
    if invitation is None:
        message = "there is no accepted invitation for this address"
        raise HttpError.domain("INVITATION_ONLY_SIGN_UP", {"message": message})
    del state.invitations[invitation["id"]]
    user = state.add_row(
        "users",
        status="ACTIVE",
        **{name: values[name] for name in SIGN_UP},
        platformRole=invitation["platformRole"],
        externalId=None,
        platformId=accounts.PLATFORM,
    )
    accounts.new_project(state, engine.ids.new(), user["id"], f"{values['firstName']}'s Project", "PERSONAL")
    return users.signed_in_user(user, *_issue_token(engine, user["id"]))


def _authenticate(engine: Engine, given: Json) -> Json | None:
    """The user with this address and password. The sample users share the practice password."""
    user = next((one for one in engine.state.users.values() if one["email"] == given.get("email")), None)
    wanted = (user or {}).get("password") or engine.credentials.password
    right = hmac.compare_digest(str(given.get("password") or "").encode(), str(wanted).encode())
    return user if right else None


def _issue_token(engine: Engine, user: str) -> tuple[str, str]:
    """The id of the project that the user signs in to, and a token for it."""
    project = accounts.home_project(engine.state, user)
    expires = int((ids.now() + timedelta(days=7)).timestamp())
    token = accounts.jwt({"id": user, "type": "USER", "projectId": project, "exp": expires, "practice": True})
    organization = engine.state.projects[project]["externalId"] or ""
    engine.state.credentials[token] = accounts.credential_row("bearer", user, organization, project=project)
    return project, token
