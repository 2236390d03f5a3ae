"""Learning the rhythms of the flows of an index: of each once a day, of some in each check."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import CharField, Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Cast, Substr

from workflows_ui.alarms import detection
from workflows_ui.alarms.detection import Hour
from workflows_ui.alarms.models import FlowRhythm
from workflows_ui.alarms.work import Work, save, set_alarm_times
from workflows_ui.launches.services import runs
from workflows_ui.run_index.models import IndexedRun
from workflows_ui.run_index.services import retention, spans

#: Rhythms are learnt again after this time, and after a pause of the checks.
LEARN_EVERY, PAUSE = timedelta(days=1), timedelta(hours=1)
#: While the index still reads the past, and once more when it has.
AGAIN = timedelta(minutes=10)
#: Flows of one check, and of a query.
FLOWS, LEARNT_AT_ONCE = 500, 50


def learn(work: Work) -> None:
    """Learn the rhythms of some of the flows that are due. All become due once a day, and when the index has read the past."""
    floor = retention.floor(work.index, work.now)
    unread = [span.before for span in spans.load(work.index.spans) if not span.compares]
    known_since = max(filter(None, (floor, *unread)))
    since = max(known_since, work.now - timedelta(weeks=detection.WEEKS))
    if _is_due(work, AGAIN if not unread else timedelta()):
        _begin(work, since)
        work.note(learnt_at=work.now - (LEARN_EVERY - AGAIN) if unread else work.now)
    due = list(work.rhythms.filter(learn_at__lte=work.now).order_by("learn_at", "pk")[:FLOWS])
    for start in range(0, len(due), LEARNT_AT_ONCE):
        _learn(work, due[start : start + LEARNT_AT_ONCE], known_since, since)


def _is_due(work: Work, early: timedelta) -> bool:
    learnt, checked = work.watch.learnt_at, work.watch.checked_at
    if learnt is None or checked is None:
        return True
    return learnt < work.now - LEARN_EVERY + early or checked < work.now - PAUSE


def _begin(work: Work, since: datetime) -> None:
    """Make the flows that ran in the last weeks due for learning. A quiet flow keeps its rhythm."""
    flows = work.runs(since).exclude(flow_id="")
    new = flows.exclude(flow_id__in=work.rhythms.values("flow_id")).values_list("flow_id", flat=True).distinct()
    added = [FlowRhythm(index=work.index, flow_id=flow_id) for flow_id in new]
    save(added, "learn_at")
    quiet = Q(alarm_at__lte=work.now, cron="")
    work.rhythms.filter(flow_id__in=flows.values("flow_id")).exclude(quiet).update(learn_at=work.now)


def _learn(work: Work, rows: Sequence[FlowRhythm], known_since: datetime, since: datetime) -> None:
    ids = [row.flow_id for row in rows]
    hours = _hours(work.runs(since).filter(flow_id__in=ids))
    seldom = [key for key in ids if sum(hour.runs for hour in hours.get(key, ())) < detection.FEWEST]
    if seldom and known_since < since:
        hours |= _hours(work.runs(known_since).filter(flow_id__in=seldom))
    starts = _starts(work, work.runs(known_since if seldom else since).filter(flow_id__in=ids))
    for row in rows:
        row.learn_at = None
        if counted := hours.get(row.flow_id):
            by_hand, own = starts.get(row.flow_id, (False, None))
            rhythm = detection.learn(counted, known_since, work.now, work.calendar)
            row.rhythm = replace(rhythm, by_hand=by_hand).dump()
            last = counted[-1].last if by_hand and not row.cron else own
            row.last_run_at = max(filter(None, (row.last_run_at, last)), default=None)
    set_alarm_times(work, rows)
    save(rows, "rhythm", "last_run_at", "alarm_at", "learn_at")


def _starts(work: Work, rows: QuerySet[IndexedRun]) -> dict[str, tuple[bool, datetime | None]]:
    """Whether people start most of the runs, and the last run that they did not start; by flow."""
    by_hand = work.by_hand()
    counted = rows.values_list("flow_id").annotate(
        number=Count("pk"), started=Count("pk", filter=by_hand), last=Max("created", filter=~by_hand)
    )
    return {flow: (2 * started > number, last) for flow, number, started, last in counted}


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
