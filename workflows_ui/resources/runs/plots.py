"""Plots of the runs in the index: per day by outcome, how long they took, their busiest hours. Marks lead to their runs."""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.launches.models import State
from workflows_ui.launches.services import runs
from workflows_ui.launches.services.statistics import days_until
from workflows_ui.resources.places import list_url, run_url
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import statistics
from workflows_ui.web import formats, messages, plots
from workflows_ui.web.list_filters import plotted_days

#: Days of the busiest hours, unless the filters have others: each weekday four times.
_WEEKS = 28
_OPEN = "open"
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

    def __init__(self, index: RunIndex, slug: str, rows: QuerySet[IndexedRun], filters: Mapping[str, Any]) -> None:
        self._index, self._slug, self._rows, self._filters = index, slug, rows, filters
        self._days, self._weeks = plotted_days(filters), plotted_days(filters, _WEEKS)
        #: The number of days of `days`, and of `hours`.
        self.number_of_days, self.days_of_hours = len(self._days), len(self._weeks)

    @cached_property
    def days(self) -> plots.BarPlot | None:
        """The runs of each day by outcome."""
        series = [plots.Series(key, State(key).label, key) for key in _OUTCOMES if key != _OPEN]
        series.append(plots.Series(_OPEN, _("Not ended yet"), _OPEN))
        counts = []
        for statuses in statistics.by_day(self._index, self._rows, self._days):
            counts.append(dict.fromkeys(_OUTCOMES, 0))
            for status, number in statuses.items():
                counts[-1][_OUTCOME_OF.get(status, str(State.OTHER))] += number
        return plots.days_bars(series, counts, self._days, _caption, self._url)

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
        return plots.heat_map(statistics.by_hour(self._index, self._rows, self._weeks))

    def _url(self, first: date, last: date, outcome: str) -> str:
        """The list of the runs of these days; "" if it cannot be filtered by their outcome."""
        query = {name: value for name, value in self._filters.items() if name not in {"period", "since", "until"}}
        if outcome:
            chosen = query.get("status") or _OUTCOMES[outcome]
            query["status"] = [status for status in chosen if status in _OUTCOMES[outcome]]
            if not query["status"]:
                return ""
        return list_url(self._slug, "runs", **query, since=first.isoformat(), until=last.isoformat())


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
