"""Faults that can be switched on: what is sent instead of, or besides, the response of a route.

=================  ===========================================================================================
``kind``           effect
=================  ===========================================================================================
``status``         responds with ``status`` and a ``body``: json, bare, gateway, html, text or empty
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

``retry_after`` is the header of that name (seconds or an HTTP date), ``headers`` are any others.

    engine.faults.add("status", "POST", "/v1/webhooks/*", status=503, body="html", retry_after="30", act=True)
    engine.faults.add("truncated", act=False, status=504, body="html")

Over HTTP: ``control.py``.
"""

import fnmatch
import itertools
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from .http import Json, Request

REPLACED = ("status", "too_many", "html")
SPOILED = (
    *("reset_after", "truncated", "headers_cut", "invalid_json", "invalid_utf8", "empty", "garbage"),
    *("drip", "drip_all", "huge"),
)
BODIES = ("json", "bare", "gateway", "html", "text", "empty")
COMBINED = ("delay", "strip_headers")
KINDS = (*REPLACED, "delay", "reset_before", *SPOILED, "strip_headers")


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
    schedule: str = "x"
    id: int = 0
    seen: int = 0
    played: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault called {self.kind!r}; there are: {', '.join(KINDS)}.")
        if self.body not in BODIES:
            raise ValueError(f"There is no body called {self.body!r}; there are: {', '.join(BODIES)}.")
        if "x" not in self.schedule:
            raise ValueError("A schedule needs an x, else the fault is never played.")

    @property
    def acts(self) -> bool:
        """Return whether the engine acts before this fault is played."""
        return self.act if self.act is not None else self.kind in SPOILED

    def matches(self, request: Request) -> bool:
        paths = (request.path, request.full_path)
        return fnmatch.fnmatchcase(request.method, self.method.upper()) and any(
            fnmatch.fnmatchcase(path, self.path) for path in paths
        )

    def due(self) -> bool:
        """Count a matching request, and return whether the fault is played for it."""
        number, self.seen = self.seen, self.seen + 1
        if self.times is not None and self.played >= self.times:
            return False
        return self.schedule[number % len(self.schedule)] == "x"

    def to_json(self) -> Json:
        return asdict(self)


class Faults:
    """The active faults. The first one that is due is played; ``strip_headers`` and ``delay`` are combined with others."""

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
        """Return the active faults, used up ones included."""
        with self._lock:
            return list(self._faults)

    def take(self, request: Request) -> list[Fault]:
        """Return the faults to play for ``request``, counted as played."""
        chosen: list[Fault] = []
        with self._lock:
            due = [fault for fault in self._faults if fault.matches(request) and fault.due()]
            for fault in due:
                if fault.kind in COMBINED or all(one.kind in COMBINED for one in chosen):
                    fault.played += 1
                    chosen.append(fault)
        return chosen
