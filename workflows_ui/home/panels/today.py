"""Today beside the usual day, and the last days as a plot."""

import statistics as numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from workflows_ui.core import clock, days as plot_days, formats
from workflows_ui.home import queries
from workflows_ui.launches import panels as launch_plots
from workflows_ui.launches.models import WENT_WRONG
from workflows_ui.launches.services import statistics
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.resource_admin.places import list_url
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import statistics as run_statistics
from workflows_ui.runs.plots import RunPlots
from workflows_ui.web.plots import BarPlot

_SATURDAY = 5


@dataclass(frozen=True)
class Number:
    """A number of today with the list of what it counts, and the usual one as text; "" if it is not known."""

    label: str
    number: int
    url: str
    usual: str = ""
    tone: str = ""

    @property
    def text(self) -> str:
        return formats.number(self.number)


class Today:
    """Today beside the usual day, and the last days as a plot: of the runs of the index, else of the visible launches.

    The usual day is the median of the weekdays or of the days of weekends before today that are plotted.
    """

    def __init__(self, person_access: access.Access, index: RunIndex | None) -> None:
        self._slug, self._index = person_access.workspace.slug, index
        #: Whether runs are counted, and whether the workspace has an index, which this person may not see.
        self.counts_runs, self.has_index = index is not None, hasattr(person_access.workspace, "run_index")
        self._visible = queries.visible_to_builders if person_access.allows(Role.BUILDER) else queries.own
        self._values = (person_access.workspace.pk, person_access.user.pk)[
            : 1 if person_access.allows(Role.BUILDER) else 2
        ]
        self._today = timezone.localdate()
        self._days = plot_days.days_until(self._today)

    @cached_property
    def _run_plots(self) -> RunPlots | None:
        return RunPlots(self._index, self._slug, run_statistics.listed(self._index), {}) if self._index else None

    @cached_property
    def _launches(self) -> Sequence[Mapping[str, int]]:
        """The launches of each day by state."""
        rows = self._visible.days(*self._values, *statistics.midnights(self._days))
        return statistics.counted(rows, len(self._days))

    @cached_property
    def plot(self) -> BarPlot | None:
        """The last days by outcome; None if nothing was done."""
        if self._run_plots:
            return self._run_plots.days
        return launch_plots.per_day(self._launches, reverse("launches", args=[self._slug]), {}, self._days)

    @cached_property
    def numbers(self) -> list[Number]:
        found = self._of_runs(self._run_plots) if self._run_plots else self._of_launches()
        (kept,) = self._visible.number_kept(*self._values)
        url = f"{reverse('launches', args=[self._slug])}?state=kept"
        return [*found, Number(_("Kept until the engine is back"), kept, url)] if kept else found

    def _of_runs(self, plots: RunPlots) -> list[Number]:
        counts, today = plots.by_outcome, self._today.isoformat()
        sums, failed = ([sum(day.values()) for day in counts], [day["failed"] for day in counts])
        going = sum(day["open"] for day in counts)
        return [
            Number(_("Runs today"), sums[-1], list_url(self._slug, "runs", since=today), self._usual(sums, sums)),
            Number(
                _("Failed today"),
                failed[-1],
                list_url(self._slug, "runs", since=today, status=plots.statuses("failed")),
                self._usual(failed, sums),
                "danger" if failed[-1] else "",
            ),
            Number(
                _("Runs in progress"),
                going,
                list_url(self._slug, "runs", since=self._days[0].isoformat(), status=plots.statuses("open")),
            ),
        ]

    def _of_launches(self) -> list[Number]:
        lists, today = reverse("launches", args=[self._slug]), self._today.isoformat()
        sums = [sum(day.values()) for day in self._launches]
        wrong = [sum(day.get(state, 0) for state in WENT_WRONG) for day in self._launches]
        (failed,) = self._visible.problems_since(*self._values, clock.midnight(self._today)) if wrong[-1] else (0,)
        (going,) = self._visible.number_in_progress(*self._values)
        return [
            Number(_("Launches today"), sums[-1], f"{lists}?{urlencode({'since': today})}", self._usual(sums, sums)),
            Number(
                _("Launches failed today"),
                failed,
                f"{lists}?{urlencode({'state': 'problem', 'since': today})}",
                self._usual(wrong, sums),
                "danger" if failed else "",
            ),
            Number(_("Launches in progress"), going, f"{lists}?state=open"),
        ]

    def _usual(self, counts: Sequence[int], sums: Sequence[int]) -> str:
        """The usual number of a day like today; "" if there was nothing before today, by the `sums` of the days."""
        weekend = self._today.weekday() >= _SATURDAY
        before = [
            number
            for day, number in zip(self._days[:-1], counts, strict=False)
            if (day.weekday() >= _SATURDAY) == weekend
        ]
        if not before or not any(sums[:-1]):
            return ""
        return _("usually %(n)s") % {"n": formats.number(round(numbers.median(before)))}

    @property
    def usual_day(self) -> str:
        """What the usual numbers are of."""
        if self._today.weekday() >= _SATURDAY:
            return _("Median of the weekend days of the last two weeks")
        return _("Median of the weekdays of the last two weeks")
