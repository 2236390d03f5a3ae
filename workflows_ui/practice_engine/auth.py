"""Who is asking: the engine's own check (recordings ``err_*``) and the gateway's (api.md 2.2)."""

from __future__ import annotations

import uuid

from . import accounts
from .accounts import Principal
from .http import Json, Refusal, Request, bare, refuse
from .state import State

REQUIRED, OPTIONAL, PUBLIC = "required", "optional", "public"


def check(request: Request, state: State, need: str) -> Principal | None:
    """The caller's principal for a route with this ``need``; raises the refusal of the flavour that was asked."""
    if request.on_gateway:
        return _gateway(request, state)
    return _engine(request, state, need)


def _engine(request: Request, state: State, need: str) -> Principal | None:
    if need == PUBLIC:
        return None
    authorization = request.headers.get("authorization", "")
    # The scheme is compared letter by letter: "bearer" is no credential at all (recording err_lowercase_bearer).
    if not authorization.startswith("Bearer "):
        if need == OPTIONAL:
            return None
        raise refuse("AUTHORIZATION", {"message": "this route needs a signed-in user"})
    entry = state.credentials.get(authorization.removeprefix("Bearer ").strip())
    if entry is None or entry.get("kind") != "bearer":
        if need == OPTIONAL:
            raise refuse("INVALID_BEARER_TOKEN", {"message": "the token is not known or no longer valid"})
        # A bare error with an accidental text is what the engine answers here (recording err_bad_token).
        raise bare(401, "undefined has no property 'type'")
    return accounts.principal(entry)


def _gateway(request: Request, state: State) -> Principal | None:
    headers = request.headers
    if key := headers.get("x-api-key"):
        return _api_key(request, state.credentials.get(key))
    authorization, opaque = headers.get("authorization", ""), headers.get("x-access-token", "")
    bearer = authorization[7:].strip() if authorization[:7].lower() == "bearer " else ""
    if not bearer and not opaque:
        raise Refusal(401, {"message": "Unauthorized - send an API key or an access token"})
    if "/webhooks" in request.full_path or "/socket.io" in request.full_path:
        entry = state.credentials.get(bearer or opaque)  # present is enough here, its value is not looked at
        return accounts.principal(entry) if entry and not entry.get("login") else None
    if bearer and headers.get("x-organization-id"):
        return _jwt(state.credentials.get(bearer), headers["x-organization-id"])
    if not opaque:
        raise Refusal(401, {"message": "Unauthorized"})
    entry = state.credentials.get(opaque)
    if entry is None or entry["kind"] not in LOGIN_KINDS.get(request.path, ("access",)) or entry["expired"]:
        raise Refusal(401, {"message": "Unauthorized - invalid token"})
    # The organization is the token's own, whatever x-organization-id says.
    return accounts.principal(entry)


LOGIN_KINDS = {
    "/v1/organizations": ("access", "login"),
    "/v2/organizations": ("access", "login"),
    "/v1/access/_exchange_access_token": ("login",),
}


def _api_key(request: Request, entry: Json | None) -> Principal:
    if entry is None or entry["kind"] != "api_key" or entry["expired"]:
        raise traced(401, "Unauthorized", "The API key is not valid")
    if entry["scoped"]:
        raise traced(403, "Forbidden", f"Invalid API path: {request.full_path}, this key opens other paths only")
    return accounts.principal(entry)


def _jwt(entry: Json | None, organization: str) -> Principal:
    if entry is None or entry["kind"] != "jwt" or entry["expired"]:
        raise Refusal(401, {"message": "Unauthorized - Invalid JWT"})
    if organization not in entry["organizations"]:
        raise Refusal(400, {"message": "Bad Request - organization_id not found in user organizations"})
    return accounts.principal(entry, organization)


def traced(status: int, error: str, message: str) -> Refusal:
    """The gateway's own refusal, with a request id."""
    return Refusal(status, {"error": error, "message": message, "request_id": str(uuid.uuid4())})
