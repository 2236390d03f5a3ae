"""The usual rhythm of a flow, and deviations from it, computed from counts of its runs. Needs neither Django nor an engine.

**Rhythm.** The last WEEKS weeks are learnt again every day: the mean number of runs of each of the 168 hours of a week, in one time zone,
which share their runs with other hours (profiles.py). Flows that follow another clock are an hour off after the clocks change.

**Quiet.** Time is measured in expected runs: an hour in which four runs are usual counts four times as much as one with one run, nights
and weekends in which nothing is usual count nothing. In this measure the longest pause of each week is taken, by the hours of the *other*
weeks, since a week explains its own runs too well. Their median is the usual pause: that of an ordinary week, which a few holidays or
outages do not change. A flow is quiet once FACTOR times the usual pause has passed since its last run; if its pauses vary, once its longest
pause and a part of it have passed, at most MOST times the usual one. That moment depends on nothing that happens later: it is computed
with each run and only compared with the time.

- *After a false alarm*: for PATIENT days after an alarm that a builder called a false one, people are notified of the flow only after
  PATIENCE usual pauses. Pauses by chance are rarely so long that there are two false alarms within that time. Until then the alarm is
  only listed.
- *Runs that people start* are learnt like others, but end no silence of a flow that is usually started in another way.
- *Weekends, nights, monthly flows*: nothing is expected, so nothing is missed. Flows with less than a run a week have no rhythm of hours:
  their pauses are measured in days, over all that is kept, once there are enough of them.
- *Holidays*: nothing is expected on days off that managers enter. Another holiday on which a flow rests is one alarm, which ends with the
  next run; if many flows rest, it is one about all of them (folding.py).
- *New flows*: no alarm before LEAST whole weeks. Weeks before a flow's first run are not learnt from.
- *A flow that was off*: whole weeks without runs are left out if they are few.
- *Slow decline and growth*: the rhythm is scaled to the last RECENT weeks. A decline is followed, not reported; the silence at its end is.

**Longer than usual.** The longest run of each week is taken, and the second longest of these is usual, so that one bad week does not count.
Runs that take TIMES as long are too long: LONG of the last LONG_OF runs must be, or one that still runs.

**Fails more than usual.** So many of the latest runs failed that it would happen once in 100,000 times by chance, if they failed as often
as they do over all, or as in the second worst week if that is more.

**Scheduled time missed** needs no learning: the first time of the schedule after the last run is known (checking.py).
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from statistics import mean, median
from typing import Any, Self

from workflows_ui.alarms import profiles
from workflows_ui.alarms.profiles import REST, Calendar

#: Weeks that are learnt, and the fewest; runs without which a flow has no rhythm.
WEEKS, LEAST, FEWEST = 8, 3, 6
#: The weeks by which the rhythm is scaled, and by how much at most.
RECENT, TREND = 3, 2.0
#: A flow is quiet after so many usual pauses, or after the longest one and a part of it, but not after more than MOST usual pauses.
FACTOR, LONGER, MOST = 1.5, 1.3, 1.6
#: For so long after a false alarm, people are notified only after so many usual pauses, or longer rests of flows with rare runs.
PATIENT, PATIENCE, LONG_REST = timedelta(days=30), 3.0, 2.0
#: Pauses measured in days that are enough if these are all about as long, and if not.
ALIKE_PAUSES, PAUSES = 3, 8
#: How much longer the longest pause is than the shortest one of those that are about as long.
ALIKE = 1.5
#: Runs of which durations and failures are learnt; the latest ones that are compared.
LEARNT, LATEST = 20, 20
#: How much longer than the longest usual run is too long: times, and seconds.
TIMES, SECONDS = 2.0, 10.0
#: Among so many of the latest runs, so many must be too long.
LONG_OF, LONG = 5, 2
#: Failures of which a flow fails more than usual, at least; how unlikely these are by chance; and the latest runs of which an
#: alarm ends if so many failures among them are as likely as this.
FAILURES, UNLIKELY, CLEAR, LIKELY = 3, 1e-5, 10, 0.05
#: How far the moment is looked for at which a flow becomes quiet.
AHEAD = timedelta(days=60)
HOUR = timedelta(hours=1)
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Hour:
    """The runs of a flow that were created in one hour of UTC.

    Attributes:
        first, last: when the first and the last of them were created.
        ended, failed: how many have ended, and how many of these failed.
        longest, total: of those whose duration is known, in seconds.
        timed: how many those are.
    """

    first: datetime
    last: datetime
    runs: int
    ended: int = 0
    failed: int = 0
    longest: float = 0
    total: float = 0
    timed: int = 0


@dataclass(frozen=True)
class Rhythm:
    """The usual behaviour of a flow.

    Attributes:
        hours: expected runs of each hour of the week, Monday first; empty without a rhythm.
        pause: the usual pause in expected runs; 0 if it is not known.
        limit: a pause after which it is quiet, in expected runs.
        rest: after so many seconds without a run a flow with rare runs is quiet; 0 for others.
        usual, longest: seconds of a run: the usual ones, and the longest of an ordinary week; 0 if not known.
        failing: the share of runs that fail; -1 if not known.
        by_hand: whether people start most of its runs.
    """

    hours: Sequence[float] = ()
    pause: float = 0
    limit: float = 0
    rest: float = 0
    usual: float = 0
    longest: float = 0
    failing: float = -1
    by_hand: bool = False

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"hours": [round(value, 3) for value in self.hours]}

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Self:
        """The rhythm of a `dump`; without values that are not there."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__ if name in value})


