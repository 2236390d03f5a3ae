"""The expected runs of each hour of a week, from the counts of some weeks. Needs neither Django nor an engine.

Counts of a few weeks are too few for 168 hours of their own, so hours share them: with the hours before and after, with the same hours of
other working days, or of all days. How much they share is chosen for each flow: that which explains each week best by the other weeks.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from operator import mul

#: The position of the hours of days off, on which nothing is expected, after those of the week.
REST = 168
Cells = Sequence[float]

#: How the runs of an hour are spread over it and those around it.
_NARROW, _WIDE, _FLAT = (0.25, 0.5, 0.25), tuple((4 - abs(place)) / 16 for place in range(-3, 4)), (1 / 25,) * 25
_WORKDAYS, _ALL_DAYS = ((0, 1, 2, 3, 4), (5, 6)), ((0, 1, 2, 3, 4, 5, 6),)
#: The ways in which hours share their runs: days whose hours are one (none: each day has its own), and the spread.
SHARES: Sequence[tuple[Sequence[Sequence[int]], Cells]] = (
    ((), _NARROW),
    ((), _WIDE),
    (_WORKDAYS, _NARROW),
    (_WORKDAYS, _WIDE),
    (_ALL_DAYS, _NARROW),
    (_ALL_DAYS, _WIDE),
    (_ALL_DAYS, _FLAT),
)
#: The part of the mean that every hour expects at least, while weeks are explained.
FLOOR = 0.02


class Calendar(dict[int, int]):
    """The position in the week of each hour, given as the number of hours since 1970, in a time zone; of days off REST."""

    def __init__(self, zone: tzinfo, days_off: Iterable[date] = ()) -> None:
        super().__init__()
        self.zone, self.days_off = zone, frozenset(days_off)

    def __missing__(self, hour: int) -> int:
        local = datetime.fromtimestamp(hour * 3600, self.zone)
        self[hour] = REST if local.date() in self.days_off else local.weekday() * 24 + local.hour
        return self[hour]


@dataclass(frozen=True)
class Profile:
    """Expected runs of each hour of the week; the last value is that of days off.

    Attributes:
        rates: by all weeks.
        weeks: of each week, by the others, at the level of the week itself: flows grow and shrink.
        levels: the runs of each week as a multiple of what `rates` expects.
    """

    rates: Cells
    weeks: Mapping[int, Cells]
    levels: Mapping[int, float]


def fit(counts: Mapping[int, Cells], spans: Mapping[int, Cells]) -> Profile:
    """The profile of weeks.

    Args:
        counts: the runs of at least two weeks by their hours.
        spans: how often each hour was in the week: not at all on days off.
    """
    found = [_profile(counts, spans, days, kernel) for days, kernel in SHARES]
    return max(found, key=lambda profile: _explained(profile, counts))


def _profile(
    counts: Mapping[int, Cells], spans: Mapping[int, Cells], days: Sequence[Sequence[int]], kernel: Cells
) -> Profile:
    runs = {week: _shared(cells, days, kernel) for week, cells in counts.items()}
    # Most weeks have the same hours.
    known: dict[Cells, list[float]] = {}
    for cells in spans.values():
        if tuple(cells) not in known:
            known[tuple(cells)] = _shared(cells, days, kernel)
    times = {week: known[tuple(cells)] for week, cells in spans.items()}
    all_runs = [sum(cells) for cells in zip(*runs.values(), strict=True)]
    all_times = [sum(cells) for cells in zip(*times.values(), strict=True)]
    weeks = {}
    for week, cells in counts.items():
        others = [
            (total - own) / max(time - own_time, 1e-9)
            for total, own, time, own_time in zip(all_runs, runs[week], all_times, times[week], strict=True)
        ]
        level = _level(cells, others, spans[week])
        weeks[week] = [*(value * level for value in others), 0.0]
    rates = [total / max(time, 1e-9) for total, time in zip(all_runs, all_times, strict=True)]
    levels = {week: _level(cells, rates, spans[week]) for week, cells in counts.items()}
    return Profile([*rates, 0.0], weeks, levels)


def _shared(cells: Cells, days: Sequence[Sequence[int]], kernel: Cells) -> list[float]:
    """The values of hours, of which the same hours of these days and those around them have a share."""
    if not days:
        return _spread(cells, kernel)
    shared = [0.0] * REST
    for group in days:
        hours = _spread([sum(cells[day * 24 + hour] for day in group) for hour in range(24)], kernel)
        for day in group:
            shared[day * 24 : day * 24 + 24] = hours
    return shared


def _spread(ring: Cells, kernel: Cells) -> list[float]:
    width = len(kernel) // 2
    padded = [*ring[-width:], *ring, *ring[:width]]
    return [sum(map(mul, kernel, padded[place : place + len(kernel)])) for place in range(len(ring))]


def _level(cells: Cells, rates: Cells, span: Cells) -> float:
    wanted = sum(map(mul, rates, span))
    return sum(cells) / wanted if wanted else 1.0


def _explained(profile: Profile, counts: Mapping[int, Cells]) -> float:
    """How likely the weeks are by what the others expect, as a logarithm."""
    found = 0.0
    for week, cells in counts.items():
        rates = profile.weeks[week]
        least = FLOOR * sum(rates) / REST
        found += sum(runs * math.log(max(rate, least)) for runs, rate in zip(cells, rates, strict=False) if runs)
    return found
