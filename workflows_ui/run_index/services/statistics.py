"""Numbers of indexed runs by day, flow and hour, and how long they took: each is one query or two, kept until a run changes. Of the past
(recent.py) they are kept until a run of the past changes, which is seldom.

Rows are those of `listed`, or others of the index. What is kept is found again by the query's own SQL, with all its conditions and the
beginnings of the days in the reader's time zone.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Count, F, FloatField, Func, Q, QuerySet
from django.db.models.functions import Cast, Substr
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from workflows_ui.core import clock
from workflows_ui.launches.services import runs
from workflows_ui.launches.services.statistics import DURATIONS, day_position, midnights
from workflows_ui.run_index.models import LISTED, IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes, recent

_HOUR = timedelta(hours=1)
#: The most runs of which is counted how many ran at the same time.
MOST_AT_ONCE = 50_000


class Ended(NamedTuple):
    """A run that has ended, and how many milliseconds it took."""

    run_id: str
    status: str
    created: datetime
    duration: int


def listed(index: RunIndex) -> QuerySet[IndexedRun]:
    """The index's runs without those that were archived or erased: the condition of the table's partial indexes."""
    return IndexedRun.objects.filter(LISTED, workspace_id=index.pk)


def number(index: RunIndex, rows: QuerySet[IndexedRun]) -> int:
    begin, rows = recent.begin(clock.now()), rows.order_by()
    past, new = rows.filter(created__lt=begin), rows.filter(created__gte=begin)
    counted = indexes.remember(index, f"number {_sql(past)}", past.count, past=True)
    return counted + indexes.remember(index, f"number {_sql(new)}", new.count)


def by_day(index: RunIndex, rows: QuerySet[IndexedRun], days: Sequence[date]) -> Sequence[Mapping[str, int]]:
    """The number of runs by status, for each of these consecutive days of the current time zone."""
    found = [Counter[str]() for _day in days]
    ends = midnights(days)
    position = day_position("created", ends)
    for place, status, count in _both(
        index, _within(rows, ends), lambda part: part.values_list(position, "status").annotate(number=Count("pk"))
    ):
        found[place][status] += count
    return found


def by_flow(
    index: RunIndex, flow_ids: Collection[str], days: Sequence[date]
) -> Mapping[str, Sequence[tuple[int, int]]]:
    """The number of runs that succeeded, and that failed, for each day; by flow, without flows that did not run."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(lambda: [(0, 0)] * len(days))
    ends = midnights(days)
    rows = _within(listed(index), ends).filter(flow_id__in=sorted(flow_ids))
    position = day_position("created", ends)
    good, bad = Count("pk", filter=Q(status__in=runs.SUCCEEDED)), Count("pk", filter=Q(status__in=runs.FAILED))
    for flow_id, place, well, wrong in _both(
        index, rows, lambda part: part.values_list("flow_id", position).annotate(good=good, bad=bad)
    ):
        before = found[flow_id][place]
        found[flow_id][place] = (before[0] + well, before[1] + wrong)
    return found


def by_hour(index: RunIndex, rows: QuerySet[IndexedRun], days: Sequence[date]) -> Sequence[Sequence[int]]:
    """The number of runs of these days by weekday, Monday first, and hour of the current time zone: seven times 24 numbers.

    The database counts by the beginnings of the times' texts, in UTC: its functions for hours of a time zone take ten times as long.
    """
    found = [[0] * 24 for _day in range(7)]
    ends = midnights(days)
    whole = not any((end.utcoffset() or _HOUR) % _HOUR for end in (ends[0], ends[-1]))
    text = Substr(Cast("created", CharField()), 1, len("2026-01-31 23" if whole else "2026-01-31 23:59"))
    for begun, count in _both(
        index, _within(rows, ends), lambda part: part.values_list(text).annotate(number=Count("pk"))
    ):
        moment = timezone.localtime(datetime.fromisoformat(begun).replace(tzinfo=UTC))
        found[moment.weekday()][moment.hour] += count
    return found


