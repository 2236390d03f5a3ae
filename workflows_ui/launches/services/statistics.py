"""Numbers of launches by day and flow, and how long their runs took; each is one query over the launches' own rows."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When
from django.utils import timezone

from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Workspace

#: Days of a plot, today included, unless others are asked for; and the most that are counted.
DAYS, MOST_DAYS = 14, 62
#: Launches whose durations are drawn, and the minimum for a 95th percentile.
DURATIONS = 60


@dataclass(frozen=True)
class Failing:
    """A flow with failed launches: how many of its launches failed, out of how many, and when the last one was made."""

    flow_id: str
    name: str
    failed: int
    number: int
    last: datetime


def days_until(last: date, number: int = DAYS) -> Sequence[date]:
    """The days up to and including `last`, the earliest first."""
    return [last - timedelta(days=number - 1 - position) for position in range(number)]


def by_day(rows: QuerySet[Launch], days: Sequence[date]) -> Sequence[Mapping[str, int]]:
    """The number of launches by state, for each of these consecutive days of the current time zone.

    An index holds workspace, state and time, so that no row is read; the states are named for this reason.
    """
    counted: list[dict[str, int]] = [{} for _day in days]
    counts = rows.filter(_within(days), state__in=list(State)).order_by().values_list(_position(days), "state")
    for position, state, number in counts.annotate(number=Count("pk")):
        counted[position][state] = number
    return counted


def by_flow(
    rows: QuerySet[Launch], flow_ids: Collection[str], days: Sequence[date]
) -> Mapping[str, Sequence[tuple[int, int]]]:
    """The number of launches that succeeded, and that went wrong, for each day; by flow, without flows that were not launched."""
    counted: dict[str, list[tuple[int, int]]] = defaultdict(lambda: [(0, 0)] * len(days))
    rows = rows.filter(_within(days), flow_id__in=flow_ids).order_by()
    good, bad = Count("pk", filter=Q(state=State.SUCCEEDED)), Count("pk", filter=launches.PROBLEM)
    for flow_id, position, well, wrong in rows.values_list("flow_id", _position(days)).annotate(good=good, bad=bad):
        counted[flow_id][position] = (well, wrong)
    return counted


def failing_flows(workspace: Workspace, since: datetime, most: int) -> Sequence[Failing]:
    """The flows with failed launches since this moment, those with the most first."""
    rows = Launch.objects.filter(workspace=workspace, asked_at__gte=since).order_by()
    flows = rows.values("flow_id").annotate(
        failed=Count("pk", filter=launches.PROBLEM),
        number=Count("pk"),
        name=Max("flow_name"),
        last=Max("asked_at", filter=launches.PROBLEM),
    )
    failing = flows.filter(failed__gt=0).order_by("-failed", "-last")[:most]
    return [Failing(row["flow_id"], row["name"], row["failed"], row["number"], row["last"]) for row in failing]


def ended_runs(rows: QuerySet[Launch]) -> Sequence[Launch]:
    """The newest launches whose run succeeded or failed, with known times, the oldest first."""
    ended = rows.filter(
        state__in=(State.SUCCEEDED, State.FAILED), run_started_at__isnull=False, run_finished_at__isnull=False
    )
    fields = ("state", "asked_at", "run_started_at", "run_finished_at")
    return list(ended.select_related(None).only(*fields)[:DURATIONS])[::-1]


def midnight(day: date) -> datetime:
    """The beginning of a day in the current time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _within(days: Sequence[date]) -> Q:
    return Q(asked_at__gte=midnight(days[0]), asked_at__lt=midnight(days[-1] + timedelta(days=1)))


def _position(days: Sequence[date]) -> Case:
    """The position of a launch's day. Compared with each midnight, since days differ in length; databases do so quickly."""
    ends = [When(asked_at__lt=midnight(day), then=Value(position)) for position, day in enumerate(days[1:])]
    return Case(*ends, default=Value(len(days) - 1), output_field=IntegerField())
