"""The practice engine itself: from a request to its response, for both flavours.

One engine answers as a plain Activepieces under ``/api/v1/...`` and ``/v1/...``, and as Imbrace's gateway under
``/imbrace/...``. ``PracticeEngine.handle`` takes a request; ``server.py`` brings it over HTTP, ``__call__`` over WSGI.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from . import auth, control, faults, multipart, schema
from .accounts import Credentials, people
from .clock import Clock
from .faults import Faults
from .http import Later, Refusal, Request, Response, answer, bare, no_route, refuse
from .ids import Ids
from .journal import Journal, Received
from .router import Route
from .routes import SERVICES
from .runs import Runs
from .samples import fill
from .state import State

log = logging.getLogger(__name__)
BODY_LIMIT = 25 * 1024 * 1024
BASES = (
    (re.compile(r"^/imbrace/activepieces/api(?=/|$)"), "imbrace", "engine"),
    (re.compile(r"^/imbrace/activepieces(?=/|$)"), "imbrace", "engine"),
    (re.compile(r"^/imbrace/channel-service(?=/|$)"), "imbrace", "channel"),
    (re.compile(r"^/imbrace/v\d/backend(?=/|$)"), "imbrace", "backend"),
    (re.compile(r"^/imbrace/platform(?=/|$)"), "imbrace", "platform"),
    (re.compile(r"^/imbrace(?=/|$)"), "imbrace", "gateway"),
    (re.compile(r"^/api(?=/v1/|/v1$)"), "activepieces", "engine"),
    (re.compile(r"^"), "activepieces", "engine"),
)


@dataclass
class Settings:
    """What can be switched at run time, also by ``POST /_practice/settings``. Seconds are engine seconds."""

    wait_limit: float = 30.0  # how long /sync waits (api.md 7.2)
    gateway_limit: float = 0.0  # when the gateway gives up waiting with a 504 of its own; 0: never
    appear_after: float = 0.1  # a run is neither listed nor found before
    queue_time: float = 0.02  # from QUEUED to RUNNING
    delete_after: float = 1.0  # from DELETING to gone (recordings flow_del_*)
    flow_limit: float = 600.0  # a run longer than this ends as TIMEOUT
    flow_in_use: list[str] = field(default_factory=list)  # flow ids that a colleague is editing; "*" for all
    old_channel_route: bool = False  # channel automation on {gw}/v2/backend
    new_channel_route: bool = True  # and on {gw}/channel-service
    retries_disabled: bool = False  # a plan without retry: 402
    invitations_in_plan: bool = False  # else deleting one is 402 or 403 on the gateway (api.md section 15)
    # What an older build lacks (404), and what a smaller plan leaves out (402): paths begin so, or "POST /v1/...".
    missing_routes: list[str] = field(default_factory=list)
    not_in_plan: list[str] = field(default_factory=list)
    version: str = "0.72.4"


class PracticeEngine:
    """A stand-in engine in memory.

    ``clock_scale``: how long an engine second really lasts (0.05: twenty times faster). ``faults``: faults to start with.
    ``seed``: makes ids predictable. ``state_file``: keep everything in this file. ``samples``: start with sample data, else
    with users and projects only. ``given``: names of ``Credentials`` with values that replace generated ones.
    Call ``close`` at the end.
    """

    def __init__(
        self,
        clock_scale: float = 1.0,
        faults: Iterable[dict[str, Any]] = (),
        seed: int | None = None,
        *,
        state_file: Path | None = None,
        samples: bool = True,
        given: dict[str, str] | None = None,
    ) -> None:
        self.ids = Ids(seed)
        self.clock = Clock(clock_scale)
        self.settings = Settings()
        self.faults = Faults()
        for fault in faults:
            self.faults.add(**fault)
        self.journal = Journal()
        self.state = State(state_file)
        self.runs = Runs(self)
        #: Flows whose trigger is being tested: the next request becomes a sample (api.md section 12).
        self.listening: set[str] = set()
        self.loaded = self.state.load()
        if not self.loaded:
            people(self.state)
        self.credentials = Credentials.restored(self.state, given or {})
        self.credentials.keep(self.state)
        if self.loaded:
            self.runs.take_up()
        elif samples:
            fill(self)
        self.state.dirty()

    def close(self) -> None:
        """Stop everything that is timed, and save."""
        self.clock.stop()
        self.state.close()

    def flow_id(self, name: str) -> str:
        """The id of the flow with this name, in any project. Raises ``KeyError``."""
        with self.state.lock:
            for version in self.state.versions.values():
                if version["displayName"] == name and version["flowId"] in self.state.flows:
                    return str(version["flowId"])
        raise KeyError(name)

    def handle(self, request: Request) -> Response:
        """Answer one request, faults included. Never raises."""
        service = _place(request)
        if request.full_path.startswith("/_practice"):
            return self._guarded(lambda: control.handle(self, request))
        entry = self.journal.write(request)
        playing = self.faults.take(request)
        entry.faults = [fault.kind for fault in playing]
        response = faults.before(playing, request)
        if response is None:
            response = self._guarded(lambda: self._act(request, service, entry))
            response.headers.setdefault("access-control-allow-origin", "*")
            if request.on_gateway:
                given = request.headers.get("x-request-id", "")[:64]
                response.headers.setdefault("x-request-id", given or f"req_{uuid.uuid4().hex}")
            response = faults.after(playing, response)
        entry.status = None if response.wire == "reset" else response.status
        return response

    def _guarded(self, act: Callable[[], Response]) -> Response:
        try:
            return act()
        except Refusal as refusal:
            return answer(refusal.body, refusal.status, refusal.headers)
        except Exception:
            log.exception("The practice engine has a fault of its own")
            return answer(
                {"statusCode": 500, "error": "Internal Server Error", "message": "practice engine fault"}, 500
            )

    def _act(self, request: Request, service: str, entry: Received) -> Response:
        routes = SERVICES[service]
        route = None if _named(request, self.settings.missing_routes) else routes.find(request)
        if request.on_gateway and (service in ("engine", "channel") or (route and route.auth == auth.REQUIRED)):
            request.principal_or_none = auth.check(request, self.state, route.auth if route else auth.REQUIRED)
        if route is None:
            raise no_route()
        entry.route = route.name
        if not request.on_gateway:
            request.principal_or_none = auth.check(request, self.state, route.auth)
        if _named(request, self.settings.not_in_plan):
            raise refuse("FEATURE_DISABLED", {"message": "the plan does not include this"})
        _parse(request, route)
        _validate(request, route)
        with self.state.lock:
            result = route.handler(self, request)
            if request.method != "GET" or route.method == "*":
                self.state.dirty()
            if not isinstance(result, Response | Later):
                result = answer(result)
        return result.wait() if isinstance(result, Later) else result

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """WSGI. Faults of the wire cannot be played this way: a reset becomes ``ConnectionResetError``."""
        headers = {
            name[5:].replace("_", "-").lower(): text for name, text in environ.items() if name.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        request = Request(
            environ["REQUEST_METHOD"],
            environ.get("PATH_INFO", "/"),
            parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True),
            headers,
            environ["wsgi.input"].read(length) if length else b"",
            environ.get("REMOTE_ADDR", "127.0.0.1"),
        )
        response = self.handle(request)
        if response.wire == "reset":
            raise ConnectionResetError
        start_response(f"{response.status} -", list(response.headers.items()))
        return [response.body]


def _named(request: Request, paths: list[str]) -> bool:
    """Whether the request is among those that a setting names: the engine's path begins so, with or without a method before it."""
    return any(f"{request.method} {request.path}".startswith(one) or request.path.startswith(one) for one in paths)


