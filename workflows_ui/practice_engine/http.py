"""Requests and responses inside the practice engine, and the shapes of its refusals (api.md 4.2, recordings ``err_*``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .accounts import Principal

Json = dict[str, Any]
JSON_TYPE = "application/json; charset=utf-8"
REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 410: "Gone"}
REASONS |= {413: "Payload Too Large", 415: "Unsupported Media Type", 500: "Internal Server Error", 502: "Bad Gateway"}


@dataclass
class Response:
    """What goes back. ``wire`` names a fault that the server plays while sending: see ``faults.py``."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wire: str = ""
    pause: float = 0.0  # real seconds between two bytes while dripping

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass
class Later:
    """An answer that has to be waited for: ``wait`` runs in the request's thread, without the engine's lock."""

    wait: Callable[[], Response]


@dataclass
class Request:
    """One request as a handler sees it.

    ``path`` is the engine's (``/v1/...``), ``full_path`` what was asked for. ``headers`` have lower-case names. ``query``
    and ``values`` are filled in after validation: unknown keys gone, types coerced.
    """

    method: str
    full_path: str
    raw_query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    client: str = "127.0.0.1"
    path: str = ""
    flavour: str = "activepieces"
    principal_or_none: Principal | None = None
    params: dict[str, str] = field(default_factory=dict)
    query: Json = field(default_factory=dict)
    values: Json = field(default_factory=dict)
    payload: Any = None
    has_payload: bool = False

    @property
    def principal(self) -> Principal:
        """Who asks. Only for routes that need a credential."""
        if self.principal_or_none is None:
            raise RuntimeError("This route was declared without a credential.")
        return self.principal_or_none

    @property
    def on_gateway(self) -> bool:
        """Whether the request came through the Imbrace gateway."""
        return self.flavour == "imbrace"

    @property
    def is_multipart(self) -> bool:
        """Whether the body comes in parts, files among them."""
        return self.headers.get("content-type", "").lower().startswith("multipart/form-data")


class Refusal(Exception):
    """Raised by a handler to answer with an error body."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(status, text.encode(), {"content-type": JSON_TYPE, **(headers or {})})


def empty(status: int = 204) -> Response:
    """An answer without a body (recordings ``conn_delete``: 204, ``folder_del_02_delete``: 200)."""
    return Response(status)


def refuse(code: str, params: Json | None = None) -> Refusal:
    """A domain error ``{code, params}``; the status follows from the code (api.md 4.2: every other code is 400)."""
    return Refusal(STATUS_OF_CODE.get(code, 400), {"code": code, "params": params if params is not None else {}})


def invalid(message: str) -> Refusal:
    """A schema validation error."""
    return Refusal(400, {"statusCode": 400, "code": "FST_ERR_VALIDATION", "error": REASONS[400], "message": message})


def bare(status: int, message: str, code: str = "") -> Refusal:
    """An error without domain: ``{statusCode, error, message}``, with the framework's code where it has one."""
    body: Json = {"statusCode": status, "error": REASONS.get(status, "Error"), "message": message}
    if code:
        body["code"] = code
    return Refusal(status, body)


def no_route() -> Refusal:
    """Unknown path, or a known one with another method (recordings ``err_route_not_found``, ``err_method_not_allowed``)."""
    return bare(404, "Route not found")


STATUS_OF_CODE = {
    "INVALID_API_KEY": 401,
    "INVALID_BEARER_TOKEN": 401,
    "INVALID_CREDENTIALS": 401,
    "AUTHENTICATION": 401,
    "QUOTA_EXCEEDED": 402,
    "FEATURE_DISABLED": 402,
    "AI_CREDIT_LIMIT_EXCEEDED": 402,
    "PERMISSION_DENIED": 403,
    "AUTHORIZATION": 403,
    "SESSION_EXPIRED": 403,
    "ENTITY_NOT_FOUND": 404,
    "FILE_NOT_FOUND": 404,
    "VALIDATION": 409,
    "FLOW_IN_USE": 409,
    "EXISTING_USER": 409,
    "INVALID_OTP": 410,
}
