"""Made-up flows with seeded rhythms, and how often alarms about them are false and late: what the table in docs/alarms.md shows."""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from statistics import median
from zoneinfo import ZoneInfo

from workflows_ui.alarms import detection
from workflows_ui.alarms.detection import Hour, Latest, Rhythm

#: Detection was tuned with the first seeds, and is checked with others.
TUNING, CHECKING = range(100, 140), range(9000, 9040)
#: The clocks change on 25 October and 28 March in this zone.
ZONE = ZoneInfo("Europe/Berlin")
BEGIN, WATCHED, END = (
    datetime(2026, 8, 3, tzinfo=UTC),
    datetime(2026, 10, 5, tzinfo=UTC),
    datetime(2027, 4, 5, tzinfo=UTC),
)
MONTHS = (END - WATCHED) / timedelta(days=30.44)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
#: Silences of one made-up flow that are tried.
SILENCES = 8

#: How many runs an hour expects, by its beginning in ZONE (or UTC), and the moments of an hour's runs as parts of it.
Rate = Callable[[datetime], float]
Draw = Callable[[random.Random, float], Sequence[float]]


@dataclass(frozen=True)
class Flow:
    """A made-up flow.

    Attributes:
        holidays: the days of a year on which it rests.
        begin: its first day.
    """

    name: str
    rate: Rate
    draw: Draw
    holidays: int = 0
    begin: datetime = BEGIN
    zone: ZoneInfo = ZONE
    keeps_days: int = 90


def _poisson(rng: random.Random, mean: float) -> Sequence[float]:
    moments, moment = [], rng.expovariate(mean) if mean else 1.0
    while moment < 1:
        moments.append(moment)
        moment += rng.expovariate(mean)
    return moments


def _regular(rng: random.Random, number: float) -> Sequence[float]:
    return [(place + rng.uniform(0, 0.05)) / number for place in range(round(number))]


def _late(rng: random.Random, number: float) -> Sequence[float]:
    """A quarter past the hour, some minutes late."""
    return [min(0.25 + rng.expovariate(12), 0.99)] if number else []


def _bursts(rng: random.Random, mean: float) -> Sequence[float]:
    return [
        start + rng.random() * min(1 - start, 1 / 6)
        for start in _poisson(rng, mean)
        for _run in range(rng.randint(20, 60))
    ]


def _in_office(value: float) -> Rate:
    return lambda hour: value if hour.weekday() < 5 and 8 <= hour.hour < 17 else 0


def _at(hour: int, *weekdays: int) -> Rate:
    return lambda local: 1 if local.hour == hour and local.weekday() in (weekdays or range(7)) else 0


def _weeks(hour: datetime) -> float:
    return (hour - BEGIN) / timedelta(weeks=1)


FLOWS = (
    Flow("Every 5 minutes", lambda _hour: 12, _regular),
    Flow("Office hours, often", _in_office(6), _poisson),
    Flow("Office hours, seldom", _in_office(0.7), _poisson),
    Flow("Weekends", lambda hour: 3 if hour.weekday() > 4 and 10 <= hour.hour < 20 else 0, _poisson),
    Flow("Nightly", _at(2), _late),
    Flow("Nightly, by UTC while the clocks change", _at(2), _late, zone=ZoneInfo("UTC")),
    Flow("Weekly", _at(9, 0), _late),
    Flow("Monthly, kept for a year", lambda hour: float(hour.day == 1 and hour.hour == 7), _late, keeps_days=365),
    Flow("Bursts", lambda hour: 0.15 if 7 <= hour.hour < 22 else 0, _bursts),
    Flow("A few a day, at any time", lambda _hour: 1 / 8, _poisson),
    Flow("Day and night", lambda hour: 4 + 3.5 * math.sin((hour.hour - 8) / 24 * 2 * math.pi), _poisson),
    Flow("Office hours with holidays", _in_office(6), _poisson, holidays=12),
    Flow("Office hours by UTC", _in_office(4), _poisson, zone=ZoneInfo("UTC")),
    Flow("New flow", _in_office(3), _poisson, begin=datetime(2026, 12, 2, tzinfo=UTC)),
    Flow("Slow decline", lambda hour: 8 * 0.95 ** _weeks(hour) * (7 <= hour.hour < 20), _poisson),
    Flow("Slow growth", lambda hour: 1.05 ** _weeks(hour) * (7 <= hour.hour < 20), _poisson),
)


def hours_between(first: datetime, last: datetime) -> Iterator[datetime]:
    """The beginnings of the hours."""
    while first < last:
        yield first
        first += _HOUR


