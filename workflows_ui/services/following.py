"""Follows launches to the end of their runs: one poll per workspace, however many launches and however many people watch.

A run is found by its launch's marker, which comes back as `parentRunId` in the run list (recording `webhook_headers_parent_run`).
A refused credential or an engine that is down never ends a launch: it is asked about again later, ever more slowly.
What is seen is gathered first, without a database connection (Look); what it means is written afterwards (findings.py).
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.db.models import Q

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import AddressRefused, Client, CredentialRefused, EngineError, Forbidden, NotFound, Unavailable
from workflows_ui.engine.workflows import Workflows
from workflows_ui.models import Credential, Follow, Launch, State, Workspace
from workflows_ui.services import clients, clock, database, findings, runs

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: A poll that has not come back after this long is taken over by another worker.
LEASE = timedelta(seconds=30)
#: A poll asks for no more details after so many seconds; the rest is asked for by the next one.
BUDGET = 60.0
#: Launches looked at by one poll, ids in one call, runs in one page, pages in one search, single runs asked for in one poll.
LAUNCHES, IDS, PAGE, PAGES, SINGLES = 1000, 100, 100, 20, 50
#: The engine's clock may differ from ours by this much.
SKEW = timedelta(minutes=2)
#: A run that is not found by its marker for so long is also looked for by the header stored in its trigger.
HEADER_SEARCH_AFTER = timedelta(seconds=5)
#: The marker as a header of ours; the engine keeps the headers of the request with the run.
HEADER = "x-console-launch-id"


@dataclass
class Look:
    """What one poll saw, by launch id: runs as listed, runs with their steps, launches whose known run is gone. No secrets."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    #: Launches whose run was found by the marker in the list.
    by_marker: set[str] = field(default_factory=set)
    #: Launches whose ended run was asked for in vain: its result may be given up in the end. Those not asked for wait.
    unread: set[str] = field(default_factory=set)
    #: Whether every run of the searched time was seen: only then may "no trace" be concluded.
    complete: bool = True


@dataclass(frozen=True)
class Work:
    """One poll's work: the launches whose time has come, and the clients that may ask."""

    workspace: Workspace
    launches: list[Launch]
    clients: list[Client]
    offset: timedelta
    now: datetime


def due() -> list[int]:
    """Ids of the workspaces that have a launch to look at now, and that nobody is looking at."""
    now = clock.now()
    wanted = Launch.objects.filter(look_at__lte=now).values_list("workspace_id", flat=True).distinct()
    busy = set(
        Follow.objects.filter(Q(lease_until__gt=now) | Q(not_before__gt=now)).values_list("workspace_id", flat=True)
    )
    return [pk for pk in wanted if pk not in busy]


def poll(workspace_id: int) -> None:
    """Looks once at the open launches of a workspace and writes down what became of them. Safe to call any number of times."""
    with database.turn():
        work = _take(workspace_id)
    if work is None:
        return
    try:
        look = _look(work)
        with database.turn():
            _write(work, look)
    except EngineError as problem:
        log.warning("follow.failed", workspace=workspace_id, error=type(problem).__name__, status=problem.status)
        with database.turn():
            _failed(workspace_id, type(problem).__name__)
    except Exception as problem:
        # Whatever it was: the lease is given back, so that the workspace is looked at again, ever more slowly.
        with database.turn():
            _failed(workspace_id, type(problem).__name__)
        raise


def _write(work: Work, look: Look) -> None:
    now = clock.now()
    workspace_id = work.workspace.pk
    unchanged: dict[datetime, list[str]] = defaultdict(list)
    for launch in work.launches:
        try:
            again = findings.write(launch, look, now)
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as problem:
            # An engine may send what nobody thought of; one launch's oddness must not keep the others from their ends.
            log.exception("follow.odd_run", launch=launch.pk, error=type(problem).__name__)
            again = findings.next_look(launch, now)
        if again is not None:
            unchanged[again].append(launch.pk)
    for again, ids in unchanged.items():
        Launch.objects.filter(pk__in=ids, look_at__isnull=False).update(look_at=again)
    if look.by_marker:
        Workspace.objects.filter(pk=workspace_id, marker_seen_at__isnull=True).update(marker_seen_at=now)
    Follow.objects.filter(pk=workspace_id).update(lease_until=None, not_before=None, failures=0, trouble="")


def look_again(workspace: Workspace, run_id: str) -> None:
    """Has the launch that this run belongs to, if there is one, followed again from now on, although it may have ended: somebody
    set the run going again, or stopped it."""
    if run_id:
        Launch.objects.filter(workspace=workspace, run_id=run_id).update(look_at=clock.now())


