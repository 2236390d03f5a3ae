"""Plots as SVG that the content security policy allows: geometry in presentation attributes, colours in classes, no script.

Places across are percentages, heights are pixels: texts keep their size on every screen. The templates are in templates/web/plots/.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.core.text import Text
from workflows_ui.web.markup import NOTHING, joined, markup

#: Pixels: the row of the caption, the plot, the row of labels below it; and the minimum height of a section that is not zero.
CAPTION, HEIGHT, BELOW = 22, 150, 22
_LEAST = 3.0
#: Maximum number of labelled levels of an axis beside zero, and of labels below a plot.
_LEVELS, _LABELS = 4, 6
#: Steps of an axis of durations from one minute on, in milliseconds.
_LONG_STEPS = tuple(
    minutes * 60_000 for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400)
)
#: Units of a small plot: width of a column and of its bar, height.
_WIDE, _BAR, _TALL = 6, 4, 18
#: The minimum of durations for a median, and for a 95th percentile.
_FEWEST, _MANY = 3, 20
#: The highest level of a heat map.
_WARMEST = 5


#: A line across a plot: where, and its label.
Level = tuple[str, str]
#: A number with the URL of its rows, "" for none.
Cell = tuple[str, str]


@dataclass(frozen=True)
class Series:
    """One kind of what is counted. `tone` names its colour (`chart-TONE` in app.css), `url` leads to all of its rows."""

    key: str
    label: Text
    tone: str
    url: str = ""


@dataclass(frozen=True)
class Bar:
    """Counts by series key. `label` is complete; `short` fits below the plot, and "" is never shown there. `url` and `urls` (by key) lead
    to the rows, if there are any."""

    label: str
    short: str
    caption: str
    counts: Mapping[str, int]
    url: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A drawn section of a bar."""

    tone: str
    y: str
    height: str
    caption: str
    url: str


@dataclass(frozen=True)
class Column:
    """A drawn bar: its full width (`x`, `width`), the bar within, its sections from the bottom, and the cells of its row in the table.

    `short` is its label below the plot, which not every bar has.
    """

    bar: Bar
    short: str
    x: str
    width: str
    middle: str
    bar_x: str
    bar_width: str
    sections: Sequence[Section]
    cells: Sequence[Cell]
    total: str


class _Frame:
    """The heights that every plot with axes has."""

    bottom = CAPTION + HEIGHT
    height = bottom + BELOW
    labels_y = bottom + 16


@dataclass(frozen=True)
class BarPlot(_Frame):
    """Stacked bars. `legend` has each series that occurs, with its total. `sums` is False for numbers that are not added up."""

    columns: Sequence[Column]
    levels: Sequence[Level]
    legend: Sequence[tuple[Series, str]]
    total: int
    sums: bool = True


@dataclass(frozen=True)
class Dot:
    """A duration in milliseconds with the page it belongs to. `current` stands out; `failed` has another shape."""

    value: float
    label: str
    caption: str
    url: str
    failed: bool = False
    current: bool = False


@dataclass(frozen=True)
class Mark:
    """A drawn dot."""

    dot: Dot
    x: str
    y: str


@dataclass(frozen=True)
class DotPlot(_Frame):
    """Dots in their order, and named lines across, such as the median."""

    marks: Sequence[Mark]
    levels: Sequence[Level]
    lines: Sequence[Level]
    first: str
    last: str


@dataclass(frozen=True)
class Spark:
    """A small plot without axes: paths of what went well and, above it, of what did not; the `number` of both. The caption has the
    numbers.
    """

    good: str
    bad: str
    width: int
    caption: str
    url: str
    number: int
    height: int = _TALL

    def __str__(self) -> str:
        return self.caption

    def __html__(self) -> SafeString:
        tag, link = ("a", markup(' href="{}"', self.url)) if self.url else ("span", NOTHING)
        paths = (("succeeded", self.good), ("failed", self.bad))
        return markup(
            '<{} class="chart-spark"{} title="{}"><svg width="{}" height="{}" aria-hidden="true">{}</svg>'
            '<span class="visually-hidden">{}</span></{}>',
            *(tag, link, self.caption, self.width, self.height),
            joined("", '<path class="chart-{}" d="{}"/>', (path for path in paths if path[1])),
            *(self.caption, tag),
        )


