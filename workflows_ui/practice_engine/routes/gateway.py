"""The gateway's own services: health, login, organizations, API keys, channel automation (api.md 2.4, 2.5 and 17)."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from workflows_ui.practice_engine import accounts, ids
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.http import Json, Refusal, Request, Response, answer, empty
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import Field

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

root, channel, backend, platform = Routes(), Routes(), Routes(), Routes()
CHANNEL = {"channelType": Field()}
OTP = "PRACT1"


@root.route("GET", "/", auth=PUBLIC)
def health(engine: PracticeEngine, request: Request) -> Json:
    """The gateway is there."""
    return {"message": "practice gateway"}


@channel.route("GET", "/v1/workflows/channel_automation", query=CHANNEL)
def automations(engine: PracticeEngine, request: Request) -> Json:
    """Channel automations on the new route."""
    return _automations(engine, request, engine.settings.new_channel_route)


@backend.route("GET", "/workflows/channel_automation", query=CHANNEL)
def automations_before(engine: PracticeEngine, request: Request) -> Json:
    """Channel automations on the old route, off unless switched on."""
    return _automations(engine, request, engine.settings.old_channel_route)


@root.route("POST", "/v1/platform/third_party_token")
def create_key(engine: PracticeEngine, request: Request) -> Response:
    """A new API key for the caller. With permissions it is a scoped one, which opens no workflow (api.md 2.5)."""
    body = request.payload if isinstance(request.payload, dict) else {}
    days = int(body.get("expirationDays") or 10_000)
    key = accounts.token("api_")
    permissions = body.get("permissions") or []
    engine.state.credentials[key] = accounts.row(
        "api_key", request.principal.user, request.principal.organization, scoped=bool(permissions)
    )
    moment = ids.stamp()
    made: Json = {
        "_id": engine.ids.new(),
        "apiKey": key,
        "token": key,
        "organization_id": request.principal.organization,
    }
    made |= {"user_id": request.principal.user, "is_active": True, "permissions": permissions}
    made |= {"expired_at": ids.stamp(ids.now() + timedelta(days=days)), "created_at": moment, "updated_at": moment}
    return answer({"apiKey": made, "expires_in": days * 86_400}, 201)


@platform.route("POST", "/v1/login/sign_in", auth=PUBLIC)
def sign_in(engine: PracticeEngine, request: Request) -> Json:
    """Sign in by password."""
    return _signed_in(engine, _checked(engine, request))


@platform.route("POST", "/v1/login/authenticate", auth=PUBLIC)
def authenticate(engine: PracticeEngine, request: Request) -> Json:
    """Sign in and learn the organizations."""
    user = _checked(engine, request)
    return {**_signed_in(engine, user), "user_id": user["id"], "organizations": _organizations(engine, user["id"])}


@platform.route("POST", "/v1/login/_signin_email_request", auth=PUBLIC)
def ask_code(engine: PracticeEngine, request: Request) -> Response:
    """Ask for a code by mail. In practice it is always the same (``OTP``)."""
    return empty(204)


@platform.route("POST", "/v1/login/_signin_with_email", auth=PUBLIC)
def sign_in_by_code(engine: PracticeEngine, request: Request) -> Json:
    """Sign in by the code."""
    return _signed_in(engine, _checked(engine, request))


@platform.route("GET", "/v1/account")
def account(engine: PracticeEngine, request: Request) -> Json:
    """Who the credential belongs to."""
    user = engine.state.users[request.principal.user]
    name = f"{user['lastName']} {user['firstName']}"
    found: Json = {"object_name": "account", "id": user["id"], "email": user["email"], "display_name": name}
    return {**found, "organization_id": request.principal.organization, "is_active": True}


@platform.route("GET", "/v1/organizations")
def organizations(engine: PracticeEngine, request: Request) -> Json:
    """The caller's organizations."""
    return _listed(engine, request)


def _listed(engine: PracticeEngine, request: Request) -> Json:
    found = _organizations(engine, request.principal.user)
    return {"object_name": "list", "data": found, "has_more": False, "count": len(found), "total": len(found)}


