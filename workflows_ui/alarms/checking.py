"""The regular check of the flows of a run index.

One worker at a time checks an index, with a number of queries that does not depend on the number of its flows; the list of flows
(flow_list.py) and the rhythms (learning.py) are read in parts. Nothing is concluded from an index that is not up to date: while the
engine is down, no flow is quiet. Without a recent list of flows, no flow becomes quiet or late. A flow that is off, or not in the list,
has no alarms.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet

from workflows_ui.alarms import answers, detection, flow_list, folding, learning, services, subscriptions
from workflows_ui.alarms.announcing import Report
from workflows_ui.alarms.answers import Normal
from workflows_ui.alarms.detection import Latest, Rhythm
from workflows_ui.alarms.models import Alarm, AlarmEnd, AlarmKind, AlarmWatch, FlowRhythm, FlowState
from workflows_ui.alarms.services import Facts, Problem
from workflows_ui.alarms.work import BATCH, LATE, Work, set_alarm_times
from workflows_ui.core import clock, database
from workflows_ui.launches.services import runs
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import spans

LEASE, EVERY = timedelta(minutes=5), timedelta(minutes=1)
#: How old the last reading of the index may be.
CURRENT = timedelta(minutes=5)
#: How far the runs of two checks overlap, since runs may appear in the index late.
OVERLAP = timedelta(minutes=15)
#: The latest runs that are compared: at most so many of the last day, and of the last weeks for flows that run seldom.
RECENT, DAY, WEEKS = 5000, timedelta(days=1), timedelta(weeks=5)
#: Flows of which failures or durations are compared, and alarms that begin, in one check.
COMPARED, ALARMS = 200, 200
#: Numbers in texts are as of the last quarter of an hour, so that a row is not written at every check.
_QUARTER = timedelta(minutes=15)
#: The problem of many flows (folding.py).
_MANY: Problem = (str(AlarmKind.MANY), "")
_SILENT = {AlarmKind.QUIET, AlarmKind.MISSED}


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
    flow_list.read(work)
    with database.turn():
        work = _renewed(work)
        if work is None:
            return
        checked = _is_current(work)
        if checked:
            _note_runs(work)
            learning.learn(work)
            subscriptions.give_defaults(work.index, work.watch.owners)
            with transaction.atomic():
                _evaluate(work)
        values = {"checked_at": work.now} if checked else {}
        AlarmWatch.lease.finish(work.watch, due_at=clock.now() + EVERY, **values)


def _claim(workspace_id: int) -> Work | None:
    now, index = clock.now(), _index(workspace_id)
    if index is None:
        return None
    AlarmWatch.objects.get_or_create(index=index)
    wanted = AlarmWatch.objects.filter(Q(due_at=None) | Q(due_at__lte=now))
    watch = AlarmWatch.lease.claim(wanted, workspace_id, LEASE, now)
    return Work(watch, index, now) if watch else None


def _renewed(work: Work) -> Work | None:
    """The check with the current time and index, since the engine may have taken long to list its flows.

    None if the lease was lost or the index has ended: then nothing is concluded.
    """
    now = clock.now()
    if not AlarmWatch.lease.renew(AlarmWatch.objects.all(), work.watch, LEASE, now):
        return None
    work.watch.lease_until = now + LEASE
    index = _index(work.index.pk)
    if index is None:
        AlarmWatch.lease.release(work.watch)
        return None
    return Work(work.watch, index, now)


def _index(workspace_id: int) -> RunIndex | None:
    return _readable().select_related("workspace", "credential__workspace").filter(pk=workspace_id).first()


def _is_current(work: Work) -> bool:
    """Whether the index has every run until now."""
    index = work.index
    left = [span for span in spans.load(index.spans) if not span.compares]
    recent = any(span.before is None or span.before > work.now - DAY for span in left)
    return not (recent or index.trouble or index.read_at is None or index.read_at < work.now - CURRENT)


def _note_runs(work: Work) -> None:
    """Note the last run of each flow that has run since the last check: not of those by hand, if others start the flow usually."""
    since = (work.watch.checked_at or work.now) - OVERLAP
    counted = work.runs(since).values_list("flow_id")
    latest = {
        flow: times for flow, *times in counted.annotate(Max("created"), own=Max("created", filter=~work.by_hand()))
    }
    changed = []
    for row in work.rhythms.filter(flow_id__in=latest):
        last, own = latest[row.flow_id]
        time = last if Rhythm.load(row.rhythm).by_hand and not row.cron else own
        if time and (row.last_run_at is None or row.last_run_at < time):
            row.last_run_at = time
            changed.append(row)
    set_alarm_times(work, changed)
    FlowRhythm.objects.bulk_update(changed, ["last_run_at", "alarm_at"], batch_size=BATCH)


@dataclass
class _Findings:
    """The problems of a check, with their facts, and when they began; and the names of flows."""

    facts: dict[Problem, Facts] = field(default_factory=dict)
    began: dict[Problem, datetime | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, problem: Problem, began: datetime | None, facts: Facts) -> None:
        self.facts[problem], self.began[problem] = facts, began


def _evaluate(work: Work) -> None:
    """Open, update and end alarms, and announce them together."""
    opened = {(row.kind, row.flow_id): row for row in services.of_index(work.index).filter(ended_at=None)}
    muted = set(services.muted(work.index).values_list("kind", "flow_id"))
    normal = answers.find_normal(work)
    silent = {problem: row for row in _quiet_rows(work) if (problem := _problem(row)) not in muted}
    members, facts = folding.fold(work, list(silent.values()), opened.get(_MANY))
    found = _Findings()
    if members:
        # All of them were silent since the last of their runs.
        last = (row.silent_since for row in silent.values() if row.flow_id in members)
        found.add(_MANY, max(filter(None, last), default=None), facts)
    _find_silent(work, {key: row for key, row in silent.items() if row.flow_id not in members}, opened, found)
    _compare(work, opened, normal, found)
    off = _off(work, {flow_id for _kind, flow_id in (*found.facts, *opened)})
    report = Report(work.index)
    for problem, alarm in opened.items():
        if problem[1] in off:
            services.end(alarm, AlarmEnd.OFF, report)
        elif problem in found.facts:
            services.update(alarm, found.facts[problem])
        elif problem[0] in _SILENT and problem[1] in members:
            services.end(alarm, AlarmEnd.FOLDED, report)
        else:
            services.end(alarm, AlarmEnd.OVER, report)
    new = [key for key in found.facts if key not in opened and key[1] not in off and key not in muted]
    later = answers.announce_times(work, normal, {key: silent[key] for key in new if key in silent})
    services.announce_due(work.index, report)
    for problem in new[:ALARMS]:
        if problem in silent and not _may_begin(work, problem, silent[problem], normal, later.get(problem)):
            continue
        services.begin(
            work.index,
            problem,
            found.names.get(problem[1], ""),
            found.facts[problem],
            announce_at=_future(later.get(problem), work.now),
            began_at=found.began[problem],
            report=report,
        )
    report.send()


def _may_begin(work: Work, problem: Problem, row: FlowRhythm, normal: Normal, announce_at: datetime | None) -> bool:
    """Whether an alarm about a silent flow may begin: where its silence was called a false alarm, only when people are notified again."""
    if problem[0] in _SILENT and not work.flows_known:
        return False
    return not answers.is_answered(normal, problem, row) or (announce_at is not None and announce_at <= work.now)


def _future(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None


def _quiet_rows(work: Work) -> list[FlowRhythm]:
    """The flows that are quiet or late, considering days off that were entered after their last run. Without their rhythms."""
    rows = list(work.rhythms.filter(alarm_at__lte=work.now).defer("rhythm").order_by("alarm_at", "pk"))
    ids = [row.pk for row in rows if not row.cron and _has_day_off(work, row)]
    changed = set_alarm_times(work, list(work.rhythms.filter(pk__in=ids)))
    FlowRhythm.objects.bulk_update(changed, ["alarm_at"], batch_size=BATCH)
    later = {row.pk for row in changed if row.alarm_at is None or row.alarm_at > work.now}
    return [row for row in rows if row.pk not in later]


def _has_day_off(work: Work, row: FlowRhythm) -> bool:
    """Whether a day off lies between a flow's last run and the time of its alarm."""
    zone = work.calendar.zone
    if row.last_run_at is None or row.alarm_at is None:
        return False
    first, last = row.last_run_at.astimezone(zone).date(), row.alarm_at.astimezone(zone).date()
    return any(first <= day <= last for day in work.calendar.days_off)


