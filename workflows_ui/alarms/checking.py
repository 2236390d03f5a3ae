"""The regular check of the flows of a run index: what is usual for each, and which of them are not as usual.

One worker at a time checks an index, with a number of queries that does not depend on the number of its flows, except for what is learnt
once a day, in batches. Nothing is concluded from an index that is not up to date: while the engine is down, no flow is quiet.

Whether a flow is on, and its schedule, is known from the engine's list of flows: one call every FLOWS_EVERY, with the credential of the
index. Without a list that is recent, no flow becomes quiet or late; one that is off, or not in the list, has no alarms.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Count, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Cast, Substr

from workflows_ui.alarms import detection, services
from workflows_ui.alarms.detection import Hour, Latest, Rhythm
from workflows_ui.alarms.models import AlarmEnd, AlarmKind, AlarmWatch, FlowRhythm, FlowState
from workflows_ui.alarms.services import Facts, Problem
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients
from workflows_ui.engine import AddressRefused, EngineError, Timeouts
from workflows_ui.launches import flow_facts
from workflows_ui.launches.services import runs
from workflows_ui.resources import whole_lists
from workflows_ui.resources.flows import reading
from workflows_ui.run_index.models import LISTED, IndexedRun, RunIndex
from workflows_ui.run_index.services import retention, spans

log = structlog.get_logger(__name__)

LEASE, EVERY = timedelta(minutes=5), timedelta(minutes=1)
#: Time between two calls for the list of flows, and how old the list may be.
FLOWS_EVERY, FLOWS_KNOWN, TIMEOUTS = timedelta(minutes=10), timedelta(minutes=35), Timeouts(read=15, total=18)
#: Time between two lessons; also after a pause of checks.
LEARN_EVERY, PAUSE = timedelta(days=1), timedelta(hours=1)
#: Flows of a lesson's query, and of one index.
BATCH, FLOWS = 50, 2000
#: How old the last reading of the index may be.
CURRENT = timedelta(minutes=5)
#: How far the runs of two checks overlap, since runs may appear in the index late.
OVERLAP = timedelta(minutes=15)
#: The latest runs that are compared: at most so many of the last day, and of the last weeks for flows that run seldom.
RECENT, DAY, WEEKS = 5000, timedelta(days=1), timedelta(weeks=5)
#: Flows of which failures or durations are compared, and alarms that begin, in one check.
COMPARED, ALARMS = 200, 200
#: How late a scheduled run may be, and how early.
LATE, EARLY = timedelta(minutes=10), timedelta(minutes=1)
#: The numbers in texts are of a full quarter of an hour, so that a row is not written at every check.
_QUARTER = timedelta(minutes=15)


@dataclass
class Work:
    """A check: the claimed row, its index, and the time."""

    watch: AlarmWatch
    index: RunIndex
    now: datetime
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo(settings.TIME_ZONE))

    @property
    def flows_known(self) -> bool:
        """Whether it is known which flows are on."""
        return self.watch.flows_at is not None and self.watch.flows_at > self.now - FLOWS_KNOWN


def _readable() -> QuerySet[RunIndex]:
    return RunIndex.objects.filter(credential__isnull=False, moves=F("workspace__moves"), read_at__isnull=False)


def due() -> list[int]:
    """Ids of the workspaces whose flows are to be checked now."""
    now = clock.now()
    free = AlarmWatch.lease.free(now) & (Q(due_at=None) | Q(due_at__lte=now))
    busy = AlarmWatch.objects.exclude(free).values("pk")
    return list(_readable().exclude(pk__in=busy).order_by("pk").values_list("pk", flat=True))


def check(workspace_id: int) -> None:
    """Check the flows of a workspace's index once. Safe to call any number of times."""
    with database.turn():
        work = _claim(workspace_id)
    if work is None:
        return
    flows = _read_flows(work)
    with database.turn():
        if flows is not None:
            _write_flows(work, flows)
        checked = _is_current(work)
        if checked:
            if _must_learn(work):
                _learn(work)
            _evaluate(work)
        values = {"checked_at": work.now} if checked else {}
        AlarmWatch.lease.finish(work.watch, due_at=clock.now() + EVERY, **values)


