"""The engine's list of flows read without losing any: its cursors do lose rows (api.md 4.1), so they lead through our pages nowhere.

The engine sorts by `updated` but cuts by `created` in whole seconds: whatever follows its first page may repeat and miss flows. The
first hundred are right. Beyond them all pages are walked, then each folder by itself where flows are still missing, and what was found
is remembered for a minute; a position in the list is the last row's own time and id, which no change elsewhere can shift.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.engine import TooLarge, flow_tree
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Page, Row, Text, pick
from workflows_ui.resources.flow_reading import folder_names, table_of

#: What the engine calls "in no folder" (api.md 6.4).
NO_FOLDER = "NULL"
#: Flows a call. Trees can be so large that an answer passes the limit of what is read: then fewer are asked for.
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
class Asked:
    """The filters, as the engine has them; None for any. `live`: each flow as the version that runs, not as the newest one; only
    where all of them are published."""

    name: str | None = None
    status: str | None = None
    folder: str | None = None
    connection: str | None = None
    live: bool = False

    @property
    def countable(self) -> bool:
        """Whether the engine counts such flows: by folder and state only (api.md 6.4)."""
        return self.name is None and self.connection is None


def page(caller: Caller, asked: Asked, position: str, rows: int) -> Page:
    """A page of flows, last changed first, as `brief` has them. One call while the page lies within the first hundred.

    Raises EngineError.
    """
    first, cursor = _chunk(caller, asked, None)
    found = _sorted(first)
    if not cursor:
        return _cut(found, position, rows, _size_told(caller), len(found))
    edge = _updated(found[-1]) if found else ""
    # Of the rows that share the time of the last one, some may be missing here.
    settled = [row for row in found if _updated(row) > edge]
    if len(_after(settled, position)) > rows:
        return _cut(settled, position, rows, _size_told(caller))
    walked = caller.remember(_walk_name(asked), _WALK_FOR, lambda: _walk(caller, asked, first, cursor))
    known = {_key(row) for row in first}
    rest = [row for row in walked if _updated(row) <= edge and _key(row) not in known]
    whole = _sorted([*first, *rest])
    gap = _gap(caller, asked, len(whole))
    return replace(_cut(whole, position, rows, _size_told(caller), None if gap else len(whole)), warning=gap)


def everything(caller: Caller) -> tuple[list[dict[str, Any]], bool]:
    """All flows as they are now, and whether the engine counts no more than these. Raises EngineError."""
    asked = Asked()
    first, cursor = _chunk(caller, asked, None)
    if not cursor:
        return first, True
    found = _walk(caller, asked, first, cursor)
    return found, len(found) >= caller.workflows.count_flows()


def whole(caller: Caller, asked: Asked, keep: Callable[[Row], dict[str, Any]]) -> tuple[list[dict[str, Any]], Text]:
    """All such flows as they are now, each as `keep` makes it of what the engine sends (with `id`), and what is to be said where the
    engine counts more. One call for each hundred. Raises EngineError."""
    first, cursor = _chunk(caller, asked, None, keep)
    if not cursor:
        return first, ""
    found = _walk(caller, asked, first, cursor, keep)
    return found, _gap(caller, asked, len(found))


def count(caller: Caller, asked: Asked) -> int | None:
    """How many flows there are now; None where the engine does not count such (by name or connection). Raises EngineError."""
    return caller.workflows.count_flows(asked.folder, asked.status) if asked.countable else None


def forget(caller: Caller) -> None:
    """Flows were made or deleted: the bare list is walked anew."""
    caller.forget(_walk_name(Asked()), _count_name(Asked()))


def brief(row: Row) -> dict[str, Any]:
    """What a list needs of a flow: without its steps, whose apps are told as `pieces` (whole names, in order) and their `tables`."""
    kept = {key: row[key] for key in _KEPT if key in row}
    version = row.get("version")
    if not isinstance(version, Mapping):
        return kept | {"pieces": []}
    trigger = version.get("trigger")
    steps = [node.step for node in flow_tree.walk(trigger)]
    head = {key: version[key] for key in _KEPT_OF_VERSION if key in version}
    if isinstance(trigger, Mapping):
        head["trigger"] = {key: value for key, value in trigger.items() if key != "nextAction"}
    names = (pick(step, "settings.pieceName") for step in steps)
    pieces = dict.fromkeys(one for one in names if isinstance(one, str) and one)
    tables = dict.fromkeys(filter(None, map(table_of, steps)))
    return kept | {"version": head, "pieces": list(pieces), "tables": list(tables)}


def _chunk(
    caller: Caller, asked: Asked, cursor: str | None, keep: Callable[[Row], dict[str, Any]] = brief
) -> tuple[list[dict[str, Any]], str]:
    """As many flows as one answer holds, each once, and the cursor of what follows ("" for none)."""
    while True:
        size = caller.remember(_SIZE, _SIZE_FOR, lambda: AT_ONCE)
        try:
            found = caller.workflows.list_flows(
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
            caller.forget(_SIZE)
            caller.remember(_SIZE, _SIZE_FOR, partial(int, fewer))
            continue
        listed = [keep(row) for row in found.get("data") or [] if isinstance(row, dict)]
        following = found.get("next")
        return list({_key(row): row for row in listed}.values()), following if isinstance(following, str) else ""


def _walk(
    caller: Caller,
    asked: Asked,
    first: Sequence[dict[str, Any]],
    cursor: str,
    keep: Callable[[Row], dict[str, Any]] = brief,
) -> list[dict[str, Any]]:
    """Everything that the engine can be brought to tell, by its cursors and then by folders; forty calls at most."""
    found = {_key(row): row for row in first}
    left = _follow(caller, asked, found, cursor, _MOST_CALLS, keep)
    total = _count(caller, asked)
    places = [NO_FOLDER, *folder_names(caller)] if asked.folder is None and total is not None else []
    for place in places:
        if left <= 0 or total is None or len(found) >= total:
            break
        part = replace(asked, folder=place)
        rows, cursor = _chunk(caller, part, None, keep)
        found = {_key(row): row for row in rows} | found
        left = _follow(caller, part, found, cursor, left - 1, keep)
    return list(found.values())


def _follow(
    caller: Caller,
    asked: Asked,
    found: dict[str, dict[str, Any]],
    cursor: str,
    left: int,
    keep: Callable[[Row], dict[str, Any]],
) -> int:
    """Adds what the cursors lead to; gives how many calls are left."""
    while cursor and left > 0:
        rows, cursor = _chunk(caller, asked, cursor, keep)
        for row in rows:
            found.setdefault(_key(row), row)
        left -= 1
    return left


def _count(caller: Caller, asked: Asked) -> int | None:
    """How many flows the engine counts, at most a minute old; None where it does not."""
    if not asked.countable:
        return None
    nothing = -1
    counted = caller.remember_or(
        nothing, _count_name(asked), _COUNT_FOR, lambda: caller.workflows.count_flows(asked.folder, asked.status)
    )
    return counted if counted >= 0 else None


def _gap(caller: Caller, asked: Asked, listed: int) -> Text:
    total = _count(caller, asked)
    if total is None:
        return _("The engine does not count these flows, so some may be missing here. Narrow the filters to be sure.")
    if total <= listed:
        return ""
    text = _(
        "The engine counts %(total)d flows, but gives only %(listed)d of them, however it is asked. Use the filters to find the others."
    )
    return text % {"total": total, "listed": listed}


def _size_told(caller: Caller) -> Text:
    size = caller.remember(_SIZE, _SIZE_FOR, lambda: AT_ONCE)
    if size >= AT_ONCE:
        return ""
    text = ngettext(
        "The flows here are so large that the engine is asked for %(n)d at a time.",
        "The flows here are so large that the engine is asked for %(n)d at a time.",
        size,
    )
    return text % {"n": size}


def _cut(found: Sequence[Row], position: str, rows: int, notice: Text, total: int | None = None) -> Page:
    after = _after(found, position)
    shown = after[:rows]
    older = f"{_updated(shown[-1])}~{_key(shown[-1])}" if len(after) > rows else ""
    return Page(shown, older, notice=notice, total=total)


def _after(found: Sequence[Row], position: str) -> list[Row]:
    """The rows that come after a position. Where the row that it names is gone or was changed, those of the same moment come again."""
    if not position:
        return list(found)
    moment, _bar, last = position.partition("~")
    place = next((at for at, row in enumerate(found) if _key(row) == last and _updated(row) == moment), None)
    if place is not None:
        return list(found[place + 1 :])
    return [row for row in found if _updated(row) <= moment]


def _sorted(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Last changed first; those of one moment in the engine's order."""
    return sorted(rows, key=_updated, reverse=True)


def _updated(row: Row) -> str:
    found = row.get("updated")
    return found[:60] if isinstance(found, str) else ""


def _key(row: Row) -> str:
    return str(row.get("id"))[:60]


def _walk_name(asked: Asked) -> str:
    return f"flows-walked:{asked!r}"


def _count_name(asked: Asked) -> str:
    return f"flows-counted:{asked.folder}:{asked.status}"
