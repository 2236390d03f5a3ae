"""Faults that can be switched on: what is sent instead of, or besides, the response of a route.

=================  ===========================================================================================
``kind``           effect
=================  ===========================================================================================
``status``         responds with ``status`` and a ``body``: json, invalid, bare, gateway, html, text or empty
``too_many``       429 with ``Retry-After: seconds``
``html``           502 with a proxy's HTML page
``delay``          waits ``seconds`` before acting, or after it with ``act=True``
``reset_before``   resets the connection without acting
``reset_after``    acts, then resets the connection without a response
``truncated``      sends half of the body, then closes the connection
``headers_cut``    closes the connection in the middle of the response headers
``invalid_json``   a body that claims to be JSON
``invalid_utf8``   a body with bytes that are not UTF-8
``empty``          keeps the status, drops the body
``garbage``        bytes that are not HTTP
``drip``           one byte of the body each ``seconds``
``drip_all``       the same from the first byte of the headers on
``huge``           a JSON body of ``size`` bytes
``strip_headers``  a gateway that drops headers: those in ``names``, or every ``ap-*`` and ``x-*`` one; then continues
``followed``       acts, then acts on the request ``then`` (method, path, body) too, before anything else can: a colleague's
=================  ===========================================================================================

Seconds are real ones here.

Before or after the engine acted: ``act``
    True: the engine acts, and its response is replaced or spoiled. False: the engine never gets the request; what is spoiled
    is then a proxy's response (``status`` with ``body``). Unset, ``status``, ``too_many``, ``html`` and ``reset_before`` come
    before acting, every other kind after it. The journal has what happened: ``Received.acted``, ``Received.runs``,
    ``Received.own_status``.

The engine's header: ``webhook_id``
    True: the response has an ``x-webhook-id``, the engine's own if it acted, else an invented one. False: it has none. Unset:
    a replaced response has none, a spoiled one keeps the engine's.

Which requests: ``method``, ``path``, ``times``, ``schedule``
    Each fault numbers the requests that match its ``method`` and ``path``. ``schedule`` is a text that is repeated, one
    character a request: ``x`` plays the fault, any other does not. ``times`` ends it after that many.

``then`` has the credential of the request that it follows, and is not in the journal.

``retry_after`` is the header of that name (seconds or an HTTP date), ``headers`` are any others.

    engine.faults.add("status", "POST", "/v1/webhooks/*", status=503, body="html", retry_after="30", act=True)
    engine.faults.add("truncated", act=False, status=504, body="html")

Over HTTP: ``control.py``.
"""

import http.client
import itertools
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from .http import JSON_TYPE, Json, Request, Response
from .ids import ID_LENGTH
from .journal import matches

REPLACED = ("status", "too_many", "html")
SPOILED = (
    *("reset_after", "truncated", "headers_cut", "invalid_json", "invalid_utf8", "empty", "garbage"),
    *("drip", "drip_all", "huge"),
)
BODIES = ("json", "invalid", "bare", "gateway", "html", "text", "empty")
COMBINED = ("delay", "strip_headers", "followed")
KINDS = (*REPLACED, "delay", "reset_before", *SPOILED, "strip_headers", "followed")
KEPT_HEADERS = ("x-api-key", "x-access-token", "x-organization-id")
MESSAGE = "a practised fault"


@dataclass
class Fault:
    """One fault. ``method`` and ``path`` are patterns (``*``); the path is the engine's (``/v1/flows*``) or the full one.

    ``times`` limits how often it is played (None: no limit). ``seen`` counts the requests that matched, ``played`` those that
    it was played for. The rest is described in the module.
    """

    kind: str
    method: str = "*"
    path: str = "*"
    times: int | None = None
    status: int = 503
    body: str = "json"
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: str = ""
    webhook_id: bool | None = None
    seconds: float = 0.0
    size: int = 40_000_000
    act: bool | None = None
    names: list[str] = field(default_factory=list)
    then: dict[str, Any] = field(default_factory=dict)
    schedule: str = "x"
    id: int = 0
    seen: int = 0
    played: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault called {self.kind!r}; there are: {', '.join(KINDS)}.")
        if self.body not in BODIES:
            raise ValueError(f"There is no body called {self.body!r}; there are: {', '.join(BODIES)}.")
        if self.kind == "followed" and not {"method", "path"} <= set(self.then):
            raise ValueError("The request that follows needs a method and a path.")
        if "x" not in self.schedule:
            raise ValueError("A schedule needs an x, else the fault is never played.")

    @property
    def acts(self) -> bool:
        """Whether the engine acts before this fault is played."""
        return self.act if self.act is not None else self.kind in SPOILED

    def due(self) -> bool:
        """Count a matching request, and return whether the fault is played for it."""
        number, self.seen = self.seen, self.seen + 1
        if self.times is not None and self.played >= self.times:
            return False
        return self.schedule[number % len(self.schedule)] == "x"


