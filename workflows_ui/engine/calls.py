"""The base of the operations: paths, queries, the project id, and checks of the answers' shape."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote

from .errors import EngineError, Forbidden, InvalidArgument, NoRoute, NotFound, Unavailable, Unknown
from .generations import Generation, generations
from .transport import Transport
from .trigger import TriggerWire
from .writes import refusals

Flavour = Literal["imbrace", "activepieces"]
Json = dict[str, Any]
Texts = str | Sequence[str] | None
T = TypeVar("T")
#: How often an engine accepts one query parameter: the 21st turns the list into an object (recordings `runs_list_flow_run_ids_20`,
#: `runs_list_flow_run_ids_21_refused`).
REPEATED = 20
#: Rows of a page of projects, and the most pages that are read.
_PROJECTS, _PAGES = 100, 50
#: Objects that belong to one project, by their route below /v1. True: the engine returns one by its id, without a secret in the
#: answer; False: the id must have been in a list.
_KINDS = {
    "flows": True,
    "flow-runs": True,
    "folders": True,
    "tables": True,
    "fields": True,
    "records": True,
    "app-connections": False,
    "mcp-servers": False,
    "user-invitations": False,
}


class Owned(Protocol):
    """Remembers the ids of one project, by kind (the name of their route below /v1), for callers whose ids come from a request.

    A forgotten id costs one call.
    """

    def knows(self, kind: str, id: str) -> bool:
        """Whether an answer of the engine showed that this id belongs to the project."""
        ...

    def learn(self, kind: str, ids: Collection[str]) -> None:
        """Remember that these ids belong to the project, as the engine's answer shows."""
        ...


@dataclass(frozen=True)
class Bases:
    """Addresses without a trailing slash. `gateway` is None for a plain Activepieces."""

    engine: str
    gateway: str | None

    @property
    def flavour(self) -> Flavour:
        return "activepieces" if self.gateway is None else "imbrace"


