"""Reading of the names, states and uses of flows, connections, tables, folders and MCP servers into the index.

The reader of the runs does it, within a budget of calls for each turn: each kind page by page, then, once, the live version of each flow
that has a newer draft. After a reading the kind waits a minute for each call that it took, so that the engine
gets about one call a minute for each kind, however large the workspace is. A killed reader continues where it was.

The engine's cursors lose rows (engine-0.83.md section 4). An object that a reading of several pages has not found is therefore read by
its id, and flows by folder if the engine counts more than it listed.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeVar

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from workflows_ui.core import clock, database
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.engine import EngineError, Forbidden, NotFound, NotInPlan, TooLarge, Unavailable, Workflows
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.run_index.models import IndexedKind, IndexedObject, ObjectUse, RunIndex
from workflows_ui.run_index.services.object_rows import (
    APPS,
    CONNECTIONS,
    FLOWS,
    FOLDERS,
    KINDS,
    SERVERS,
    TABLES,
    Use,
    from_engine,
    uses_of,
    uses_of_flow,
)

log = structlog.get_logger(__name__)

#: Calls of one turn, and seconds after which none is begun.
CALLS, SECONDS = 20, 2.0
#: The pause after a reading for each of its calls; after an error; and after the engine said that it does not have or give this kind.
EVERY, PAUSE, ABSENT = timedelta(minutes=1), timedelta(minutes=1), timedelta(hours=1)
#: A reading that began longer ago than this is begun again.
LONGEST = timedelta(hours=1)
#: An object that the engine lists in several pages, and does not give by its id, is gone if it was not listed for this long.
UNSEEN = timedelta(days=1)
#: Flows in a page if larger ones exceed the size of an answer, and objects that are asked for by their ids in one reading.
_FEWEST, _CHECKED = 5, 200
#: The engine's folder id for "in no folder" (api.md 6.4).
_NO_FOLDER = "NULL"
#: Which kinds an action on a resource changes, and the calls of a reading that is done again at once.
_CHANGED_BY: Mapping[str, Sequence[str]] = {
    FLOWS: (FLOWS,),
    CONNECTIONS: (CONNECTIONS, FLOWS),
    TABLES: (TABLES,),
    FOLDERS: (FOLDERS, FLOWS),
    SERVERS: (SERVERS,),
    APPS: (CONNECTIONS, SERVERS),
}
_FEW = 3
_CHANGING = ("name", "plain_name", "state", "external_id", "folder_id", "piece", "data", "seen_at", "gone_at")


class _Spent(Exception):
    """The turn's budget is spent."""


Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


