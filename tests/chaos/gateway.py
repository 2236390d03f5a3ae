"""A gateway in front of the practice engine that answers each launch as planned, whether or not the engine has acted by then.

What is not a trigger is passed on; some requests for run lists and flows meet a fault. The log has the outcome of each trigger; what really
ran is known by the engine alone.
"""

import contextlib
import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode

#: Seconds that a gateway waits for the engine before it answers on its own; and at most until the engine gets what came late.
IMPATIENT, LATEST = 0.3, 1.0
#: Seconds for which a gateway says nothing at all, where it does.
SILENCE = 30.0
PAGE = b"<html><head><title>We will be right back</title></head><body><h1>Maintenance</h1></body></html>"
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive", "date"}


class Act(StrEnum):
    """When the engine gets a trigger."""

    NEVER = "never"
    BEFORE = "before the answer"
    AFTER = "after the answer"


#: What comes back: a status of a gateway's own, something that is no answer, an answer of somebody else's, or the engine's.
STATUSES = ("400", "401", "403", "404", "413", "429", "500", "502", "503", "504")
BREAKS = ("reset", "head cut", "body cut", "garbage", "closed", "silence")
STRANGERS = ("200 page", "302 sign-in", "204 empty", "404 route")
THROUGH = "through"


@dataclass(frozen=True)
class Plan:
    """What happens to one launch: when the engine gets it, and what comes back."""

    act: Act = Act.BEFORE
    answer: str = THROUGH


@dataclass
class Arrival:
    """One trigger that arrived whole, and what was done with it."""

    launch: str
    plan: Plan
    refused: bool = False
    passed_on: bool = False


@dataclass
class _Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def is_trigger(self) -> bool:
        return self.method == "POST" and "/v1/webhooks/" in self.path

    @property
    def is_list(self) -> bool:
        return self.method == "GET" and self.path.endswith("/v1/flow-runs")


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes = b""
    broken: str = ""


