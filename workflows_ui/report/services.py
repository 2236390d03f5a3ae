"""Numbers of a week: runs by flow from the run index, launches by person and flow. One query each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from django.db.models import Count, F, Max, Q, Sum
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.core import clock
from workflows_ui.launches.models import State
from workflows_ui.launches.services import launches, runs
from workflows_ui.members.services.access import Access
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes, recent

#: The most flows, and the most pairs of a person and a flow.
MOST = 1000


@dataclass(frozen=True)
class Line:
    """The runs of a flow, or the launches of a person, in the week.

    Attributes:
        key: the id of a flow, or the key of a person.
        name: of the flow or the person; "" for a flow without one.
        number, failed: of runs, or of launches.
        took: milliseconds of running.
        minutes: saved; None if not known.
    """

    key: str
    name: str
    number: int
    failed: int
    took: float
    minutes: float | None = None


def zone() -> tzinfo:
    """The time zone whose days are counted: the console's, so that every reader sees the same numbers."""
    return timezone.get_default_timezone()


def report(access: Access, index: RunIndex, monday: date, saved: Mapping[str, float]) -> tuple[list[Line], list[Line]]:
    """The lines of flows and of people, those with the most first, of the week that begins on this day in `zone`.

    Args:
        saved: minutes that a successful run of a flow saves, by the flow's id.
    """
    begin, end = clock.midnight(monday, zone()), clock.midnight(monday + timedelta(days=7), zone())
    return _flows(index, begin, end, saved), _people(access, begin, end, saved)


def _flows(index: RunIndex, begin: datetime, end: datetime, saved: Mapping[str, float]) -> list[Line]:
    # Archived runs ran, too; of erased ones nothing is known.
    rows = IndexedRun.objects.filter(workspace_id=index.pk, erased_at__isnull=True)
    rows = rows.filter(created__gte=begin, created__lt=end).order_by()
    counted = rows.values_list("flow_id").annotate(
        name=Max("flow_name"),
        number=Count("pk"),
        failed=Count("pk", filter=Q(status__in=runs.FAILED)),
        good=Count("pk", filter=Q(status__in=runs.SUCCEEDED)),
        took=Sum("duration", filter=Q(duration__gte=0), default=0),
    )
    counted = counted.order_by("-number", "flow_id")[:MOST]
    past = end <= recent.begin(clock.now())
    found = indexes.remember(index, f"report {counted.query}", lambda: list(counted), past=past)
    return [
        Line(flow, name, number, failed, took, good * saved[flow] if flow in saved else None)
        for flow, name, number, failed, good, took in found
    ]


def _people(access: Access, begin: datetime, end: datetime, saved: Mapping[str, float]) -> list[Line]:
    rows = launches.visible_launches(access).filter(asked_at__gte=begin, asked_at__lt=end)
    ran = Q(run_started_at__isnull=False, run_finished_at__gte=F("run_started_at"))
    counted = (
        rows.select_related(None)
        .order_by()
        .values_list("user", "flow_id")
        .annotate(
            number=Count("pk"),
            failed=Count("pk", filter=launches.PROBLEM),
            good=Count("pk", filter=Q(state=State.SUCCEEDED)),
            took=Sum(F("run_finished_at") - F("run_started_at"), filter=ran),
        )
    )
    found: dict[int, list[Line]] = defaultdict(list)
    for user, flow, number, failed, good, took in counted.order_by("-number", "user", "flow_id")[:MOST]:
        minutes = good * saved[flow] if flow in saved else None
        found[user].append(Line("", "", number, failed, took / timedelta(milliseconds=1) if took else 0, minutes))
    people = User.objects.in_bulk(found)
    lines = [replace(total(found[key]), key=str(key), name=person.label) for key, person in people.items()]
    return sorted(lines, key=lambda line: (-line.number, line.key))


def total(lines: Sequence[Line]) -> Line:
    minutes = [line.minutes for line in lines if line.minutes is not None]
    return Line(
        "",
        "",
        sum(line.number for line in lines),
        sum(line.failed for line in lines),
        sum(line.took for line in lines),
        sum(minutes) if minutes else None,
    )