class Calls:
    """One engine, one credential. The operations are in the subclasses; `Workflows` combines them.

    All raise EngineError; ids that are empty or dots raise ValueError before anything is sent.
    """

    def __init__(
        self,
        bases: Bases,
        transport: Transport,
        triggers: TriggerWire,
        project_id: str | None,
        owned: Owned | None = None,
        looks: bool = False,
    ) -> None:
        #: Whether a write reads before it is sent what its look compares with, and is looked for if its answer proves nothing.
        self.looks = looks
        self._owned = owned
        self._bases = bases
        self._transport = transport
        self._triggers = triggers
        self._project_id = project_id

    def resolve_project_id(self) -> str:
        """The id of the credential's project: the client's argument, else requested once from the engine.

        On an Imbrace engine without a route for it, the project of the first flow is used (api.md 2.6). Raises NotFound
        if the engine does not give one (code `NO_PROJECT`) or gives several (`SEVERAL_PROJECTS`).
        """
        if self._project_id is None:
            self._project_id = self._request_project_id()
        return self._project_id

    def list_projects(self) -> list[Json]:
        """Every project of the credential: all pages of `GET /v1/projects` (recording `projects_list`); on engines without that route
        the only one, `GET /v1/users/projects/current` (api.md 16; recording `users_project_current` of 0.72.4)."""
        return self._by_generation(
            "project", current=self._all_projects, legacy=lambda: [self._object("/v1/users/projects/current")]
        )

    def get_current_project(self) -> Json:
        """The project of the credential: `GET /v1/projects/{id}` if the client has a project id, else the only one of `list_projects`.

        Raises NotFound with the code `SEVERAL_PROJECTS` if a person has to choose. On engines of the older generation it is the
        credential's own project, regardless of the client's project id (api.md 16).
        """
        project_id = self._project_id
        if project_id is None:
            return _only(self.list_projects())
        return self._by_generation(
            "project",
            current=lambda: self._object(f"/v1/projects/{segment(project_id)}"),
            legacy=lambda: self._object("/v1/users/projects/current"),
        )

    def _request_project_id(self) -> str:
        try:
            project_id = _only(self.list_projects()).get("id")
        except NotFound as missing:
            if self._bases.flavour == "activepieces" or missing.code == "SEVERAL_PROJECTS":
                raise
            project_id = None
        if not project_id and self._bases.flavour == "imbrace":
            flows: list[Json] = self._page("/v1/flows", {"limit": 1})["data"][:1]
            project_id = flows[0].get("projectId") if flows else None
        if not isinstance(project_id, str) or not project_id:
            raise NotFound(
                "The engine does not tell which project this credential works in.", code="NO_PROJECT", sent=True
            )
        return project_id

    def _all_projects(self) -> list[Json]:
        projects: dict[str, Json] = {}
        cursor: str | None = None
        for _ in range(_PAGES):
            page = self._page("/v1/projects", {"limit": _PROJECTS, "cursor": cursor})
            for row in page["data"]:
                projects.setdefault(str(row.get("id") or ""), row)
            following = page.get("next")
            if not isinstance(following, str) or not following or following == cursor:
                break
            cursor = following
        return list(projects.values())

    def _by_generation(self, route: str, *, current: Callable[[], T], legacy: Callable[[], T]) -> T:
        """The answer of a route that moved between versions, called in the generation that this engine offers.

        For reads only. The generation that this engine offered last is tried first; if it is not known, `legacy` at Imbrace and `current`
        at Activepieces. The other one is tried after `NoRoute` only. Other errors are not caught.
        Raises NoRoute if the engine offers neither.

        Args:
            route: the name under which the generation is remembered: "project", "user", "mcp".
            current, legacy: the call on 0.83 and on 0.72.
        """
        calls: dict[Generation, Callable[[], T]] = {"current": current, "legacy": legacy}
        first = self._generation(route)
        second: Generation = "legacy" if first == "current" else "current"
        try:
            answer = calls[first]()
        except NoRoute as error:
            if error.sent:
                generations.forget(self._transport.base)
            missing = error
        else:
            generations.remember(self._transport.base, route, first)
            return answer
        try:
            answer = calls[second]()
        except NoRoute:
            raise missing from None
        generations.remember(self._transport.base, route, second)
        return answer

    def _generation(self, route: str) -> Generation:
        """The generation of a route that this engine offered last, else the one that its flavour probably offers."""
        likely: Generation = "legacy" if self._bases.flavour == "imbrace" else "current"
        return generations.known(self._transport.base, route) or likely

    def _required_project_id(self, given: str | None = None) -> str | None:
        """The project for a call that takes one: the argument, else the client's. On Activepieces, which refuses many calls without a
        project, it is resolved; Imbrace does not need it."""
        project_id = given if given is not None else self._project_id
        if project_id is None and self._bases.flavour == "activepieces":
            return self.resolve_project_id()
        return project_id

    def _gateway(self, label: str) -> str:
        if self._bases.gateway is None:
            raise NotFound(f"A plain Activepieces has no {label}.", code="NOT_ON_THIS_ENGINE", sent=False)
        return self._bases.gateway

    def _url(self, path: str) -> str:
        return self._bases.engine + path

    def _get(self, path: str, query: Mapping[str, Any] | None = None, *, text: bool = False) -> Any:
        return self._transport.read(self._url(path), pairs(query or {}), text=text)

    def _object(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        return as_object(self._get(path, query), path)

    def _check_ids(self, kind: str, *given: str | None) -> None:
        """Check that these ids belong to the client's project, before any other call uses one of them: an id that is not known to
        belong there is read first. Only that read and calls without an id need no check. Raises NotFound if the id belongs to another
        project, does not exist, or has to be from a list and is not.

        Nothing is checked without `owned`: the ids then come from the console's own rows, not from a request.
        """
        if self._owned is None:
            return
        for object_id in given:
            if object_id is None or self._owned.knows(kind, object_id):
                continue
            if not _KINDS[kind]:
                raise not_in_project()
            try:
                self._get_owned(kind, object_id)
            except NoRoute:
                raise
            except NotFound as missing:
                raise not_in_project() from missing

    def _get_owned(self, kind: str, id: str, query: Mapping[str, Any] | None = None) -> Json:
        """An object of the client's project. An object of another project is NotFound, as if it did not exist.

        Engines differ (api.md 4.2): some search within the project, some refuse the id, and some of their routes do not check it.
        """
        path = f"/v1/{kind}/{segment(id)}"
        try:
            found = self._object(path, query)
        except Forbidden as refused:
            if refused.code == "AUTHORIZATION":
                raise not_in_project() from refused
            raise
        if not self._belongs(found):
            raise not_in_project()
        self._remember_ids(kind, id)
        return found

    def _belongs(self, row: Json) -> bool:
        """Whether a row names no other project than the client's."""
        projects = row.get("projectIds") or [row.get("projectId")]
        project_ids = (
            [value for value in projects if isinstance(value, str) and value] if isinstance(projects, list) else []
        )
        return not (self._project_id and project_ids and self._project_id not in project_ids)

    def _remember_ids(self, kind: str, *given: Any) -> None:
        if self._owned is not None:
            self._owned.learn(kind, [value for value in given if isinstance(value, str) and value])

    def _page(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        """A page `{"data": [objects], "next": cursor or None, "previous": cursor or None}` (api.md 4.1), without rows of another
        project, which an engine should not send."""
        page = as_page(self._get(path, query), path)
        page["data"] = [row for row in page["data"] if self._belongs(row)]
        kind = path.removeprefix("/v1/")
        if kind in _KINDS:
            self._remember_ids(kind, *(row.get("id") for row in page["data"]))
        return page

    def _array(self, path: str, query: Mapping[str, Any] | None = None) -> list[Json]:
        rows = self._get(path, query)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise shape_error(path, "a list of objects", write=False)
        return rows

    def _post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        # The engine refuses a JSON request without a body (api.md section 4).
        return self._transport.write("POST", self._url(path), dict(body or {}), refusals=refusals())

    def _post_object(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """The object that a POST created or changed. One that was created has an id."""
        found, kind = self._post(path, body), path.removeprefix("/v1/")
        if not isinstance(found, dict):
            raise shape_error(path, "an object", write=True)
        if kind in _KINDS:
            if not isinstance(found.get("id"), str) or not found["id"]:
                raise shape_error(path, "an object with an id", write=True)
            if self._belongs(found):
                self._remember_ids(kind, found["id"])
        return found

    def _owned_path(self, kind: str, id: str) -> str:
        """The path of an object, whose id was checked."""
        self._check_ids(kind, id)
        return f"/v1/{kind}/{segment(id)}"

    def _change_owned(self, kind: str, id: str, body: Mapping[str, Any]) -> Json:
        """Change an object of the client's project by a POST to its path."""
        return self._post_object(self._owned_path(kind, id), body)

    def _delete_owned(self, kind: str, id: str) -> None:
        self._delete(self._owned_path(kind, id))

    def _delete(self, path: str, body: Mapping[str, Any] | None = None) -> None:
        self._transport.write("DELETE", self._url(path), body, refusals=refusals())


class NotHere(NotFound):
    """The client's project has no object with this id; another project may have one."""


class NotAnId(NotHere, ValueError):
    """No object can have this id; nothing is sent."""


def segment(value: str) -> str:
    """`value` as one segment of a path. Raises NotAnId, a NotFound and a ValueError, for a text of blanks, dots and slashes only, which
    would change the path."""
    if not value.strip(" ./"):
        raise NotAnId(f"{value!r} is not an id.", code="ENTITY_NOT_FOUND", status=404, sent=False)
    return quote(value, safe="")


def segments(value: str) -> str:
    """A name with slashes, such as a piece's, as segments of a path. Raises NotAnId as `segment` does."""
    return "/".join(quote(part, safe="@") if segment(part) else "" for part in value.split("/"))


def pairs(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A query in the engine's form: without None, lists as repeated keys, times as ISO 8601 in UTC with milliseconds.

    Raises ValueError for a list of more than `REPEATED` values.
    """
    result: list[tuple[str, str]] = []
    for name, value in query.items():
        values = value if isinstance(value, list | tuple | set | frozenset) else [value]
        if len(values) > REPEATED:
            raise ValueError(f"The engine takes {name} at most {REPEATED} times.")
        result.extend((name, _text(item)) for item in values if item is not None)
    return result


def moment(value: str | datetime | None) -> str | None:
    """A time in the engine's format. Raises ValueError for a datetime without a time zone."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("The time has no time zone.")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ids(values: Iterable[str]) -> list[str]:
    """An explicit list of ids. Raises InvalidArgument for an empty one: to the engine it means "every run" (api.md 8.2)."""
    result = [] if isinstance(values, str) else list(values)
    if not all(result) or not result:
        raise InvalidArgument("A list of at least one id is needed.")
    return result


def without_none(body: Mapping[str, Any]) -> Json:
    """`body` without the members that are None."""
    return {name: value for name, value in body.items() if value is not None}


def as_object(found: Any, path: str) -> Json:
    """`found` if it is an object. Raises Unavailable."""
    if not isinstance(found, dict):
        raise shape_error(path, "an object", write=False)
    return found


def as_page(found: Any, path: str) -> Json:
    """`found` if it is a page of objects. Raises Unavailable."""
    page = as_object(found, path)
    data = page.get("data")
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise shape_error(path, "a page of objects", write=False)
    return page


def _only(projects: list[Json]) -> Json:
    """The only project. Raises NotFound without a project, or with several."""
    if len(projects) == 1:
        return projects[0]
    if projects:
        raise NotFound("This credential opens several projects: one must be named.", code="SEVERAL_PROJECTS", sent=True)
    raise NotFound("This credential opens no project.", code="NO_PROJECT", sent=True)


def not_in_project() -> NotHere:
    return NotHere("There is nothing with this id in this project.", code="ENTITY_NOT_FOUND", status=404, sent=True)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(moment(value)) if isinstance(value, datetime) else str(value)


def shape_error(path: str, wanted: str, *, write: bool) -> EngineError:
    """The error for an answer that is JSON but not `wanted`: Unknown after a write, whose outcome is not known."""
    kind = Unknown if write else Unavailable
    return kind(
        "The engine's answer has another shape than it should.",
        code="ODD_SHAPE",
        sent=None if write else True,
        technical=f"{path}: not {wanted}",
    )