def _take(workspace_id: int) -> Work | None:
    now = clock.now()
    Follow.objects.get_or_create(workspace_id=workspace_id)
    taken = Follow.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        Q(not_before__isnull=True) | Q(not_before__lte=now),
        pk=workspace_id,
    ).update(lease_until=now + LEASE)
    if not taken:
        return None
    waiting = list(
        Launch.objects.filter(workspace_id=workspace_id, look_at__lte=now)
        .select_related("workspace", "credential__workspace")
        .order_by("look_at")[:LAUNCHES]
    )
    if not waiting:
        Follow.objects.filter(pk=workspace_id).update(lease_until=None)
        return None
    usable = _clients(workspace_id, waiting)
    if not usable:
        _failed(workspace_id, "NoCredential")
        return None
    return Work(waiting[0].workspace, waiting, usable, timedelta(seconds=_offset(workspace_id, waiting)), now)


def _clients(workspace_id: int, waiting: Iterable[Launch]) -> list[Client]:
    """The credentials of the launches looked at, each once; then, where none of them is let in, others of the workspace."""
    found = {launch.credential_id: launch.credential for launch in waiting if launch.credential is not None}
    own = [credential.pk for credential in found.values()]
    others = Credential.objects.filter(workspace_id=workspace_id).exclude(pk__in=own).order_by("-created_at")
    usable = []
    for credential in [*found.values(), *others.select_related("workspace")[:5]]:
        try:
            usable.append(clients.of_credential(credential))
        except (CannotOpen, AddressRefused, ValueError) as problem:
            log.error("follow.cannot_use", credential=str(credential.pk), error=type(problem).__name__)
    return usable


def _offset(workspace_id: int, waiting: Iterable[Launch]) -> float:
    """The engine's clock minus ours in seconds: the newest one measured, since a call in the air has none yet."""
    measured = [launch.clock_offset for launch in waiting if launch.answered_at is not None]
    if measured:
        return measured[-1]
    known = Launch.objects.filter(workspace_id=workspace_id, answered_at__isnull=False).order_by("-asked_at").first()
    return known.clock_offset if known else 0.0


def _failed(workspace_id: int, trouble: str) -> None:
    now = clock.now()
    failures = (Follow.objects.values_list("failures", flat=True).filter(pk=workspace_id).first() or 0) + 1
    Follow.objects.filter(pk=workspace_id).update(
        lease_until=None,
        failures=failures,
        trouble=trouble[:40],
        not_before=now + timedelta(seconds=min(2 ** min(failures, 6), 60)),
    )


class _Asker:
    """Asks with the first credential that is let in; remembers which one it was, so that refused ones are tried once."""

    def __init__(self, usable: list[Client]) -> None:
        self._clients = usable

    def __call__(self, call: Callable[[Workflows], T]) -> T:
        while True:
            try:
                return call(self._clients[0].workflows)
            except (CredentialRefused, Forbidden):
                if len(self._clients) == 1:
                    raise
                self._clients = self._clients[1:]


def _look(work: Work) -> Look:
    """All the calls of one poll. Raises EngineError where the engine could not be asked."""
    look = Look()
    ask = _Asker(work.clients)
    until = time.monotonic() + BUDGET
    known = {launch.run_id: launch for launch in work.launches if launch.run_id}
    _look_at_known(ask, known, look, until)
    _search(ask, [launch for launch in work.launches if not launch.run_id], work.offset, look)
    if work.workspace.marker_seen_at is None and not look.by_marker:
        _search_headers(ask, work, look, until)
    for launch in work.launches:
        run = look.runs.get(launch.pk)
        if run is None or launch.pk in look.details or len(look.details) >= SINGLES or time.monotonic() > until:
            continue
        if runs.state(run) in {State.SUCCEEDED, State.FAILED}:
            try:
                look.details[launch.pk] = ask(lambda w, run=run: w.get_run(run["id"]))  # type: ignore[misc]
            except EngineError as problem:
                # The run's end is known; its result is asked for again by the next poll.
                look.unread.add(launch.pk)
                log.info("follow.details_failed", launch=launch.pk, error=type(problem).__name__)
    return look


