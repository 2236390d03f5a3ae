"""Numbers of launches by day and flow, and how long their runs took; each is one query over the launches' own rows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Max, Q, QuerySet, Value, When

from workflows_ui.core import clock
from workflows_ui.core.prepared import Prepared
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Workspace

#: Launches whose durations are drawn, and the minimum for a 95th percentile.
DURATIONS = 60
#: Failing flows that are listed.
_FAILING = 100


@dataclass(frozen=True)
class Failing:
    """A flow whose launches fail: how many of them failed, out of how many, and when the last one of these was made."""

    flow_id: str
    name: str
    failed: int
    number: int
    last: datetime


def by_day(rows: QuerySet[Launch], days: Sequence[date]) -> Sequence[Mapping[str, int]]:
    """The number of launches by state, for each of these consecutive days of the current time zone."""
    return counted(counts(rows, *midnights(days)), len(days))


def counts(rows: QuerySet[Launch], *ends: datetime) -> QuerySet[Launch, tuple[int, str, int]]:
    """The number of launches by position of the day and state. A day is between two of `ends`.

    An index holds workspace, state and time, so that no row is read; the states are named for this reason.
    """
    rows = rows.filter(asked_at__gte=ends[0], asked_at__lt=ends[-1], state__in=list(State)).order_by()
    return rows.values_list(day_position("asked_at", ends), "state").annotate(number=Count("pk"))


def counted(rows: Iterable[tuple[int, str, int]], days: int) -> Sequence[Mapping[str, int]]:
    """The result of `counts` for each day, by state."""
    found: list[dict[str, int]] = [{} for _day in range(days)]
    for position, state, number in rows:
        found[position][state] = number
    return found


def midnights(days: Sequence[date]) -> Sequence[datetime]:
    """The beginnings of consecutive days in the current time zone, and the end of the last one."""
    return [clock.midnight(day) for day in [*days, days[-1] + timedelta(days=1)]]


def by_flow(
    rows: QuerySet[Launch], flow_ids: Collection[str], days: Sequence[date]
) -> Mapping[str, Sequence[tuple[int, int]]]:
    """The number of launches that succeeded, and that went wrong, for each day; by flow, without flows that were not launched."""
    counted: dict[str, list[tuple[int, int]]] = defaultdict(lambda: [(0, 0)] * len(days))
    ends = midnights(days)
    rows = rows.filter(asked_at__gte=ends[0], asked_at__lt=ends[-1], flow_id__in=flow_ids).order_by()
    good, bad = Count("pk", filter=Q(state=State.SUCCEEDED)), Count("pk", filter=launches.PROBLEM)
    for flow_id, position, well, wrong in rows.values_list("flow_id", day_position("asked_at", ends)).annotate(
        good=good, bad=bad
    ):
        counted[flow_id][position] = (well, wrong)
    return counted


def failing_flows(workspace: Workspace, since: datetime, *, without_run: bool = False) -> Sequence[Failing]:
    """The flows that had failed launches since this moment, and no successful one after the last of these; those with the most first,
    a hundred at most. `without_run`: count only failed launches that led to no run.
    """
    return [Failing(*row) for row in (_failing_without_run if without_run else _failing)(workspace.pk, since)]


def _failing_flows(workspace: int, since: datetime, failed: Q) -> QuerySet[Launch, tuple[Any, ...]]:
    rows = Launch.objects.filter(workspace=workspace, asked_at__gte=since).order_by()
    flows = rows.values("flow_id").annotate(
        failed=Count("pk", filter=failed),
        number=Count("pk"),
        name=Max("flow_name"),
        last=Max("asked_at", filter=failed),
        good=Max("asked_at", filter=Q(state=State.SUCCEEDED)),
    )
    failing = flows.filter(Q(good=None) | Q(last__gt=F("good")), failed__gt=0).order_by("-failed", "-last")[:_FAILING]
    return failing.values_list("flow_id", "name", "failed", "number", "last")


_failing = Prepared(lambda workspace, since: _failing_flows(workspace, since, launches.PROBLEM), int, datetime)
_failing_without_run = Prepared(
    lambda workspace, since: _failing_flows(workspace, since, launches.PROBLEM & ~Q(state=State.FAILED)), int, datetime
)


def ended_runs(rows: QuerySet[Launch]) -> Sequence[Launch]:
    """The newest launches whose run succeeded or failed, with known times, the oldest first."""
    ended = rows.filter(
        state__in=(State.SUCCEEDED, State.FAILED), run_started_at__isnull=False, run_finished_at__isnull=False
    )
    fields = ("state", "asked_at", "run_started_at", "run_finished_at")
    return list(ended.select_related(None).only(*fields)[:DURATIONS])[::-1]


def day_position(moment: str, ends: Sequence[datetime]) -> Case:
    """The position of the day of `moment`, a field. Compared with each midnight, since days differ in length; databases do so quickly."""
    days = [When(**{f"{moment}__lt": end}, then=Value(position)) for position, end in enumerate(ends[1:-1])]
    return Case(*days, default=Value(len(ends) - 2), output_field=IntegerField())
