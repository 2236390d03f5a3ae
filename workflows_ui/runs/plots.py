"""Plots of the runs in the index: per day by outcome, how many at the same time, how long they took, their busiest hours. Marks lead to
their runs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import cast

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import clock, formats
from workflows_ui.core.days import days_until
from workflows_ui.core.paths import texts_at
from workflows_ui.launches.models import State
from workflows_ui.launches.services import runs
from workflows_ui.lists.filters import plotted_days
from workflows_ui.resource_admin.places import list_url, run_url
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import statistics
from workflows_ui.runs import filters as run_filters
from workflows_ui.web import messages, plots

#: Days of the busiest hours, unless the filters have others: each weekday four times.
_WEEKS = 28
#: Days of the hours in which runs are counted that ran at the same time.
_HOURS_OF = 7
_OPEN = "open"
_PEAK = "peak"
#: The filters by day.
_DAYS = frozenset({"period", "since", "until"})
#: Outcomes from the bottom of a bar to its top, which are colours too, and the statuses of each; none for a status that is not known.
_OUTCOMES: Mapping[str, Collection[str]] = {
    **{
        str(ended): [status for status, state in runs.STATES.items() if state.launch == ended]
        for ended in (State.SUCCEEDED, State.FAILED, State.CANCELLED)
    },
    str(State.OTHER): (),
    _OPEN: runs.UNDER_WAY,
}
_OUTCOME_OF = {status: outcome for outcome, statuses in _OUTCOMES.items() for status in statuses}


class RunPlots:
    """The plots of rows of the index, which these filters of the list chose. Each is counted on first access, by one query or none."""

    def __init__(self, index: RunIndex, slug: str, rows: QuerySet[IndexedRun], filters: Mapping[str, object]) -> None:
        self._index, self._slug, self._rows, self._filters = index, slug, rows, filters
        self._days, self._weeks = plotted_days(filters), plotted_days(filters, _WEEKS)
        self._latest = plotted_days(filters, _HOURS_OF)[-_HOURS_OF:]
        #: The most runs of `at_once`, as text.
        self.most_at_once = formats.number(statistics.MOST_AT_ONCE)
        #: The number of days of `days`, of `hours`, and of `at_once`.
        self.number_of_days, self.days_of_hours, self.days_at_once = map(len, (self._days, self._weeks, self._latest))

    @property
    def begin(self) -> datetime:
        """The beginning of the first day that is plotted."""
        return clock.midnight(min(self._days[0], self._weeks[0]))

    @cached_property
    def days(self) -> plots.BarPlot | None:
        """The runs of each day by outcome."""
        series = [plots.Series(key, State(key).label, key) for key in _OUTCOMES if key != _OPEN]
        series.append(plots.Series(_OPEN, _("Not ended yet"), _OPEN))
        return plots.days_bars(series, self.by_outcome, self._days, _caption, self._url)

    @cached_property
    def by_outcome(self) -> Sequence[Mapping[str, int]]:
        """The number of runs of each day, by outcome: a state of launches, or `open` for those that have not ended."""
        counts = []
        for statuses in statistics.by_day(self._index, self._rows, self._days):
            counts.append(dict.fromkeys(_OUTCOMES, 0))
            for status, number in statuses.items():
                counts[-1][_OUTCOME_OF.get(status, str(State.OTHER))] += number
        return counts

    @staticmethod
    def statuses(outcome: str) -> Sequence[str]:
        """The statuses of the runs with an outcome of `by_outcome`."""
        return list(_OUTCOMES[outcome])

    @cached_property
    def durations(self) -> plots.DotPlot | None:
        """How long the latest runs took."""
        found = [
            plots.Dot(
                run.duration,
                formats.short_date(timezone.localtime(run.created).date()),
                _("%(time)s: %(state)s, %(duration)s")
                % {
                    "time": formats.exact(run.created, seconds=False),
                    "state": messages.run_state(run.status).word,
                    "duration": formats.duration(run.duration),
                },
                run_url(self._slug, run.run_id),
                run.status in runs.FAILED,
            )
            for run in statistics.latest(self._index, self._rows)
        ]
        return plots.durations(found)

    @cached_property
    def hours(self) -> plots.HeatMap | None:
        """The runs by weekday and hour."""
        counts = statistics.by_hour(self._index, self._rows, self._weeks)
        first, last = self._weeks[0], self._weeks[-1]
        return plots.heat_map(counts, lambda weekday, hour: self._hour_url(first, last, weekday, hour))

    @cached_property
    def at_once(self) -> plots.BarPlot | None:
        """The most runs at the same time, for each hour."""
        bars = []
        counted = [(timezone.localtime(at), n) for at, n in statistics.at_once(self._index, self._rows, self._latest)]
        # The name of a day stands where the day begins.
        whole_days = any(local.hour == 0 for local, _number in counted)
        for local, number in counted:
            short = "" if whole_days and local.hour else formats.short_date(local.date())
            label = f"{formats.date(local.date())}, {local:%H:%M}"
            values = {"time": label, "n": formats.number(number)}
            caption = ngettext("%(time)s: %(n)s run at the same time", "%(time)s: %(n)s runs at the same time", number)
            url = self._hour_url(local.date(), local.date(), local.weekday(), local.hour) if number else ""
            counts = {_PEAK: number}
            bars.append(plots.Bar(label, short, caption % values, counts, url, {_PEAK: url}))
        plot = plots.stacked_bars([plots.Series(_PEAK, _("Most runs at the same time"), "open")], bars)
        return replace(plot, sums=False) if plot else None

    def _hour_url(self, first: date, last: date, weekday: int, hour: int) -> str:
        """The list of the runs that were received in an hour of these days."""
        return self._list_url(first, last, hour=run_filters.hour_value(weekday, hour))

    def _url(self, first: date, last: date, outcome: str) -> str:
        """The list of the runs of these days; "" if it cannot be filtered by their outcome."""
        if not outcome:
            return self._list_url(first, last)
        chosen = texts_at(self._filters, "status") or _OUTCOMES[outcome]
        statuses = [status for status in chosen if status in _OUTCOMES[outcome]]
        return self._list_url(first, last, status=statuses) if statuses else ""

    def _list_url(self, first: date, last: date, **query: str | Sequence[str]) -> str:
        filters = cast("Mapping[str, str | Sequence[str]]", self._filters)
        others = {name: value for name, value in filters.items() if name not in _DAYS}
        return list_url(self._slug, "runs", **{**others, **query}, since=first.isoformat(), until=last.isoformat())


def _caption(number: int) -> str:
    return ngettext("%(day)s: %(n)s run", "%(day)s: %(n)s runs", number)


def sparks(index: RunIndex, slug: str, flow_ids: Collection[str]) -> Mapping[str, plots.Spark]:
    """The runs of the last days of each flow, small; by flow, without flows that did not run. One query or none."""
    days = days_until(timezone.localdate())
    found = {}
    for flow_id, counts in statistics.by_flow(index, flow_ids, days).items():
        url = list_url(slug, "runs", flow=flow_id, since=days[0].isoformat())
        if spark := plots.days_spark(counts, url):
            found[flow_id] = spark
    return found
