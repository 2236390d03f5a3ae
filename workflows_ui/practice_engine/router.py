"""The route table: declared by decorators in ``routes/``, one ``Routes`` object per service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from .auth import REQUIRED
from .core import Engine
from .http import Deferred, Request, Response
from .schema import Schema
from .versions import Version

Handler = Callable[[Engine, Request], Response | Deferred | Any]
H = TypeVar("H", bound=Handler)
ANY = "*"


@dataclass(frozen=True)
class Route:
    """One route. ``path`` has ``{name}`` for a segment, ``{name:id}`` for one that must be an id, ``{name:rest}`` for all.

    ``since`` and ``before`` limit the versions of the engine that have it, ``per_minute`` the calls of one client (0: no
    limit). ``any_body``: the body may have any content type.
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

    @property
    def name(self) -> str:
        """The name in the journal."""
        return f"{self.method} {self.path}"

    def match(self, method: str, segments: list[str]) -> dict[str, str] | None:
        """Return the parameters in the path, None if this is not its route."""
        if self.method not in (ANY, method):
            return None
        params: dict[str, str] = {}
        parts = self.path.strip("/").split("/")
        for number, part in enumerate(parts):
            if number >= len(segments):
                return None
            if not part.startswith("{"):
                if part != segments[number]:
                    return None
                continue
            name, _, kind = part.strip("{}").partition(":")
            if kind == "rest":
                params[name] = "/".join(segments[number:])
                return params
            params[name] = segments[number]
        return params if len(segments) == len(parts) else None

    def id_params(self) -> list[str]:
        """Return the names of the parameters that must be ids."""
        return [part.strip("{}").partition(":")[0] for part in self.path.split("/") if part.endswith(":id}")]


class Routes:
    """A list of routes, matched in the order of declaration."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(self, method: str, path: str, **more: Any) -> Callable[[H], H]:
        """Declare a handler: ``handler(engine, request)`` returns a response, a ``Deferred``, or the JSON of a 200."""

        def declare(handler: H) -> H:
            self.routes.append(Route(method, path, handler, **more))
            return handler

        return declare

    def find(self, request: Request) -> Route | None:
        """Return the route of ``request`` and set its parameters; None if there is no route."""
        segments = [unquote(part) for part in request.path.strip("/").split("/")]
        for route in self.routes:
            if request.flavour not in route.flavours or not route.since <= request.version < route.before:
                continue
            params = route.match(request.method, segments)
            if params is not None:
                request.params = params
                return route
        return None