def holidays_of(flow: Flow, rng: random.Random) -> set[date]:
    """Random days of the whole time, as many a year as the flow has."""
    days = (END - BEGIN).days
    return {(BEGIN + rng.randrange(days) * _DAY).date() for _day in range(round(flow.holidays * days / 365))}


def runs_of(flow: Flow, seed: int) -> tuple[list[datetime], Mapping[datetime, float]]:
    """The runs of a flow, and the expected runs of each hour."""
    rng = random.Random(f"{flow.name} {seed}")
    rest, runs, rates = holidays_of(flow, rng), list[datetime](), dict[datetime, float]()
    for hour in hours_between(BEGIN, END):
        local = hour.astimezone(flow.zone)
        rates[hour] = rate = flow.rate(local) if hour >= flow.begin else 0.0
        if rate and local.date() not in rest:
            runs += [hour + part * _HOUR for part in sorted(flow.draw(rng, rate))]
    return runs, rates


def counted(runs: Sequence[datetime]) -> list[Hour]:
    """The runs by their hours, as the run index counts them."""
    hours = (list(found) for _hour, found in groupby(runs, lambda run: (run.toordinal(), run.hour)))
    return [Hour(found[0], found[-1], len(found)) for found in hours]


@dataclass
class Result:
    """What was found about made-up flows of one kind: false alarms, and the delay of silences in usual pauses."""

    months: float
    false: int
    worst: int
    delays: list[float]
    missed: int

    @property
    def a_month(self) -> float:
        return self.false / self.months

    @property
    def in_time(self) -> float:
        """The share of silences that were found within twice the usual pause."""
        return sum(delay <= 2 for delay in self.delays) / max(len(self.delays) + self.missed, 1)


def try_flow(flow: Flow, seeds: Sequence[int], learn_every: timedelta = _DAY) -> Result:
    """Watch made-up flows of one kind for half a year, and let each of them become silent at random times."""
    result = Result(0, 0, 0, [], 0)
    for seed in seeds:
        runs, rates = runs_of(flow, seed)
        hours = counted(runs)
        rhythms = _rhythms(flow, hours, learn_every)
        alarms = _false_alarms(runs, rhythms)
        result.months += MONTHS
        result.false += len(alarms)
        result.worst = max(
            result.worst, *(sum(0 <= (other - alarm).days < 30 for other in alarms) for alarm in alarms), 0
        )
        _try_silences(result, runs, rates, rhythms, random.Random(seed), flow)
    return result


def _rhythms(flow: Flow, hours: Sequence[Hour], every: timedelta) -> list[tuple[datetime, Rhythm]]:
    found, day = [], WATCHED
    while day < END:
        since = max(day - timedelta(days=flow.keeps_days), BEGIN)
        known = [hour for hour in hours if since <= hour.first and hour.last < day]
        found.append((day, detection.learn(known, since, day, ZONE)))
        day += every
    return found


def _false_alarms(runs: Sequence[datetime], rhythms: Sequence[tuple[datetime, Rhythm]]) -> list[datetime]:
    """When an alarm began although the flow ran again: with the rhythm that was known at the run before it."""
    found, position = [], 0
    for run, following in pairwise(runs):
        if following < WATCHED:
            continue
        while position + 1 < len(rhythms) and rhythms[position + 1][0] <= run:
            position += 1
        alarm = detection.quiet_at(rhythms[position][1], run, ZONE)
        if alarm is not None and max(alarm, WATCHED) + timedelta(minutes=1) < following:
            found.append(alarm)
    return found


def _try_silences(
    result: Result,
    runs: Sequence[datetime],
    rates: Mapping[datetime, float],
    rhythms: Sequence[tuple[datetime, Rhythm]],
    rng: random.Random,
    flow: Flow,
) -> None:
    """Silences that begin after the flow was known for long enough; the usual pause is taken from the truth, not from what was learnt."""
    begin = max(WATCHED, flow.begin + timedelta(weeks=10))
    if flow.keeps_days > 90:
        begin = END - 3 * timedelta(weeks=4)
    for _silence in range(SILENCES):
        silence = begin + rng.random() * (END - timedelta(weeks=1) - begin)
        earlier = [run for run in runs if run < silence]
        last = earlier[-1]
        rhythm = [learnt for day, learnt in rhythms if day <= last][-1]
        alarm = detection.quiet_at(rhythm, last, ZONE)
        usual = _usual_pause([run for run in earlier if run > last - timedelta(weeks=8)], rates)
        if alarm is None:
            result.missed += 1
        elif flow.keeps_days > 90:
            result.delays.append((alarm - last) / max(b - a for a, b in pairwise(earlier)))
        else:
            result.delays.append(_true(rates, last, min(alarm + timedelta(minutes=1), END)) / usual)