@dataclass(frozen=True)
class Heat:
    """A cell of a heat map. `level` is from 0 for nothing to _WARMEST, and names its colour (`chart-heat-LEVEL` in app.css). `url` leads to
    its rows; "" for none.
    """

    number: str
    level: int
    caption: str
    url: str = ""


@dataclass(frozen=True)
class HeatMap:
    """A table of counts by weekday, with its name, its short name and its hours. `busiest` is the first of the hours with `most`."""

    rows: Sequence[tuple[Text, Text, Sequence[Heat]]]
    hours: Sequence[str]
    busiest: str
    most: int


def stacked_bars(series: Sequence[Series], bars: Sequence[Bar]) -> BarPlot | None:
    """A plot of counts; None if all are zero. Series that do not occur are left out."""
    totals = {item.key: sum(bar.counts.get(item.key, 0) for bar in bars) for item in series}
    occurring = [item for item in series if totals[item.key]]
    if not occurring:
        return None
    step, top = _count_axis(max(sum(bar.counts.values()) for bar in bars))
    levels = [(_pixels(_y(value, top)), formats.number(value)) for value in range(0, top + 1, step)]
    # The last bar that has a short label shows it, and earlier ones at equal distances.
    named = [position for position, bar in enumerate(bars) if bar.short][::-1]
    labelled = set(named[:: -(-len(named) // _LABELS) or 1])
    columns = [
        _column(occurring, bar, position, len(bars), top, labelled=position in labelled)
        for position, bar in enumerate(bars)
    ]
    legend = [(item, formats.number(totals[item.key])) for item in occurring]
    return BarPlot(columns, levels, legend, sum(totals.values()))


def days_bars(
    series: Sequence[Series],
    counted: Sequence[Mapping[str, int]],
    days: Sequence[date],
    caption: Callable[[int], str],
    link: Callable[[date, date, str], str],
) -> BarPlot | None:
    """Stacked bars of days; None if all counts are zero.

    Args:
        counted: the counts of each day, by series key.
        caption: the text for a number, with `%(day)s` and `%(n)s`.
        link: the URL of the rows from one day to another of the series with a key, of all series for ""; "" for none.
    """
    bars = []
    for day, counts in zip(days, counted, strict=True):
        total = sum(counts.values())
        bars.append(
            Bar(
                formats.date(day),
                formats.short_date(day),
                caption(total) % {"day": formats.date(day), "n": formats.number(total)},
                counts,
                link(day, day, "") if total else "",
                {key: link(day, day, key) for key, count in counts.items() if count},
            )
        )
    return stacked_bars([replace(item, url=link(days[0], days[-1], item.key)) for item in series], bars)


def durations(found: Sequence[Dot]) -> DotPlot | None:
    """A plot of durations with their median and, of many, their 95th percentile; None for too few."""
    values = sorted(dot.value for dot in found)
    if len(values) < _FEWEST:
        return None
    lines = [(_("Median: %(duration)s"), statistics.median(values))]
    if len(values) >= _MANY:
        lines.append((_("95th percentile: %(duration)s"), values[-(-len(values) * 95 // 100) - 1]))
    return dots(found, [(text % {"duration": formats.duration(value)}, value) for text, value in lines])


def dots(found: Sequence[Dot], lines: Sequence[tuple[str, float]]) -> DotPlot | None:
    """A plot of durations in the given order, with lines at named durations; None without dots."""
    if not found:
        return None
    step, top = _duration_axis(max([dot.value for dot in found] + [value for _label, value in lines]))
    values = [step * index for index in range(round(top / step) + 1)]
    levels = [(_pixels(_y(value, top)), formats.duration(value) if value else "0") for value in values]
    marks = [
        Mark(dot, _percent((position + 0.5) / len(found)), _pixels(_y(dot.value, top)))
        for position, dot in enumerate(found)
    ]
    named = [(_pixels(_y(value, top)), label) for label, value in lines]
    return DotPlot(marks, levels, named, found[0].label, found[-1].label)


def days_spark(counts: Sequence[tuple[int, int]], url: str) -> Spark | None:
    """A small plot of what succeeded and what went wrong on the last days; None if all counts are zero."""
    good, bad = (sum(numbers) for numbers in zip(*counts, strict=True))
    text = _("Last %(days)d days: %(good)s succeeded, %(bad)s went wrong")
    return spark(counts, text % {"days": len(counts), "good": formats.number(good), "bad": formats.number(bad)}, url)


def heat_map(
    counts: Sequence[Sequence[int]], link: Callable[[int, int], str] = lambda _weekday, _hour: ""
) -> HeatMap | None:
    """A table of counts by weekday, Monday first, and hour; None if all are zero. `link` is the URL of the rows of a weekday's hour."""
    most = max(map(max, counts))
    if not most:
        return None
    rows = []
    for weekday, row in enumerate(counts):
        cells = [
            Heat(
                formats.number(count),
                -(-_WARMEST * count // most),
                f"{hour_of_week(weekday, hour)}: {formats.number(count)}",
                link(weekday, hour) if count else "",
            )
            for hour, count in enumerate(row)
        ]
        rows.append((WEEKDAYS[weekday], WEEKDAYS_ABBR[weekday], cells))
    busiest = next(hour_of_week(weekday, row.index(most)) for weekday, row in enumerate(counts) if most in row)
    return HeatMap(rows, [f"{hour:02}" for hour in range(24)], busiest, most)


def hour_of_week(weekday: int, hour: int) -> str:
    """A weekday, Monday being 0, with an hour of it."""
    return f"{WEEKDAYS[weekday]}, {hour:02}:00–{hour + 1:02}:00"


def spark(counts: Sequence[tuple[int, int]], caption: str, url: str = "") -> Spark | None:
    """A small plot of (good, bad) counts; None if all are zero."""
    most = max((good + bad for good, bad in counts), default=0)
    if not most:
        return None
    paths: tuple[list[str], list[str]] = ([], [])
    for position, (good, bad) in enumerate(counts):
        base = _TALL
        for path, count in zip(paths, (good, bad), strict=True):
            if count:
                tall = max(2, min(_TALL * count // most, base))
                base -= tall
                path.append(f"M{position * _WIDE} {base}h{_BAR}v{tall}h-{_BAR}z")
    number = sum(map(sum, counts))
    return Spark("".join(paths[0]), "".join(paths[1]), len(counts) * _WIDE, caption, url, number)


def _column(
    series: Sequence[Series], bar: Bar, position: int, number_of_bars: int, top: int, *, labelled: bool
) -> Column:
    width = 1 / number_of_bars
    counted = [(item, bar.counts[item.key]) for item in series if bar.counts.get(item.key)]
    heights = [max(_LEAST, HEIGHT * count / top) for _item, count in counted]
    if heights:
        tallest = heights.index(max(heights))
        heights[tallest] -= max(0.0, sum(heights) - max(len(heights) * _LEAST, HEIGHT * sum(bar.counts.values()) / top))
    sections, y = [], float(CAPTION + HEIGHT)
    for (item, count), height in zip(counted, heights, strict=True):
        y -= height
        caption = f"{bar.label}: {item.label} {formats.number(count)}"
        sections.append(Section(item.tone, _pixels(y), _pixels(height), caption, bar.urls.get(item.key, "")))
    return Column(
        bar,
        bar.short if labelled else "",
        x=_percent(position * width),
        width=_percent(width),
        middle=_percent((position + 0.5) * width),
        bar_x=_percent((position + 0.15) * width),
        bar_width=_percent(0.7 * width),
        sections=sections,
        cells=[(formats.number(bar.counts.get(item.key, 0)), bar.urls.get(item.key, "")) for item in series],
        total=formats.number(sum(bar.counts.values())),
    )


def _count_axis(most: int) -> tuple[int, int]:
    """The step and the end of an axis of counts: steps of 1, 2 or 5 times a power of ten."""
    steps = (factor * 10**power for power in range(16) for factor in (1, 2, 5))
    step = next(step for step in steps if step * _LEVELS >= most)
    return step, -(-most // step) * step


def _duration_axis(most: float) -> tuple[float, float]:
    """The step and the end of an axis of milliseconds: decimal steps below a minute, then minutes, hours and days."""
    if most > _LEVELS * 30_000:
        step: float = next((step for step in _LONG_STEPS if step * _LEVELS >= most), _LONG_STEPS[-1])
        while step * _LEVELS < most:
            step *= 2
    else:
        step = _count_axis(max(1, round(most)))[0]
    return step, max(1, -(-most // step)) * step


def _y(value: float, top: float) -> float:
    return CAPTION + HEIGHT * (1 - value / top)


def _pixels(value: float) -> str:
    # A text, since a number would get the language's decimal comma.
    return f"{value:.1f}".removesuffix(".0")


def _percent(part: float) -> str:
    return f"{100 * part:.2f}%"