@dataclass(frozen=True)
class Latest:
    """One of the latest runs of a flow.

    Attributes:
        seconds: how long it took, or has taken until now; -1 if not known.
    """

    run_id: str
    ended: bool
    failed: bool
    seconds: float


def learn(hours: Sequence[Hour], known_since: datetime, now: datetime, calendar: Calendar) -> Rhythm:
    """The rhythm of a flow.

    Args:
        hours: its runs, the earliest first.
        known_since: from when on all its runs are known.
    """
    if not hours:
        return Rhythm()
    since = max(known_since, hours[0].first)
    weeks = min(WEEKS, (now - since) // _WEEK)
    start = now - weeks * _WEEK
    by_week: dict[int, list[Hour]] = defaultdict(list)
    for hour in hours:
        if hour.first >= start:
            by_week[(hour.first - start) // _WEEK].append(hour)
    usual, longest = _lengths(by_week, weeks)
    found = Rhythm(usual=usual, longest=longest, failing=_share(by_week, weeks))
    if weeks < LEAST:
        return found
    counted = {week: cells for week, rows in by_week.items() if any(cells := _counts(rows, calendar))}
    number = sum(hour.runs for rows in by_week.values() for hour in rows)
    if number < FEWEST * weeks / WEEKS or len(counted) < weeks * 0.7:
        return replace(found, rest=_rest(hours))
    first = int(_time(start))
    profile = profiles.fit(counted, {week: _span(first + REST * week, calendar) for week in counted})
    # Without weeks that are silent so far, which would make what is usual for them smaller.
    recent = [profile.levels[week] for week in range(weeks - RECENT, weeks) if week in counted]
    trend = min(max(mean(recent), 1 / TREND), TREND) if recent else 1.0
    pauses = _pauses({week: by_week[week] for week in counted}, profile.weeks, calendar)
    usual_pause = max(1.0, median(pauses))
    limit = min(max(FACTOR * usual_pause, LONGER * max(pauses)), MOST * usual_pause)
    return replace(found, hours=[rate * trend for rate in profile.rates], pause=usual_pause, limit=limit)


def _ordinary(values: Sequence[float]) -> float:
    """The second highest value of weeks, the highest of few."""
    ordered = sorted(values, reverse=True)
    return ordered[1] if len(ordered) > LEAST else ordered[0]


def _counts(hours: Sequence[Hour], calendar: Calendar) -> list[float]:
    """The runs of a week by its hours, without those on days off."""
    cells = [0.0] * (REST + 1)
    for hour in hours:
        cells[calendar[int(_time(hour.first))]] += hour.runs
    return cells[:REST]


def _span(first: int, calendar: Calendar) -> list[float]:
    """How often each hour of the week is in the week that begins then."""
    cells = [0.0] * (REST + 1)
    for hour in range(first, first + REST):
        cells[calendar[hour]] += 1
    return cells[:REST]


def _time(moment: datetime) -> float:
    """Hours since 1970."""
    return moment.timestamp() / 3600


def _pauses(
    by_week: Mapping[int, Sequence[Hour]], rates: Mapping[int, Sequence[float]], calendar: Calendar
) -> Sequence[float]:
    """The longest pause of each week, in runs that are expected by the week's rates."""
    longest, previous = [], None
    for week in sorted(by_week):
        pauses = [0.0]
        for hour in by_week[week]:
            first, last = _time(hour.first), _time(hour.last)
            if previous is not None:
                pauses.append(_expected(rates[week], previous, first, calendar))
            if hour.runs > 1:
                pauses.append(_expected(rates[week], first, first + (last - first) / (hour.runs - 1), calendar))
            previous = last
        longest.append(max(pauses))
    return longest


def _expected(rates: Sequence[float], after: float, before: float, calendar: Calendar) -> float:
    """The expected runs between two times."""
    first, last = int(after), int(before)
    if first == last:
        return rates[calendar[first]] * max(0.0, before - after)
    found = rates[calendar[first]] * (first + 1 - after) + rates[calendar[last]] * (before - last)
    return found + sum([rates[calendar[hour]] for hour in range(first + 1, last)])


def expected(rhythm: Rhythm, after: datetime, before: datetime, calendar: Calendar) -> float:
    """The usual number of runs between two times; 0 without a rhythm."""
    return _expected([*rhythm.hours, 0.0], _time(after), _time(before), calendar) if rhythm.hours else 0.0


def _rest(hours: Sequence[Hour]) -> float:
    """After how many seconds a flow with rare runs is quiet; 0 if there are too few pauses. Runs of the same hour are one."""
    moments = [hour.first.timestamp() for hour in hours]
    pauses = sorted(later - earlier for earlier, later in itertools.pairwise(moments))
    alike = len(pauses) >= ALIKE_PAUSES and pauses[-1] <= ALIKE * pauses[0]
    return FACTOR * pauses[-1] if alike or len(pauses) >= PAUSES else 0.0


def quiet_at(rhythm: Rhythm, last: datetime, calendar: Calendar, *, patient: bool = False) -> datetime | None:
    """When a flow whose last run was created at `last` is quiet, unless it runs before; None if that is not known.

    `patient`: when people are notified of it, after a false alarm in the last days (PATIENT).
    """
    if rhythm.rest:
        return last + timedelta(seconds=rhythm.rest * (LONG_REST if patient else 1))
    if not rhythm.hours or not rhythm.pause:
        return None
    rates, limit = [*rhythm.hours, 0.0], rhythm.limit or FACTOR * rhythm.pause
    left, time = max(limit, PATIENCE * rhythm.pause) if patient else limit, _time(last)
    for hour in range(int(time), int(time) + AHEAD // HOUR):
        rate = rates[calendar[hour]]
        share = rate * (hour + 1 - time)
        if share >= left:
            return datetime.fromtimestamp((time + left / rate) * 3600, last.tzinfo)
        left, time = left - share, hour + 1
    return None


def _lengths(by_week: Mapping[int, Sequence[Hour]], weeks: int) -> tuple[float, float]:
    """The usual seconds of a run, and the longest of an ordinary week; 0 if too few are known."""
    timed = [hour for found in by_week.values() for hour in found if hour.timed]
    if weeks < LEAST or sum(hour.timed for hour in timed) < LEARNT:
        return 0.0, 0.0
    means = sorted(hour.total / hour.timed for hour in timed)
    longest = [max((hour.longest for hour in found), default=0.0) for found in by_week.values()]
    return means[len(means) // 2], _ordinary(longest)


def _share(by_week: Mapping[int, Sequence[Hour]], weeks: int) -> float:
    """The share of runs that fail: of all, or of the second worst week if that is more; -1 if too few are known."""
    ended = [(sum(hour.ended for hour in found), sum(hour.failed for hour in found)) for found in by_week.values()]
    number = sum(count for count, _failed in ended)
    if weeks < LEAST or number < LEARNT:
        return -1.0
    overall = (sum(failed for _count, failed in ended) + 1) / (number + 2)
    return max(overall, _ordinary([failed / count if count else 0.0 for count, failed in ended]))


def too_long(rhythm: Rhythm) -> float:
    """Runs that take more seconds are longer than usual; infinite if that is not known."""
    return max(TIMES * rhythm.longest, rhythm.longest + SECONDS) if rhythm.longest else math.inf


def long_runs(rhythm: Rhythm, latest: Sequence[Latest], *, alarming: bool) -> Sequence[Latest]:
    """The runs because of which a flow takes longer than usual; none if it does not.

    Args:
        latest: the newest first.
        alarming: whether there is an alarm already, which ends when none of the latest runs is too long.
    """
    limit = too_long(rhythm)
    running = [run for run in latest if not run.ended and run.seconds > limit]
    ended = [run for run in latest if run.ended and run.seconds >= 0][:LONG_OF]
    long = [run for run in ended if run.seconds > limit]
    return [*running, *long] if running or len(long) >= (1 if alarming else LONG) else []


def failing_runs(rhythm: Rhythm, latest: Sequence[Latest], *, alarming: bool) -> tuple[int, int]:
    """How many of how many latest runs failed, if that is more than usual; otherwise (0, 0). Arguments as for `long_runs`.

    An alarm ends when the last CLEAR runs do not fail more often than chance explains.
    """
    if rhythm.failing < 0:
        return 0, 0
    failed = [run.failed for run in latest if run.ended][: CLEAR if alarming else LATEST]
    if alarming:
        count = sum(failed)
        return (count, len(failed)) if count and chance(count, len(failed), rhythm.failing) < LIKELY else (0, 0)
    found = (0, 0)
    for number in range(FAILURES, len(failed) + 1):
        count = sum(failed[:number])
        if count >= FAILURES and chance(count, number, rhythm.failing) < UNLIKELY:
            found = (count, number)
    return found


@lru_cache(maxsize=10_000)
def chance(failed: int, number: int, share: float) -> float:
    """How likely it is that at least so many of a number of runs fail, if each fails with this probability."""
    return sum(
        math.comb(number, count) * share**count * (1 - share) ** (number - count) for count in range(failed, number + 1)
    )
