"""The engine's figures of one app's trigger, day by day (api.md section 12), and their plots."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import formats
from workflows_ui.core.readers import EngineObject, count, objects_by_name
from workflows_ui.web import plots

#: Days that the engine keeps, and that are shown if the engine's clock differs.
KEPT, _MOST = 14, 31


@dataclass(frozen=True)
class Day:
    """One day of the engine's calendar (UTC)."""

    date: datetime.date
    good: int
    bad: int

    @property
    def words(self) -> str:
        """The day in one line."""
        return f"{formats.date(self.date)}: {worked_text(self.good)}, {failed_text(self.bad)}"


@dataclass(frozen=True)
class Figures:
    """Days in their order, at least one."""

    days: Sequence[Day]

    @property
    def good(self) -> int:
        return sum(day.good for day in self.days)

    @property
    def bad(self) -> int:
        return sum(day.bad for day in self.days)

    @property
    def last_bad(self) -> datetime.date | None:
        """The last day with a failure."""
        return next((day.date for day in reversed(self.days) if day.bad), None)

    @property
    def words(self) -> str:
        """All days in one sentence."""
        span = _("%(first)s to %(last)s") % {
            "first": formats.date(self.days[0].date),
            "last": formats.date(self.days[-1].date),
        }
        return f"{span}: {worked_text(self.good)}, {failed_text(self.bad)}"

    def spark(self) -> plots.Spark | None:
        """The small plot of a row; None if nothing was counted."""
        return plots.spark([(day.good, day.bad) for day in self.days], self.words)

    def bars(self) -> plots.BarPlot | None:
        """The plot of a page; None if nothing was counted."""
        series = [plots.Series("good", _("Succeeded"), "succeeded"), plots.Series("bad", _("Failed"), "failed")]
        bars = [
            plots.Bar(
                formats.date(day.date), formats.short_date(day.date), day.words, {"good": day.good, "bad": day.bad}
            )
            for day in self.days
        ]
        return plots.stacked_bars(series, bars)


class _Counts(EngineObject):
    """What the engine counted on one day."""

    __slots__ = ()

    success = count("success")
    failure = count("failure")


def read(stats: object) -> Figures:
    """The figures of one piece's `dailyStats`. Accepts malformed data: invalid days are left out, invalid counts are zero."""
    counted = _counts_by_day(stats)
    today = timezone.now().astimezone(datetime.UTC).date()
    last = max([today, *counted])
    first = max(min([today - datetime.timedelta(days=KEPT - 1), *counted]), last - datetime.timedelta(days=_MOST - 1))
    dates = [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]
    return Figures([Day(date, *counted.get(date, (0, 0))) for date in dates])


def worked_text(count: int) -> str:
    """How often it worked."""
    return ngettext("%(n)d worked", "%(n)d worked", count) % {"n": count}


def failed_text(count: int) -> str:
    """How often it failed."""
    return ngettext("%(n)d failed", "%(n)d failed", count) % {"n": count}


def _counts_by_day(stats: object) -> dict[datetime.date, tuple[int, int]]:
    result = {}
    near = timezone.now().astimezone(datetime.UTC).date()
    for text, counts in objects_by_name(stats, _Counts).items():
        moment = formats.moment(text)
        # A day months away is a mistake, and would stretch the plot.
        if moment is not None and abs((moment.date() - near).days) < _MOST:
            result[moment.date()] = (counts.success or 0, counts.failure or 0)
    return result