def _claim(workspace_id: int) -> Work | None:
    now = clock.now()
    index = _readable().select_related("workspace", "credential__workspace").filter(pk=workspace_id).first()
    if index is None:
        return None
    AlarmWatch.objects.get_or_create(index=index)
    wanted = AlarmWatch.objects.filter(Q(due_at=None) | Q(due_at__lte=now))
    watch = AlarmWatch.lease.claim(wanted, workspace_id, LEASE, now)
    return Work(watch, index, now) if watch else None


# Which flows are on


def _read_flows(work: Work) -> list[dict[str, Any]] | None:
    """The engine's list of flows, if it is due and complete."""
    due_at = work.watch.flows_due_at
    if work.index.credential is None or (due_at is not None and due_at > work.now):
        return None
    with database.turn():
        AlarmWatch.objects.filter(pk=work.watch.pk).update(flows_due_at=work.now + FLOWS_EVERY)
    try:
        client = clients.client_for_credential(work.index.credential, timeouts=TIMEOUTS)
        answer = client.workflows.list_flows(limit=whole_lists.AT_ONCE)
    except (EngineError, CannotOpen, AddressRefused, ValueError) as problem:
        log.info("alarms.no_flows", workspace=work.index.pk, error=type(problem).__name__)
        return None
    return None if whole_lists.following(answer) else whole_lists.rows_of(answer)


def _write_flows(work: Work, flows: Iterable[Mapping[str, Any]]) -> None:
    """Note which flows are on, since when, and with which schedule."""
    known = {row.flow_id: row for row in FlowRhythm.objects.filter(index=work.index).defer("rhythm")}
    listed, changed = set[str](), list[FlowRhythm]()
    for flow in flows:
        flow_id = runs.text(flow, "id")
        if not flow_id or len(flow_id) > 64:
            continue
        listed.add(flow_id)
        row = known.get(flow_id) or FlowRhythm(index=work.index, flow_id=flow_id)
        before = (row.pk, row.state, row.cron, row.zone, row.name)
        on = reading.is_on(dict(flow)) is True
        cron, zone = _schedule(dict(flow)) if on else ("", "")
        state = FlowState.ON if on else FlowState.OFF
        if (row.state, row.cron, row.zone) != (state, cron, zone):
            # What is on when it is first seen has been so before.
            first = row.state == FlowState.UNKNOWN and not cron
            row.since = None if first else work.now
        row.state, row.cron, row.zone = state, cron, zone
        row.name = database.storable(reading.name_of(dict(flow)))[:200] or row.name
        if before != (row.pk, row.state, row.cron, row.zone, row.name) or row.pk is None:
            changed.append(row)
    for flow_id, row in known.items():
        if flow_id not in listed and row.state != FlowState.OFF:
            row.state, row.cron, row.zone, row.since = FlowState.OFF, "", "", None
            changed.append(row)
    work.watch.flows_at = work.now
    with transaction.atomic():
        _save(changed, "name", "state", "cron", "zone", "since")
        ids = [row.flow_id for row in changed]
        _set_alarm_times(work, FlowRhythm.objects.filter(index=work.index, flow_id__in=ids))
        AlarmWatch.objects.filter(pk=work.watch.pk).update(flows_at=work.now)


def _schedule(flow: dict[str, Any]) -> tuple[str, str]:
    """The cron expression and time zone that start a flow; "" if it has none, or it is not certain."""
    if flow_facts.start_of(reading.trigger_of(flow)) != "schedule" or not reading.next_times(flow):
        return "", ""
    return reading.schedule_of(flow)


