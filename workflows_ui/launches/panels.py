"""Plots of launches: per day by outcome, and how long their runs took. Every mark leads to its launches."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import days as plot_days, formats
from workflows_ui.launches.models import UNDER_WAY, Launch, State
from workflows_ui.launches.services import statistics
from workflows_ui.web import plots

#: Outcomes from the bottom of a bar to its top: a value of the list's state filter (launches.forms.STATES), which is its colour too.
_OUTCOMES = ("succeeded", "failed", "refused", "not_sent", "unknown", "cancelled", "other")
_OPEN = "open"


def per_day(
    counted: Sequence[Mapping[str, int]], url: str, filters: Mapping[str, str], days: Sequence[date]
) -> plots.BarPlot | None:
    """The launches of these days by outcome; None without launches.

    Args:
        counted: their number by state, for each day (statistics.by_day).
        url: the list's.
        filters: those of the launches.
    """

    def link(first: date, last: date, state: str) -> str:
        query = QueryDict(mutable=True)
        query.update({**filters, "since": first.isoformat(), "until": last.isoformat()})
        if state:
            query["state"] = state
        return f"{url}?{query.urlencode()}"

    series = [plots.Series(key, State(key).label, key) for key in _OUTCOMES]
    series.append(plots.Series(_OPEN, _("Not ended yet"), _OPEN))
    counts = [
        {key: states.get(key, 0) for key in _OUTCOMES} | {_OPEN: sum(states.get(state, 0) for state in UNDER_WAY)}
        for states in counted
    ]
    return plots.days_bars(series, counts, days, _caption, link)


def _caption(number: int) -> str:
    return ngettext("%(day)s: %(n)s launch", "%(day)s: %(n)s launches", number)


def durations(rows: QuerySet[Launch], slug: str, current: str = "") -> plots.DotPlot | None:
    """How long the latest launches took, with median and 95th percentile; None for too few. `current` is the launch that stands out."""
    found = []
    for launch in statistics.ended_runs(rows):
        took = launch.milliseconds
        if took is None:
            continue
        caption = _("%(time)s: %(state)s, %(duration)s") % {
            "time": formats.exact(launch.asked_at, seconds=False),
            "state": State(launch.state).label,
            "duration": formats.duration(took),
        }
        url = reverse("launch", args=[slug, launch.pk])
        label = formats.short_date(timezone.localtime(launch.asked_at).date())
        found.append(plots.Dot(took, label, caption, url, launch.state == State.FAILED, launch.pk == current))
    return plots.durations(found)


def sparks(rows: QuerySet[Launch], slug: str, flow_ids: Collection[str]) -> Mapping[str, plots.Spark]:
    """The launches of the last days of each flow, small; by flow, without flows that were not launched. One query."""
    days = plot_days.days_until(timezone.localdate())
    found = {}
    for flow_id, counts in statistics.by_flow(rows, flow_ids, days).items():
        url = reverse("launches", args=[slug], query={"flow": flow_id, "since": days[0].isoformat()})
        if spark := plots.days_spark(counts, url):
            found[flow_id] = spark
    return found
