"""Requests and responses inside the practice engine, and the shapes of its errors (api.md 4.2, recordings ``err_*``)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, Self

Json = dict[str, Any]
Version = tuple[int, ...]
V072: Version = (0, 72, 4)
#: The version whose recordings differ from those of 0.72.4 (engine-0.83.md).
V083: Version = (0, 83)
#: Whether a route needs a credential.
REQUIRED, OPTIONAL, PUBLIC = "required", "optional", "public"
JSON_TYPE = "application/json; charset=utf-8"
REASONS = {**responses, 413: "Payload Too Large"}
#: The status of each code of a domain error; every other code is 400 (api.md 4.2).
STATUS_OF_CODE = {
    **dict.fromkeys(("INVALID_API_KEY", "INVALID_BEARER_TOKEN", "INVALID_CREDENTIALS", "AUTHENTICATION"), 401),
    **dict.fromkeys(("QUOTA_EXCEEDED", "FEATURE_DISABLED", "AI_CREDIT_LIMIT_EXCEEDED"), 402),
    **dict.fromkeys(("PERMISSION_DENIED", "AUTHORIZATION", "SESSION_EXPIRED", "INVITATION_ONLY_SIGN_UP"), 403),
    "USER_IS_INACTIVE": 403,
    **dict.fromkeys(("ENTITY_NOT_FOUND", "FILE_NOT_FOUND"), 404),
    **dict.fromkeys(("VALIDATION", "FLOW_IN_USE", "EXISTING_USER", "FLOW_OPERATION_IN_PROGRESS"), 409),
    "INVALID_OTP": 410,
}


@dataclass
class Response:
    """An HTTP response. ``wire`` names a fault that the server plays while sending: see ``faults.py``."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wire: str = ""
    pause: float = 0.0  # real seconds between two bytes while dripping

    @classmethod
    def from_json(cls, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return cls(status, text.encode(), {"content-type": JSON_TYPE, **(headers or {})})


#: A response that takes time: called in the request's thread, without the engine's lock.
Deferred = Callable[[], Response]


@dataclass(frozen=True)
class Principal:
    """The caller that a credential stands for. ``organization`` is known on the gateway only."""

    user: str
    project: str
    organization: str = ""


@dataclass
class Request:
    """One request as a handler sees it.

    ``path`` is the engine's (``/v1/...``), ``full_path`` what was requested. ``version`` is that of the engine addressed: a
    plain Activepieces of ``Settings.version``, or Imbrace's fork of 0.72.4. ``headers`` have lower-case names. ``query``
    and ``values`` are set after validation: unknown keys dropped, types coerced. ``is_binary``: the body is not text.
    ``runs`` are the ids of the runs that the request created.
    """

    method: str
    full_path: str
    raw_query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    client: str = "127.0.0.1"
    path: str = ""
    flavour: str = "activepieces"
    version: Version = V072
    principal_or_none: Principal | None = None
    params: dict[str, str] = field(default_factory=dict)
    query: Json = field(default_factory=dict)
    values: Json = field(default_factory=dict)
    payload: Any = None
    has_payload: bool = False
    is_binary: bool = False
    runs: list[str] = field(default_factory=list)

    @property
    def principal(self) -> Principal:
        """The caller. Only for routes that need a credential."""
        if self.principal_or_none is None:
            raise RuntimeError("This route was declared without a credential.")
        return self.principal_or_none

    @property
    def base(self) -> str:
        """The address of the engine as the request used it, to which its paths (``/v1/...``) are appended."""
        prefix = self.full_path[: len(self.full_path.rstrip("/")) - len(self.path)]
        return f"http://{self.headers.get('host', 'localhost')}{prefix}"

    @property
    def on_gateway(self) -> bool:
        return self.flavour == "imbrace"

    @property
    def is_multipart(self) -> bool:
        return self.headers.get("content-type", "").lower().startswith("multipart/form-data")

    @property
    def payload_object(self) -> Json:
        """The payload, or an empty object if it is not an object."""
        return self.payload if isinstance(self.payload, dict) else {}

    def own_rows(self, rows: Mapping[str, Json]) -> list[Json]:
        project = self.principal.project
        return [row for row in rows.values() if project in (row.get("projectIds") or (row["projectId"],))]

    def own_row(
        self, rows: Mapping[str, Json], identity: str | None = None, entity: str = "", error: "HttpError | None" = None
    ) -> Json:
        """The row with this id, by default that of the path.

        Raises ``error``, by default a 404 which may name the ``entity``, also for rows of other projects.
        """
        identity = self.params["id"] if identity is None else identity
        row = rows.get(identity)
        if row is None or self.principal.project not in (row.get("projectIds") or (row["projectId"],)):
            named = HttpError.not_found(entity, identity) if entity else HttpError.domain("ENTITY_NOT_FOUND")
            raise error or named
        return row


class HttpError(Exception):
    """Raised by a handler to respond with an error body."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    @classmethod
    def domain(cls, code: str, **params: Any) -> Self:
        """The error ``{code, params}``; the status follows from the code."""
        return cls(STATUS_OF_CODE.get(code, 400), {"code": code, "params": params})

    @classmethod
    def not_found(cls, entity: str, identity: str, **params: Any) -> Self:
        """A 404 that names what was looked up."""
        return cls.domain("ENTITY_NOT_FOUND", entityId=identity, entityType=entity, **params)

    @classmethod
    def plain(cls, status: int, message: str, code: str = "") -> Self:
        """The error ``{statusCode, error, message}``, with the framework's ``code`` if it has one."""
        body: Json = {"statusCode": status, "error": REASONS.get(status, "Error"), "message": message}
        return cls(status, {**body, "code": code} if code else body)

    @classmethod
    def invalid(cls, message: str) -> Self:
        """The error of a request that does not fit the route's schema."""
        return cls.plain(400, message, "FST_ERR_VALIDATION")

    @classmethod
    def no_route(cls) -> Self:
        """The 404 of an unknown path or method (recordings ``err_route_not_found``, ``err_method_not_allowed``)."""
        return cls.plain(404, "Route not found")


def map_texts(value: Any, change: Callable[[str], Any]) -> Any:
    """A copy of a JSON value with every text in it changed."""
    if isinstance(value, dict):
        return {key: map_texts(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [map_texts(inner, change) for inner in value]
    return change(value) if isinstance(value, str) else value


def parse_version(text: str) -> Version:
    """``"0.83.0"`` as numbers that compare; a part that is not a number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))
