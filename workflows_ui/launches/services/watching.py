"""Subscriptions to launches and flows, and detection of their events: from the console's rows, and by polling for runs of others.

Every notification has a key, so that repeated detection notifies once. A subscription is not removed before its notification.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import structlog
from django.db import transaction
from django.db.models import Exists, F, Min, Q, QuerySet
from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff, not_paused
from workflows_ui.core.prepared import Prepared
from workflows_ui.credentials.services import clients
from workflows_ui.engine import AddressRefused, Client, EngineError, Workflows
from workflows_ui.engine_objects.runs import Run
from workflows_ui.jobs.models import ItemState, Job, JobKind, JobState
from workflows_ui.jobs.services import jobs
from workflows_ui.launches.models import ENDED, OPEN, Launch, Reason, State
from workflows_ui.launches.services import runs
from workflows_ui.launches.services.launches import LONGEST_KEPT, PROBLEM
from workflows_ui.launches.services.run_search import EngineCaller
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access as member_access
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind, Watch, WatchKind, WatchPoll

log = structlog.get_logger(__name__)

#: A launch that ended earlier than this is not notified to watchers of its flow; two searches overlap by this much.
NEWS = timedelta(hours=1)
#: Age of the failed runs requested from the engine: a run that began earlier and fails later is not noticed.
BACK = timedelta(days=1)
#: Interval between polls of one engine; doubled after each failure, up to half an hour.
PACE, SLOWEST = timedelta(minutes=1), timedelta(minutes=30)
LEASE = timedelta(minutes=2)
#: Tolerated difference between the engine's clock and the console's.
CLOCKS = timedelta(minutes=1)
#: How long an unclear launch is watched. Shorter than the retention of notices, else it would be notified again.
UNCLEAR = timedelta(days=30)
#: A job is notified if it took at least this long.
LONG = timedelta(seconds=30)
#: Flows in one call, runs in one answer, credentials tried.
FLOWS, RUNS, CREDENTIALS = 100, 100, 3


def start_watching(user: User, workspace: Workspace, kind: WatchKind, object_id: str, name: str) -> None:
    Watch.objects.get_or_create(
        user=user,
        workspace=workspace,
        kind=kind,
        object_id=object_id[:64],
        defaults={"name": database.storable(name)[:10_000], "created_at": clock.now()},
    )


def stop_watching(user: User, workspace: Workspace, kind: WatchKind, object_id: str) -> None:
    Watch.objects.filter(user=user, workspace=workspace, kind=kind, object_id=object_id).delete()


def hand_over(actor: Actor, watch: Watch, to: User) -> bool:
    """Let a colleague watch it instead of the person; return whether the person still did."""
    with transaction.atomic():
        start_watching(to, watch.workspace, WatchKind(watch.kind), watch.object_id, watch.name)
        return _end(actor, watch, "watch.hand_over", to=to.label)


def end(actor: Actor, watch: Watch) -> bool:
    """End a person's subscription; return whether there still was one."""
    with transaction.atomic():
        return _end(actor, watch, "watch.end")


def _end(actor: Actor, watch: Watch, action: str, **detail: Any) -> bool:
    gone, _rows = Watch.objects.filter(pk=watch.pk).delete()
    if gone:
        audit_log.record(
            actor,
            action,
            workspace=watch.workspace,
            object_type="watch",
            object_id=str(watch.pk),
            object_name=watch.name or watch.object_id,
            watched=watch.kind,
            **detail,
        )
    return bool(gone)


def is_watching(user: User, workspace: Workspace, kind: WatchKind, object_id: str) -> bool:
    return bool(_watched(user.pk, workspace.pk, str(kind), object_id))


@Prepared
def _watched(user: int, workspace: int, kind: str, object_id: str) -> QuerySet[Watch, object]:
    return Watch.objects.filter(user=user, workspace=workspace, kind=kind, object_id=object_id).values_list("pk")


