"""Numbers of indexed runs by day, flow and hour, and how long they took: each is one query, kept until a run changes.

Rows are those of `listed`, or others of the index. What is kept is found again by the query's own SQL, with all its conditions and the
beginnings of the days in the reader's time zone.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import CharField, Count, F, Q, QuerySet
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from workflows_ui.core import clock
from workflows_ui.launches.models import State
from workflows_ui.launches.services import runs
from workflows_ui.launches.services.statistics import DURATIONS, counted, day_position, midnights
from workflows_ui.run_index.models import LISTED, IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes

_HOUR = timedelta(hours=1)
#: The most runs of which is counted how many ran at the same time.
MOST_AT_ONCE = 50_000
_SUCCEEDED = tuple(name for name, state in runs.STATES.items() if state.launch == State.SUCCEEDED)


class Ended(NamedTuple):
    """A run that has ended, and how many milliseconds it took."""

    run_id: str
    status: str
    created: datetime
    duration: int


def listed(index: RunIndex) -> QuerySet[IndexedRun]:
    """The index's runs without those that were archived or erased: the condition of the table's partial indexes."""
    return IndexedRun.objects.filter(LISTED, workspace_id=index.pk)


def by_day(index: RunIndex, rows: QuerySet[IndexedRun], days: Sequence[date]) -> Sequence[Mapping[str, int]]:
    """The number of runs by status, for each of these consecutive days of the current time zone."""
    ends = midnights(days)
    numbers = _within(rows, ends).values_list(day_position("created", ends), "status").annotate(number=Count("pk"))
    return counted(_kept(index, numbers), len(days))


def by_flow(
    index: RunIndex, flow_ids: Collection[str], days: Sequence[date]
) -> Mapping[str, Sequence[tuple[int, int]]]:
    """The number of runs that succeeded, and that failed, for each day; by flow, without flows that did not run."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(lambda: [(0, 0)] * len(days))
    ends = midnights(days)
    rows = _within(listed(index), ends).filter(flow_id__in=sorted(flow_ids))
    numbers = rows.values_list("flow_id", day_position("created", ends)).annotate(
        good=Count("pk", filter=Q(status__in=_SUCCEEDED)), bad=Count("pk", filter=Q(status__in=runs.FAILED))
    )
    for flow_id, position, good, bad in _kept(index, numbers):
        found[flow_id][position] = (good, bad)
    return found


def by_hour(index: RunIndex, rows: QuerySet[IndexedRun], days: Sequence[date]) -> Sequence[Sequence[int]]:
    """The number of runs of these days by weekday, Monday first, and hour of the current time zone: seven times 24 numbers.

    The database counts by the beginnings of the times' texts, in UTC: its functions for hours of a time zone take ten times as long.
    """
    found = [[0] * 24 for _day in range(7)]
    ends = midnights(days)
    whole = not any((end.utcoffset() or _HOUR) % _HOUR for end in (ends[0], ends[-1]))
    text = Substr(Cast("created", CharField()), 1, len("2026-01-31 23" if whole else "2026-01-31 23:59"))
    for begun, number in _kept(index, _within(rows, ends).values_list(text).annotate(number=Count("pk"))):
        moment = timezone.localtime(datetime.fromisoformat(begun).replace(tzinfo=UTC))
        found[moment.weekday()][moment.hour] += number
    return found


def at_once(index: RunIndex, rows: QuerySet[IndexedRun], days: Sequence[date]) -> Sequence[tuple[datetime, int]]:
    """How many of the runs ran at the same time: the most of each hour of these days that has begun, with its beginning.

    Runs that were received more than a day before the first of the days are not counted, nor more than the latest MOST_AT_ONCE.
    """
    begin, now = midnights(days)[0], clock.now()
    end = min(midnights(days)[-1], now)
    ran = rows.filter(created__gte=begin - timedelta(days=1), created__lt=end, started__lt=end)
    ran = ran.filter(Q(finished__gte=F("started")) | Q(finished__isnull=True, status="RUNNING"))
    times = ran.order_by("-created").values_list("started", "finished")[:MOST_AT_ONCE]
    peaks = [0] * max(1, math.ceil((end - begin) / _HOUR))
    changes = []
    for start, finish in _kept(index, times):
        # A run that took no time counts as one, and one that goes on counts until now.
        ended = max(finish or now, start + timedelta(milliseconds=1))
        if ended > begin:
            changes += [(max(start, begin), 1), (ended, -1)]
    number = hour = 0
    for moment, change in [*sorted(changes), (end, 0)]:
        reached = min((min(moment, end) - begin) // _HOUR, len(peaks) - 1)
        peaks[hour + 1 : reached + 1] = [number] * (reached - hour)
        number, hour = number + change, reached
        if moment < end:
            peaks[hour] = max(peaks[hour], number)
    return [(begin + position * _HOUR, peak) for position, peak in enumerate(peaks)]


def latest(index: RunIndex, rows: QuerySet[IndexedRun]) -> Sequence[Ended]:
    """The newest runs that succeeded or failed, with known times, the oldest first."""
    ended = rows.filter(status__in=[*_SUCCEEDED, *runs.FAILED], duration__gte=0).order_by("-created", "-id")
    return [Ended(*row) for row in _kept(index, ended.values_list(*Ended._fields)[:DURATIONS])][::-1]


def _within(rows: QuerySet[IndexedRun], ends: Sequence[datetime]) -> QuerySet[IndexedRun]:
    return rows.filter(created__gte=ends[0], created__lt=ends[-1]).order_by()


def _kept(index: RunIndex, rows: QuerySet[IndexedRun, Any]) -> list[Any]:
    return indexes.remember(index, str(rows.query), lambda: list(rows))