def _save(rows: Collection[FlowRhythm], *fields: str) -> None:
    FlowRhythm.objects.bulk_update([row for row in rows if row.pk], fields, batch_size=200)
    FlowRhythm.objects.bulk_create([row for row in rows if not row.pk], batch_size=200, ignore_conflicts=True)


def _set_alarm_times(work: Work, rows: Iterable[FlowRhythm]) -> None:
    """Compute when these flows will be quiet or late."""
    changed = []
    for row in rows:
        moment = _alarm_at(row, work.zone)
        if moment != row.alarm_at:
            row.alarm_at = moment
            changed.append(row)
    FlowRhythm.objects.bulk_update(changed, ["alarm_at"], batch_size=200)


def _alarm_at(row: FlowRhythm, zone: ZoneInfo) -> datetime | None:
    last = max(filter(None, (row.last_run_at, row.since)), default=None)
    if row.state == FlowState.OFF or last is None:
        return None
    if row.cron:
        times = reading.times_of(row.cron, row.zone, last + EARLY)
        return times[0].astimezone(UTC) + LATE if times else None
    return detection.quiet_at(Rhythm.load(row.rhythm), last, zone)


# What is usual


def _is_current(work: Work) -> bool:
    """Whether the index knows every run until now."""
    index = work.index
    left = [span for span in spans.load(index.spans) if not span.compares]
    recent = any(span.before is None or span.before > work.now - DAY for span in left)
    return not (recent or index.trouble or index.read_at is None or index.read_at < work.now - CURRENT)


def _must_learn(work: Work) -> bool:
    learnt, checked = work.watch.learnt_at, work.watch.checked_at
    if learnt is None or checked is None:
        return True
    return learnt < work.now - LEARN_EVERY or checked < work.now - PAUSE


def _runs(work: Work, since: datetime) -> QuerySet[IndexedRun]:
    return IndexedRun.objects.filter(LISTED, workspace_id=work.index.pk, created__gte=since).order_by()


def _learn(work: Work) -> None:
    """Learn what is usual for each flow that ran in the last weeks. One that is quiet keeps what was learnt before."""
    floor = retention.floor(work.index, work.now)
    unread = (span.before for span in spans.load(work.index.spans) if not span.compares)
    known_since = max(filter(None, (floor, *unread)))
    since = max(known_since, work.now - timedelta(weeks=detection.WEEKS))
    quiet = services.of_index(work.index).filter(kind=AlarmKind.QUIET, ended_at=None).values_list("flow_id", flat=True)
    found = _runs(work, since).values_list("flow_id", flat=True).annotate(number=Count("pk"))
    ids = sorted(set(found.order_by("-number").values_list("flow_id", flat=True)[:FLOWS]) - {""} - set(quiet))
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        hours = _hours(_runs(work, since).filter(flow_id__in=batch))
        seldom = [key for key, rows in hours.items() if sum(row.runs for row in rows) < detection.FEWEST]
        if seldom and known_since < since:
            hours |= _hours(_runs(work, known_since).filter(flow_id__in=seldom))
        known = {row.flow_id: row for row in FlowRhythm.objects.filter(index=work.index, flow_id__in=batch)}
        rows = []
        for flow_id, counted in hours.items():
            row = known.get(flow_id) or FlowRhythm(index=work.index, flow_id=flow_id)
            row.rhythm = detection.learn(counted, known_since, work.now, work.zone).dump()
            row.last_run_at = max(filter(None, (row.last_run_at, counted[-1].last)))
            row.alarm_at = _alarm_at(row, work.zone)
            rows.append(row)
        _save(rows, "rhythm", "last_run_at", "alarm_at")
    AlarmWatch.objects.filter(pk=work.watch.pk).update(learnt_at=work.now)