def find_news() -> None:
    """Notify of events in the console's own rows. Safe to call any number of times, by any number of workers."""
    _notify_kept()
    _notify_launches()
    _notify_flows()
    _notify_jobs()


def _notify_kept() -> None:
    """Notify people that a kept launch of theirs was sent, or ended unsent."""
    since = clock.now() - NEWS
    sent, not_sent = Q(sending_at__gte=since), Q(state=State.NOT_SENT, sending_at=None, ended_at__gte=since)
    rows = Launch.objects.filter(sent | not_sent, kept=True, asked_at__gte=since - LONGEST_KEPT)
    kept_launches = list(rows.exclude(reason=Reason.WITHDRAWN).select_related("workspace", "user")[:1000])
    keys = {
        launch.pk: _key(launch) if launch.sending_at is None else f"launch:{launch.pk}:sent" for launch in kept_launches
    }
    delivered = notifications.delivered_keys((launch.user for launch in kept_launches), keys.values())
    for launch in kept_launches:
        if (launch.user_id, keys[launch.pk]) in delivered or _find_access(launch) is None:
            continue
        notifications.notify(
            launch.user,
            NoticeKind.KEPT_LAUNCH,
            keys[launch.pk],
            url=reverse("launch", args=[launch.workspace.slug, launch.pk]),
            workspace=launch.workspace,
            flow=(launch.flow_name or launch.flow_id)[:200],
            sent=launch.sending_at is not None,
            reason=launch.reason,
            until=launch.send_by.isoformat(),
        )


def _notify_launches() -> None:
    ended = Launch.objects.filter(state__in=ENDED).exclude(OPEN)
    watches = list(_watches(WatchKind.LAUNCH).filter(object_id__in=ended.values("pk"))[:1000])
    launches = ended.select_related("workspace", "user").in_bulk({watch.object_id for watch in watches})
    matches = [(watch, launches[watch.object_id]) for watch in watches if watch.object_id in launches]
    _notify_watchers(
        NoticeKind.LAUNCH_ENDED,
        [(watch, launch) for watch, launch in matches if watch.workspace_id == launch.workspace_id],
    )
    # An unclear launch may still be settled, which is notified again.
    unclear_since = clock.now() - UNCLEAR
    settled = [
        watch.pk
        for watch, launch in matches
        if launch.state != State.UNKNOWN or (launch.ended_at and launch.ended_at < unclear_since)
    ]
    Watch.objects.filter(pk__in=settled).delete()


def _notify_flows() -> None:
    by_flow: dict[tuple[int, str], list[Watch]] = defaultdict(list)
    for watch in _watches(WatchKind.FLOW):
        by_flow[watch.workspace_id, watch.object_id].append(watch)
    if not by_flow:
        return
    workspace_ids, flow_ids = map(set, zip(*by_flow, strict=True))
    problems = Launch.objects.filter(PROBLEM, workspace_id__in=workspace_ids, flow_id__in=flow_ids)
    matches = [
        (watch, launch)
        for launch in problems.filter(ended_at__gte=clock.now() - NEWS).select_related("workspace", "user")
        for watch in by_flow[launch.workspace_id, launch.flow_id]
        if launch.ended_at and launch.ended_at >= watch.created_at
    ]
    _notify_watchers(NoticeKind.FLOW_FAILED, matches)


def _watches(kind: WatchKind) -> QuerySet[Watch]:
    return Watch.objects.filter(kind=kind).select_related("user", "workspace")


