"""User invitations (api.md section 15; recordings ``invites_*``)."""

import urllib.parse

from practice_engine import accounts, ids, pages
from practice_engine.core import Engine, route
from practice_engine.http import PUBLIC, V083, HttpError, Json, Request
from practice_engine.schema import PAGE, Field, required

TYPE = required(choices=("PLATFORM", "PROJECT"))
LIST = {**PAGE, "type": TYPE, "projectId": Field("id"), "status": Field(choices=("PENDING", "ACCEPTED"))}
CREATE = {
    "email": required(),
    "type": TYPE,
    "platformRole": Field(choices=("ADMIN", "MEMBER", "OPERATOR")),
    "projectId": Field("id"),
    "projectRole": Field(),
}
EDITOR = {"name": "Editor", "type": "DEFAULT", "permissions": ["READ_FLOW", "WRITE_FLOW"]}


@route("GET", "/v1/user-invitations", query=LIST)
def list_invitations(engine: Engine, request: Request) -> Json:
    """List invitations to the platform (all organizations) or to the caller's project, oldest first."""
    kind, project = request.query["type"], request.principal.project
    if kind == "PROJECT":
        _require_team(engine, request)
    rows = [row for row in engine.state.invitations.values() if row["type"] == kind]
    rows = [row for row in rows if kind == "PLATFORM" or row["projectId"] == project]
    rows = [row for row in rows if row["status"] == request.query.get("status", row["status"])]
    return pages.page(rows, request.query, _with_role, oldest_first=True)


@route("POST", "/v1/user-invitations", body=CREATE, status=201)
def create(engine: Engine, request: Request) -> Json:
    """Invite a person; the response has the link (recording ``invites_create_platform``)."""
    values, kind, project, role = request.values, request.values["type"], None, None
    if kind == "PROJECT":
        _require_team(engine, request)
        if not engine.settings.invitations_in_plan:
            raise HttpError.domain("FEATURE_DISABLED", message="the plan has no project roles")
        project, role = request.principal.project, ids.named_id("role editor")
    row = engine.state.add_row(
        "invitations",
        email=values["email"],
        status="PENDING",
        type=kind,
        platformId=accounts.PLATFORM,
        platformRole=values.get("platformRole") if kind == "PLATFORM" else None,
        projectId=project,
        projectRoleId=role,
        token=ids.new_id(),
    )
    query = urllib.parse.urlencode({"token": row["token"], "email": values["email"]}, quote_via=urllib.parse.quote)
    return {**_without_token(row), "link": f"https://practice.example/invitation?{query}"}


@route("POST", "/v1/user-invitations/accept", body={"invitationToken": required()}, auth=PUBLIC, since=V083)
def accept(engine: Engine, request: Request) -> Json:
    """Accept by the token of the link; the response still says PENDING (recordings ``invites_accept*``)."""
    token = request.values["invitationToken"]
    row = next((row for row in engine.state.invitations.values() if row.get("token") == token), None)
    if row is None:
        raise HttpError.plain(500, "the token cannot be read")
    before = _without_token(row)
    row["status"] = "ACCEPTED"
    return before


@route("DELETE", "/v1/user-invitations/{id:id}")
def delete(engine: Engine, request: Request) -> None:
    """Revoke an invitation. On the gateway the open-source plan refuses: 402 for a project's, 403 for the platform's."""
    row = engine.state.invitations.get(request.params["id"])
    if row is None or (row["type"] == "PROJECT" and row["projectId"] != request.principal.project):
        raise HttpError.not_found("UserInvitation", f"id={request.params['id']}")
    if request.on_gateway and not engine.settings.invitations_in_plan:
        if row["type"] == "PROJECT":
            raise HttpError.domain("FEATURE_DISABLED", message="the plan has no project roles")
        raise HttpError.domain("AUTHORIZATION", message="members may not do this")
    del engine.state.invitations[row["id"]]


def _require_team(engine: Engine, request: Request) -> None:
    """A personal project, as all are on Activepieces at first, has no invitations (recordings ``invites_*_project``)."""
    row = engine.state.projects[request.principal.project]
    if not request.on_gateway and row.get("type", "PERSONAL") == "PERSONAL":
        raise HttpError.domain("VALIDATION", message="a personal project has no invitations")


def _without_token(row: Json) -> Json:
    return {key: value for key, value in row.items() if key != "token"}


def _with_role(row: Json) -> Json:
    role = row["projectRoleId"]
    return {**_without_token(row), "projectRole": role and {"id": role, **EDITOR}}
