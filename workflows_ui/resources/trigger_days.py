"""How often triggers worked and failed, day by day, as the engine counts it (api.md section 12), and the bars that show it."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.kit import show

#: Days that the engine keeps, and that a plot may show where the engine's clock is another.
KEPT, _MOST = 14, 31
#: The plot's own units: one day is so wide, the busiest day so tall; a bar that is not nothing is at least so tall.
_WIDE, _BAR, _TALL, _LEAST = 10, 7, 100, 3


@dataclass(frozen=True)
class Bar:
    """A rectangle of the plot. Whole numbers: others are written differently from language to language."""

    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Day:
    """One day of the engine's calendar (UTC). `good` and `bad` are drawn by the bars, which are None for nothing."""

    date: datetime.date
    x: int
    good: int
    bad: int
    good_bar: Bar | None = None
    bad_bar: Bar | None = None

    @property
    def label(self) -> str:
        """The day as people write it."""
        return show.date(self.date)

    @property
    def words(self) -> str:
        """The day in one line."""
        return f"{self.label}: {_worked(self.good)}, {_failed(self.bad)}"


@dataclass(frozen=True)
class Plot:
    """Days in their order, and what they come to. `width` is the drawing's, whose height is always 100."""

    days: Sequence[Day] = field(default_factory=tuple)
    good: int = 0
    bad: int = 0
    most: int = 0

    def __str__(self) -> str:
        return self.words

    @property
    def width(self) -> int:
        """In the plot's own units."""
        return len(self.days) * _WIDE

    @property
    def words(self) -> str:
        """The plot in one sentence, for those who do not see it."""
        if not self.days:
            return _("Nothing was counted.")
        span = _("%(first)s to %(last)s") % {"first": self.days[0].label, "last": self.days[-1].label}
        return f"{span}: {_worked(self.good)}, {_failed(self.bad)}"

    @property
    def last_bad(self) -> datetime.date | None:
        """The last day on which something failed."""
        return next((day.date for day in reversed(self.days) if day.bad), None)


def plot(stats: object) -> Plot:
    """The plot of one piece's `dailyStats`. Takes whatever the engine sends: days that are none are left out, odd counts are nothing."""
    counted = _counted(stats)
    today = timezone.now().astimezone(datetime.UTC).date()
    last = max([today, *counted])
    first = max(min([today - datetime.timedelta(days=KEPT - 1), *counted]), last - datetime.timedelta(days=_MOST - 1))
    dates = [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]
    pairs = [(date, *counted.get(date, (0, 0))) for date in dates]
    most = max(good + bad for _date, good, bad in pairs)
    days = tuple(_drawn(number, date, good, bad, most) for number, (date, good, bad) in enumerate(pairs))
    return Plot(days, sum(day.good for day in days), sum(day.bad for day in days), most)


def _counted(stats: object) -> dict[datetime.date, tuple[int, int]]:
    listed = stats.items() if isinstance(stats, Mapping) else ()
    found = {}
    near = timezone.now().astimezone(datetime.UTC).date()
    for text, figures in listed:
        moment = show.moment(text)
        # What lies months away is a mistake, and would stretch the plot.
        if moment is not None and isinstance(figures, Mapping) and abs((moment.date() - near).days) < _MOST:
            found[moment.date()] = (_count(figures.get("success")), _count(figures.get("failure")))
    return found


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _drawn(number: int, date: datetime.date, good: int, bad: int, most: int) -> Day:
    x = number * _WIDE + (_WIDE - _BAR) // 2
    tall, low = _tall(good, most), _tall(bad, most)
    low = min(low, _TALL - _LEAST) if good else low
    tall = min(tall, _TALL - low)
    return Day(
        date,
        number * _WIDE,
        good,
        bad,
        Bar(x, _TALL - tall, tall) if good else None,
        Bar(x, _TALL - tall - low, low) if bad else None,
    )


def _tall(count: int, most: int) -> int:
    return max(_LEAST, _TALL * count // most) if count else 0


def _worked(count: int) -> str:
    return ngettext("%(n)d worked", "%(n)d worked", count) % {"n": count}


def _failed(count: int) -> str:
    return ngettext("%(n)d failed", "%(n)d failed", count) % {"n": count}