def _notify_jobs() -> None:
    """Notify of the end of long jobs, since the person has probably left the job's page; of those whose writes are being checked, later."""
    now = clock.now()
    over = Job.objects.filter(state__in=(JobState.ENDED, JobState.FAILED), ended_at__gte=now - NEWS)
    over = over.exclude(Q(ended_at__gt=now - NEWS / 2) & Exists(jobs.checked()))
    long = list(over.filter(ended_at__gte=F("asked_at") + LONG).select_related("user", "workspace"))
    delivered = notifications.delivered_keys((job.user for job in long), [f"job:{job.pk}" for job in long])
    for job in long:
        if (job.user_id, f"job:{job.pk}") in delivered or _find_access(job) is None:
            continue
        failed = job.items.filter(state__in=(ItemState.FAILED, ItemState.UNCLEAR)).count()
        notifications.notify(
            job.user,
            NoticeKind.JOB_ENDED,
            f"job:{job.pk}",
            url=reverse("export" if job.kind == JobKind.EXPORT else "job", args=[job.workspace.slug, job.pk]),
            workspace=job.workspace,
            job=str(job.kind),
            ended=job.state == JobState.ENDED,
            failed=failed,
        )


def _notify_watchers(kind: NoticeKind, matches: Sequence[tuple[Watch, Launch]]) -> None:
    """Notify watchers of launches that they may see. Earlier notifications are found by one query."""
    delivered = notifications.delivered_keys(
        (watch.user for watch, _launch in matches), [_key(launch) for _watch, launch in matches]
    )
    accesses: dict[tuple[int, int], member_access.Access | None] = {}
    for watch, launch in matches:
        if (watch.user_id, _key(launch)) in delivered:
            continue
        key = watch.user_id, watch.workspace_id
        access = accesses[key] if key in accesses else accesses.setdefault(key, _find_access(watch))
        if access is None or not (launch.user_id == watch.user_id or access.allows(Role.BUILDER)):
            continue
        notifications.notify(
            watch.user,
            kind,
            _key(launch),
            url=reverse("launch", args=[launch.workspace.slug, launch.pk]),
            workspace=launch.workspace,
            flow_id=launch.flow_id,
            fold=_fold(watch, launch) if kind == NoticeKind.FLOW_FAILED else None,
            flow=(launch.flow_name or launch.flow_id)[:200],
            state=str(launch.state),
            reason=launch.reason,
            by=launch.user.label[:100] if launch.user_id != watch.user_id else "",
            step=launch.failed_step[:200],
            launch=launch.pk,
        )


def _fold(watch: Watch, launch: Launch) -> notifications.Fold | None:
    """How failures of a watched flow are folded; a person's own launches stay single."""
    if launch.user_id == watch.user_id or launch.ended_at is None:
        return None
    query = urlencode({"flow": launch.flow_id, "state": "problem"})
    url = f"{reverse('launches', args=[launch.workspace.slug])}?{query}"
    return notifications.Fold(_subject(watch), launch.ended_at, url)


def _subject(watch: Watch) -> str:
    return f"flow:{watch.workspace_id}:{watch.object_id}"


def _key(launch: Launch) -> str:
    # The same key for both kinds: a watcher of the launch and its flow is notified of the end once.
    return f"launch:{launch.pk}:{launch.state}"


def _find_access(row: Watch | Launch | Job) -> member_access.Access | None:
    """The access of the row's person to its workspace."""
    try:
        return member_access.access_for(row.user, row.workspace.slug)
    except member_access.NoAccess:
        return None


def due() -> list[int]:
    """Ids of the workspaces to poll for failed runs now: those with a watched flow."""
    now = clock.now()
    wanted = set(Watch.objects.filter(kind=WatchKind.FLOW).values_list("workspace_id", flat=True))
    busy = WatchPoll.objects.filter(pk__in=wanted).exclude(WatchPoll.lease.free(now), not_paused(now))
    return sorted(wanted - set(busy.values_list("pk", flat=True)))