class Faults:
    """The active faults. The first one that is due is played; ``COMBINED`` ones are combined with others."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, kind: str, method: str = "*", path: str = "*", **more: Any) -> Fault:
        """Add a fault. Raises ``ValueError`` for an unknown kind, ``TypeError`` for an unknown setting."""
        fault = Fault(kind, method, path, **more)
        with self._lock:
            fault.id = next(self._numbers)
            self._faults.append(fault)
        return fault

    def clear(self, number: int | None = None) -> None:
        with self._lock:
            self._faults = [] if number is None else [fault for fault in self._faults if fault.id != number]

    def all(self) -> list[Fault]:
        """The active faults, used up ones included."""
        with self._lock:
            return list(self._faults)

    def take(self, request: Request) -> list[Fault]:
        """The faults to play for ``request``, counted as played."""
        chosen: list[Fault] = []
        with self._lock:
            due = [fault for fault in self._faults if matches(request, fault.method, fault.path) and fault.due()]
            for fault in due:
                if fault.kind in COMBINED or all(one.kind in COMBINED for one in chosen):
                    fault.played += 1
                    chosen.append(fault)
        return chosen


def play(faults: list[Fault], request: Request, response: Response | None) -> Response | None:
    """Play what comes before the engine acts or, with its ``response``, after it. Return the response to send, if there is one."""
    acted = response is not None
    for fault in faults:
        if fault.kind == "strip_headers" and not acted:
            _strip(fault, request)
        elif fault.kind == "delay" and fault.acts == acted:
            time.sleep(fault.seconds)
        elif fault.kind not in COMBINED and fault.acts == acted:
            response = _played(fault, response)
            if not acted:
                break
    return response


def _played(fault: Fault, real: Response | None) -> Response:
    """The response that is sent; ``real`` is the engine's, None if it did not act."""
    own = real.headers.get("x-webhook-id") if real else None
    response = _replacement(fault) if fault.kind in REPLACED or real is None else real
    if fault.kind not in REPLACED:
        response = _spoil(fault, response)
    if fault.webhook_id:
        response.headers["x-webhook-id"] = own or uuid.uuid4().hex[:ID_LENGTH]
    elif fault.webhook_id is False:
        response.headers.pop("x-webhook-id", None)
    return response


def _strip(fault: Fault, request: Request) -> None:
    wanted = [name.lower() for name in fault.names]
    for name in list(request.headers):
        custom = name.startswith(("ap-", "x-")) and name not in KEPT_HEADERS
        if name in wanted or (not wanted and custom):
            del request.headers[name]


def _replacement(fault: Fault) -> Response:
    """The response of ``status``, ``too_many`` or ``html``, or of the proxy whose response is spoiled."""
    status, body = {"html": (502, "html"), "too_many": (429, "slow down")}.get(fault.kind, (fault.status, fault.body))
    wait = fault.retry_after or (f"{fault.seconds:g}" if fault.kind == "too_many" else "")
    headers = ({"retry-after": wait} if wait else {}) | fault.headers
    if body == "html":
        title = f"{status} {http.client.responses.get(status, 'Error')}"
        page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        return Response(status, page.encode(), {"content-type": "text/html", **headers})
    if body == "text":
        return Response(status, MESSAGE.encode(), {"content-type": "text/plain", **headers})
    if body == "empty":
        return Response(status, b"", headers)
    bodies: dict[str, Json] = {
        "json": {"code": "PRACTICE_FAULT", "params": {"message": MESSAGE}},
        # As the engine refuses what does not fit a route's schema, with status 400 (recording `op_change_status_bad`).
        "invalid": {
            "statusCode": status,
            "code": "FST_ERR_VALIDATION",
            "error": "Bad Request",
            "message": f"body/request {MESSAGE}",
        },
        "bare": {"statusCode": status, "error": "Fault", "message": MESSAGE},
        "gateway": {"message": MESSAGE},
        "slow down": {"statusCode": status, "error": "Too Many Requests", "message": "slow down"},
    }
    return Response.from_json(bodies[body], status, headers)


def _spoil(fault: Fault, response: Response) -> Response:
    kind = fault.kind
    if kind in ("reset_before", "reset_after"):
        response.wire = "reset"
    elif kind in ("truncated", "headers_cut", "garbage", "drip", "drip_all"):
        response.wire, response.pause = kind, fault.seconds
    elif kind == "empty":
        response.body = b""
    else:
        huge = b'{"data":"' + b"x" * fault.size + b'"}' if kind == "huge" else b""
        bodies = {"invalid_json": b'{"data":[{"id":', "invalid_utf8": b'{"data":"\xff\xfe\xc3\x28"}', "huge": huge}
        response.body, response.headers["content-type"] = bodies[kind], JSON_TYPE
    return response
