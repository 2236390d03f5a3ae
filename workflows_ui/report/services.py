"""Numbers of a week: runs by flow from the run index, launches by person and flow. One query each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
class Counts:
    """Runs or launches of a week.

    Attributes:
        number, failed: how many.
        took: milliseconds of running.
        minutes: saved; None if not known.
    """

    number: int = 0
    failed: int = 0
    took: float = 0
    minutes: float | None = None

    @property
    def failure_rate(self) -> float | None:
        """The share that failed, from 0 to 1; None if there are none."""
        return self.failed / self.number if self.number else None


@dataclass(frozen=True)
class Line:
    """The runs of a flow, or the launches of a person, in the week and in the week before.

    Attributes:
        key: the id of a flow, or the key of a person.
        name: of the flow or the person; "" for a flow without one.
    """

    key: str
    name: str
    week: Counts
    before: Counts


#: The counts of a week with their names, by key.
Named = dict[str, tuple[str, Counts]]


def zone() -> tzinfo:
    """The time zone whose days are counted: the console's, so that every reader sees the same numbers."""
    return timezone.get_default_timezone()


def report(access: Access, index: RunIndex, monday: date, saved: Mapping[str, float]) -> tuple[list[Line], list[Line]]:
    """The lines of flows and of people, those with the most first, of the week that begins on this day in `zone`.

    Args:
        saved: minutes that a successful run of a flow saves, by the flow's id.
    """
    earlier, begin, end = (clock.midnight(monday + timedelta(days=days), zone()) for days in (-7, 0, 7))
    return (
        _lines(_flows(index, begin, end, saved), _flows(index, earlier, begin, saved)),
        _lines(_people(access, begin, end, saved), _people(access, earlier, begin, saved)),
    )


def _lines(week: Named, before: Named) -> list[Line]:
    none = "", Counts()
    lines = [
        Line(key, week.get(key, none)[0] or before.get(key, none)[0], week.get(key, none)[1], before.get(key, none)[1])
        for key in {**week, **before}
    ]
    return sorted(lines, key=lambda line: (-line.week.number, -line.before.number, line.key))


def _flows(index: RunIndex, begin: datetime, end: datetime, saved: Mapping[str, float]) -> Named:
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
    return {
        flow: (name, Counts(number, failed, took, good * saved[flow] if flow in saved else None))
        for flow, name, number, failed, good, took in found
    }


def _people(access: Access, begin: datetime, end: datetime, saved: Mapping[str, float]) -> Named:
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
    found: dict[int, list[Counts]] = defaultdict(list)
    for user, flow, number, failed, good, took in counted.order_by("-number", "user", "flow_id")[:MOST]:
        minutes = good * saved[flow] if flow in saved else None
        found[user].append(Counts(number, failed, took / timedelta(milliseconds=1) if took else 0, minutes))
    people = User.objects.in_bulk(found)
    return {str(key): (person.label, total(found[key])) for key, person in people.items()}


def total(counts: Iterable[Counts]) -> Counts:
    listed = list(counts)
    minutes = [each.minutes for each in listed if each.minutes is not None]
    return Counts(
        sum(each.number for each in listed),
        sum(each.failed for each in listed),
        sum(each.took for each in listed),
        sum(minutes) if minutes else None,
    )


def total_line(lines: Sequence[Line], name: str) -> Line:
    """The sums of the lines, of both weeks."""
    return Line("", name, total(line.week for line in lines), total(line.before for line in lines))
