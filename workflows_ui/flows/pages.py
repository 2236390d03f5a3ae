"""Complete pages of the engine's list of flows: its cursors lose rows (api.md 4.1), so pages here do not use them.

0.72 sorts by `updated` but cuts by `created` in whole seconds: everything after its first page may repeat and miss flows. The first hundred
are right. 0.83 lists those that are on first, each kind by `updated` (recording `flows_list`), so the first hundred of both kinds are
merged. Beyond them all pages are walked, then each folder separately if flows are still missing, and the result is cached for a minute; a
position in the list is the last row's own time and id, which no change elsewhere can shift.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, Self, TypeVar

from django.utils.translation import gettext as _, ngettext

from workflows_ui.core.paths import dict_at, dicts_at, text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import TooLarge, flow_tree
from workflows_ui.flows.reading import FOLDERS, folder_names, keep_owners, name_of, pieces_of
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.resource import Page, Query, Row, Text

#: The engine's folder id for "in no folder" (api.md 6.4).
NO_FOLDER = "NULL"
#: Flows per call. Trees can be so large that an answer exceeds the size limit: then fewer are requested.
AT_ONCE, _FEWEST = 100, 5
_SIZE, _SIZE_FOR, _WALK_FOR, _COUNT_FOR, _MOST_CALLS = "flows-at-once", 600, 60, 60, 40
_KEPT = (
    "id",
    "created",
    "updated",
    "status",
    "folderId",
    "ownerId",
    "publishedVersionId",
    "operationStatus",
    "externalId",
    "metadata",
    "triggerSource",
)
_KEPT_OF_VERSION = ("id", "displayName", "connectionIds", "valid", "state")


@dataclass(frozen=True)
class Filters:
    """As the engine has them; None for any. `live`: flows as the version that runs, not the newest; only if all are published.

    The engine does not filter by `owner`, so that all flows that match the others are read.
    """

    name: str | None = None
    status: str | None = None
    folder: str | None = None
    connection: str | None = None
    live: bool = False
    owner: str | None = None

    @classmethod
    def cleaned(cls, values: Mapping[str, object]) -> Self:
        """These filters from the cleaned values of FlowFilters."""
        name, status, folder, connection, owner = (
            text_at(values, field) or None for field in ("name", "status", "folder", "connection", "owner")
        )
        return cls(name, status, folder, connection, owner=owner)

    @property
    def countable(self) -> bool:
        """Whether the engine counts such flows: by folder and state only (api.md 6.4)."""
        return self.name is None and self.connection is None and self.owner is None


#: A flow, reduced to what its list needs; with its `id`.
Reduced = TypeVar("Reduced", bound=Row)


@dataclass(frozen=True)
class _Chunk(Generic[Reduced]):
    """An answer's flows without duplicates, the next cursor ("" for none), and whether those that are on come first."""

    rows: list[Reduced]
    cursor: str
    by_state: bool


def page(
    session: EngineSession,
    filters: Filters,
    query: Query,
    complete: Callable[[Sequence[Row]], Sequence[Row]] = lambda rows: rows,
) -> Page:
    """A page of flows, last changed first, in the shape of `brief`. One call while the page lies within the first
    hundred; one more if the engine lists those that are on first.

    Sorted otherwise, from an index, or of one owner, all of them are read. `complete` adds what they are sorted by. Raises EngineError.
    """
    owner, filters = filters.owner, replace(filters, owner=None)
    search = _Search(session, filters, brief)
    chunk = search.chunk()
    if filters == Filters():
        keep_owners(session, chunk.rows)
    first, edge = search.head(chunk)
    if not edge:
        return _page_of_all(session, _owned(first, owner), query, complete)
    # Of the rows that share the time of the last one, some may be missing here.
    settled = [row for row in first if _updated(row) > edge]
    needs_all = bool(query.order) or _is_index(query.position) or owner is not None
    if not needs_all and len(_after(settled, query.position)) > query.rows:
        return _page_from(session, settled, query)
    walked = session.remember(_walk_name(filters), _WALK_FOR, lambda: search.walk(chunk))
    known_ids = {_key(row) for row in first}
    others = [row for row in walked if _updated(row) <= edge and _key(row) not in known_ids]
    all_rows = _sorted([*first, *others])
    gap, rows = search.gap(len(all_rows)), _owned(all_rows, owner)
    return (
        replace(_page_from(session, rows, query), warning=gap) if gap else _page_of_all(session, rows, query, complete)
    )


def _owned(rows: Sequence[Row], owner: str | None) -> Sequence[Row]:
    return rows if owner is None else [row for row in rows if row.get("ownerId") == owner]


