"""The caller and their project (api.md section 16; recordings ``users_*``), and the server's flags."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from workflows_ui.practice_engine import accounts, ids, pages
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.http import Json, Request, refuse
from workflows_ui.practice_engine.router import Routes

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()


@routes.route("GET", "/v1/users/me")
def me(engine: PracticeEngine, request: Request) -> Json:
    """The caller."""
    user = engine.state.users[request.principal.user]
    more = {"projectId": request.principal.project, "trackEvents": False, "newsLetter": False, "verified": True}
    return {**user, **more}


@routes.route("GET", "/v1/users/projects")
def projects(engine: PracticeEngine, request: Request) -> Json:
    """The caller's projects: there is one."""
    return pages.bare([project(engine, request)])


@routes.route("GET", "/v1/users/projects/{which}")
def current(engine: PracticeEngine, request: Request) -> Json:
    """The caller's project, whatever is asked for (api.md section 16)."""
    return project(engine, request)


@routes.route("POST", "/v1/authentication/sign-in", auth=PUBLIC)
def sign_in(engine: PracticeEngine, request: Request) -> Json:
    """A plain Activepieces' own sign-in (upstream): a JWT that says when it ends, for the person's project."""
    body = request.payload if isinstance(request.payload, dict) else {}
    user = next((one for one in engine.state.users.values() if one["email"] == body.get("email")), None)
    given = str(body.get("password") or "")
    if user is None or not hmac.compare_digest(given.encode(), engine.credentials.password.encode()):
        raise refuse("INVALID_CREDENTIALS", {})
    home = next(key for key, one in engine.state.organizations.items() if user["id"] in one["members"])
    project = accounts.project_of(home)
    ends = int((ids.now() + timedelta(days=7)).timestamp())
    token = accounts.jwt({"id": user["id"], "type": "USER", "projectId": project, "exp": ends, "practice": True})
    engine.state.credentials[token] = accounts.row("bearer", user["id"], home)
    return {**user, "token": token, "projectId": project, "trackEvents": False, "newsLetter": False, "verified": True}


@routes.route("GET", "/v1/flags", auth=PUBLIC)
def flags(engine: PracticeEngine, request: Request) -> Json:
    """Facts about the server; the console reads the version."""
    edition = "ee" if request.on_gateway else "ce"
    return {"CURRENT_VERSION": engine.settings.version, "EDITION": edition, "PRACTICE": True}


def project(engine: PracticeEngine, request: Request) -> Json:
    """The caller's project in the words of the flavour: personal on Activepieces, a team with its organization's id on Imbrace."""
    row = engine.state.projects[request.principal.project]
    if request.on_gateway:
        return {**row, "type": "TEAM"}
    return {**row, "type": "PERSONAL", "externalId": None}