def _problem(row: FlowRhythm) -> Problem:
    """The problem of a flow that is quiet or late."""
    return str(AlarmKind.MISSED if row.cron else AlarmKind.QUIET), row.flow_id


def _off(work: Work, flow_ids: Collection[str]) -> set[str]:
    """Those of the flows that are known to be off."""
    if not work.flows_known:
        return set()
    rows = work.rhythms.filter(flow_id__in=flow_ids, state=FlowState.OFF)
    return set(rows.values_list("flow_id", flat=True))


def _find_silent(
    work: Work, silent: Mapping[Problem, FlowRhythm], opened: Mapping[Problem, Alarm], found: _Findings
) -> None:
    """Find the flows that are quiet or late: those with open alarms, and some others.

    Of a flow that others start usually, the runs that people started are not counted, since they end no silence either.
    """
    new = [problem for problem in silent if problem not in opened]
    chosen = {problem: silent[problem] for problem in (*(silent.keys() & opened.keys()), *new[:ALARMS])}
    learnt = [row.flow_id for row in chosen.values() if not row.cron]
    rhythms = {
        flow_id: Rhythm.load(rhythm)
        for flow_id, rhythm in work.rhythms.filter(flow_id__in=learnt).values_list("flow_id", "rhythm")
    }
    quarter = work.now - (work.now - datetime.min.replace(tzinfo=UTC)) % _QUARTER
    midnight = quarter.astimezone(work.calendar.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    counted = work.runs(midnight).filter(flow_id__in=learnt).values_list("flow_id")
    today = {
        flow_id: (number, by_hand)
        for flow_id, number, by_hand in counted.annotate(number=Count("pk"), by_hand=Count("pk", filter=work.by_hand()))
    }
    for problem, row in chosen.items():
        found.names[row.flow_id] = row.name
        last = row.last_run_at.isoformat() if row.last_run_at else ""
        if row.cron:
            missed = row.alarm_at - LATE if row.alarm_at else None
            found.add(problem, missed, {"last": last, "time": missed.isoformat() if missed else ""})
            continue
        rhythm = rhythms.get(row.flow_id, Rhythm())
        number, by_hand = today.get(row.flow_id, (0, 0))
        by_hand = 0 if rhythm.by_hand else by_hand
        facts = {
            "last": last,
            "by": quarter.isoformat(),
            "usual": round(detection.expected(rhythm, midnight, quarter, work.calendar)),
            "today": number - by_hand,
            "by_hand": by_hand,
        }
        found.add(problem, row.silent_since, facts)


@dataclass
class _Runs:
    """The latest runs by flow, the newest first, and of each by its id when it was created, and the step at which it failed."""

    latest: dict[str, list[Latest]] = field(default_factory=lambda: defaultdict(list))
    created: dict[str, datetime] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)


