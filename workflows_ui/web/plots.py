"""Plots as SVG that the content security policy allows: geometry in presentation attributes, colours in classes, no script.

Places across are percentages, heights are pixels: texts keep their size on every screen. The templates are in templates/web/plots/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import formats as localization

from workflows_ui.web import formats
from workflows_ui.web.messages import Text

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


@dataclass(frozen=True)
class Level:
    """A labelled line across a plot."""

    y: str
    label: str


@dataclass(frozen=True)
class Series:
    """One kind of what is counted. `tone` names its colour (`chart-TONE` in app.css), `url` leads to all of its rows."""

    key: str
    label: Text
    tone: str
    url: str = ""


@dataclass(frozen=True)
class Bar:
    """Counts by series key. `label` is complete, `short` fits below the plot; `url` and `urls` (by key) lead to the rows."""

    label: str
    short: str
    caption: str
    counts: Mapping[str, int]
    url: str = ""
    urls: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Section:
    """A drawn section of a bar."""

    tone: str
    y: str
    height: str
    caption: str
    url: str


@dataclass(frozen=True)
class Total:
    """A series in the legend, with its total."""

    series: Series
    number: str


@dataclass(frozen=True)
class Cell:
    """A number of the table, with its rows; `url` is empty for zero."""

    number: str
    url: str


@dataclass(frozen=True)
class Column:
    """A drawn bar: its full width (`x`, `width`), the bar within, its sections from the bottom, and the cells of its row in the table."""

    label: str
    short: str
    caption: str
    url: str
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
    """Stacked bars. `legend` has each series that occurs, with its total."""

    columns: Sequence[Column]
    levels: Sequence[Level]
    legend: Sequence[Total]
    total: int


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
    top: str


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
    """A small plot without axes: paths of what went well and, above it, of what did not. The caption has the numbers."""

    good: str
    bad: str
    width: int
    caption: str
    url: str
    height: int = _TALL

    def __str__(self) -> str:
        return self.caption


def number(value: int) -> str:
    """A count with the language's separators."""
    return localization.number_format(value, use_l10n=True, force_grouping=True)


def stacked_bars(series: Sequence[Series], bars: Sequence[Bar]) -> BarPlot | None:
    """A plot of counts; None if all are zero. Series that do not occur are left out."""
    totals = {item.key: sum(bar.counts.get(item.key, 0) for bar in bars) for item in series}
    occurring = [item for item in series if totals[item.key]]
    if not occurring:
        return None
    step, top = _count_axis(max(sum(bar.counts.values()) for bar in bars))
    levels = [Level(_pixels(_y(value, top)), number(value)) for value in range(0, top + 1, step)]
    every = -(-len(bars) // _LABELS)
    columns = [
        _column(occurring, bar, position, len(bars), top, labelled=(len(bars) - 1 - position) % every == 0)
        for position, bar in enumerate(bars)
    ]
    legend = [Total(item, number(totals[item.key])) for item in occurring]
    return BarPlot(columns, levels, legend, sum(totals.values()))


def dots(found: Sequence[Dot], lines: Sequence[tuple[str, float]]) -> DotPlot | None:
    """A plot of durations in the given order, with lines at named durations; None without dots."""
    if not found:
        return None
    step, top = _duration_axis(max([dot.value for dot in found] + [value for _label, value in lines]))
    levels = [
        Level(_pixels(_y(step * index, top)), _axis_duration(step * index)) for index in range(round(top / step) + 1)
    ]
    marks = []
    for position, dot in enumerate(found):
        y = _y(dot.value, top)
        marks.append(Mark(dot, _percent((position + 0.5) / len(found)), _pixels(y), _pixels(y - 4)))
    named = [Level(_pixels(_y(value, top)), label) for label, value in lines]
    return DotPlot(marks, levels, named, found[0].label, found[-1].label)


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
    return Spark("".join(paths[0]), "".join(paths[1]), len(counts) * _WIDE, caption, url)


def _column(
    series: Sequence[Series], bar: Bar, position: int, number_of_bars: int, top: int, *, labelled: bool
) -> Column:
    width = 1 / number_of_bars
    urls = bar.urls or {}
    counted = [(item, bar.counts[item.key]) for item in series if bar.counts.get(item.key)]
    heights = [max(_LEAST, HEIGHT * count / top) for _item, count in counted]
    if heights:
        tallest = heights.index(max(heights))
        heights[tallest] -= max(0.0, sum(heights) - max(len(heights) * _LEAST, HEIGHT * sum(bar.counts.values()) / top))
    sections, y = [], float(CAPTION + HEIGHT)
    for (item, count), height in zip(counted, heights, strict=True):
        y -= height
        caption = f"{bar.label}: {item.label} {number(count)}"
        sections.append(Section(item.tone, _pixels(y), _pixels(height), caption, urls.get(item.key, "")))
    return Column(
        bar.label,
        bar.short if labelled else "",
        bar.caption,
        bar.url,
        x=_percent(position * width),
        width=_percent(width),
        middle=_percent((position + 0.5) * width),
        bar_x=_percent((position + 0.15) * width),
        bar_width=_percent(0.7 * width),
        sections=sections,
        cells=[_cell(bar.counts.get(item.key, 0), urls.get(item.key, "")) for item in series],
        total=number(sum(bar.counts.values())),
    )


def _cell(count: int, url: str) -> Cell:
    return Cell(number(count), url if count else "")


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


def _axis_duration(milliseconds: float) -> str:
    return formats.duration(milliseconds) if milliseconds else "0"


def _y(value: float, top: float) -> float:
    return CAPTION + HEIGHT * (1 - value / top)


def _pixels(value: float) -> str:
    # A text, since a number would get the language's decimal comma.
    return f"{value:.1f}".removesuffix(".0")


def _percent(part: float) -> str:
    return f"{100 * part:.2f}%"
