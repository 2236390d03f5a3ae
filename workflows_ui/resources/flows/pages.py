"""Complete pages of the engine's list of flows: its cursors lose rows (api.md 4.1), so pages here do not use them.

0.72 sorts by `updated` but cuts by `created` in whole seconds: everything after its first page may repeat and miss
flows. The first hundred are right. 0.83 lists those that are on first, each kind by `updated` (recording `flows_list`),
so the first hundred of both kinds are merged. Beyond them all pages are walked, then each folder separately if flows
are still missing, and the result is cached for a minute; a position in the list is the last row's own time and id,
which no change elsewhere can shift.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import TooLarge, flow_tree
from workflows_ui.resource_admin.resource import Page, Row, Text, pick
from workflows_ui.resources.flows.reading import folder_names, table_of
from workflows_ui.web.paths import text_at

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
    "publishedVersionId",
    "operationStatus",
    "metadata",
    "triggerSource",
)
_KEPT_OF_VERSION = ("id", "displayName", "connectionIds", "valid", "state")


@dataclass(frozen=True)
class _Chunk:
    """One answer of the engine: its flows without duplicates; the next cursor, "" for none; and whether those that are
    on come first.
    """

    rows: list[dict[str, Any]]
    cursor: str
    by_state: bool


@dataclass(frozen=True)
class Asked:
    """The filters, as the engine has them; None for any. `live`: each flow as the version that runs, not as the newest
    one; only if all of them are published.
    """

    name: str | None = None
    status: str | None = None
    folder: str | None = None
    connection: str | None = None
    live: bool = False

    @property
    def countable(self) -> bool:
        """Whether the engine counts such flows: by folder and state only (api.md 6.4)."""
        return self.name is None and self.connection is None


def page(session: EngineSession, asked: Asked, position: str, rows: int) -> Page:
    """A page of flows, last changed first, in the shape of `brief`. One call while the page lies within the first
    hundred; one more if the engine lists those that are on first.

    Raises EngineError.
    """
    chunk = _chunk(session, asked, None)
    first, edge = _head(session, asked, chunk)
    if not edge:
        return _page_from(first, position, rows, _size_note(session), len(first))
    # Of the rows that share the time of the last one, some may be missing here.
    settled = [row for row in first if _updated(row) > edge]
    if len(_after(settled, position)) > rows:
        return _page_from(settled, position, rows, _size_note(session))
    walked = session.remember(_walk_name(asked), _WALK_FOR, lambda: _walk(session, asked, chunk))
    known_ids = {_key(row) for row in first}
    others = [row for row in walked if _updated(row) <= edge and _key(row) not in known_ids]
    all_rows = _sorted([*first, *others])
    gap = _gap(session, asked, len(all_rows))
    return replace(
        _page_from(all_rows, position, rows, _size_note(session), None if gap else len(all_rows)), warning=gap
    )


def all_flows(session: EngineSession) -> tuple[list[dict[str, Any]], bool]:
    """All current flows, and whether they are complete by the engine's own count. Raises EngineError."""
    asked = Asked()
    first = _chunk(session, asked, None)
    if not first.cursor:
        return first.rows, True
    flows = _walk(session, asked, first)
    return flows, len(flows) >= session.workflows.count_flows()


def whole(
    session: EngineSession, asked: Asked, keep: Callable[[Row], dict[str, Any]]
) -> tuple[list[dict[str, Any]], Text]:
    """All current flows that match, each converted by `keep` (with `id`), and a message if the engine counts more. One
    call for each hundred. Raises EngineError.
    """
    first = _chunk(session, asked, None, keep)
    if not first.cursor:
        return first.rows, ""
    flows = _walk(session, asked, first, keep)
    return flows, _gap(session, asked, len(flows))


def count(session: EngineSession, asked: Asked) -> int | None:
    """The current number of flows; None if the engine has no such count (by name or connection). Raises EngineError."""
    return session.workflows.count_flows(asked.folder, asked.status) if asked.countable else None


def forget(session: EngineSession) -> None:
    """Forget the cached list after flows were created or deleted."""
    session.forget(_walk_name(Asked()), _count_name(Asked()))


def brief(row: Row) -> dict[str, Any]:
    """A flow reduced for lists: without its steps, but with their apps as `pieces` (whole names, in order) and their
    `tables`.
    """
    result = {key: row[key] for key in _KEPT if key in row}
    version = row.get("version")
    if not isinstance(version, Mapping):
        return result | {"pieces": []}
    trigger = version.get("trigger")
    steps = [node.step for node in flow_tree.walk(trigger)]
    head = {key: version[key] for key in _KEPT_OF_VERSION if key in version}
    if isinstance(trigger, Mapping):
        head["trigger"] = {key: value for key, value in trigger.items() if key != "nextAction"}
    names = (pick(step, "settings.pieceName") for step in steps)
    pieces = dict.fromkeys(name for name in names if isinstance(name, str) and name)
    tables = dict.fromkeys(filter(None, map(table_of, steps)))
    return result | {"version": head, "pieces": list(pieces), "tables": list(tables)}


def _head(session: EngineSession, asked: Asked, chunk: _Chunk) -> tuple[list[dict[str, Any]], str]:
    """The flows that are certainly the last changed ones, and the time before which some may be missing; "" for none.

    `chunk` is the engine's first answer. If those that are on come first, those that are off are requested as well.
    """
    if not chunk.cursor:
        return _sorted(chunk.rows), ""
    if not chunk.by_state or asked.status is not None:
        return _sorted(chunk.rows), min(map(_updated, chunk.rows), default="")
    off = _chunk(session, replace(asked, status="DISABLED"), None)
    rows_by_id = {_key(row): row for row in [*chunk.rows, *off.rows]}
    on = [_updated(row) for row in chunk.rows if row.get("status") == "ENABLED"]
    edges = [min(on)] if on and len(on) == len(chunk.rows) else []
    if off.cursor:
        edges.append(min(map(_updated, off.rows), default=""))
    return _sorted(list(rows_by_id.values())), max(edges, default="")