def all_flows(session: EngineSession, reduce: Callable[[Row], Reduced]) -> tuple[list[Reduced], bool]:
    """All current flows, reduced (with `id`), and whether they are complete by the engine's own count. Raises EngineError."""
    search = _Search(session, Filters(), reduce)
    first = search.chunk()
    flows = search.walk(first)
    return flows, not first.cursor or len(flows) >= session.workflows.count_flows()


def whole(session: EngineSession, filters: Filters, reduce: Callable[[Row], Reduced]) -> tuple[list[Reduced], Text]:
    """All current flows that match, reduced (with `id`), and a message if the engine counts more. Raises EngineError."""
    search = _Search(session, filters, reduce)
    first = search.chunk()
    flows = search.walk(first)
    return flows, search.gap(len(flows)) if first.cursor else ""


def count(session: EngineSession, filters: Filters) -> int | None:
    """The current number of flows; None if the engine has no such count (by name or connection). Raises EngineError."""
    return session.workflows.count_flows(filters.folder, filters.status) if filters.countable else None


def total(session: EngineSession) -> int | None:
    """The number of all flows, at most a minute old; None if the engine does not say, or if a quick session would need a call."""
    found = session.decorate(-1, _count_name(Filters()), _COUNT_FOR, session.workflows.count_flows)
    return found if found >= 0 else None


def forget(session: EngineSession) -> None:
    """Forget the cached list and numbers after flows were created, moved or deleted."""
    session.forget(_walk_name(Filters()), _count_name(Filters()), FOLDERS)


def brief(row: Row) -> dict[str, object]:
    """A flow without its steps, but with their apps as `pieces` (whole names, in order)."""
    result = {key: row[key] for key in _KEPT if key in row}
    version = dict_at(row, "version")
    if not version:
        return result | {"pieces": []}
    trigger = dict_at(version, "trigger")
    steps = [node.step for node in flow_tree.walk(trigger or None)]
    head = {key: version[key] for key in _KEPT_OF_VERSION if key in version}
    if trigger:
        head["trigger"] = {key: value for key, value in trigger.items() if key != "nextAction"}
    return result | {"version": head, "pieces": pieces_of(steps)}