def _hours(rows: QuerySet[IndexedRun]) -> dict[str, list[Hour]]:
    """The runs by flow and hour. The database counts by the beginnings of the times' texts (run_index/services/statistics.py)."""
    timed, ended = Q(duration__gte=0), ~Q(status__in=runs.UNDER_WAY)
    counted = rows.values_list("flow_id", Substr(Cast("created", CharField()), 1, len("2026-01-31 23"))).annotate(
        first=Min("created"),
        last=Max("created"),
        number=Count("pk"),
        ended=Count("pk", filter=ended),
        failed=Count("pk", filter=Q(status__in=runs.FAILED)),
        longest=Max("duration", filter=timed),
        total=Sum("duration", filter=timed),
        timed=Count("pk", filter=timed),
    )
    found: dict[str, list[Hour]] = defaultdict(list)
    for flow_id, _hour, first, last, number, ended_runs, failed, longest, total, timed_runs in counted:
        hour = Hour(first, last, number, ended_runs, failed, (longest or 0) / 1000, (total or 0) / 1000, timed_runs)
        found[flow_id].append(hour)
    return {flow_id: sorted(hours, key=lambda hour: hour.first) for flow_id, hours in found.items()}


# What is not as usual


def _evaluate(work: Work) -> None:
    """Open, update and end alarms."""
    _note_runs(work)
    opened = {(row.kind, row.flow_id): row for row in services.of_index(work.index).filter(ended_at=None)}
    names = dict[str, str]()
    found = _silent(work, names)
    for problem, facts in _compared(work, opened, names).items():
        found[problem] = facts
    off = _off(work, {flow_id for _kind, flow_id in (*found, *opened)})
    for problem, alarm in opened.items():
        if problem[1] in off:
            services.end(alarm, AlarmEnd.OFF)
        elif problem in found:
            services.update(alarm, found[problem])
        else:
            services.end(alarm, AlarmEnd.OVER)
    new = [problem for problem in found if problem not in opened and problem[1] not in off]
    muted = set(services.muted(work.index).values_list("kind", "flow_id"))
    for problem in [problem for problem in new if problem not in muted][:ALARMS]:
        if problem[0] in {AlarmKind.QUIET, AlarmKind.MISSED} and not work.flows_known:
            continue
        services.begin(work.index, problem, names.get(problem[1], ""), found[problem])


def _note_runs(work: Work) -> None:
    """Note the last run of each flow that has run since the last check."""
    since = (work.watch.checked_at or work.now) - OVERLAP
    latest = dict(_runs(work, since).values_list("flow_id").annotate(last=Max("created")))
    rows = FlowRhythm.objects.filter(index=work.index, flow_id__in=latest)
    changed = [row for row in rows if row.last_run_at is None or row.last_run_at < latest[row.flow_id]]
    for row in changed:
        row.last_run_at = latest[row.flow_id]
        row.alarm_at = _alarm_at(row, work.zone)
    FlowRhythm.objects.bulk_update(changed, ["last_run_at", "alarm_at"], batch_size=200)


def _off(work: Work, flow_ids: Collection[str]) -> set[str]:
    """Those of the flows that are known to be off."""
    if not work.flows_known:
        return set()
    rows = FlowRhythm.objects.filter(index=work.index, flow_id__in=flow_ids, state=FlowState.OFF)
    return set(rows.values_list("flow_id", flat=True))


