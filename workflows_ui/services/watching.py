"""Who asked to be told what, and finding out that it happened: from our own rows, and from the engine for runs that others started.

Everything that is told has a key, so that looking twice tells once; and nothing is forgotten before it was told.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db.models import F, Min, Q
from django.urls import reverse

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import AddressRefused, Client, CredentialRefused, EngineError, Forbidden
from workflows_ui.models import (
    ENDED,
    WENT_WRONG,
    ItemState,
    Job,
    JobKind,
    JobState,
    Launch,
    Lookout,
    NoticeKind,
    Role,
    State,
    User,
    Watch,
    WatchKind,
    Workspace,
)
from workflows_ui.services import access, clients, clock, database, notices, runs
from workflows_ui.services.launches import Reason

log = structlog.get_logger(__name__)

#: A launch that ended so long ago is no news of a flow any more; two looks overlap by this much.
NEWS = timedelta(hours=1)
#: How far back the engine is asked for failed runs: one that began before that, and fails later, is not noticed.
BACK = timedelta(days=1)
#: Between two looks at one engine; after one that failed it is doubled, up to half an hour.
PACE, SLOWEST = timedelta(minutes=1), timedelta(minutes=30)
LEASE = timedelta(minutes=2)
#: How far the engine's clock and ours may be apart.
CLOCKS = timedelta(minutes=1)
#: So long an unclear launch is watched: settled later, it is no news. Shorter than notices are kept, else it would be told anew.
UNCLEAR = timedelta(days=30)
#: A job is news when it took at least this long.
LONG = timedelta(seconds=30)
#: Flows asked about in one call, runs in one answer, credentials tried.
FLOWS, RUNS, CREDENTIALS = 100, 100, 3
#: The engine's words for a run that failed (api.md 8.1).
FAILED = ["FAILED", "INTERNAL_ERROR", "TIMEOUT", "MEMORY_LIMIT_EXCEEDED", "QUOTA_EXCEEDED"]
#: What people did themselves is no failure.
_WANTED = (Reason.WITHDRAWN, Reason.SETTLED_NOT_RUN)


def ask(user: User, workspace: Workspace, kind: WatchKind, object_id: str, name: str) -> None:
    """The person wants to be told. Asking twice is asking once."""
    Watch.objects.get_or_create(
        user=user,
        workspace=workspace,
        kind=kind,
        object_id=object_id[:64],
        defaults={"name": database.storable(name)[:10_000], "created_at": clock.now()},
    )


def leave(user: User, workspace: Workspace, kind: WatchKind, object_id: str) -> None:
    """The person does not want to be told any more."""
    Watch.objects.filter(user=user, workspace=workspace, kind=kind, object_id=object_id).delete()


def asked(user: User, workspace: Workspace, kind: WatchKind, object_id: str) -> bool:
    """Whether the person wants to be told."""
    return Watch.objects.filter(user=user, workspace=workspace, kind=kind, object_id=object_id).exists()


def look() -> None:
    """Tells who asked for it what our own rows say. Safe to call any number of times, by any number of workers."""
    _launches()
    _flows()
    _jobs()


def _launches() -> None:
    waiting = Watch.objects.filter(kind=WatchKind.LAUNCH).select_related("user", "workspace")
    by_launch: dict[str, list[Watch]] = defaultdict(list)
    ended = Launch.objects.filter(state__in=ENDED)
    for watch in waiting.filter(object_id__in=ended.values("pk"))[:1000]:
        by_launch[watch.object_id].append(watch)
    launches = list(ended.filter(pk__in=by_launch).select_related("workspace", "user"))
    found = [
        (watch, launch)
        for launch in launches
        for watch in by_launch[launch.pk]
        if watch.workspace_id == launch.workspace_id
    ]
    _tell_all(NoticeKind.LAUNCH_ENDED, found)
    for launch in launches:
        # What is unclear may still be settled, which is news again.
        if launch.state != State.UNKNOWN or (launch.ended_at and launch.ended_at < clock.now() - UNCLEAR):
            Watch.objects.filter(pk__in=[watch.pk for watch in by_launch[launch.pk]]).delete()


def _flows() -> None:
    since = clock.now() - NEWS
    watches = list(Watch.objects.filter(kind=WatchKind.FLOW).select_related("user", "workspace"))
    if not watches:
        return
    by_flow: dict[tuple[int, str], list[Watch]] = defaultdict(list)
    for watch in watches:
        by_flow[watch.workspace_id, watch.object_id].append(watch)
    bad = Launch.objects.filter(
        workspace_id__in={place for place, _flow in by_flow},
        flow_id__in={flow for _place, flow in by_flow},
        state__in=WENT_WRONG,
        ended_at__gte=since,
    ).exclude(reason__in=_WANTED)
    found = [
        (watch, launch)
        for launch in bad.select_related("workspace", "user")
        for watch in by_flow[launch.workspace_id, launch.flow_id]
        if launch.ended_at and launch.ended_at >= watch.created_at
    ]
    _tell_all(NoticeKind.FLOW_FAILED, found)


def _jobs() -> None:
    """A job that took its time is told of when it is over: whoever asked for it has gone on to something else."""
    now = clock.now()
    over = Job.objects.filter(state__in=(JobState.ENDED, JobState.FAILED), ended_at__gte=now - NEWS)
    long = list(over.filter(ended_at__gte=F("asked_at") + LONG).select_related("user", "workspace"))
    told = notices.told((job.user for job in long), [f"job:{job.pk}" for job in long])
    for job in long:
        if (job.user_id, f"job:{job.pk}") in told:
            continue
        failed = job.items.filter(state__in=(ItemState.FAILED, ItemState.UNCLEAR)).count()
        notices.tell(
            job.user,
            NoticeKind.JOB_ENDED,
            f"job:{job.pk}",
            url=reverse("export" if job.kind == JobKind.EXPORT else "job", args=[job.workspace.slug, job.pk]),
            workspace=job.workspace,
            job=str(job.kind),
            ended=job.state == JobState.ENDED,
            failed=failed,
        )


def _tell_all(kind: NoticeKind, found: Sequence[tuple[Watch, Launch]]) -> None:
    """Tells of launches whoever watches and may see them. What was told by an earlier look costs one query together."""
    told = notices.told((watch.user for watch, _launch in found), [_key(launch) for _watch, launch in found])
    places: dict[tuple[int, int], access.Access | None] = {}
    for watch, launch in found:
        if (watch.user_id, _key(launch)) in told:
            continue
        who = watch.user_id, watch.workspace_id
        place = places[who] if who in places else places.setdefault(who, _place(watch))
        if place is not None and (launch.user_id == watch.user_id or place.allows(Role.BUILDER)):
            _tell(watch, kind, launch)


def _key(launch: Launch) -> str:
    # One key whatever was asked for: who watches both the launch and its flow hears of its end once.
    return f"launch:{launch.pk}:{launch.state}"


def _tell(watch: Watch, kind: NoticeKind, launch: Launch) -> None:
    notices.tell(
        watch.user,
        kind,
        _key(launch),
        url=reverse("launch", args=[launch.workspace.slug, launch.pk]),
        workspace=launch.workspace,
        flow=(launch.flow_name or launch.flow_id)[:200],
        state=str(launch.state),
        by=launch.user.label[:100] if launch.user_id != watch.user_id else "",
        step=launch.failed_step[:200],
    )


def _place(watch: Watch) -> access.Access | None:
    try:
        return access.find(watch.user, watch.workspace.slug)
    except access.NoAccess:
        return None


def due() -> list[int]:
    """Ids of the workspaces whose engine is to be asked for failed runs now: those with a watched flow."""
    now = clock.now()
    wanted = set(Watch.objects.filter(kind=WatchKind.FLOW).values_list("workspace_id", flat=True))
    if not wanted:
        return []
    resting = Lookout.objects.filter(Q(lease_until__gt=now) | Q(not_before__gt=now), pk__in=wanted)
    return sorted(wanted - set(resting.values_list("pk", flat=True)))


@dataclass(frozen=True)
class _Work:
    workspace: Workspace
    watches: list[Watch]
    clients: list[Client]
    now: datetime


def look_at(workspace_id: int) -> None:
    """Asks the engine of a workspace for failed runs of the flows that are watched there, and tells of those that the console did
    not start (those it did are told of by `look`)."""
    with database.turn():
        work = _take(workspace_id)
    if work is None:
        return
    try:
        found = _failed(work) if work.clients else []
        with database.turn():
            _write(work, found)
        failures = 0
    except EngineError as problem:
        log.info("watching.failed", workspace=workspace_id, error=type(problem).__name__)
        failures = 1
    with database.turn():
        _rest(workspace_id, failures)


def _take(workspace_id: int) -> _Work | None:
    now = clock.now()
    Lookout.objects.get_or_create(workspace_id=workspace_id)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    rested = Q(not_before=None) | Q(not_before__lte=now)
    if not Lookout.objects.filter(free, rested, pk=workspace_id).update(lease_until=now + LEASE):
        return None
    watches = list(
        Watch.objects.filter(workspace_id=workspace_id, kind=WatchKind.FLOW).select_related("user", "workspace")
    )
    watches = [watch for watch in watches if _place(watch) is not None]
    if not watches:
        _rest(workspace_id, 0)
        return None
    return _Work(watches[0].workspace, watches, list(_clients(watches)), now)


def _clients(watches: Iterable[Watch]) -> Iterable[Client]:
    """Clients of the people who watch: nobody is told what their own credential does not show."""
    people = list({watch.user_id: watch for watch in watches}.values())
    for watch in people[:CREDENTIALS]:
        try:
            yield clients.of_person(watch.user, watch.workspace)[0]
        except (clients.NoCredential, CannotOpen, AddressRefused, ValueError) as problem:
            log.info("watching.no_client", workspace=watch.workspace_id, error=type(problem).__name__)


def _failed(work: _Work) -> list[dict[str, Any]]:
    since = max(work.now - BACK, min(watch.created_at for watch in work.watches))
    after = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    flows = sorted({watch.object_id for watch in work.watches})
    found: list[dict[str, Any]] = []
    for start in range(0, len(flows), FLOWS):
        for number, client in enumerate(work.clients, start=1):
            try:
                answer = client.workflows.list_runs(
                    limit=RUNS, flow_id=flows[start : start + FLOWS], status=FAILED, created_after=after
                )
            except (CredentialRefused, Forbidden):
                if number == len(work.clients):
                    raise
                continue
            rows = answer.get("data")
            found += [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            break
    return found


def _write(work: _Work, found: list[dict[str, Any]]) -> None:
    ids = {runs.text(run, "id") for run in found} - {""}
    ours = Launch.objects.filter(workspace=work.workspace)
    started = set(ours.filter(run_id__in=ids).values_list("run_id", flat=True))
    markers = {runs.text(run, "parentRunId") for run in found} - {""}
    marked = set(ours.filter(pk__in=markers).values_list("pk", flat=True))
    # A launch that still looks for its run may have started this one, where a gateway drops the marker: it is told of by the launch then,
    # and by a later look where it was not.
    seeking = ours.filter(run_id="", look_at__isnull=False).order_by().values("flow_id")
    searching = dict(seeking.annotate(since=Min("sending_at")).values_list("flow_id", "since"))
    for run in found:
        run_id, marker = runs.text(run, "id")[:64], runs.text(run, "parentRunId")
        if not run_id or run_id in started or marker in marked:
            continue
        began, since = runs.moment(run, "created"), searching.get(runs.text(run, "flowId"))
        if since and began and began > since - CLOCKS:
            continue
        ended = runs.moment(run, "finishTime") or runs.moment(run, "created")
        for watch in work.watches:
            if watch.object_id != run.get("flowId") or ended is None or ended < watch.created_at:
                continue
            notices.tell(
                watch.user,
                NoticeKind.FLOW_FAILED,
                f"run:{run_id}:{ended.isoformat()}",
                url=reverse("resource_detail", args=[work.workspace.slug, "runs", run_id]),
                workspace=work.workspace,
                flow=(watch.name or watch.object_id)[:200],
                state="failed",
                step=runs.failed_step(run)[1][:200],
                by="",
            )


def _rest(workspace_id: int, failures: int) -> None:
    known = Lookout.objects.filter(pk=workspace_id).values_list("failures", flat=True).first() or 0
    number = known + 1 if failures else 0
    pause = min(PACE * 2 ** min(number, 6), SLOWEST)
    Lookout.objects.filter(pk=workspace_id).update(lease_until=None, failures=number, not_before=clock.now() + pause)