def _chunk(
    session: EngineSession, asked: Asked, cursor: str | None, keep: Callable[[Row], dict[str, Any]] = brief
) -> _Chunk:
    """As many flows as one answer holds. Flows with an owner come from an engine that lists those that are on first
    (engine-0.83.md 4).
    """
    while True:
        size = session.remember(_SIZE, _SIZE_FOR, lambda: AT_ONCE)
        try:
            answer = session.workflows.list_flows(
                limit=size,
                cursor=cursor,
                name=asked.name,
                status=asked.status,
                folder_id=asked.folder,
                connection_external_ids=asked.connection,
                version_state="LOCKED" if asked.live else None,
            )
        except TooLarge:
            if size <= _FEWEST:
                raise
            fewer = max(_FEWEST, size // 2)
            session.forget(_SIZE)
            session.remember(_SIZE, _SIZE_FOR, partial(int, fewer))
            continue
        sent = [row for row in answer.get("data") or [] if isinstance(row, dict)]
        return _Chunk(
            list({_key(row): row for row in map(keep, sent)}.values()),
            text_at(answer, "next"),
            any("ownerId" in row for row in sent),
        )


def _walk(
    session: EngineSession,
    asked: Asked,
    first: _Chunk,
    keep: Callable[[Row], dict[str, Any]] = brief,
) -> list[dict[str, Any]]:
    """All flows that the engine can be made to list, by its cursors and then by folders; forty calls at most."""
    rows_by_id = {_key(row): row for row in first.rows}
    left = _follow(session, asked, rows_by_id, first.cursor, _MOST_CALLS, keep)
    total = _count(session, asked)
    folders = [NO_FOLDER, *folder_names(session)] if asked.folder is None and total is not None else []
    for folder in folders:
        if left <= 0 or total is None or len(rows_by_id) >= total:
            break
        part = replace(asked, folder=folder)
        chunk = _chunk(session, part, None, keep)
        rows_by_id = {_key(row): row for row in chunk.rows} | rows_by_id
        left = _follow(session, part, rows_by_id, chunk.cursor, left - 1, keep)
    return list(rows_by_id.values())


def _follow(
    session: EngineSession,
    asked: Asked,
    rows_by_id: dict[str, dict[str, Any]],
    cursor: str,
    left: int,
    keep: Callable[[Row], dict[str, Any]],
) -> int:
    """Add the flows that the cursors lead to; return how many calls are left."""
    while cursor and left > 0:
        chunk = _chunk(session, asked, cursor, keep)
        for row in chunk.rows:
            rows_by_id.setdefault(_key(row), row)
        cursor = chunk.cursor
        left -= 1
    return left


def _count(session: EngineSession, asked: Asked) -> int | None:
    """The engine's own count, at most a minute old; None if it has none."""
    if not asked.countable:
        return None
    nothing = -1
    counted = session.remember_or(
        nothing, _count_name(asked), _COUNT_FOR, lambda: session.workflows.count_flows(asked.folder, asked.status)
    )
    return counted if counted >= 0 else None


def _gap(session: EngineSession, asked: Asked, listed: int) -> Text:
    total = _count(session, asked)
    if total is None:
        return _("The engine does not count these flows, so some may be missing here. Narrow the filters to be sure.")
    if total <= listed:
        return ""
    text = _(
        "The engine counts %(total)d flows, but gives only %(listed)d of them, however it is asked. Use the filters to find the others."
    )
    return text % {"total": total, "listed": listed}


def _size_note(session: EngineSession) -> Text:
    size = session.remember(_SIZE, _SIZE_FOR, lambda: AT_ONCE)
    if size >= AT_ONCE:
        return ""
    text = ngettext(
        "The flows here are so large that the engine is asked for %(n)d at a time.",
        "The flows here are so large that the engine is asked for %(n)d at a time.",
        size,
    )
    return text % {"n": size}


def _page_from(found: Sequence[Row], position: str, rows: int, notice: Text, total: int | None = None) -> Page:
    after = _after(found, position)
    page_rows = after[:rows]
    older = f"{_updated(page_rows[-1])}~{_key(page_rows[-1])}" if len(after) > rows else ""
    return Page(page_rows, older, notice=notice, total=total)


def _after(found: Sequence[Row], position: str) -> list[Row]:
    """The rows that come after a position. If its row is gone or was changed, those of the same moment come again."""
    if not position:
        return list(found)
    moment, _bar, last = position.partition("~")
    index = next((at for at, row in enumerate(found) if _key(row) == last and _updated(row) == moment), None)
    if index is not None:
        return list(found[index + 1 :])
    return [row for row in found if _updated(row) <= moment]


def _sorted(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Last changed first; those of one moment in the engine's order."""
    return sorted(rows, key=_updated, reverse=True)


def _updated(row: Row) -> str:
    return text_at(row, "updated")[:60]


def _key(row: Row) -> str:
    return str(row.get("id"))[:60]


def _walk_name(asked: Asked) -> str:
    return f"flows-walked:{asked!r}"


def _count_name(asked: Asked) -> str:
    return f"flows-counted:{asked.folder}:{asked.status}"