def poll_watched(workspace_id: int) -> None:
    """Poll the engine for failed runs of the workspace's watched flows, and notify of those that the console did not start.

    Those that it did start are notified by `find_news`.
    """
    with database.turn():
        now = clock.now()
        WatchPoll.objects.get_or_create(workspace_id=workspace_id)
        watch_poll = WatchPoll.lease.claim(WatchPoll.objects.filter(not_paused(now)), workspace_id, LEASE, now)
        if watch_poll is None:
            return
        watches = [watch for watch in _watches(WatchKind.FLOW).filter(workspace_id=workspace_id) if _find_access(watch)]
        usable = list(_clients(watches))
    failures = 0
    try:
        failed_runs = _read_failed_runs(watches, usable, now) if usable else []
        if failed_runs:
            with database.turn():
                _notify_failed_runs(watches, failed_runs)
    except EngineError as problem:
        log.info("watching.failed", workspace=workspace_id, error=type(problem).__name__)
        failures = watch_poll.failures + 1
    with database.turn():
        next_poll = clock.now() + backoff(PACE, failures + 1, SLOWEST)
        WatchPoll.lease.finish(watch_poll, failures=failures, not_before=next_poll)


def _clients(watches: Iterable[Watch]) -> Iterable[Client]:
    """Clients with the watchers' own credentials, so that nobody is notified of what their credential does not show."""
    people = list({watch.user_id: watch for watch in watches}.values())
    for watch in people[:CREDENTIALS]:
        try:
            yield clients.client_for_person(watch.user, watch.workspace)[0]
        except (clients.NoCredential, CannotOpen, AddressRefused, ValueError) as problem:
            log.info("watching.no_client", workspace=watch.workspace_id, error=type(problem).__name__)


def _read_failed_runs(watches: Sequence[Watch], usable: list[Client], now: datetime) -> list[Run]:
    since = max(now - BACK, min(watch.created_at for watch in watches))
    flows = sorted({watch.object_id for watch in watches})
    call_engine = EngineCaller(usable)
    failed_runs: list[Run] = []
    for start in range(0, len(flows), FLOWS):
        batch = flows[start : start + FLOWS]
        answer = call_engine(Workflows.list_runs, limit=RUNS, flow_id=batch, status=runs.FAILED, created_after=since)
        failed_runs += map(Run, answer["data"])
    return failed_runs


def _notify_failed_runs(watches: Sequence[Watch], failed_runs: list[Run]) -> None:
    workspace = watches[0].workspace
    runs_url = reverse("resource_list", args=[workspace.slug, "runs"])
    ids = {run.id for run in failed_runs} - {""}
    launches = Launch.objects.filter(workspace=workspace)
    started = set(launches.filter(run_id__in=ids).values_list("run_id", flat=True))
    markers = {run.parent_run_id for run in failed_runs} - {""}
    # A launch that has found its run says nothing about another one with its marker: that is a retry on the latest version.
    marked = set(launches.filter(pk__in=markers, run_id="").values_list("pk", flat=True))
    # A launch without its run yet may have started this one, where a gateway drops the marker: then the launch's end is notified,
    # otherwise a later poll notifies of the run.
    searching = launches.filter(run_id="", poll_at__isnull=False).order_by().values("flow_id")
    search_starts = dict(searching.annotate(since=Min("sending_at")).values_list("flow_id", "since"))
    for run in failed_runs:
        run_id, marker = run.id[:64], run.parent_run_id
        if not run_id or run_id in started or marker in marked:
            continue
        began, since = run.created, search_starts.get(run.flow_id)
        if since and began and began > since - CLOCKS:
            continue
        ended = run.finish_time or run.created
        for watch in watches:
            if watch.object_id != run.flow_id or ended is None or ended < watch.created_at:
                continue
            notifications.notify(
                watch.user,
                NoticeKind.FLOW_FAILED,
                f"run:{run_id}:{ended.isoformat()}",
                url=reverse("resource_detail", args=[workspace.slug, "runs", run_id]),
                workspace=workspace,
                flow_id=watch.object_id,
                fold=notifications.Fold(
                    _subject(watch),
                    ended,
                    f"{runs_url}?{urlencode({'flow': watch.object_id, 'status': runs.FAILED}, doseq=True)}",
                    wide=True,
                ),
                flow=(watch.name or watch.object_id)[:200],
                state="failed",
                step=run.failed_step.title[:200],
                run=run_id,
                by="",
            )
