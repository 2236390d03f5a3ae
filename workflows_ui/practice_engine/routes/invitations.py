"""User invitations (api.md section 15; recordings ``invites_*``)."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

from workflows_ui.practice_engine import ids, pages
from workflows_ui.practice_engine.accounts import PLATFORM
from workflows_ui.practice_engine.http import Json, Request, Response, answer, empty, refuse
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import PAGE, Field, need

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
TYPE = need(choices=("PLATFORM", "PROJECT"))


@routes.route(
    "GET",
    "/v1/user-invitations",
    query={**PAGE, "type": TYPE, "projectId": Field("id"), "status": Field(choices=("PENDING", "ACCEPTED"))},
)
def find(engine: PracticeEngine, request: Request) -> Json:
    """Invitations of the platform (all organizations) or of the caller's project."""
    kind, project = request.query["type"], request.principal.project
    if kind == "PROJECT" and not request.on_gateway:
        raise refuse(
            "VALIDATION", {"message": "a personal project has no invitations"}
        )  # recording invites_list_project
    rows = [row for row in engine.state.invitations.values() if row["type"] == kind]
    rows = [row for row in rows if kind == "PLATFORM" or row["projectId"] == project]
    rows = [row for row in rows if row["status"] == request.query.get("status", row["status"])]
    rows.sort(key=lambda row: str(row["created"]), reverse=True)
    result = pages.page(rows, request.query.get("limit"), request.query.get("cursor"))
    return {**result, "data": [{**row, "projectRole": _role(row)} for row in result["data"]]}


@routes.route(
    "POST",
    "/v1/user-invitations",
    body={
        "email": need(),
        "type": TYPE,
        "platformRole": Field(choices=("ADMIN", "MEMBER", "OPERATOR")),
        "projectId": Field("id"),
        "projectRole": Field(),
    },
)
def create(engine: PracticeEngine, request: Request) -> Response:
    """Invite somebody; the answer holds the link (recording ``invites_create_platform``)."""
    values = request.values
    if values["type"] == "PROJECT" and not engine.settings.invitations_in_plan:
        raise refuse("FEATURE_DISABLED", {"message": "the plan has no project roles"})
    row = new(engine, values["email"], values["type"], request.principal.project, values.get("platformRole"))
    who = urllib.parse.quote(values["email"])
    return answer({**row, "link": f"https://practice.example/invitation?token={engine.ids.new()}&email={who}"}, 201)


@routes.route("DELETE", "/v1/user-invitations/{id:id}")
def delete(engine: PracticeEngine, request: Request) -> Response:
    """Take an invitation back. On the gateway the open-source plan refuses: 402 for a project's, 403 for the platform's."""
    row = engine.state.invitations.get(request.params["id"])
    if row is None or (row["type"] == "PROJECT" and row["projectId"] != request.principal.project):
        raise refuse("ENTITY_NOT_FOUND", {"entityId": f"id={request.params['id']}", "entityType": "UserInvitation"})
    if request.on_gateway and not engine.settings.invitations_in_plan:
        if row["type"] == "PROJECT":
            raise refuse("FEATURE_DISABLED", {"message": "the plan has no project roles"})
        raise refuse("AUTHORIZATION", {"message": "members may not do this"})
    del engine.state.invitations[row["id"]]
    return empty()


def new(engine: PracticeEngine, email: str, kind: str, project: str, role: str | None = None) -> Json:
    """Make an invitation and keep it."""
    moment = ids.stamp()
    row: Json = {"id": engine.ids.new(), "created": moment, "updated": moment, "email": email, "status": "PENDING"}
    row |= {"type": kind, "platformId": PLATFORM, "platformRole": role if kind == "PLATFORM" else None}
    row |= {"projectId": project if kind == "PROJECT" else None}
    row["projectRoleId"] = ids.named("role editor") if kind == "PROJECT" else None
    engine.state.invitations[row["id"]] = row
    return row


def _role(row: Json) -> Json | None:
    if row["projectRoleId"] is None:
        return None
    return {"id": row["projectRoleId"], "name": "Editor", "type": "DEFAULT", "permissions": ["READ_FLOW", "WRITE_FLOW"]}