def _silent(work: Work, names: dict[str, str]) -> dict[Problem, Facts]:
    """The flows that are quiet, or whose schedule was missed. Adds their names."""
    rows = list(FlowRhythm.objects.filter(index=work.index, alarm_at__lte=work.now).order_by("alarm_at")[:FLOWS])
    quarter = work.now - (work.now - datetime.min.replace(tzinfo=UTC)) % _QUARTER
    midnight = quarter.astimezone(work.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    today = dict(
        _runs(work, midnight)
        .filter(flow_id__in=[row.flow_id for row in rows if not row.cron])
        .values_list("flow_id")
        .annotate(number=Count("pk"))
    )
    found: dict[Problem, Facts] = {}
    for row in rows:
        names[row.flow_id] = row.name
        last = row.last_run_at.isoformat() if row.last_run_at else ""
        if row.cron:
            found[str(AlarmKind.MISSED), row.flow_id] = {"last": last, "time": _missed(row)}
            continue
        usual = detection.expected(Rhythm.load(row.rhythm), midnight, quarter, work.zone)
        found[str(AlarmKind.QUIET), row.flow_id] = {
            "last": last,
            "by": quarter.isoformat(),
            "usual": round(usual),
            "today": today.get(row.flow_id, 0),
        }
    return found


def _missed(row: FlowRhythm) -> str:
    """The first scheduled time that was missed."""
    return (row.alarm_at - LATE).isoformat() if row.alarm_at else ""


def _compared(work: Work, opened: Collection[Problem], names: dict[str, str]) -> dict[Problem, Facts]:
    """The flows whose latest runs fail more than usual, or take longer. Adds the names of flows."""
    recent = _latest(work, _runs(work, work.now - DAY), names)
    rhythms = {
        row.flow_id: Rhythm.load(row.rhythm) for row in FlowRhythm.objects.filter(index=work.index, flow_id__in=recent)
    }
    kinds = {AlarmKind.FAILING, AlarmKind.LONGER}
    wanted = {flow_id for kind, flow_id in opened if kind in kinds}
    for flow_id, latest in recent.items():
        limit = detection.too_long(rhythms[flow_id]) if flow_id in rhythms else 0
        if limit and any(run.failed or run.seconds > limit for run in latest):
            wanted.add(flow_id)
    chosen = sorted(wanted)[:COMPARED]
    seldom = [flow_id for flow_id in chosen if sum(run.ended for run in recent.get(flow_id, ())) < detection.LATEST]
    if seldom:
        recent |= _latest(work, _runs(work, work.now - WEEKS).filter(flow_id__in=seldom), names)
        missing = [flow_id for flow_id in seldom if flow_id not in rhythms]
        for row in FlowRhythm.objects.filter(index=work.index, flow_id__in=missing):
            rhythms[row.flow_id] = Rhythm.load(row.rhythm)
    found: dict[Problem, Facts] = {}
    for flow_id in chosen:
        rhythm, latest = rhythms.get(flow_id, Rhythm()), recent.get(flow_id, [])
        failing, longer = (str(AlarmKind.FAILING), flow_id), (str(AlarmKind.LONGER), flow_id)
        failed, number = detection.failing_runs(rhythm, latest, alarming=failing in opened)
        if failed:
            found[failing] = {"failed": failed, "number": number, "usual": round(100 * rhythm.failing, 1)}
        if long := detection.long_runs(rhythm, latest, alarming=longer in opened):
            found[longer] = {
                "run": long[0].run_id,
                "running": not long[0].ended,
                "seconds": round(long[0].seconds),
                "usual": round(rhythm.usual, 1),
                "longest": round(rhythm.longest, 1),
                "number": len(long),
            }
    return found


def _latest(work: Work, rows: QuerySet[IndexedRun], names: dict[str, str]) -> dict[str, list[Latest]]:
    """The latest runs by flow, the newest first. Adds the newest names of the flows."""
    found: dict[str, list[Latest]] = defaultdict(list)
    columns = ("flow_id", "flow_name", "run_id", "status", "created", "started", "duration")
    for flow_id, name, run_id, status, created, started, duration in rows.order_by("-created", "-pk").values_list(
        *columns
    )[:RECENT]:
        if not flow_id:
            continue
        names.setdefault(flow_id, name)
        seconds = duration / 1000 if duration >= 0 else -1.0
        if status == "RUNNING":
            seconds = (work.now - (started or created)).total_seconds()
        found[flow_id].append(Latest(run_id, status not in runs.UNDER_WAY, status in runs.FAILED, seconds))
    return found