def _place(request: Request) -> str:
    """Find flavour, service and the service's own path."""
    for base, flavour, service in BASES:
        if found := base.match(request.full_path):
            request.flavour = flavour
            request.path = request.full_path[found.end() :].rstrip("/") or "/"
            return service
    raise AssertionError("The last base matches everything.")


def _parse(request: Request, route: Route) -> None:
    """Decode the body by its content type (recordings ``webhook_invalid_json``, ``webhook_form``, ``webhook_text_plain``)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if len(request.body) > BODY_LIMIT:
        raise bare(413, "the body is too large", "FST_ERR_CTP_BODY_TOO_LARGE")
    if request.method == "GET" or (not request.body and not kind):
        return
    if kind == "application/json":
        if not request.body:
            raise bare(400, "the content type says JSON and the body is empty", "FST_ERR_CTP_EMPTY_JSON_BODY")
        try:
            request.payload = json.loads(request.body)
        except ValueError:
            raise bare(400, "the body is not JSON") from None
    elif kind == "application/x-www-form-urlencoded":
        form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        request.payload = schema.query_source(form)
    elif kind == "multipart/form-data":
        request.payload = multipart.parse(request.body, request.headers["content-type"])
    elif kind == "text/plain" or route.any_body:
        request.payload = request.body.decode("utf-8", "replace")
    elif request.body:
        raise bare(415, f"the content type {kind or 'of the body'} is not supported", "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    request.has_payload = True


def _validate(request: Request, route: Route) -> None:
    """Check parameters, query and body, then the project (api.md 2.6)."""
    for name in route.id_params():
        schema.check_id(request.params[name], f"params/{name}")
    if route.query is not None:
        request.query = schema.read(schema.query_source(request.raw_query), route.query, "querystring", request.flavour)
    if route.body is not None:
        request.values = schema.read(request.payload, route.body, "body", request.flavour)
    for values in (request.query, request.values):
        project = values.get("projectId")
        if project and request.principal_or_none and project != request.principal.project:
            raise refuse("AUTHORIZATION", {"message": "not your project"})
