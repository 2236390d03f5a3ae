"""The route table: declared by decorators in ``routes/``, one ``Routes`` object per service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .auth import REQUIRED
from .http import Later, Request, Response
from .schema import Schema

if TYPE_CHECKING:
    from .engine import PracticeEngine

Handler = Callable[["PracticeEngine", Request], Response | Later | Any]
ANY = "*"


@dataclass(frozen=True)
class Route:
    """One route. ``path`` has ``{name}`` for a segment, ``{name:id}`` for one that must be an id, ``{name:rest}`` for all."""

    method: str
    path: str
    handler: Handler
    query: Schema | None = None
    body: Schema | None = None
    auth: str = REQUIRED
    flavours: tuple[str, ...] = ("activepieces", "imbrace")
    any_body: bool = False

    @property
    def name(self) -> str:
        """How journals and reports call it."""
        return f"{self.method} {self.path}"

    def match(self, method: str, segments: list[str]) -> dict[str, str] | None:
        """The parameters if this route is meant, else None."""
        if self.method not in (ANY, method):
            return None
        found: dict[str, str] = {}
        wanted = self.path.strip("/").split("/")
        for number, part in enumerate(wanted):
            if number >= len(segments):
                return None
            if not part.startswith("{"):
                if part != segments[number]:
                    return None
                continue
            name, _, kind = part.strip("{}").partition(":")
            if kind == "rest":
                found[name] = "/".join(segments[number:])
                return found
            found[name] = segments[number]
        return found if len(segments) == len(wanted) else None

    def id_params(self) -> list[str]:
        """The parameters that must be ids."""
        return [part.strip("{}").partition(":")[0] for part in self.path.split("/") if part.endswith(":id}")]


class Routes:
    """A list of routes, matched in the order of declaration."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(self, method: str, path: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare a handler: ``handler(engine, request)`` gives a response, a ``Later``, or plain JSON (then it is 200)."""

        def declare(handler: Handler) -> Handler:
            self.routes.append(Route(method, path, handler, **more))
            return handler

        return declare

    def find(self, request: Request) -> Route | None:
        """The route of ``request``, its parameters filled in; None if there is none."""
        segments = [unquote(part) for part in request.path.strip("/").split("/")]
        for route in self.routes:
            params = route.match(request.method, segments) if request.flavour in route.flavours else None
            if params is not None:
                request.params = params
                return route
        return None
