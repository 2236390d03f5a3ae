"""Polling of launches to the end of their runs: one poll per workspace, regardless of the number of launches and viewers.

A run is found by its launch's marker, which comes back as `parentRunId` in the run list (recording `webhook_headers_parent_run`).
A refused credential or an unavailable engine never ends a launch: it is polled again with a growing interval.
A PollSnapshot is collected first, without a database connection, and applied afterwards (run_results.py).
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db.models import Q

from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff, not_paused
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import clients
from workflows_ui.engine import Client, EngineError, Workflows, errors as engine
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import Follow, Launch, Reason, State
from workflows_ui.launches.services import run_results, run_search, runs
from workflows_ui.launches.services.run_search import EngineCaller, Work
from workflows_ui.launches.services.runs import PollSnapshot
from workflows_ui.members.models import Workspace

log = structlog.get_logger(__name__)

#: A poll that has not finished after this time is taken over by another worker.
LEASE = timedelta(seconds=30)
#: Pause after a failed poll, doubled with each failure up to a minute.
PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=1)
#: Seconds after which a poll makes no more requests for single runs; the next poll continues.
BUDGET = 60.0
#: Bytes of the largest run that is read for its result; parsed, it takes up to twenty times as much memory.
LARGEST_RUN = 8 * 1024 * 1024
#: Launches in one poll.
LAUNCHES = 1000
#: A run appears within a second of its launch (recording `webhook_headers_parent_run`). An engine that owes one for longer than
#: this makes none at present: its workers are down or behind. The second value limits how far back that counts.
OWED, OWED_AT_MOST = timedelta(seconds=30), timedelta(days=1)


def due() -> list[int]:
    """Ids of the workspaces that have a launch to poll now, and no poll in progress."""
    now = clock.now()
    wanted = Launch.objects.filter(poll_at__lte=now).values_list("workspace_id", flat=True).distinct()
    busy = Follow.objects.exclude(Follow.lease.free(now), not_paused(now))
    return sorted(set(wanted) - set(busy.values_list("workspace_id", flat=True)))


def poll(workspace_id: int) -> None:
    """Poll the followed launches of a workspace once and save the results. Safe to call any number of times."""
    with database.turn():
        work = _claim(workspace_id)
    if work is None:
        return
    try:
        snapshot = _take_snapshot(work)
        with database.turn():
            _apply(work, snapshot)
    except Exception as problem:
        # Release the lease after any error, so that the workspace is polled again, with a growing interval.
        with database.turn():
            _finish_failed(work.follow, type(problem).__name__)
        if not isinstance(problem, EngineError):
            raise
        log.warning("follow.failed", workspace=workspace_id, error=type(problem).__name__, status=problem.status)


def _apply(work: Work, snapshot: PollSnapshot) -> None:
    now = clock.now()
    workspace_id = work.workspace.pk
    unchanged: dict[datetime, list[str]] = defaultdict(list)
    for launch in work.launches:
        try:
            next_poll = run_results.apply_snapshot(launch, snapshot, now)
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as problem:
            # An engine may send unexpected data; one odd run must not block the other launches.
            log.exception("follow.odd_run", launch=launch.pk, error=type(problem).__name__)
            next_poll = run_results.next_poll(launch, now)
        if next_poll is not None:
            unchanged[next_poll].append(launch.pk)
    for next_poll, ids in unchanged.items():
        Launch.objects.filter(pk__in=ids, poll_at__isnull=False).update(poll_at=next_poll)
    if snapshot.unmarked:
        Workspace.objects.filter(pk=workspace_id).update(marker_seen_at=None)
    elif snapshot.by_marker:
        _marker_seen(workspace_id, now)
    if snapshot.problems:
        # Something was read: no growing interval.
        trouble = type(snapshot.problems[0]).__name__[:40]
        Follow.lease.finish(work.follow, not_before=clock.now() + PAUSE, failures=0, trouble=trouble)
        return
    Follow.lease.finish(work.follow, not_before=None, failures=0, trouble="")


def _marker_seen(workspace_id: int, now: datetime) -> None:
    """Record that the engine returns the marker. The first time, search for unclear launches again: it can now be proved that they
    have no run."""
    if not Workspace.objects.filter(pk=workspace_id, marker_seen_at__isnull=True).update(marker_seen_at=now):
        return
    Launch.objects.filter(
        workspace_id=workspace_id,
        state=State.UNKNOWN,
        reason__in=[Reason.CUT_OFF, Reason.ODD_ANSWER, Reason.WORKER_LOST],
        run_id="",
        claim_until__isnull=True,
        sending_at__gt=now - run_results.REMEMBERED,
    ).update(misses=0, poll_at=now)


def follow_again(workspace: Workspace, run_id: str) -> None:
    """Follow the launch of this run again, if there is one, even if it has ended: the run was retried or cancelled."""
    if run_id:
        Launch.objects.filter(workspace=workspace, run_id=run_id).update(poll_at=clock.now())


def _claim(workspace_id: int) -> Work | None:
    now = clock.now()
    Follow.objects.get_or_create(workspace_id=workspace_id)
    follow = Follow.lease.claim(Follow.objects.filter(not_paused(now)), workspace_id, LEASE, now)
    if follow is None:
        return None
    waiting = list(
        Launch.objects.filter(workspace_id=workspace_id, poll_at__lte=now)
        .select_related("workspace", "credential__workspace")
        .order_by("poll_at")[:LAUNCHES]
    )
    if not waiting:
        Follow.lease.release(follow)
        return None
    usable = _clients(workspace_id, waiting)
    if not usable:
        _finish_failed(follow, "NoCredential")
        return None
    offset = timedelta(seconds=_offset(workspace_id, waiting))
    owed = any(run_results.concludes(launch, now) for launch in waiting) and _runs_owed(workspace_id, now)
    until = time.monotonic() + BUDGET
    call_engine = EngineCaller(usable)
    return Work(follow, waiting[0].workspace, waiting, call_engine, offset, now, until, owed, PollSnapshot(now))


def _clients(workspace_id: int, waiting: Iterable[Launch]) -> list[Client]:
    """Clients for the credentials of the polled launches, then for up to five others of the workspace as a fallback."""
    credentials = {launch.credential_id: launch.credential for launch in waiting if launch.credential is not None}
    own = [credential.pk for credential in credentials.values()]
    others = Credential.objects.filter(workspace_id=workspace_id).exclude(pk__in=own).order_by("-created_at")
    usable = []
    for credential in [*credentials.values(), *others.select_related("workspace")[:5]]:
        try:
            usable.append(clients.client_for_credential(credential, largest_answer=LARGEST_RUN))
        except (CannotOpen, engine.AddressRefused, ValueError) as problem:
            log.error("follow.cannot_use", credential=str(credential.pk), error=type(problem).__name__)
    return usable


def _offset(workspace_id: int, waiting: Iterable[Launch]) -> float:
    """The engine's clock minus the console's in seconds: the latest measured, since a call in progress has none yet."""
    measured = [launch.clock_offset for launch in waiting if launch.answered_at is not None]
    if measured:
        return measured[-1]
    known = Launch.objects.filter(workspace_id=workspace_id, answered_at__isnull=False).order_by("-asked_at").first()
    return known.clock_offset if known else 0.0


def _finish_failed(follow: Follow, trouble: str) -> None:
    failures = follow.failures + 1
    next_poll = clock.now() + backoff(PAUSE, failures, LONGEST_PAUSE)
    Follow.lease.finish(follow, failures=failures, trouble=trouble[:40], not_before=next_poll)


def _take_snapshot(work: Work) -> PollSnapshot:
    """Make all requests of one poll. Raises EngineError if nothing could be read."""
    snapshot = work.snapshot
    _read_known_runs(work)
    run_search.search(work)
    if snapshot.problems and not snapshot.pages and not snapshot.runs:
        raise snapshot.problems[0]
    _find_unprovable(work)
    for pk, run in snapshot.runs.items():
        if len(snapshot.details) >= run_search.SINGLES or time.monotonic() > work.until:
            break
        if pk not in snapshot.details and runs.state(run) in {State.SUCCEEDED, State.FAILED}:
            try:
                snapshot.details[pk] = Run(work.call_engine(Workflows.get_run, run.id))
            except EngineError as problem:
                # The run's end is known; the next poll requests its result again.
                snapshot.unread.add(pk)
                log.info("follow.details_failed", launch=pk, error=type(problem).__name__)
    return snapshot


def _read_known_runs(work: Work) -> None:
    snapshot = work.snapshot
    known = {launch.run_id: launch for launch in work.launches if launch.run_id}
    if known:
        for run in _list_known_runs(work, list(known)):
            launch = known.get(run.id)
            if launch is not None:
                snapshot.runs[launch.pk] = run
    # A run missing in the list may still be readable by its id.
    missing = [(run_id, launch) for run_id, launch in known.items() if launch.pk not in snapshot.runs]
    for run_id, launch in missing[: run_search.SINGLES]:
        if time.monotonic() > work.until:
            return
        try:
            run = Run(work.call_engine(Workflows.get_run, run_id))
        except engine.NotFound:
            snapshot.gone.add(launch.pk)
            continue
        except EngineError as problem:
            log.info("follow.run_failed", launch=launch.pk, error=type(problem).__name__)
            if snapshot.problems:
                snapshot.problems.append(problem)
                return  # neither the list nor a single run can be read
            # One run that cannot be read must not keep the others from being followed.
            continue
        if run.id == run_id:
            snapshot.runs[launch.pk] = snapshot.details[launch.pk] = run


def _runs_owed(workspace_id: int, now: datetime) -> bool:
    """Whether the engine accepted a launch some time ago and shows no run for it or for any later launch.

    Other launches may then be in its queue too. Reads the database.
    """
    sent = Launch.objects.filter(workspace_id=workspace_id, sending_at__gt=now - OWED_AT_MOST)
    promised = Q(state=State.ACCEPTED) | Q(state=State.UNKNOWN, reason=Reason.NO_RUN)
    owed = sent.filter(promised, run_id="", sending_at__lt=now - OWED).order_by("-sending_at").first()
    return owed is not None and not sent.filter(sending_at__gt=owed.sending_at).exclude(run_id="").exists()


def _find_unprovable(work: Work) -> None:
    """Record in the snapshot which missing launches, about to be given up, no complete list proves anything about.

    The runs of a deleted flow are deleted with it, and a credential that cannot see a flow gets lists without its runs: `call_engine`
    makes a call with the credential that read the lists. While the engine owes runs, nothing is proved at present.
    """
    snapshot = work.snapshot
    missing = [
        launch
        for launch in work.launches
        if run_results.concludes(launch, work.now)
        and launch.pk not in snapshot.runs
        and launch.pk not in snapshot.incomplete
    ]
    visible = {flow_id: _is_visible(work, flow_id) for flow_id in {launch.flow_id for launch in missing}}
    for launch in missing:
        if visible[launch.flow_id] is None or (work.runs_owed and launch.state == State.UNKNOWN):
            snapshot.postponed.add(launch.pk)
        if visible[launch.flow_id] is False:
            snapshot.unprovable.add(launch.pk)


def _list_known_runs(work: Work, run_ids: list[str]) -> list[Run]:
    """The listed runs; none if the list cannot be read, of which each is then read by its id, as far as the engine answers."""
    try:
        answer = work.call_engine(Workflows.list_runs, limit=len(run_ids), flow_run_ids=run_ids)
    except EngineError as problem:
        log.info("follow.list_failed", workspace=work.workspace.pk, error=type(problem).__name__)
        work.snapshot.problems.append(problem)
        return []
    work.snapshot.pages += 1
    return [Run(row) for row in answer["data"]]


def _is_visible(work: Work, flow_id: str) -> bool | None:
    """Whether the engine shows the flow; None if that could not be determined."""
    try:
        work.call_engine(Workflows.get_flow, flow_id)
    except engine.TooLarge:
        return True
    except EngineError as problem:
        log.info("follow.flow_not_shown", flow=flow_id, error=type(problem).__name__)
        passing = (engine.NoRoute, engine.NotSent, engine.RateLimited, engine.Unavailable)
        return None if isinstance(problem, passing) else False
    return True