def _usual_pause(runs: Sequence[datetime], rates: Mapping[datetime, float]) -> float:
    """The longest pause of an ordinary week: the median of the weeks, in runs that are really expected."""
    by_week: dict[int, float] = {}
    for run, following in pairwise(runs):
        week = (runs[-1] - following) // timedelta(weeks=1)
        by_week[week] = max(by_week.get(week, 0), _true(rates, run, following))
    return median(by_week.values())


def _true(rates: Mapping[datetime, float], after: datetime, before: datetime) -> float:
    first, last = (moment.replace(minute=0, second=0, microsecond=0) for moment in (after, before))
    if first == last:
        return rates[first] * ((before - after) / _HOUR)
    found = rates[first] * (1 - (after - first) / _HOUR) + rates.get(last, 0) * ((before - last) / _HOUR)
    return found + sum(rates[hour] for hour in hours_between(first + _HOUR, last))


@dataclass(frozen=True)
class Runs:
    """A made-up flow of which failures and durations vary: an hourly run, of which a share fails.

    Attributes:
        spread: of the durations (the deviation of their logarithm).
    """

    name: str
    failing: float
    spread: float


RUNS = (
    Runs("Fails seldom, lengths alike", 0.005, 0.2),
    Runs("2 of 100 runs fail", 0.02, 0.6),
    Runs("20 of 100 runs fail, lengths vary much", 0.2, 1.0),
)


@dataclass
class RunsResult:
    """False alarms about failures and lengths, and after how many runs a real change was found."""

    months: float
    failing: int
    longer: int
    failing_after: list[int]
    longer_after: list[int]


def try_runs(kind: Runs, seeds: Sequence[int], weeks: int = 26) -> RunsResult:
    """Watch hourly runs for some weeks after the first eight; then most of them fail, and take five times as long."""
    result = RunsResult(0, 0, 0, [], [])
    for seed in seeds:
        rng = random.Random(f"{kind.name} {seed}")
        runs = [run for _day in range((detection.WEEKS + weeks) * 7) for run in _day_of_runs(kind, rng)]
        result.months += weeks * 7 / 30.44
        open_kinds: set[str] = set()
        rhythm = Rhythm()
        for number in range(detection.WEEKS * 168, len(runs)):
            if number % 168 == 0:
                rhythm = _learnt(runs[number - detection.WEEKS * 168 : number])
            latest = runs[number : number - detection.LATEST : -1]
            found = _found(rhythm, latest, open_kinds)
            result.failing += "failing" in found - open_kinds
            result.longer += "longer" in found - open_kinds
            open_kinds = found
        _try_change(result, kind, rng, rhythm, runs)
    return result


def _day_of_runs(kind: Runs, rng: random.Random) -> list[Latest]:
    return [
        Latest("", True, rng.random() < kind.failing, 60 * rng.lognormvariate(0, kind.spread)) for _hour in range(24)
    ]


def _learnt(runs: Sequence[Latest]) -> Rhythm:
    moments = [BEGIN + number * _HOUR for number in range(len(runs))]
    hours = [
        Hour(moment, moment, 1, 1, run.failed, run.seconds, run.seconds, 1)
        for moment, run in zip(moments, runs, strict=True)
    ]
    return detection.learn(hours, BEGIN, moments[-1] + _HOUR, ZONE)


def _found(rhythm: Rhythm, latest: Sequence[Latest], open_kinds: set[str]) -> set[str]:
    failing = detection.failing_runs(rhythm, latest, alarming="failing" in open_kinds)[0]
    longer = detection.long_runs(rhythm, latest, alarming="longer" in open_kinds)
    return {name for name, value in (("failing", failing), ("longer", longer)) if value}


def _try_change(result: RunsResult, kind: Runs, rng: random.Random, rhythm: Rhythm, runs: list[Latest]) -> None:
    known: set[str] = set()
    for number in range(1, 200):
        longest = 5 * rhythm.longest if kind.spread > 0.5 else 5 * 60 * rng.lognormvariate(0, kind.spread)
        runs.append(Latest("", True, rng.random() < max(0.8, kind.failing), longest))
        found = _found(rhythm, runs[: -detection.LATEST - 1 : -1], set())
        if "failing" in found - known:
            result.failing_after.append(number)
        if "longer" in found - known:
            result.longer_after.append(number)
        known |= found
        if len(known) > 1:
            return
