"""Successes and failures of triggers by day, as the engine counts them (api.md section 12), and the bars that show them."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.web import formats

#: Days that the engine keeps, and that a plot may show if the engine's clock differs.
KEPT, _MOST = 14, 31
#: The plot's own units: width of a day and of a bar, height of the busiest day, minimum height of a bar.
_WIDE, _BAR, _TALL, _LEAST = 10, 7, 100, 3


@dataclass(frozen=True)
class Day:
    """One day of the engine's calendar (UTC), the `number`th of the plot. `good` and `bad` are drawn as bars, unless they are zero.

    Sizes are whole numbers: others are formatted differently from language to language.
    """

    number: int
    date: datetime.date
    good: int
    bad: int
    good_height: int
    bad_height: int

    @property
    def x(self) -> int:
        return self.number * _WIDE

    @property
    def bar_x(self) -> int:
        return self.x + (_WIDE - _BAR) // 2

    @property
    def good_y(self) -> int:
        return _TALL - self.good_height

    @property
    def bad_y(self) -> int:
        return self.good_y - self.bad_height

    @property
    def label(self) -> str:
        """The day, localized."""
        return formats.date(self.date)

    @property
    def words(self) -> str:
        """The day in one line."""
        return f"{self.label}: {worked_text(self.good)}, {_failed_text(self.bad)}"


@dataclass(frozen=True)
class Plot:
    """Days in their order, and their totals. `width` is the drawing's, whose height is always 100."""

    days: Sequence[Day]
    good: int
    bad: int
    most: int

    def __str__(self) -> str:
        return self.words

    @property
    def width(self) -> int:
        """In the plot's own units."""
        return len(self.days) * _WIDE

    @property
    def words(self) -> str:
        """The plot in one sentence, for screen readers."""
        if not self.days:
            return _("Nothing was counted.")
        span = _("%(first)s to %(last)s") % {"first": self.days[0].label, "last": self.days[-1].label}
        return f"{span}: {worked_text(self.good)}, {_failed_text(self.bad)}"

    @property
    def last_bad(self) -> datetime.date | None:
        """The last day with a failure."""
        return next((day.date for day in reversed(self.days) if day.bad), None)


def plot(stats: object) -> Plot:
    """The plot of one piece's `dailyStats`. Accepts malformed data: invalid days are left out, invalid counts are zero."""
    counted = _counts_by_day(stats)
    today = timezone.now().astimezone(datetime.UTC).date()
    last = max([today, *counted])
    first = max(min([today - datetime.timedelta(days=KEPT - 1), *counted]), last - datetime.timedelta(days=_MOST - 1))
    dates = [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]
    pairs = [(date, *counted.get(date, (0, 0))) for date in dates]
    most = max(good + bad for _date, good, bad in pairs)
    days = tuple(_day(number, date, good, bad, most) for number, (date, good, bad) in enumerate(pairs))
    return Plot(days, sum(day.good for day in days), sum(day.bad for day in days), most)


def _counts_by_day(stats: object) -> dict[datetime.date, tuple[int, int]]:
    result = {}
    near = timezone.now().astimezone(datetime.UTC).date()
    for text, figures in stats.items() if isinstance(stats, Mapping) else ():
        moment = formats.moment(text)
        # A day months away is a mistake, and would stretch the plot.
        if moment is not None and isinstance(figures, Mapping) and abs((moment.date() - near).days) < _MOST:
            result[moment.date()] = (_count(figures.get("success")), _count(figures.get("failure")))
    return result


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _day(number: int, date: datetime.date, good: int, bad: int, most: int) -> Day:
    bad_height = min(_bar_height(bad, most), _TALL - _LEAST if good else _TALL)
    return Day(number, date, good, bad, min(_bar_height(good, most), _TALL - bad_height), bad_height)


def _bar_height(count: int, most: int) -> int:
    return max(_LEAST, _TALL * count // most) if count else 0


def worked_text(count: int) -> str:
    return ngettext("%(n)d worked", "%(n)d worked", count) % {"n": count}


def _failed_text(count: int) -> str:
    return ngettext("%(n)d failed", "%(n)d failed", count) % {"n": count}