@platform.route("GET", "/v2/organizations")
def organizations_2(engine: PracticeEngine, request: Request) -> Json:
    """The same, by the newer address."""
    return _listed(engine, request)


@platform.route("POST", "/v1/access/_exchange_access_token")
def exchange(engine: PracticeEngine, request: Request) -> Json:
    """A login token and an organization give an access token; the login token is consumed."""
    given = _access(engine, request)
    engine.state.credentials.pop(request.headers.get("x-access-token", ""), None)
    return given


@platform.route("POST", "/v1/access/_exchange_access_token_with_access_token")
def exchange_again(engine: PracticeEngine, request: Request) -> Json:
    """An access token for another organization."""
    return _access(engine, request)


def _automations(engine: PracticeEngine, request: Request, there: bool) -> Json:
    if not there:
        raise Refusal(404, {"message": "Not Found"})
    rows = [row for row in engine.state.automations.values() if row["organization"] == request.principal.organization]
    wanted = request.query.get("channelType")
    rows = [row for row in rows if wanted in (None, "", row["channelType"])]
    return {"data": [{key: row[key] for key in ("id", "name", "active", "tags")} for row in rows]}


def _checked(engine: PracticeEngine, request: Request) -> Json:
    """The user whose mail and password (or code) are in the body; the platform's refusals otherwise (api.md 2.4)."""
    body = request.payload if isinstance(request.payload, dict) else {}
    for name in ("email",):
        if not body.get(name):
            raise Refusal(400, {"code": 1, "field": name, "message": f"{name} is required"})
    given = str(body.get("otp") or body.get("password") or "")
    if not given:
        raise Refusal(400, {"code": 1, "field": "password", "message": "password is required"})
    user = next((one for one in engine.state.users.values() if one["email"] == body["email"]), None)
    if user is None:
        raise Refusal(400, {"code": 40004, "message": "not signed up"})
    wanted = OTP if body.get("otp") else engine.credentials.password
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refusal(400, {"code": 40005, "message": "the password is wrong"})
    return user


def _signed_in(engine: PracticeEngine, user: Json) -> Json:
    token = accounts.token("login_acc_")
    home = next(key for key, one in engine.state.organizations.items() if user["id"] in one["members"])
    engine.state.credentials[token] = accounts.row("login", user["id"], home)
    expires = ids.stamp(ids.now() + timedelta(hours=3))
    return {
        "object_name": "login_access",
        "id": engine.ids.new(),
        "token": token,
        "email": user["email"],
        "expired_at": expires,
    }


def _access(engine: PracticeEngine, request: Request) -> Json:
    body = request.payload if isinstance(request.payload, dict) else {}
    organization = body.get("organization_id")
    if not organization:
        raise Refusal(400, {"code": 1, "field": "organization_id", "message": "organization_id is required"})
    user = request.principal.user
    if user not in engine.state.organizations.get(organization, {}).get("members", []):
        raise Refusal(400, {"code": 40004, "message": "not a member of this organization"})
    token = accounts.token("acc_")
    engine.state.credentials[token] = accounts.row("access", user, organization)
    moment = ids.stamp()
    given: Json = {
        "object_name": "access",
        "id": engine.ids.new(),
        "token": token,
        "refresh_token": accounts.token("rtk_"),
    }
    given |= {"user_id": user, "expired_at": ids.stamp(ids.now() + timedelta(days=30)), "created_at": moment}
    return {**given, "updated_at": moment, "creator": {"id": user}}


def _organizations(engine: PracticeEngine, user: str) -> list[Json]:
    return [
        {
            "organization_id": key,
            "display_name": one["name"],
            "icon_url": "",
            "is_paid": True,
            "is_active": True,
            "role": "owner" if user == one["members"][0] else "member",
            "is_admin": user == one["members"][0],
            "status": "active",
            "display_name_user": engine.state.users[user]["firstName"],
            "avatar_url": "",
        }
        for key, one in engine.state.organizations.items()
        if user in one["members"]
    ]