@dataclass
class _Turn:
    """What is left of a turn. `renew` extends the reader's lease and raises its error if it was lost."""

    workflows: Workflows
    renew: Callable[[], object]
    until: float
    calls: int

    def call(
        self,
        row: IndexedKind,
        function: Callable[Concatenate[Workflows, Arguments], Answer],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Answer:
        """The engine's answer. Raises EngineError, _Spent."""
        if self.calls <= 0 or time.monotonic() > self.until:
            raise _Spent
        self.calls -= 1
        row.left["calls"] = row.left.get("calls", 0) + 1
        answer = function(self.workflows, *args, **kwargs)
        self.renew()
        return answer


def read(index: RunIndex, workflows: Workflows, renew: Callable[[], object]) -> None:
    """Read what is due for one turn. Errors of the engine are kept with the kind, and never end the reading of runs."""
    turn = _Turn(workflows, renew, time.monotonic() + SECONDS, CALLS)
    for row in _due(index):
        try:
            _read_kind(turn, index, row)
        except _Spent:
            _save(row)
            return
        except (Forbidden, NotFound, NotInPlan) as problem:
            # This credential may not read it, or the engine lacks it: objects that were read before are not shown any longer.
            _save(row, trouble=type(problem).__name__, read_at=None, started_at=None, due_at=clock.now() + ABSENT)
        except EngineError as problem:
            log.warning("run_index.objects_failed", workspace=index.pk, kind=row.kind, error=type(problem).__name__)
            _save(row, trouble=type(problem).__name__, due_at=clock.now() + PAUSE)
            return


def pending(index: RunIndex) -> bool:
    """Whether a reading is in progress, or an object was changed: the next turn need not wait."""
    now = clock.now()
    unfinished = Q(started_at__isnull=False) | Q(read_at__isnull=True) | Q(changed_at__isnull=False)
    return IndexedKind.objects.filter(unfinished, index=index, due_at__lte=now).exists()


def note_change(workspace_id: int, resource: str) -> None:
    """Note that the console has changed objects of a resource. Their uses are not trusted until they were read again: at once, if a few
    calls do."""
    now = clock.now()
    rows = IndexedKind.objects.filter(index=workspace_id, kind__in=_CHANGED_BY.get(resource, ()))
    if rows.update(changed_at=now) and rows.filter(left__calls__lte=_FEW).update(due_at=now):
        RunIndex.objects.filter(pk=workspace_id, failures=0, due_at__gt=now).update(due_at=now)


def _due(index: RunIndex) -> list[IndexedKind]:
    now = clock.now()
    with database.turn():
        known = {row.kind: row for row in IndexedKind.objects.filter(index=index)}
        missing = [IndexedKind(index=index, kind=kind, due_at=now) for kind in KINDS if kind not in known]
        known |= {row.kind: row for row in IndexedKind.objects.bulk_create(missing)}
    return [known[kind] for kind in KINDS if known[kind].due_at <= now]


def _save(row: IndexedKind, **values: object) -> None:
    values = {"left": row.left, "started_at": row.started_at} | values
    with database.turn():
        IndexedKind.objects.filter(pk=row.pk).update(**values)


def _read_kind(turn: _Turn, index: RunIndex, row: IndexedKind) -> None:
    now = clock.now()
    other_right = row.credential_id != index.credential_id
    if other_right or row.started_at is None or now - row.started_at > LONGEST:
        _begin(index, row, restart=other_right or row.read_at is None)
    left = row.left
    while left["pages"]:
        _read_page(turn, row)
    if row.kind == FLOWS and left["answers"] > 1 and not left["by_folder"]:
        _find_folders(turn, row)
        while left["pages"]:
            _read_page(turn, row)
    while left["live"]:
        flow_id, version_id = left["live"][0]
        _read_live(turn, row, flow_id, version_id)
        left["live"].pop(0)
    if left["unseen"] is None:
        left["unseen"] = _unseen(row)
    while left["unseen"]:
        _check(turn, row, left["unseen"][0])
        left["unseen"].pop(0)
    _finish(row)


def _begin(index: RunIndex, row: IndexedKind, *, restart: bool) -> None:
    """Begin a reading; `restart`: the present objects were read with another credential, or are not shown."""
    row.started_at = clock.now()
    size = row.left.get("size", KINDS[row.kind].size)
    row.left = {
        "pages": [[None, ""]],
        "live": [],
        "unseen": None,
        "answers": 0,
        "calls": 0,
        "by_folder": False,
        "size": size,
        "counted": None,
    }
    if restart:
        row.credential_id, row.read_at = index.credential_id, None
        with database.turn():
            _objects(row).delete()
    _save(row, credential_id=row.credential_id, read_at=row.read_at)


def _read_page(turn: _Turn, row: IndexedKind) -> None:
    left, kind = row.left, KINDS[row.kind]
    folder, cursor = left["pages"][0]
    try:
        answer = turn.call(row, kind.load, left["size"], cursor or None, folder)
    except TooLarge:
        if left["size"] <= _FEWEST:
            raise
        left["size"] = max(_FEWEST, left["size"] // 2)
        return
    found = dicts_at(answer, "data")
    following = text_at(answer, "next")
    if following != database.storable(following):
        raise Unavailable("The database cannot store the engine's cursor.", code="CURSOR")
    # A cursor without rows, or the same again, would never end.
    has_more = bool(following) and bool(found) and following != cursor
    left["pages"][:1] = [[folder, following]] if has_more else []
    left["answers"] += 1
    _write(row, found)


def _find_folders(turn: _Turn, row: IndexedKind) -> None:
    """Let the flows be read folder by folder, if the engine counts more than it listed."""
    left = row.left
    left["counted"] = turn.call(row, Workflows.count_flows)
    left["by_folder"] = True
    with database.turn():
        if left["counted"] > _seen(row).count():
            folders = _objects(row, FOLDERS).filter(gone_at__isnull=True).values_list("object_id", flat=True)
            left["pages"] = [[folder, ""] for folder in (_NO_FOLDER, *folders)]


def _read_live(turn: _Turn, row: IndexedKind, flow_id: str, version_id: str) -> None:
    """Read the uses of a flow's live version, which is not its newest one."""
    try:
        flow = turn.call(row, Workflows.get_flow, flow_id, version_id)
    except NotFound:
        return
    wanted = uses_of_flow(flow, live=True)
    with database.turn(), transaction.atomic():
        user = _objects(row).filter(object_id=flow_id).first()
        if user is not None:
            draft = [use for use in stored_uses([user]).get(user.pk, ()) if not use.live]
            _replace_uses(user.pk, [*draft, *wanted])
            _objects(row).filter(pk=user.pk).update(live_version=version_id)


def _unseen(row: IndexedKind) -> list[str]:
    """Mark missing objects as gone; or return the ids of those to read, since a list of several pages may have lost them."""
    with database.turn():
        missing = _objects(row).filter(seen_at__lt=row.started_at, gone_at__isnull=True)
        if row.left["answers"] == 1:
            missing.update(gone_at=clock.now())
        elif KINDS[row.kind].get is None:
            missing.filter(seen_at__lt=clock.now() - UNSEEN).update(gone_at=clock.now())
        else:
            return list(missing.order_by("seen_at").values_list("object_id", flat=True)[:_CHECKED])
    return []


def _check(turn: _Turn, row: IndexedKind, object_id: str) -> None:
    """Read an object that was not listed."""
    get = KINDS[row.kind].get
    try:
        found = turn.call(row, get, object_id) if get else {}
    except NotFound:
        with database.turn():
            _objects(row).filter(object_id=object_id).update(gone_at=clock.now())
    else:
        _write(row, [found])


def _finish(row: IndexedKind) -> None:
    left = row.left
    with database.turn():
        counted, listed = left["counted"], _seen(row).count()
        complete = left["answers"] == 1 or (counted is not None and counted <= listed)
        # A kind that was changed since the beginning is read once more.
        IndexedKind.objects.filter(pk=row.pk).exclude(changed_at__gte=row.started_at).update(
            changed_at=None, due_at=clock.now() + EVERY * max(1, left["calls"])
        )
        IndexedKind.objects.filter(pk=row.pk).update(
            read_at=row.started_at,
            started_at=None,
            left={"size": left["size"], "calls": left["calls"]},
            complete=complete,
            trouble="",
        )


def _objects(row: IndexedKind, kind: str = "") -> QuerySet[IndexedObject]:
    return IndexedObject.objects.filter(index=row.index_id, kind=kind or row.kind)


def _seen(row: IndexedKind) -> QuerySet[IndexedObject]:
    return _objects(row).filter(seen_at__gte=row.started_at)


def _write(row: IndexedKind, found: Iterable[Mapping[str, object]]) -> None:
    """Write a page: its objects, each once, their uses, and the rest that is left to read."""
    assert row.started_at is not None  # noqa: S101
    rows: dict[str, tuple[IndexedObject, Mapping[str, object]]] = {}
    for item in found:
        if made := from_engine(row.index_id, row.kind, item, row.started_at):
            rows[made.object_id] = made, item
    with database.turn(), transaction.atomic():
        IndexedObject.objects.bulk_create(
            [made for _id, (made, _item) in sorted(rows.items())],
            batch_size=200,
            update_conflicts=True,
            unique_fields=["index", "kind", "object_id"],
            update_fields=_CHANGING,
        )
        stored = list(_objects(row).filter(object_id__in=rows).only("pk", "object_id", "live_version"))
        known = stored_uses(stored)
        for user in stored:
            item = rows[user.object_id][1]
            wanted, live = uses_of(row.kind, item), _other_live_version(row.kind, item)
            if live:
                wanted += [use for use in known.get(user.pk, ()) if use.live]
                if user.live_version != live:
                    row.left["live"].append([user.object_id, live])
            if set(wanted) != set(known.get(user.pk, ())):
                _replace_uses(user.pk, wanted)
        IndexedKind.objects.filter(pk=row.pk).update(left=row.left)


def _other_live_version(kind: str, row: Mapping[str, object]) -> str:
    """The id of a flow's live version, if it is not its newest one."""
    flow = Flow(row)
    found = kind == FLOWS and flow.has_draft and flow.version and len(flow.published_version_id) <= 64
    return flow.published_version_id if found else ""


def stored_uses(users: Sequence[IndexedObject] | QuerySet[IndexedObject]) -> dict[int, list[Use]]:
    """The uses of these flows and servers, by their keys."""
    found: dict[int, list[Use]] = {}
    rows = ObjectUse.objects.filter(user__in=users).order_by("pk")
    for pk, *use in rows.values_list("user_id", *Use._fields):
        found.setdefault(pk, []).append(Use(*use))
    return found


def _replace_uses(user_id: int, wanted: Sequence[Use]) -> None:
    ObjectUse.objects.filter(user=user_id).delete()
    rows = [ObjectUse(user_id=user_id, **use._asdict()) for use in dict.fromkeys(wanted)]
    ObjectUse.objects.bulk_create(rows, batch_size=500)
