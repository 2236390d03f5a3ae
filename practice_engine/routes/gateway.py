"""The gateway's own services: health, login, organizations, API keys, channel automation (api.md 2.4, 2.5 and 17)."""

import hmac
from datetime import timedelta

from practice_engine import accounts, ids
from practice_engine.core import Engine, Routes
from practice_engine.http import PUBLIC, HttpError, Json, Request
from practice_engine.schema import Field

root, channel, backend, platform = Routes(), Routes(), Routes(), Routes()
CHANNEL = {"channelType": Field()}
#: The only code for signing in by mail.
OTP = "PRACT1"


root.constant("/", {"message": "practice gateway"}, auth=PUBLIC)


@channel.route("GET", "/v1/workflows/channel_automation", query=CHANNEL)
@backend.route("GET", "/workflows/channel_automation", query=CHANNEL)
def automations(engine: Engine, request: Request) -> Json:
    """List the automations of the caller's organization, on the new route or on the old one."""
    settings, is_new = engine.settings, request.path.startswith("/v1/")
    if not (settings.new_channel_route if is_new else settings.old_channel_route):
        raise HttpError(404, {"message": "Not Found"})
    rows = [row for row in engine.state.automations.values() if row["organization"] == request.principal.organization]
    kind = request.query.get("channelType")
    rows = [row for row in rows if kind in (None, "", row["channelType"])]
    return {"data": [{key: row[key] for key in ("id", "name", "active", "tags")} for row in rows]}


@root.route("POST", "/v1/platform/third_party_token", status=201)
def create_key(engine: Engine, request: Request) -> Json:
    """Issue an API key for the caller. With permissions it is a scoped one, which opens no workflow (api.md 2.5)."""
    days = int(request.payload_object.get("expirationDays") or 10_000)
    permissions = request.payload_object.get("permissions") or []
    caller, key, moment = request.principal, accounts.new_token("api_"), ids.stamp()
    scoped = bool(permissions)
    engine.state.credentials[key] = accounts.credential_row("api_key", caller.user, caller.organization, scoped=scoped)
    row: Json = {
        "_id": ids.new_id(),
        "apiKey": key,
        "token": key,
        "organization_id": caller.organization,
        "user_id": caller.user,
        "is_active": True,
        "permissions": permissions,
        "expired_at": ids.stamp(ids.now() + timedelta(days=days)),
        "created_at": moment,
        "updated_at": moment,
    }
    return {"apiKey": row, "expires_in": days * 86_400}


@platform.route("POST", "/v1/login/sign_in", auth=PUBLIC)
@platform.route("POST", "/v1/login/_signin_with_email", auth=PUBLIC)
def sign_in(engine: Engine, request: Request) -> Json:
    """Sign in by password or by the code that was sent by mail."""
    return _login_token(engine, _authenticate(engine, request))


@platform.route("POST", "/v1/login/authenticate", auth=PUBLIC)
def authenticate(engine: Engine, request: Request) -> Json:
    """Sign in and list the organizations."""
    user = _authenticate(engine, request)
    return {**_login_token(engine, user), "user_id": user["id"], "organizations": _organizations(engine, user["id"])}


@platform.route("POST", "/v1/login/_signin_email_request", auth=PUBLIC)
def request_code(engine: Engine, request: Request) -> None:
    """Send nothing: the code is always ``OTP``."""


@platform.route("GET", "/v1/account")
def account(engine: Engine, request: Request) -> Json:
    user = engine.state.users[request.principal.user]
    name = f"{user['lastName']} {user['firstName']}"
    row: Json = {"object_name": "account", "id": user["id"], "email": user["email"], "display_name": name}
    return {**row, "organization_id": request.principal.organization, "is_active": True}


@platform.route("GET", "/v1/organizations")
@platform.route("GET", "/v2/organizations")
def organizations(engine: Engine, request: Request) -> Json:
    rows = _organizations(engine, request.principal.user)
    return {"object_name": "list", "data": rows, "has_more": False, "count": len(rows), "total": len(rows)}


@platform.route("POST", "/v1/access/_exchange_access_token")
def exchange(engine: Engine, request: Request) -> Json:
    """Issue an access token for a login token and an organization; the login token can be used once."""
    issued = exchange_again(engine, request)
    engine.state.credentials.pop(request.headers.get("x-access-token", ""), None)
    return issued


@platform.route("POST", "/v1/access/_exchange_access_token_with_access_token")
def exchange_again(engine: Engine, request: Request) -> Json:
    organization = request.payload_object.get("organization_id")
    if not organization:
        raise _missing("organization_id")
    user = request.principal.user
    if user not in engine.state.organizations.get(organization, {}).get("members", []):
        raise HttpError(400, {"code": 40004, "message": "not a member of this organization"})
    token, moment = accounts.new_token("acc_"), ids.stamp()
    engine.state.credentials[token] = accounts.credential_row("access", user, organization)
    return {
        "object_name": "access",
        "id": ids.new_id(),
        "token": token,
        "refresh_token": accounts.new_token("rtk_"),
        "user_id": user,
        "expired_at": ids.stamp(ids.now() + timedelta(days=30)),
        "created_at": moment,
        "updated_at": moment,
        "creator": {"id": user},
    }


def _authenticate(engine: Engine, request: Request) -> Json:
    """The user with the address and password (or code) of the body. Raises the platform's errors (api.md 2.4)."""
    body = request.payload_object
    given = str(body.get("otp") or body.get("password") or "")
    if not body.get("email"):
        raise _missing("email")
    if not given:
        raise _missing("password")
    user = next((one for one in engine.state.users.values() if one["email"] == body["email"]), None)
    if user is None:
        raise HttpError(400, {"code": 40004, "message": "not signed up"})
    expected = OTP if body.get("otp") else engine.credentials.password
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise HttpError(400, {"code": 40005, "message": "the password is wrong"})
    return user


def _missing(name: str) -> HttpError:
    return HttpError(400, {"code": 1, "field": name, "message": f"{name} is required"})


def _login_token(engine: Engine, user: Json) -> Json:
    token = accounts.new_token("login_acc_")
    home = next(key for key, one in engine.state.organizations.items() if user["id"] in one["members"])
    engine.state.credentials[token] = accounts.credential_row("login", user["id"], home)
    expires = ids.stamp(ids.now() + timedelta(hours=3))
    row: Json = {"object_name": "login_access", "id": ids.new_id(), "token": token, "email": user["email"]}
    return {**row, "expired_at": expires}


def _organizations(engine: Engine, user: str) -> list[Json]:
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