def at_once(index: RunIndex, rows: QuerySet[IndexedRun], days: Sequence[date]) -> Sequence[tuple[datetime, int]]:
    """How many of the runs ran at the same time: the most of each hour of these days that has begun, with its beginning.

    Runs that were received more than a day before the first of the days are not counted, and of those of the past (recent.py) and the
    others only the latest MOST_AT_ONCE each: hours before these are left out.
    """
    begin, now = midnights(days)[0], clock.now()
    end = min(midnights(days)[-1], now)
    # The past ends with a whole hour of a day, also where these do not begin with the hours of UTC.
    middle = begin + max(0, (min(recent.begin(now), end) - begin) // _HOUR) * _HOUR

    def of_past() -> tuple[list[tuple[datetime, int]], list[_Ran]]:
        found = _ran(rows, begin - timedelta(days=1), middle)
        going = [run for run in found if run.finish is None or run.finish > middle.timestamp()]
        return _peaks(found, begin, middle, now), going

    def of_recent() -> list[tuple[datetime, int]]:
        return _peaks([*_ran(rows, middle, end), *going], middle, end, now)

    name = f"at once {_sql(rows.order_by())} {begin} {middle}"
    before, going = indexes.remember(index, name, of_past, past=True)
    new = indexes.remember(index, f"{name} {(end - middle) // _HOUR}", of_recent)
    return new if new and new[0][0] > middle else [*before, *new]


def latest(index: RunIndex, rows: QuerySet[IndexedRun]) -> Sequence[Ended]:
    """The newest runs that succeeded or failed, with known times, the oldest first."""
    ended = rows.filter(status__in=[*runs.SUCCEEDED, *runs.FAILED], duration__gte=0).order_by("-created", "-id")
    return [Ended(*row) for row in _kept(index, ended.values_list(*Ended._fields)[:DURATIONS])][::-1]


class _Seconds(Func):
    """A time as seconds since 1970: a number is read ten times as fast as a time, which matters for many rows."""

    output_field = FloatField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> object:
        template = "EXTRACT(EPOCH FROM %(expressions)s)::float8"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        template = "((julianday(%(expressions)s) - 2440587.5) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, **context)


class _Ran(NamedTuple):
    """When a run was created, began and ended, in seconds since 1970; None while it runs."""

    created: float
    start: float
    finish: float | None


def _ran(rows: QuerySet[IndexedRun], since: datetime, until: datetime) -> list[_Ran]:
    """The runs that were created in this time, the newest first."""
    ran = rows.filter(created__gte=since, created__lt=until, started__isnull=False)
    ran = ran.filter(Q(finished__gte=F("started")) | Q(finished__isnull=True, status="RUNNING"))
    times = (_Seconds(name) for name in ("created", "started", "finished"))
    return list(map(_Ran._make, ran.order_by("-created").values_list(*times)[:MOST_AT_ONCE]))


def _peaks(ran: Sequence[_Ran], begin: datetime, end: datetime, now: datetime) -> list[tuple[datetime, int]]:
    """`at_once` of the hours from `begin` to `end`."""
    hour = _HOUR.total_seconds()
    if len(ran) >= MOST_AT_ONCE:
        begin += max(0, math.ceil((ran[MOST_AT_ONCE - 1].created - begin.timestamp()) / hour)) * _HOUR
    first, last, present = begin.timestamp(), end.timestamp(), now.timestamp()
    starts = sorted(run.start for run in ran)
    # A run that took no time counts as one, and one that still runs counts until now.
    ends = sorted(max(present if run.finish is None else run.finish, run.start + 0.001) for run in ran)

    def running(moment: float) -> int:
        return bisect_right(starts, moment) - bisect_right(ends, moment)

    peaks = [running(first + place * hour) for place in range(max(0, math.ceil((last - first) / hour)))]
    for start in starts[bisect_left(starts, first) : bisect_left(starts, last)]:
        place = int((start - first) // hour)
        peaks[place] = max(peaks[place], running(start))
    return [(begin + place * _HOUR, peak) for place, peak in enumerate(peaks)]


def _within(rows: QuerySet[IndexedRun], ends: Sequence[datetime]) -> QuerySet[IndexedRun]:
    return rows.filter(created__gte=ends[0], created__lt=ends[-1]).order_by()


def _both(
    index: RunIndex, rows: QuerySet[IndexedRun], count: Callable[[QuerySet[IndexedRun]], QuerySet[IndexedRun, object]]
) -> list[Any]:
    """The results of a count of the past and of one of the recent runs: the first one is kept until a run of the past changes."""
    begin = recent.begin(clock.now())
    past, new = count(rows.filter(created__lt=begin)), count(rows.filter(created__gte=begin))
    return [*_kept(index, past, past=True), *_kept(index, new)]


def _kept(index: RunIndex, rows: QuerySet[IndexedRun, object], *, past: bool = False) -> list[Any]:
    return indexes.remember(index, _sql(rows), lambda: list(rows), past=past)


def _sql(rows: QuerySet[IndexedRun, object]) -> str:
    """The query, as the name of its result. Django has no SQL for conditions that match no row, such as being one of no flows."""
    try:
        return str(rows.query)
    except EmptyResultSet:
        return "none"
