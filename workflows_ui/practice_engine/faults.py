"""Faults that can be switched on: what a route does instead of, or besides, what it should.

=================  ===========================================================================================
``kind``           what happens
=================  ===========================================================================================
``status``         answers ``status`` with a ``body``: json, bare, gateway, html, text or empty
``too_many``       429 with ``Retry-After: seconds``
``html``           502 with a proxy's HTML page
``delay``          waits ``seconds`` before acting, or after it with ``act=True``
``reset_before``   the connection is reset and nothing was done
``reset_after``    the request is acted upon, then the connection is reset without an answer
``truncated``      acted upon; half of the body, then the connection is closed
``headers_cut``    acted upon; the connection is closed in the midst of the response headers
``invalid_json``   acted upon; a body that says JSON and is none
``invalid_utf8``   acted upon; a body with bytes that are no UTF-8
``empty``          acted upon; status kept, body gone
``garbage``        acted upon; bytes that are no HTTP at all
``drip``           acted upon; one byte of the body each ``seconds``
``drip_all``       the same from the first byte of the headers on
``huge``           acted upon; a JSON body of ``size`` bytes
``strip_headers``  a gateway that drops headers: those in ``names``, or every ``ap-*`` and ``x-*`` one; then all is as ever
=================  ===========================================================================================

Seconds are real ones here. ``act`` decides for ``status``, ``too_many`` and ``html`` whether the request is acted upon.
"""

from __future__ import annotations

import fnmatch
import itertools
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from .http import JSON_TYPE, Json, Request, Response, answer

PROXY_PAGE = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502</h1></center></body>\r\n</html>\r\n"
INSTEAD = ("status", "too_many", "html")
ACTED = (
    "reset_after",
    "truncated",
    "headers_cut",
    "invalid_json",
    "invalid_utf8",
    "empty",
    "garbage",
    "drip",
    "drip_all",
    "huge",
)
KINDS = (*INSTEAD, "delay", "reset_before", *ACTED, "strip_headers")
KEPT_HEADERS = ("x-api-key", "x-access-token", "x-organization-id")


@dataclass
class Fault:
    """One fault. ``method`` and ``path`` are patterns (``*``); the path is the engine's (``/v1/flows*``) or the whole one.

    ``times`` limits how often it is played (None: for ever). ``id`` is given when it is added.
    """

    kind: str
    method: str = "*"
    path: str = "*"
    times: int | None = None
    status: int = 503
    body: str = "json"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    size: int = 40_000_000
    act: bool = False
    names: list[str] = field(default_factory=list)
    id: int = 0
    played: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault called {self.kind!r}; there are: {', '.join(KINDS)}.")

    def matches(self, request: Request) -> bool:
        """Whether this fault is for ``request``."""
        if self.times is not None and self.played >= self.times:
            return False
        paths = (request.path, request.full_path)
        return fnmatch.fnmatchcase(request.method, self.method.upper()) and any(
            fnmatch.fnmatchcase(path, self.path) for path in paths
        )

    def described(self) -> Json:
        """As JSON, for the control routes."""
        return asdict(self)


class Faults:
    """The faults that are on. The first one that matches is played; ``strip_headers`` and ``delay`` go with others."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, kind: str, method: str = "*", path: str = "*", **more: Any) -> Fault:
        """Switch a fault on. Raises ``ValueError`` for an unknown kind, ``TypeError`` for an unknown setting."""
        fault = Fault(kind, method, path, **more)
        with self._lock:
            fault.id = next(self._numbers)
            self._faults.append(fault)
        return fault

    def clear(self, number: int | None = None) -> None:
        """Switch off the fault with this number, or all of them."""
        with self._lock:
            self._faults = [] if number is None else [fault for fault in self._faults if fault.id != number]

    def all(self) -> list[Fault]:
        """The faults that are on, used up ones included."""
        with self._lock:
            return list(self._faults)

    def take(self, request: Request) -> list[Fault]:
        """The faults to play for ``request``, counted as played."""
        chosen: list[Fault] = []
        with self._lock:
            for fault in self._faults:
                beside = fault.kind in ("strip_headers", "delay")
                if fault.matches(request) and (
                    beside or not any(one.kind not in ("strip_headers", "delay") for one in chosen)
                ):
                    fault.played += 1
                    chosen.append(fault)
        return chosen


def before(faults: list[Fault], request: Request) -> Response | None:
    """Play what comes before acting. A response means that the request is not acted upon."""
    for fault in faults:
        if fault.kind == "strip_headers":
            _strip(fault, request)
        elif fault.kind == "delay" and not fault.act:
            time.sleep(fault.seconds)
        elif fault.kind == "reset_before":
            return Response(wire="reset")
        elif fault.kind in INSTEAD and not fault.act:
            return instead(fault)
    return None


def after(faults: list[Fault], response: Response) -> Response:
    """Play what comes after acting: the response as it really goes out."""
    for fault in faults:
        if fault.kind == "delay" and fault.act:
            time.sleep(fault.seconds)
        elif fault.kind in INSTEAD and fault.act:
            response = instead(fault)
        elif fault.kind in ACTED:
            response = _spoil(fault, response)
    return response


def instead(fault: Fault) -> Response:
    """The answer that takes the place of the real one."""
    if fault.kind == "html":
        return Response(502, PROXY_PAGE, {"content-type": "text/html", **fault.headers})
    if fault.kind == "too_many":
        headers = {"retry-after": f"{fault.seconds:g}", **fault.headers}
        return answer({"statusCode": 429, "error": "Too Many Requests", "message": "slow down"}, 429, headers)
    status, words = fault.status, "a practised fault"
    if fault.body == "html":
        return Response(status, PROXY_PAGE, {"content-type": "text/html", **fault.headers})
    if fault.body == "text":
        return Response(status, words.encode(), {"content-type": "text/plain", **fault.headers})
    if fault.body == "empty":
        return Response(status, b"", dict(fault.headers))
    bodies: dict[str, Json] = {
        "json": {"code": "PRACTICE_FAULT", "params": {"message": words}},
        "bare": {"statusCode": status, "error": "Fault", "message": words},
        "gateway": {"message": words},
    }
    return answer(bodies.get(fault.body, bodies["json"]), status, fault.headers)


def _strip(fault: Fault, request: Request) -> None:
    wanted = [name.lower() for name in fault.names]
    for name in list(request.headers):
        custom = name.startswith(("ap-", "x-")) and name not in KEPT_HEADERS
        if name in wanted or (not wanted and custom):
            del request.headers[name]


def _spoil(fault: Fault, response: Response) -> Response:
    kind = fault.kind
    if kind == "reset_after":
        response.wire = "reset"
    elif kind in ("truncated", "headers_cut", "garbage"):
        response.wire = kind
    elif kind in ("drip", "drip_all"):
        response.wire, response.pause = kind, fault.seconds
    elif kind == "empty":
        response.body = b""
    elif kind == "invalid_json":
        response.body, response.headers["content-type"] = b'{"data":[{"id":', JSON_TYPE
    elif kind == "invalid_utf8":
        response.body, response.headers["content-type"] = b'{"data":"\xff\xfe\xc3\x28"}', JSON_TYPE
    elif kind == "huge":
        response.body, response.headers["content-type"] = b'{"data":"' + b"x" * fault.size + b'"}', JSON_TYPE
    return response