@dataclass
class Gateway:
    """Listens on a port of its own.

    Attributes:
        port: of the server behind it.
        plans: by launch; without one, everything goes through.
        trouble: given the number of a request for runs or flows (from 0), what goes wrong with it; "" for nothing.
        ahead: by how much the engine's clock is ahead of the console's, by the times of its runs; negative where it is behind.
        date_ahead: the same of the `Date` header, which may be the gateway's own.
        endless: whether each run list says that there is more of it, however often it is asked for.
        behind: launches whose runs its lists do not show yet.
        blind: whether clients see no flow and no run, as with a key without the right.
        dropped: names of headers that the engine never gets.
        refused: texts of keys that have expired.
        log: the triggers that arrived.
    """

    port: int
    plans: dict[str, Plan] = field(default_factory=dict)
    trouble: Callable[[int], str] = lambda _number: ""
    ahead: timedelta = timedelta(0)
    date_ahead: timedelta = timedelta(0)
    endless: bool = False
    behind: set[str] = field(default_factory=set)
    blind: bool = False
    dropped: frozenset[str] = frozenset()
    refused: set[str] = field(default_factory=set)
    log: list[Arrival] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._late: list[threading.Event] = []
        self._asked = 0
        self._open = 0
        self._server = _Listener(("127.0.0.1", 0), _Handler)
        self._server.gateway = self
        self._over = threading.Event()
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def busy(self) -> bool:
        """Whether the engine is still to get something."""
        return self._open > 0

    def arrived(self, launch: str) -> int:
        """How often a launch's trigger arrived."""
        return sum(one.launch == launch for one in list(self.log))

    def stop(self) -> None:
        """Shuts it."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: _Request) -> _Answer:
        """What a request gets; what comes late is passed on after a run list has been answered without it."""
        if request.is_trigger:
            return self._trigger(request)
        if self._expired(request):
            return _json(401, b'{"code":"INVALID_BEARER_TOKEN","params":{}}')
        with self._lock:
            number = self._asked
            watched = request.method == "GET" and ("/v1/flow-runs" in request.path or "/v1/flows/" in request.path)
            self._asked += watched
        trouble = self.trouble(number) if watched else ""
        answer = _faulty(trouble) or (_NOTHING[request.is_list] if self.blind else self._passed_on(request, 20))
        if request.is_list and answer.status == 200 and not answer.broken:
            with self._lock:
                late, self._late = self._late, []
            for one in late:
                one.set()
        return answer

    def _trigger(self, request: _Request) -> _Answer:
        marker = request.headers.get("ap-parent-run-id", "")
        arrival = Arrival(marker, self.plans.get(marker, Plan()), refused=self._expired(request))
        with self._lock:
            self.log.append(arrival)
        if arrival.refused:
            return _json(401, b'{"message":"Unauthorized"}')
        plan = arrival.plan
        if plan.answer == THROUGH:
            arrival.passed_on = True
            return self._passed_on(request, 60)
        if plan.act is Act.BEFORE:
            arrival.passed_on = True
            self._passed_on(request, IMPATIENT)
        elif plan.act is Act.AFTER:
            with self._lock:
                self._open += 1
                looked = threading.Event()
                self._late.append(looked)
            threading.Thread(target=self._pass_on_late, args=(request, arrival, looked), daemon=True).start()
        return _planned(plan.answer)

    def _pass_on_late(self, request: _Request, arrival: Arrival, looked: threading.Event) -> None:
        looked.wait(LATEST)
        arrival.passed_on = True
        self._passed_on(request, IMPATIENT)
        with self._lock:
            self._open -= 1

    def _expired(self, request: _Request) -> bool:
        return any(key in value for key in self.refused for value in request.headers.values())

    def _passed_on(self, request: _Request, seconds: float) -> _Answer:
        """The engine's answer; a gateway's own where none came in time. The engine has the request either way."""
        upstream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        kept_back = {"connection", "host", *self.dropped}
        headers = {name: value for name, value in request.headers.items() if name not in kept_back}
        try:
            upstream.request(request.method, self._shifted_target(request), request.body, headers)
            answer = upstream.getresponse()
            passed_on = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in _HOP}
            body = answer.read()
            if "/v1/flow-runs" in request.path:
                body = _STAMP.sub(lambda found: _moved(found[0].decode(), self.ahead).encode(), body)
            if request.is_list and answer.status == 200:
                body = self._listed(body)
            return _Answer(answer.status, passed_on, body)
        except (OSError, http.client.HTTPException):
            return _planned("504")
        finally:
            upstream.close()

    def _listed(self, body: bytes) -> bytes:
        page = json.loads(body)
        page["data"] = [run for run in page["data"] if run.get("parentRunId") not in self.behind]
        return json.dumps(page | ({"next": "more"} if self.endless else {})).encode()

    def _shifted_target(self, request: _Request) -> str:
        """The engine in this process has our clock: what is asked about a clock ahead of it is asked about an earlier time."""
        path, _, query = request.target.partition("?")
        if not request.is_list or not query or not self.ahead:
            return request.target
        asked = parse_qsl(query, keep_blank_values=True)
        moved = [(name, _moved(value, -self.ahead) if name.startswith("created") else value) for name, value in asked]
        return f"{path}?{urlencode(moved)}"


def _moved(stamp: str, by: timedelta) -> str:
    moment = datetime.fromisoformat(stamp) + by
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(status: int, body: bytes, **headers: str) -> _Answer:
    return _Answer(status, {"content-type": "application/json", **headers}, body)


def _planned(name: str) -> _Answer:
    """A gateway's own answer; never with the header that tells the engine's."""
    if name in BREAKS:
        return _Answer(200, {"content-type": "application/json"}, b'{"ok":true,"text":"as long as it takes"}', name)
    page = {"content-type": "text/html"}
    known: dict[str, _Answer] = {
        "200 page": _Answer(200, page, PAGE),
        "302 sign-in": _Answer(302, page | {"location": "https://sso.example/login"}, PAGE),
        "204 empty": _Answer(204, {}),
        "404 route": _json(404, b'{"statusCode":404,"error":"Not Found","message":"Route not found"}'),
        "429": _json(429, b'{"message":"Too Many Requests"}', **{"retry-after": "7"}),
        "404": _json(404, b"{}"),
        "401": _json(401, b'{"message":"Unauthorized"}'),
        "504": _Answer(504, {"content-type": "text/plain"}, b"Error occurred while trying to proxy"),
    }
    status = int(name.split()[0])
    return known.get(name) or _Answer(status, page, PAGE)


def _faulty(trouble: str) -> _Answer | None:
    return _planned(trouble) if trouble else None


#: What there is to see for somebody who may see nothing: a flow, a run list.
_NOTHING = (
    _json(404, b'{"code":"ENTITY_NOT_FOUND","params":{"message":"not found"}}'),
    _json(200, b'{"data":[],"next":null,"previous":null}'),
)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    gateway: Gateway

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the middle of its call is no error here."""


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def handle_any(self) -> None:
        self.close_connection = True
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            return  # cut off by a killed worker: nothing that reads whole requests has seen it
        headers = {name.lower(): value for name, value in self.headers.items()}
        with contextlib.suppress(OSError):
            self._write(self.server.gateway.answer(_Request(self.command, self.path, headers, body)))

    do_GET = do_POST = do_DELETE = do_PUT = handle_any  # noqa: N815

    def _write(self, answer: _Answer) -> None:
        gateway = self.server.gateway
        date = format_datetime(datetime.now(UTC) + gateway.date_ahead, usegmt=True)
        reason = http.client.responses.get(answer.status, "-")
        lines = [f"HTTP/1.1 {answer.status} {reason}", f"date: {date}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.status not in (204, 304):
            lines.append(f"content-length: {len(answer.body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if not answer.broken:
            self.wfile.write(head + answer.body)
        elif answer.broken == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif answer.broken == "head cut":
            self.wfile.write(head[:25])
        elif answer.broken == "body cut":
            self.wfile.write(head + answer.body[: len(answer.body) // 2])
        elif answer.broken == "garbage":
            self.wfile.write(b"\x16\x03\x01\x00\x05 this is no HTTP\r\n\r\n")
        elif answer.broken == "silence":
            self._say_nothing()

    def _say_nothing(self) -> None:
        """Until the other side hangs up."""
        self.connection.settimeout(SILENCE)
        with contextlib.suppress(OSError):
            self.connection.recv(1)

    def log_message(self, format: str, *args: object) -> None:
        pass
