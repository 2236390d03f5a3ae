"""The practice engine itself: from a request to its response, for both flavours.

One engine responds as a plain Activepieces under ``/api/v1/...`` and ``/v1/...``, and as Imbrace's gateway under
``/imbrace/...``. ``PracticeEngine.handle`` takes a request; ``server.py`` brings it over HTTP.
"""

import json
import logging
import math
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from . import accounts, auth, bodies, control, faults, schema
from .clock import Clock
from .core import ENGINE, Engine, Route, Routes
from .http import JSON_TYPE, REQUIRED, V072, V083, HttpError, Json, Principal, Request, Response
from .journal import Journal, Received
from .routes import gateway
from .samples import fill, load_rows
from .samples.month import Month, plans
from .state import Settings, State

log = logging.getLogger(__name__)
#: Imbrace's gateway stands in front of a fork of this version, whatever `Settings.version` says.
IMBRACE_VERSION = V072
#: How often a query parameter may be repeated on 0.83.0 (engine-0.83.md section 3).
MAX_REPEATED = 20
#: Where the object of a path with an id is kept, by the first part of the path.
OBJECTS = {
    **{kind: kind for kind in ("flows", "folders", "tables", "fields", "records", "projects")},
    "flow-runs": "runs",
    "app-connections": "connections",
}
MINUTE = 60.0  # engine seconds, of rate limits
BASES = (
    (re.compile(r"^/imbrace/activepieces(/api)?(?=/|$)"), "imbrace", ENGINE),
    (re.compile(r"^/imbrace/channel-service(?=/|$)"), "imbrace", gateway.channel),
    (re.compile(r"^/imbrace/v\d/backend(?=/|$)"), "imbrace", gateway.backend),
    (re.compile(r"^/imbrace/platform(?=/|$)"), "imbrace", gateway.platform),
    (re.compile(r"^/imbrace(?=/|$)"), "imbrace", gateway.root),
    (re.compile(r"^/api(?=/v1/|/v1$)"), "activepieces", ENGINE),
    (re.compile(r"^"), "activepieces", ENGINE),
)


class RateLimits:
    """Counts the calls of each client to each route, for a minute from the first one on.

    0.83.0 limits sign-ins and sign-ups (recordings ``sign_in``, ``sign_in_rate_limited``).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted: dict[tuple[str, str], tuple[float, int]] = {}

    def count(self, route: str, client: str, allowed: int) -> dict[str, str]:
        """Count one call and return the headers with the rest. Raises a 429 after ``allowed`` calls."""
        now, window = time.monotonic(), self._clock.real_seconds(MINUTE)
        start, calls = self._counted.get((route, client), (now, 0))
        if now - start >= window:
            start, calls = now, 0
        calls += 1
        self._counted[route, client] = (start, calls)
        rest = str(math.ceil(MINUTE * (1 - (now - start) / window)))
        headers = {"x-ratelimit-limit": str(allowed), "x-ratelimit-remaining": str(max(allowed - calls, 0))}
        headers["x-ratelimit-reset"] = rest
        if calls > allowed:
            error = HttpError.plain(429, f"too many requests, try again in {rest} seconds")
            raise HttpError(429, error.body, {**headers, "retry-after": rest})
        return headers


class PracticeEngine(Engine):
    """A stand-in engine in memory.

    ``clock_scale``: real seconds of an engine second (0.05: twenty times faster). ``state_file``: keep the state in this file.
    ``samples``: start with sample data, else with users and projects only. ``month``: of runs, which go on while it runs, instead of
    a few. ``given``: values of ``Credentials`` that replace
    generated ones. ``version``: of the Activepieces flavour, if not the default. Call ``close`` at the end.
    """

    def __init__(
        self,
        clock_scale: float = 1.0,
        *,
        state_file: Path | None = None,
        samples: bool = True,
        month: bool = False,
        given: dict[str, str] | None = None,
        version: str = "",
    ) -> None:
        settings = Settings(version=version) if version else Settings()
        super().__init__(clock_scale, state_file, given or {}, settings)
        self.rate_limits = RateLimits(self.clock)
        if not self.loaded:
            load_rows(self, "people")
        if self.loaded:
            self.runs.restore()
        elif samples:
            fill(self, without_runs=plans() if month else ())
        if month and samples:
            self.month = Month(self)
            self.month.begin()
        self.state.save()

    def handle(self, request: Request) -> Response:
        """Respond to one request, faults included. Never raises."""
        routes = _find_routes(request)
        request.version = IMBRACE_VERSION if request.on_gateway else self.version
        if request.full_path.startswith("/_practice"):
            return self._respond(lambda: control.handle(self, request))
        entry = self.journal.add(request)
        playing = self.faults.take(request)
        entry.faults = [fault.kind for fault in playing]
        response = faults.play(playing, request, None)
        if response is None:
            entry.acted = True
            response = self._respond(lambda: self._act(request, routes, entry))
            response.headers.setdefault("access-control-allow-origin", "*")
            if request.on_gateway:
                own = request.headers.get("x-request-id", "")[:64]
                response.headers.setdefault("x-request-id", own or f"req_{uuid.uuid4().hex}")
            elif request.version >= V083:
                response.headers.setdefault("access-control-expose-headers", "*")
            entry.own_status = response.status
            for fault in playing:
                if fault.kind == "followed":
                    self._act_on(request, fault.then, routes)
            response = faults.play(playing, request, response) or response
        entry.status = None if response.wire == "reset" else response.status
        return response

    def _act_on(self, request: Request, then: Json, routes: Routes) -> None:
        """Act on another request with the credential of ``request``."""
        prefix = request.full_path.removesuffix(request.path)
        body = json.dumps(then["body"]).encode() if "body" in then else b""
        headers = request.headers | {"content-type": JSON_TYPE}
        other = Request(then["method"], prefix + then["path"], {}, headers, body, request.client)
        other.path, other.flavour, other.version = then["path"], request.flavour, request.version
        self._respond(lambda: self._act(other, routes, Journal().add(other)))

    def _respond(self, act: Callable[[], Response]) -> Response:
        try:
            return act()
        except HttpError as error:
            return Response.from_json(error.body, error.status, error.headers)
        except Exception:
            log.exception("The practice engine has a bug")
            return Response.from_json(HttpError.plain(500, "practice engine fault").body, 500)

    def _act(self, request: Request, routes: Routes, entry: Received) -> Response:
        route = None if _is_listed(request, self.settings.missing_routes) else routes.route_for(request)
        if request.on_gateway and (routes in (ENGINE, gateway.channel) or (route and route.auth == REQUIRED)):
            request.principal_or_none = auth.authenticate(request, self.state, route.auth if route else REQUIRED)
        if route is None:
            raise HttpError.no_route()
        entry.route = f"{route.method} {route.path}"
        limits = self.rate_limits.count(entry.route, request.client, route.per_minute) if route.per_minute else {}
        try:
            response = self._call(request, route)
        except HttpError as error:
            error.headers.update(limits)
            raise
        response.headers.update(limits)
        return response

    def _call(self, request: Request, route: Route) -> Response:
        newer = request.version >= V083
        if newer and not request.on_gateway:
            auth.check_token(request, self.state)
        projects = _object_projects(request, route, self.state) if newer else []
        if not request.on_gateway:
            request.principal_or_none = auth.authenticate(request, self.state, route.auth)
        if _is_listed(request, self.settings.not_in_plan):
            raise HttpError.domain("FEATURE_DISABLED", message="the plan does not include this")
        bodies.parse(request, any_body=route.any_body)
        _validate(request, route)
        if newer and request.principal_or_none:
            request.principal_or_none = _enter_project(request, self.state, projects)
        with self.state.lock:
            result = route.handler(self, request)
            if request.method != "GET" or route.method == "*":
                self.state.dirty()
            if result is None:
                result = Response(route.status or 204)
            elif not isinstance(result, Response) and not callable(result):
                result = Response.from_json(result, route.status or 200)
        return result() if callable(result) else result


def _is_listed(request: Request, paths: list[str]) -> bool:
    """Whether the request's path, with or without its method before it, begins with one of ``paths``."""
    return any(f"{request.method} {request.path}".startswith(one) or request.path.startswith(one) for one in paths)