@dataclass(frozen=True)
class _Search(Generic[Reduced]):
    """The calls of one search; each flow is reduced at once."""

    session: EngineSession
    filters: Filters
    reduce: Callable[[Row], Reduced]

    def chunk(self, cursor: str | None = None) -> _Chunk[Reduced]:
        """One answer. If the engine finds no name, since it compares accents, its answer without the name is searched here, provided
        that it is all there is."""
        found = self.call(cursor)
        if cursor or found.rows or not self.filters.name:
            return found
        everything = self._with_filters(replace(self.filters, name=None)).call()
        if everything.cursor:
            return found
        return replace(everything, rows=whole_lists.with_name(everything.rows, self.filters.name, name_of))

    def call(self, cursor: str | None = None) -> _Chunk[Reduced]:
        """One call. Flows have owners in engines that list those that are on first (engine-0.83.md 4)."""
        while True:
            size = _size(self.session)
            try:
                answer = self.session.workflows.list_flows(
                    limit=size,
                    cursor=cursor,
                    name=self.filters.name,
                    status=self.filters.status,
                    folder_id=self.filters.folder,
                    connection_external_ids=self.filters.connection,
                    version_state="LOCKED" if self.filters.live else None,
                )
            except TooLarge:
                if size <= _FEWEST:
                    raise
                self.session.forget(_SIZE)
                self.session.remember(_SIZE, _SIZE_FOR, partial(max, _FEWEST, size // 2))
                continue
            sent = dicts_at(answer, "data")
            rows = {_key(row): row for row in map(self.reduce, sent)}
            return _Chunk(list(rows.values()), text_at(answer, "next"), any("ownerId" in row for row in sent))

    def head(self, chunk: _Chunk[Reduced]) -> tuple[list[Reduced], str]:
        """The flows that are certainly the last changed ones, and the time before which some may be missing; "" for none.

        `chunk` is the engine's first answer. If those that are on come first, those that are off are requested as well.
        """
        if not chunk.cursor:
            return _sorted(chunk.rows), ""
        if not chunk.by_state or self.filters.status is not None:
            return _sorted(chunk.rows), min(map(_updated, chunk.rows), default="")
        off = self._with_filters(replace(self.filters, status="DISABLED")).chunk()
        rows_by_id = {_key(row): row for row in [*chunk.rows, *off.rows]}
        on = [_updated(row) for row in chunk.rows if row.get("status") == "ENABLED"]
        edges = [min(on)] if on and len(on) == len(chunk.rows) else []
        if off.cursor:
            edges.append(min(map(_updated, off.rows), default=""))
        return _sorted(list(rows_by_id.values())), max(edges, default="")

    def walk(self, first: _Chunk[Reduced]) -> list[Reduced]:
        """All flows that the engine can be made to list, by its cursors and then by folders; forty calls at most."""
        if not first.cursor:
            return first.rows
        rows_by_id = {_key(row): row for row in first.rows}
        left = self.follow(rows_by_id, first.cursor, _MOST_CALLS)
        total = self._total()
        folders = [NO_FOLDER, *folder_names(self.session)] if self.filters.folder is None and total is not None else []
        for folder in folders:
            if left <= 0 or total is None or len(rows_by_id) >= total:
                break
            part = self._with_filters(replace(self.filters, folder=folder))
            chunk = part.chunk()
            rows_by_id = {_key(row): row for row in chunk.rows} | rows_by_id
            left = part.follow(rows_by_id, chunk.cursor, left - 1)
        return list(rows_by_id.values())

    def gap(self, listed: int) -> Text:
        """A message if the engine counts more flows than it lists, or does not count them; else ""."""
        total = self._total()
        if total is None:
            return _(
                "The engine does not count these flows, so some may be missing here. Narrow the filters to be sure."
            )
        if total <= listed:
            return ""
        text = _(
            "The engine counts %(total)d flows, but gives only %(listed)d of them, however it is asked. Use the filters to find the others."
        )
        return text % {"total": total, "listed": listed}

    def _with_filters(self, filters: Filters) -> "_Search[Reduced]":
        return replace(self, filters=filters)

    def follow(self, rows_by_id: dict[str, Reduced], cursor: str, left: int) -> int:
        """Add the flows that the cursors lead to; return how many calls are left."""
        while cursor and left > 0:
            chunk = self.chunk(cursor)
            for row in chunk.rows:
                rows_by_id.setdefault(_key(row), row)
            cursor = chunk.cursor
            left -= 1
        return left

    def _total(self) -> int | None:
        """The engine's own count, at most a minute old; None if it has none."""
        if not self.filters.countable:
            return None
        ask = partial(self.session.workflows.count_flows, self.filters.folder, self.filters.status)
        counted = self.session.remember_or(-1, _count_name(self.filters), _COUNT_FOR, ask)
        return counted if counted >= 0 else None


def _size(session: EngineSession) -> int:
    return session.remember(_SIZE, _SIZE_FOR, lambda: AT_ONCE)


def _size_note(session: EngineSession) -> Text:
    size = _size(session)
    if size >= AT_ONCE:
        return ""
    text = ngettext(
        "The flows here are so large that the engine is asked for %(n)d at a time.",
        "The flows here are so large that the engine is asked for %(n)d at a time.",
        size,
    )
    return text % {"n": size}


def _page_from(session: EngineSession, found: Sequence[Row], query: Query) -> Page:
    after = _after(found, query.position)
    page_rows = after[: query.rows]
    older = f"{_updated(page_rows[-1])}~{_key(page_rows[-1])}" if len(after) > query.rows else ""
    return Page(page_rows, older, notice=_size_note(session))


def _page_of_all(
    session: EngineSession, found: Sequence[Row], query: Query, complete: Callable[[Sequence[Row]], Sequence[Row]]
) -> Page:
    """A page of flows that are all there are: sorted, numbered, or, as the next one, from the last row of the page before."""
    if query.order or _is_index(query.position):
        return whole_lists.page(complete(found) if query.order else found, query, notice=_size_note(session))
    start = len(found) - len(_after(found, query.position))
    return replace(_page_from(session, found, query), total=len(found), start=start, sortable=True)


def _is_index(position: str) -> bool:
    return position.partition("~")[0].partition(".")[0].isdecimal()


def _after(found: Sequence[Row], position: str) -> list[Row]:
    """The rows that come after a position. If its row is gone or was changed, those of the same moment come again."""
    if not position:
        return list(found)
    moment, _bar, last = position.partition("~")
    index = next((at for at, row in enumerate(found) if _key(row) == last and _updated(row) == moment), None)
    if index is not None:
        return list(found[index + 1 :])
    return [row for row in found if _updated(row) <= moment]


def _sorted(rows: Sequence[Reduced]) -> list[Reduced]:
    """Last changed first; those of one moment in the engine's order."""
    return sorted(rows, key=_updated, reverse=True)


def _updated(row: Row) -> str:
    return text_at(row, "updated")[:60]


def _key(row: Row) -> str:
    return str(row.get("id"))[:60]


def _walk_name(filters: Filters) -> str:
    return f"flows-walked:{filters!r}"


def _count_name(filters: Filters) -> str:
    return f"flows-counted:{filters.folder}:{filters.status}"