def _look_at_known(ask: _Asker, known: dict[str, Launch], look: Look, until: float) -> None:
    ids = list(known)
    for start in range(0, len(ids), IDS):
        chunk = ids[start : start + IDS]
        page = ask(lambda w, chunk=chunk: w.list_runs(limit=len(chunk), flow_run_ids=chunk))  # type: ignore[misc]
        for run in _rows(page):
            launch = known.get(runs.text(run, "id"))
            if launch is not None:
                look.runs[launch.pk] = run
    # The list leaves out archived runs; one by one they are still found.
    missing = [(run_id, launch) for run_id, launch in known.items() if launch.pk not in look.runs]
    for run_id, launch in missing[:SINGLES]:
        if time.monotonic() > until:
            return
        try:
            run = ask(lambda w, run_id=run_id: w.get_run(run_id))  # type: ignore[misc]
        except NotFound:
            look.gone.add(launch.pk)
            continue
        except EngineError as problem:
            # One run that cannot be read must not keep the others from being followed.
            log.info("follow.run_failed", launch=launch.pk, error=type(problem).__name__)
            continue
        if runs.text(run, "id") == run_id:
            look.runs[launch.pk] = look.details[launch.pk] = run


def _search(ask: _Asker, lost: list[Launch], offset: timedelta, look: Look) -> None:
    """Finds the runs of launches that have none yet: the list of their flows since the first was sent, by the marker."""
    sent = [launch.sending_at for launch in lost if launch.sending_at is not None]
    if not sent:
        return
    wanted = {launch.pk: launch for launch in lost}
    flow_ids = sorted({launch.flow_id for launch in lost})
    for start in range(0, len(flow_ids), IDS):
        for run in _listed(ask, flow_ids[start : start + IDS], _since(min(sent), offset), look):
            launch = wanted.get(runs.text(run, "parentRunId"))
            # Oldest wins: a retry on the newest version may carry its parent's marker along.
            if launch is not None and run.get("flowId") == launch.flow_id:
                look.runs[launch.pk] = run
                look.by_marker.add(launch.pk)


def _since(sent: datetime, offset: timedelta) -> datetime:
    """The earliest time that a run of a launch sent then may bear. `Date` may be a gateway's clock and not the engine's: a clock
    ahead of ours never makes the search shorter, since what is outside of it would be told to have left no trace."""
    return sent + min(offset, timedelta(0)) - SKEW


def _listed(ask: _Asker, flow_ids: list[str], after: datetime, look: Look) -> Iterable[dict[str, Any]]:
    """The runs of these flows since then, newest first. Pages overlap by an inclusive `createdBefore`, since the engine's own
    cursors lose rows of the boundary second (api.md 4.1)."""
    seen: set[str] = set()
    before: str | None = None
    for _ in range(PAGES):
        answer = ask(
            lambda w, before=before: w.list_runs(  # type: ignore[misc]
                limit=PAGE, flow_id=flow_ids, created_after=_iso(after), created_before=before
            )
        )
        page = _rows(answer)
        fresh = [run for run in page if isinstance(run.get("id"), str) and run["id"] not in seen]
        seen.update(run["id"] for run in fresh)
        yield from fresh
        # An engine may give less than was asked for and have more.
        if len(page) < PAGE and not answer.get("next"):
            return
        before = runs.text(page[-1], "created") if page else ""
        if not fresh or not before:
            break
    look.complete = False


def _search_headers(ask: _Asker, work: Work, look: Look, until: float) -> None:
    """Where the marker has never come back (a gateway may drop it): reads the request's headers in the runs of the time."""
    old_enough = work.now - HEADER_SEARCH_AFTER
    lost = {
        launch.pk: launch
        for launch in work.launches
        if not launch.run_id and launch.pk not in look.runs and launch.sending_at and launch.sending_at < old_enough
    }
    if not lost:
        return
    after = _since(min(launch.sending_at for launch in lost.values() if launch.sending_at), work.offset)
    flow_ids = sorted({launch.flow_id for launch in lost.values()})[:IDS]
    # The headers are not there while a run is under way (recording `run_get_RUNNING`).
    candidates = [
        run for run in _listed(ask, flow_ids, after, look) if runs.text(run, "status") not in {"QUEUED", "RUNNING"}
    ]
    for run in candidates[:SINGLES]:
        if time.monotonic() > until or not lost:
            return
        try:
            whole = ask(lambda w, run=run: w.get_run(run["id"]))  # type: ignore[misc]
        except EngineError as problem:
            log.info("follow.run_failed", run=str(run["id"])[:64], error=type(problem).__name__)
            continue
        launch = lost.pop(runs.trigger_header(whole, HEADER), None)
        if launch is not None and whole.get("flowId") == launch.flow_id:
            look.runs[launch.pk] = look.details[launch.pk] = whole


def _rows(page: Any) -> list[dict[str, Any]]:
    """The rows of a list answer. Raises Unavailable where it is not one."""
    rows = page.get("data") if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise Unavailable("the run list is not a page", status=None, code="", request_id="", sent=True)
    return [row for row in rows if isinstance(row, dict)]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