def _find_routes(request: Request) -> Routes:
    """Set the request's flavour and the service's own path; return the routes of the service."""
    for base, flavour, routes in BASES:
        if found := base.match(request.full_path):
            request.flavour = flavour
            request.path = request.full_path[found.end() :].rstrip("/") or "/"
            return routes
    raise AssertionError("The last base matches everything.")


def _validate(request: Request, route: Route) -> None:
    """Check parameters, query and body, and on 0.72.4 the project (api.md 2.6)."""
    for name in route.id_params():
        schema.check_id(request.params[name], f"params/{name}")
    if route.query is not None:
        source = schema.query_source(request.raw_query, MAX_REPEATED if request.version >= V083 else None)
        request.query = schema.read(source, route.query, "querystring", request)
    if route.body is not None:
        request.values = schema.read(request.payload, route.body, "body", request)
    for values in (request.query, request.values):
        project = values.get("projectId") if request.version < V083 else None
        if project and request.principal_or_none and project != request.principal.project:
            raise HttpError.domain("AUTHORIZATION", message="not your project")


def _object_projects(request: Request, route: Route, state: State) -> list[str]:
    """The projects of the object named by the path, none if it names no object.

    0.72.4 knows one project for each user, and compares it. 0.83.0 looks up what the request names first: an unknown object is a
    404 even without a login, a known one a 403 without a login and for users without a role in its project (engine-0.83.md
    sections 2 and 3).

    Raises the 400 and 404 of a wrong id.
    """
    first = route.path.removeprefix("/v1/").split("/")[0]
    if first not in OBJECTS or "id" not in request.params:
        return []
    for name in route.id_params():
        schema.check_id(request.params[name], f"params/{name}")
    # The engine's name for it (recordings ``*_unknown``).
    entity = first.removesuffix("s").replace("-", "_")
    return _row_projects(state, OBJECTS[first], entity, request.params["id"])


def _enter_project(request: Request, state: State, projects: list[str]) -> Principal:
    """The caller in one of ``projects`` or, if empty, in the project that query, body or table name.

    Raises 404 for an unknown project or table, 403 without a role in it.
    """
    for values in (request.query, request.values):
        if not projects and isinstance(values.get("projectId"), str):
            projects = _row_projects(state, "projects", "project", values["projectId"])
        if not projects and isinstance(values.get("tableId"), str):
            projects = _row_projects(state, "tables", "table", values["tableId"])
    caller = request.principal
    if not projects or caller.project in projects:
        return caller
    allowed = [project for project in projects if project in accounts.project_ids(state, caller.user)]
    if not allowed:
        # Recording member_flows_of_other_project.
        message = "no role in this project"
        raise HttpError.domain("AUTHORIZATION", message=message, userId=caller.user, projectId=projects[0])
    return replace(caller, project=allowed[0])


def _row_projects(state: State, kind: str, entity: str, identity: str) -> list[str]:
    row = getattr(state, kind).get(identity)
    if row is None:
        raise HttpError.not_found(entity, identity)
    return list(row.get("projectIds") or [row.get("projectId", identity)])
