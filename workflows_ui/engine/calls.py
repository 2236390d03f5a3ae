"""What every group of operations stands on: paths, queries, the project id, and answers of the shape that was promised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from .errors import EngineError, Forbidden, NotFound, Unavailable, Unknown
from .transport import Transport
from .trigger import TriggerWire

Flavour = Literal["imbrace", "activepieces"]
Json = dict[str, Any]
Texts = str | Sequence[str] | None


@dataclass(frozen=True)
class Bases:
    """Addresses without a slash at the end. `gateway` is None for a plain Activepieces."""

    engine: str
    gateway: str | None

    @property
    def flavour(self) -> Flavour:
        return "activepieces" if self.gateway is None else "imbrace"


class Calls:
    """One engine, one credential. The operations are in the subclasses; `Workflows` is all of them."""

    def __init__(self, bases: Bases, transport: Transport, triggers: TriggerWire, project_id: str | None) -> None:
        self._bases = bases
        self._transport = transport
        self._triggers = triggers
        self._project_id = project_id

    def resolve_project_id(self) -> str:
        """The id of the project that the credential works in: the client's own if it was given one, else asked for and kept.

        `GET /v1/users/projects/current` (recording `users_project_current`); an Imbrace engine without that route is asked
        for the project of its first flow, as the vendor's SDK does. Raises NotFound where neither tells.
        """
        if self._project_id is None:
            self._project_id = self._asked_project()
        return self._project_id

    def _asked_project(self) -> str:
        try:
            found = self._object("/v1/users/projects/current").get("id")
        except NotFound:
            if self._bases.flavour == "activepieces":
                raise
            found = None
        if not found and self._bases.flavour == "imbrace":
            first: list[Json] = self._page("/v1/flows", {"limit": 1})["data"][:1]
            found = first[0].get("projectId") if first else None
        if not isinstance(found, str) or not found:
            raise NotFound(
                "The engine does not tell which project this credential works in.", code="NO_PROJECT", sent=True
            )
        return found

    def _known_project(self, given: str | None = None) -> str | None:
        """For calls that may name a project: the one given, else the client's, else none."""
        return given if given is not None else self._project_id

    def _needed_project(self, given: str | None = None) -> str | None:
        """For calls that Activepieces refuses without a project: there it is asked for. Imbrace does without."""
        known = self._known_project(given)
        return self.resolve_project_id() if known is None and self._bases.flavour == "activepieces" else known

    def _gateway(self, what: str) -> str:
        if self._bases.gateway is None:
            raise NotFound(f"A plain Activepieces has no {what}.", code="NOT_ON_THIS_ENGINE", sent=False)
        return self._bases.gateway

    def _url(self, path: str) -> str:
        return self._bases.engine + path

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._transport.read(self._url(path), pairs(query or {}))

    def _object(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        return as_object(self._get(path, query), path)

    def _own(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        """One thing of the client's project. One of another project is NotFound, as if its id were made up.

        Engines differ there (api.md 4.2): some look for it within the project, some refuse it, and some of their routes do not ask.
        """
        try:
            found = self._object(path, query)
        except Forbidden as refused:
            if refused.code == "AUTHORIZATION":
                raise _not_here() from refused
            raise
        projects = found.get("projectIds") or [found.get("projectId")]
        named = [one for one in projects if isinstance(one, str) and one] if isinstance(projects, list) else []
        if self._project_id and named and self._project_id not in named:
            raise _not_here()
        return found

    def _page(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        """A page `{"data": [objects], "next": cursor or None, "previous": cursor or None}` (api.md 4.1)."""
        return as_page(self._get(path, query), path)

    def _array(self, path: str, query: Mapping[str, Any] | None = None) -> list[Json]:
        found = self._get(path, query)
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise odd(path, "a list of objects", write=False)
        return found

    def _post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        # Always a body: the engine refuses JSON without one (api.md section 4).
        return self._transport.write("POST", self._url(path), dict(body or {}))

    def _made(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """A POST that answers with the object it made or changed."""
        found = self._post(path, body)
        if not isinstance(found, dict):
            raise odd(path, "an object", write=True)
        return found

    def _delete(self, path: str, body: Mapping[str, Any] | None = None) -> None:
        self._transport.write("DELETE", self._url(path), body)


def segment(value: str) -> str:
    """`value` as one segment of a path. Raises ValueError for what would be another path: an empty text, a dot, two dots."""
    if value.strip() in ("", ".", ".."):
        raise ValueError(f"{value!r} is not an id.")
    return quote(value, safe="")


def segments(value: str) -> str:
    """A name that holds slashes, such as a piece's, as segments of a path. Raises ValueError as `segment` does."""
    return "/".join(quote(part, safe="@") if segment(part) else "" for part in value.split("/"))


def pairs(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A query as the engine reads it: None left out, lists as repeated keys, times as ISO 8601 in UTC with milliseconds."""
    found: list[tuple[str, str]] = []
    for name, value in query.items():
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        found.extend((name, _text(item)) for item in values if item is not None)
    return found


def moment(value: str | datetime | None) -> str | None:
    """A time as the engine writes it. Raises ValueError for a datetime without a time zone."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("The time has no time zone.")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ids(values: Iterable[str]) -> list[str]:
    """An explicit list of ids. Raises ValueError for none at all: the engine takes an empty list for "every run" (api.md 8.2)."""
    found = [] if isinstance(values, str) else list(values)
    if not all(found) or not found:
        raise ValueError("A list of at least one id is needed.")
    return found


def given(body: Mapping[str, Any]) -> Json:
    """`body` without what was not given (None)."""
    return {name: value for name, value in body.items() if value is not None}


def as_object(found: Any, path: str) -> Json:
    """`found` if it is an object. Raises Unavailable."""
    if not isinstance(found, dict):
        raise odd(path, "an object", write=False)
    return found


def as_page(found: Any, path: str) -> Json:
    """`found` if it is a page of objects. Raises Unavailable."""
    page = as_object(found, path)
    data = page.get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise odd(path, "a page of objects", write=False)
    return page


def _not_here() -> NotFound:
    return NotFound("There is nothing with this id in this project.", code="ENTITY_NOT_FOUND", status=404, sent=True)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(moment(value)) if isinstance(value, datetime) else str(value)


def odd(path: str, wanted: str, *, write: bool) -> EngineError:
    """The error for an answer that is JSON but not `wanted`: after a write it is not known what happened."""
    kind = Unknown if write else Unavailable
    return kind(
        "The engine's answer has another shape than it should.",
        code="ODD_SHAPE",
        sent=None if write else True,
        technical=f"{path}: not {wanted}",
    )