def _compare(work: Work, opened: Collection[Problem], normal: Normal, found: _Findings) -> None:
    """Find the flows whose latest runs fail more than usual, or take longer."""
    known = _Runs()
    _read_latest(work, work.runs(work.now - DAY), known, found.names)
    recent = known.latest
    rhythms = {row.flow_id: Rhythm.load(row.rhythm) for row in work.rhythms.filter(flow_id__in=recent)}
    kinds = {AlarmKind.FAILING, AlarmKind.LONGER}
    wanted = {flow_id for kind, flow_id in opened if kind in kinds}
    for flow_id, latest in recent.items():
        limit = detection.too_long(rhythms[flow_id]) if flow_id in rhythms else 0
        if limit and any(run.failed or run.seconds > limit for run in latest):
            wanted.add(flow_id)
    chosen = sorted(wanted)[:COMPARED]
    seldom = [flow_id for flow_id in chosen if sum(run.ended for run in recent.get(flow_id, ())) < detection.LATEST]
    if seldom:
        for flow_id in seldom:
            recent.pop(flow_id, None)
        _read_latest(work, work.runs(work.now - WEEKS).filter(flow_id__in=seldom), known, found.names)
        missing = [flow_id for flow_id in seldom if flow_id not in rhythms]
        for row in work.rhythms.filter(flow_id__in=missing):
            rhythms[row.flow_id] = Rhythm.load(row.rhythm)
    for flow_id in chosen:
        rhythm = answers.usual(normal, flow_id, rhythms.get(flow_id, Rhythm()))
        _find_failing(flow_id, rhythm, known, opened, normal, found)
        _find_longer(flow_id, rhythm, known, opened, normal, found)


