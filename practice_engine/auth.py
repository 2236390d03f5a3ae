"""Authentication: the engine's own (recordings ``err_*``) and the gateway's (api.md 2.2)."""

import uuid

from . import accounts
from .http import OPTIONAL, PUBLIC, HttpError, Json, Principal, Request
from .state import State

#: The first parts of paths whose 401 and 403 have a code on 0.83.0; those of the routes of a project have none (recordings
#: ``session_revoked_*``, ``session_inactive_*``, ``token_*``).
CODED = ("projects", "users", "pieces", "flags")
#: The engine's own message of a refused caller is accidental (recordings ``err_bad_token``, ``session_revoked_flows``).
ACCIDENTAL = "Cannot read properties of undefined (reading 'type')"


def authenticate(request: Request, state: State, need: str) -> Principal | None:
    """The caller, if any, of a route with this ``need``. Raises the error of the flavour that was called."""
    if request.on_gateway:
        return _gateway(request, state)
    if need == PUBLIC:
        return None
    secret = _token(request)
    if not secret:
        if need == OPTIONAL:
            return None
        raise HttpError.domain("AUTHORIZATION", message="this route needs a signed-in user")
    entry = state.credentials.get(secret)
    if entry is None or entry.get("kind") != "bearer":
        if need == OPTIONAL:
            raise HttpError.domain("INVALID_BEARER_TOKEN", message="the token is not known or no longer valid")
        raise HttpError.plain(401, ACCIDENTAL)
    return accounts.principal_for(entry)


def check_token(request: Request, state: State) -> None:
    """Refuse a token of 0.83.0 that opens nothing (any more), before anything else and on routes that need none, too.

    Recordings ``session_revoked_*``, ``session_inactive_*``, ``token_*``, ``approval_15_approve_bad_token``.
    """
    secret = _token(request)
    entry = state.credentials.get(secret)
    coded = any(f"{request.path}/".startswith(f"/v1/{name}/") for name in CODED)
    if not secret:
        return
    if entry is None or entry.get("kind") != "bearer" or entry["expired"]:
        if not coded:
            raise HttpError.plain(401, ACCIDENTAL)
        if secret.startswith("sk-"):
            raise HttpError.domain("AUTHENTICATION", message="the key is not valid")
        raise HttpError.domain("INVALID_BEARER_TOKEN", message="the token is not known or no longer valid")
    if entry.get("revoked") or state.users[entry["user"]]["status"] != "ACTIVE":
        if not coded:
            raise HttpError.plain(403, ACCIDENTAL)
        raise HttpError.domain("SESSION_EXPIRED", message="the session was ended, or the user is not verified")


def _token(request: Request) -> str:
    """The scheme is case-sensitive: "bearer" is not a credential (recording err_lowercase_bearer)."""
    authorization = request.headers.get("authorization", "")
    return authorization.removeprefix("Bearer ").strip() if authorization.startswith("Bearer ") else ""


def _gateway(request: Request, state: State) -> Principal | None:
    headers = request.headers
    if key := headers.get("x-api-key"):
        return _api_key(request, state.credentials.get(key))
    authorization, opaque = headers.get("authorization", ""), headers.get("x-access-token", "")
    bearer = authorization[7:].strip() if authorization[:7].lower() == "bearer " else ""
    if not bearer and not opaque:
        raise HttpError(401, {"message": "Unauthorized - send an API key or an access token"})
    if "/webhooks" in request.full_path or "/socket.io" in request.full_path:
        entry = state.credentials.get(bearer or opaque)  # any value is accepted here
        return accounts.principal_for(entry) if entry and not entry.get("login") else None
    if bearer and headers.get("x-organization-id"):
        return _jwt(state.credentials.get(bearer), headers["x-organization-id"])
    if not opaque:
        raise HttpError(401, {"message": "Unauthorized"})
    entry = state.credentials.get(opaque)
    if entry is None or entry["kind"] not in LOGIN_KINDS.get(request.path, ("access",)) or entry["expired"]:
        raise HttpError(401, {"message": "Unauthorized - invalid token"})
    # The organization is the token's own, whatever x-organization-id says.
    return accounts.principal_for(entry)


LOGIN_KINDS = {
    "/v1/organizations": ("access", "login"),
    "/v2/organizations": ("access", "login"),
    "/v1/access/_exchange_access_token": ("login",),
}


def _api_key(request: Request, entry: Json | None) -> Principal:
    if entry is None or entry["kind"] != "api_key" or entry["expired"]:
        raise _traced_error(401, "Unauthorized", "The API key is not valid")
    if entry["scoped"]:
        raise _traced_error(403, "Forbidden", f"Invalid API path: {request.full_path}, this key opens other paths only")
    return accounts.principal_for(entry)


def _jwt(entry: Json | None, organization: str) -> Principal:
    if entry is None or entry["kind"] != "jwt" or entry["expired"]:
        raise HttpError(401, {"message": "Unauthorized - Invalid JWT"})
    if organization not in entry["organizations"]:
        raise HttpError(400, {"message": "Bad Request - organization_id not found in user organizations"})
    return accounts.principal_for(entry, organization)


def _traced_error(status: int, error: str, message: str) -> HttpError:
    """The gateway's own error, with a request id."""
    return HttpError(status, {"error": error, "message": message, "request_id": str(uuid.uuid4())})
