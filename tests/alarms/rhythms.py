"""Made-up flows with seeded rhythms, and how often alarms about them are false and late: what the table in docs/alarms.md shows."""

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, groupby, pairwise
from statistics import median
from zoneinfo import ZoneInfo

from workflows_ui.alarms import detection
from workflows_ui.alarms.detection import Hour, Latest, Rhythm
from workflows_ui.alarms.profiles import Calendar

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
#: In hours.
_MINUTE, _WEEK, _PATIENT = 1 / 60, 168, detection.PATIENT / _HOUR
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
        entered: whether a manager has entered them.
        together: whether the other flows rest on them, too: then the alarm is not about this flow, but about many.
        begin: its first day.
    """

    name: str
    rate: Rate
    draw: Draw
    holidays: int = 0
    entered: bool = False
    together: bool = False
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
    Flow("Office hours, holidays that were entered", _in_office(6), _poisson, holidays=12, entered=True),
    Flow("Office hours, holidays of all flows, not entered", _in_office(6), _poisson, holidays=12, together=True),
    Flow("Office hours, holidays of its own, not entered", _in_office(6), _poisson, holidays=12),
    Flow("Office hours by UTC", _in_office(4), _poisson, zone=ZoneInfo("UTC")),
    Flow("New flow", _in_office(3), _poisson, begin=datetime(2026, 12, 2, tzinfo=UTC)),
    Flow("Slow decline", lambda hour: 8 * 0.95 ** _weeks(hour) * (7 <= hour.hour < 20), _poisson),
    Flow("Slow growth", lambda hour: 1.05 ** _weeks(hour) * (7 <= hour.hour < 20), _poisson),
)


def holidays_of(flow: Flow, rng: random.Random) -> set[date]:
    """Random days of the whole time, as many a year as the flow has."""
    days = (END - BEGIN).days
    return {(BEGIN + rng.randrange(days) * _DAY).date() for _day in range(round(flow.holidays * days / 365))}


class Made:
    """A flow's runs, and how many it really expects.

    Attributes:
        runs: their times, in hours since BEGIN.
        places: how many runs are expected from BEGIN until each of them.
        days_off, noons: the holidays, and the middle of each.
    """

    def __init__(self, flow: Flow, seed: int) -> None:
        rng = random.Random(f"{flow.name} {seed}")
        self.days_off = holidays_of(flow, rng)
        self.runs: list[float] = []
        rates = []
        for place in range((END - BEGIN) // _HOUR):
            hour = BEGIN + place * _HOUR
            local = hour.astimezone(flow.zone)
            resting = local.date() in self.days_off
            rate = 0.0 if hour < flow.begin or (resting and flow.entered) else flow.rate(local)
            rates.append(rate)
            if rate and not resting:
                self.runs += [place + part for part in sorted(flow.draw(rng, rate))]
        self.noons = [hours_since_begin(datetime(*day.timetuple()[:3], 12, tzinfo=UTC)) for day in self.days_off]
        self._rates = [*rates, 0.0]
        self._sums = [0.0, *accumulate(rates)]
        self.places = [self.expected(run) for run in self.runs]

    def expected(self, time: float) -> float:
        """How many runs are expected from BEGIN until then."""
        hour = min(int(time), len(self._rates) - 1)
        return self._sums[hour] + self._rates[hour] * (time - hour)


def moment(time: float) -> datetime:
    """The time so many hours after BEGIN."""
    return BEGIN + timedelta(hours=time)


def hours_since_begin(moment: datetime) -> float:
    """The reverse of `moment`."""
    return (moment - BEGIN) / _HOUR


def counted(runs: Iterable[datetime]) -> list[Hour]:
    """The runs by their hours, as the run index counts them."""
    hours = (list(found) for _hour, found in groupby(runs, lambda run: (run.toordinal(), run.hour)))
    return [Hour(found[0], found[-1], len(found)) for found in hours]


def _counted(runs: Sequence[float]) -> list[Hour]:
    hours = (list(found) for _hour, found in groupby(runs, int))
    return [Hour(moment(found[0]), moment(found[-1]), len(found)) for found in hours]


@dataclass
class Result:
    """What was found about made-up flows of one kind: false alarms, and the delay of silences in usual pauses.

    Attributes:
        notified: the false alarms of which people were notified.
        worst: the most of these about one flow in 30 days.
        missed: silences that were not found.
    """

    months: float = 0
    false: int = 0
    notified: int = 0
    worst: int = 0
    delays: list[float] = field(default_factory=list)
    notified_delays: list[float] = field(default_factory=list)
    missed: int = 0

    @property
    def a_month(self) -> float:
        return self.false / self.months

    @property
    def in_time(self) -> float:
        """The share of silences that were found within twice the usual pause."""
        return sum(delay <= 2 for delay in self.delays) / len(self.delays)

    @property
    def notified_in_time(self) -> float:
        """The share of silences of which people were notified within twice the usual pause."""
        return sum(delay <= 2 for delay in self.notified_delays) / len(self.notified_delays)


def try_flow(flow: Flow, seeds: Sequence[int], learn_every: timedelta = _DAY) -> Result:
    """Watch made-up flows of one kind for half a year, and let each of them become silent at random times."""
    result = Result()
    for seed in seeds:
        made = Made(flow, seed)
        watched = Watched(flow, made, learn_every)
        notified = [begin for begin, _end in watched.notified]
        result.months += MONTHS
        result.false += len(watched.false_alarms)
        result.notified += len(notified)
        most = [sum(0 <= other - alarm < _PATIENT for other in notified) for alarm in notified]
        result.worst = max(result.worst, *most, 0)
        _try_silences(result, flow, made, watched, random.Random(seed))
    return result


class Watched:
    """A made-up flow as the console sees it: what was learnt, and when an alarm begins."""

    def __init__(self, flow: Flow, made: Made, every: timedelta) -> None:
        self._runs, self._learnt = made.runs, list[tuple[float, Rhythm]]()
        self._calendar = Calendar(ZONE, made.days_off if flow.entered else ())
        hours = _counted(made.runs)
        firsts, lasts = [hour.first for hour in hours], [hour.last for hour in hours]
        day = WATCHED
        while day < END:
            since = max(day - timedelta(days=flow.keeps_days), BEGIN)
            known = hours[bisect_left(firsts, since) : bisect_left(lasts, day)]
            self._learnt.append((hours_since_begin(day), detection.learn(known, since, day, self._calendar)))
            day += every
        self._days = [day for day, _rhythm in self._learnt]
        #: When alarms began although the flow ran again, when people were notified of them, and when they ended.
        self.false_alarms, self.notified = list[tuple[float, float]](), list[tuple[float, float]]()
        for run, following in pairwise(self._runs):
            if following <= self._days[0] or self._is_short(run, following):
                continue
            shared = flow.together and any(run < day < following for day in made.noons)
            alarm, notified = self.quiet_at(run), self.notified_at(run)
            if alarm is not None and alarm + _MINUTE < following and not shared:
                self.false_alarms.append((alarm, following))
                if notified is not None and notified + _MINUTE < following:
                    self.notified.append((notified, following))

    def _rhythm(self, time: float) -> Rhythm:
        """What was known at that time, at first what was learnt first."""
        return self._learnt[max(0, bisect_right(self._days, time) - 1)][1]

    def quiet_at(self, last: float, *, patient: bool = False) -> float | None:
        """When the flow is quiet after a run."""
        found = detection.quiet_at(self._rhythm(last), moment(last), self._calendar, patient=patient)
        return None if found is None else max(hours_since_begin(found), self._days[0])

    def notified_at(self, last: float) -> float | None:
        """When people are notified that the flow is quiet after a run."""
        return self.quiet_at(last, patient=any(0 <= last - end < _PATIENT for _begin, end in self.notified))

    def _is_short(self, run: float, following: float) -> bool:
        """Whether a pause is no alarm in any hour of the week, which is found out faster than when one would begin."""
        rhythm = self._rhythm(run)
        most = max(rhythm.hours, default=0.0)
        return bool(most) and (following - run) * most < detection.FACTOR * rhythm.pause


def _try_silences(result: Result, flow: Flow, made: Made, watched: Watched, rng: random.Random) -> None:
    """Silences that begin after the flow was known for long enough; the usual pause is taken from the truth, not from what was learnt."""
    begin = hours_since_begin(max(WATCHED, flow.begin + timedelta(weeks=10)))
    end = hours_since_begin(END)
    if flow.keeps_days > 90:
        begin = end - 12 * _WEEK
    for _silence in range(SILENCES):
        silence = begin + rng.random() * (end - _WEEK - begin)
        number = bisect_left(made.runs, silence)
        last = made.runs[number - 1]
        alarms = watched.quiet_at(last), watched.notified_at(last)
        for alarm, delays in zip(alarms, (result.delays, result.notified_delays), strict=True):
            if alarm is None:
                result.missed += 1
            elif flow.keeps_days > 90:
                longest = max(later - earlier for earlier, later in pairwise(made.runs[:number]))
                delays.append((alarm - last) / longest)
            else:
                passed = made.expected(min(alarm + _MINUTE, end)) - made.places[number - 1]
                delays.append(passed / _usual_pause(made, number))


def _usual_pause(made: Made, number: int) -> float:
    """The longest pause of an ordinary week: the median of the eight weeks before a run, in runs that are really expected."""
    by_week: dict[int, float] = {}
    last = made.runs[number - 1]
    first = bisect_left(made.runs, last - 8 * _WEEK)
    for place in range(first + 1, number):
        week = int((last - made.runs[place]) / _WEEK)
        by_week[week] = max(by_week.get(week, 0), made.places[place] - made.places[place - 1])
    return median(by_week.values())


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
    return detection.learn(hours, BEGIN, moments[-1] + _HOUR, Calendar(ZONE))


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