def _find_failing(
    flow_id: str, rhythm: Rhythm, known: _Runs, opened: Collection[Problem], normal: Normal, found: _Findings
) -> None:
    problem = (str(AlarmKind.FAILING), flow_id)
    latest = answers.new_runs(normal, problem, known.latest.get(flow_id, []), known.created)
    failed, number = detection.failing_runs(rhythm, latest, alarming=problem in opened)
    if not failed:
        return
    failures = [run.run_id for run in [run for run in latest if run.ended][:number] if run.failed]
    facts = {
        "failed": failed,
        "number": number,
        "usual": round(100 * rhythm.failing, 1),
        "run": failures[0],
        "step": known.steps[failures[0]],
    }
    found.add(problem, known.created[failures[-1]], facts)


def _find_longer(
    flow_id: str, rhythm: Rhythm, known: _Runs, opened: Collection[Problem], normal: Normal, found: _Findings
) -> None:
    problem = (str(AlarmKind.LONGER), flow_id)
    latest = answers.new_runs(normal, problem, known.latest.get(flow_id, []), known.created)
    if long := detection.long_runs(rhythm, latest, alarming=problem in opened):
        facts = {
            "run": long[0].run_id,
            "running": not long[0].ended,
            "seconds": round(long[0].seconds),
            "usual": round(rhythm.usual, 1),
            "longest": round(rhythm.longest, 1),
            "number": len(long),
        }
        found.add(problem, min(known.created[run.run_id] for run in long), facts)


def _read_latest(work: Work, rows: QuerySet[IndexedRun], known: _Runs, names: dict[str, str]) -> None:
    """Add the latest runs, and the newest names of their flows."""
    columns = ("flow_id", "flow_name", "run_id", "status", "created", "started", "duration", "failed_step_title")
    for flow_id, name, run_id, status, created, started, duration, step in rows.order_by("-created", "-pk").values_list(
        *columns
    )[:RECENT]:
        if not flow_id:
            continue
        names.setdefault(flow_id, name)
        seconds = duration / 1000 if duration >= 0 else -1.0
        if status == "RUNNING":
            seconds = (work.now - (started or created)).total_seconds()
        known.created[run_id], known.steps[run_id] = created, step[:200]
        ended, failed = status not in runs.UNDER_WAY, status in runs.FAILED
        known.latest[flow_id].append(Latest(run_id, ended, failed, seconds))
