"""What handlers of requests need: the engine's state, clock, settings and runs, and the routes, which decorators in ``routes/`` declare."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from . import catalog
from .accounts import Credentials
from .clock import Clock
from .faults import Faults
from .http import REQUIRED, Deferred, Json, Request, Response, Version, parse_version
from .journal import Journal
from .runs import Runs
from .schema import Schema
from .state import Settings, State
from .validity import Rules


class Engine:
    """An engine without the handling of requests, which ``engine.PracticeEngine`` adds."""

    def __init__(self, clock_scale: float, state_file: Path | None, given: dict[str, str], settings: Settings) -> None:
        self.settings = settings
        self.faults = Faults()
        self.journal = Journal()
        self.state = State(state_file)
        self.loaded = self.state.load()
        self.clock = Clock(clock_scale)
        self.runs = Runs(self.state, self.clock, settings)
        #: Flows whose trigger is being tested: the next request becomes a sample (api.md section 12).
        self.listening: set[str] = set()
        self.credentials = Credentials.restored(self.state, given)
        self.credentials.save(self.state)

    @property
    def version(self) -> Version:
        """The version of the Activepieces flavour."""
        return parse_version(self.settings.version)

    def close(self) -> None:
        self.clock.stop()
        self.state.close()

    def pieces(self, version: Version) -> Mapping[str, Json]:
        """The installed pieces of an engine of this version, by name."""
        missing = self.settings.missing_pieces
        return {name: piece for name, piece in catalog.pieces(version).items() if name not in missing}

    def rules(self, version: Version) -> Rules:
        return Rules(version, self.pieces(version), self.state.versions.values())


Handler = Callable[[Engine, Request], Response | Deferred | Any]
H = TypeVar("H", bound=Handler)
ANY = "*"


@dataclass(frozen=True)
class Route:
    """One route. ``path`` has ``{name}`` for a segment, ``{name:id}`` for one that must be an id, ``{name:rest}`` for all.

    ``since`` and ``before`` limit the versions of the engine that have it, ``per_minute`` the calls of one client (0: no
    limit). ``any_body``: the body may have any content type. ``status``: of the response, by default 200, and 204 without a body.
    """

    method: str
    path: str
    handler: Handler
    query: Schema | None = None
    body: Schema | None = None
    auth: str = REQUIRED
    flavours: tuple[str, ...] = ("activepieces", "imbrace")
    any_body: bool = False
    since: Version = (0,)
    before: Version = (1000,)
    per_minute: int = 0
    status: int | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression, with a group for each parameter."""

        def group(match: re.Match[str]) -> str:
            return f"(?P<{match[1]}>{'.*' if match[2] == 'rest' else '[^/]*'})"

        return re.compile(re.sub(r"\\\{(\w+):?(\w*)\\\}", group, re.escape(self.path)))

    def id_params(self) -> list[str]:
        return [part.strip("{}").partition(":")[0] for part in self.path.split("/") if part.endswith(":id}")]


class Routes:
    """A list of routes, matched in the order of declaration."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(self, method: str, path: str, **more: Any) -> Callable[[H], H]:
        """Declare a handler: ``handler(engine, request)`` returns a response, a ``Deferred``, JSON, or None for an empty body."""

        def declare(handler: H) -> H:
            self.routes.append(Route(method, path, handler, **more))
            return handler

        return declare

    def constant(self, path: str, response: Any, **more: Any) -> None:
        """Declare a route that responds to GET with always the same JSON."""
        self.route("GET", path, **more)(lambda engine, request: response)

    def route_for(self, request: Request) -> Route | None:
        """Set the parameters of ``request`` by its route, and return that; None if there is no route."""
        path = "/" + request.path.strip("/")
        for route in self.routes:
            if request.flavour not in route.flavours or not route.since <= request.version < route.before:
                continue
            match = route.pattern.fullmatch(path) if route.method in (ANY, request.method) else None
            if match is not None:
                request.params = {name: unquote(text) for name, text in match.groupdict().items()}
                return route
        return None


#: The routes of the engine itself; the gateway has more (``routes/gateway.py``).
ENGINE = Routes()
route, constant = ENGINE.route, ENGINE.constant
