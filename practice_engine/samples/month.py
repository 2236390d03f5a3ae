"""A month of believable runs of the sample flows, and their continuation while the engine runs.

``samples/month.json`` has the plan of each flow: how often it runs in the office hours of a day, or every so many hours, and the runs of
the past that failed in groups. The times of a day follow from the flow and the date, so that a later start adds the runs between.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, NamedTuple

from practice_engine import ids, samples, tree
from practice_engine.core import Engine
from practice_engine.http import Json
from practice_engine.state import read_data

DAYS = 30
#: Real seconds between two looks for runs that are due.
EVERY = 20.0
#: The company's clock.
ZONE = timezone(timedelta(hours=7))
_SATURDAY = 5
#: How much of the work falls into which hour of a day: on weekdays, and at weekends.
_OFFICE = {7: 1, 8: 5, 9: 7, 10: 6, 11: 4, 12: 1, 13: 4, 14: 6, 15: 6, 16: 5, 17: 2}
_WEEKEND = {9: 2, 10: 3, 11: 2, 14: 1, 15: 2, 16: 1}


class Due(NamedTuple):
    """A run of a sample flow at a time. ``failure`` is the group of failures of the plan that it belongs to, {} for most."""

    start: datetime
    slug: str
    failure: Json
    #: Whether it is the flow's latest run.
    newest: bool


class Month:
    """Gives an engine with sample data the runs of a month, and goes on with them.

    ``begin`` adds those of the past, after a restart those since the last one, and starts the others when their time comes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._done = ids.now()

    def begin(self) -> None:
        rows = self._engine.state.runs.values()
        known = max((row["created"] for row in rows if row.get("planned")), default=None)
        earliest = self._done - timedelta(days=DAYS)
        # The engine cuts times to milliseconds.
        since = max(earliest, ids.parse(known) + timedelta(milliseconds=1)) if known else earliest
        for due in sorted(past(since, self._done, first=known is None)):
            self._add(due)
        self._look_later()

    def _look_later(self) -> None:
        clock = self._engine.clock
        clock.call_later(EVERY / clock.scale, self._look)

    def _look(self) -> None:
        self.go_on(ids.now())
        self._look_later()

    def go_on(self, now: datetime) -> None:
        """Start the runs that have become due since the last time."""
        with self._engine.state.lock:
            for slug, plan in plans().items():
                if "stops" not in plan and any(_times(slug, plan, self._done, now)):
                    self._start(slug, plan, now)
            self._done = now

    def _start(self, slug: str, plan: Json, now: datetime) -> None:
        """Start a run, unless somebody has turned the flow off or deleted it."""
        sample = samples.sample_flows()[slug]
        flow = self._engine.state.flows.get(sample.id)
        if flow is not None and flow["status"] == "ENABLED":
            version = self._engine.state.versions[flow["publishedVersionId"]]
            output = _output(sample, plan, random.Random(f"{slug} {now}"))  # noqa: S311  practice data, no secrets
            self._engine.runs.begin(flow, version, output, version=self._engine.version, planned=True)

    def _add(self, due: Due) -> None:
        """Add a run of the past. A group's failure comes from its payload, or is written over the step."""
        sample, plan = samples.sample_flows()[due.slug], plans()[due.slug]
        dice = random.Random(f"{due.slug} {due.start}")  # noqa: S311  practice data, no secrets
        output = _output(sample, plan | due.failure, dice)
        flow = self._engine.state.flows.get(sample.id)
        if flow is not None and flow["publishedVersionId"]:
            row = samples.add_past_run(self._engine, flow, output, due.start, dice, waits=due.newest)
            row["planned"] = True
            if "step" in due.failure:
                step = tree.find_step(self._engine.state.versions[row["flowVersionId"]]["trigger"], due.failure["step"])
                _fail(row, step or {}, due.failure["message"].replace("{n}", _number(dice)))


def past(since: datetime, until: datetime, *, first: bool = True) -> Iterator[Due]:
    """The runs between two times. Groups of failures, and flows that have stopped, belong to the ``first`` time that runs are added."""
    for slug, plan in plans().items():
        stop = until - timedelta(hours=plan.get("stops", 0))
        if "stops" in plan and not first:
            continue
        groups = plan.get("groups", ()) if first else ()
        starts = sorted([*_times(slug, plan, since, stop), *(start for one in groups for start in _group(one, until))])
        for number, start in enumerate(starts, 1 - len(starts)):
            yield Due(start, slug, _failure(plan, start, -number, until) if first else {}, first and number == 0)


def plans() -> Mapping[str, Json]:
    """The plans of the flows, by their slugs."""
    found: Mapping[str, Json] = read_data("samples/month.json")
    return found


def _times(slug: str, plan: Json, after: datetime, until: datetime) -> Iterator[datetime]:
    day = after.astimezone(ZONE).date()
    while day <= until.astimezone(ZONE).date():
        yield from (moment for moment in _times_of_day(slug, plan, day) if after < moment <= until)
        day += timedelta(days=1)


def _times_of_day(slug: str, plan: Json, day: date) -> list[datetime]:
    """The times of a flow's runs on a day, always the same."""
    dice = random.Random(f"{slug} {day}")  # noqa: S311  practice data, no secrets
    if "hour" in plan:
        return [_moment(day, plan["hour"], dice.uniform(0.2, 2))]
    if "every" in plan:
        return [_moment(day, hour, dice.uniform(0, 240)) for hour in range(0, 24, plan["every"])]
    at_weekend = day.weekday() >= _SATURDAY
    weights, mean = (_WEEKEND, plan["weekend"]) if at_weekend else (_OFFICE, plan["weekday"])
    number = max(0, mean + dice.choice((-1, 0, 0, 1))) if mean > 1 else mean
    hours = dice.choices(list(weights), list(weights.values()), k=number)
    return sorted(_moment(day, hour, dice.uniform(0, 3600)) for hour in hours)


def _moment(day: date, hour: int, seconds: float) -> datetime:
    return (datetime.combine(day, time(hour), ZONE) + timedelta(seconds=seconds)).astimezone(UTC)


def _workday(number: int, until: datetime) -> date:
    """The day that was so many working days ago."""
    day = until.astimezone(ZONE).date()
    while number:
        day -= timedelta(days=1)
        number -= day.weekday() < _SATURDAY
    return day


def _group(group: Json, until: datetime) -> list[datetime]:
    """The times of runs that somebody started one after the other."""
    day = _workday(group["workdays_ago"], until)
    return [_moment(day, group["hour"], 400 * number) for number in range(group["runs"])]


def _failure(plan: Json, start: datetime, later: int, until: datetime) -> Json:
    """The group of failures that a run belongs to. ``later`` is how many runs of the flow follow it."""
    local = start.astimezone(ZONE)
    for group in plan.get("failures", ()):
        if later < group.get("last", 0):
            return dict(group)
        in_hours = group.get("from", 24) <= local.hour < group.get("to", 24)
        if in_hours and local.date() == _workday(group["workdays_ago"], until):
            return dict(group)
    return {}


def _output(sample: "samples.SampleFlow", plan: Json, dice: random.Random) -> Any:
    """What the trigger of a run received: the flow's payload with other names and numbers."""
    if "output" in plan:
        return plan["output"]
    if "payload" in plan:
        return samples.trigger_output(sample, plan["payload"])
    number = _number(dice)
    chosen = {name: dice.choice(values) for name, values in plan.get("values", {}).items()}
    texts = {name: value.replace("{n}", number) for name, value in chosen.items() if isinstance(value, str)}
    return samples.trigger_output(sample, {**sample.payload, **chosen, **texts})


def _number(dice: random.Random) -> str:
    """A number as orders and the ends of telephone numbers have it."""
    return str(dice.randint(1050, 9950))


def _fail(row: Json, step: Json, message: str) -> None:
    """Let a run have failed at a step: it and the steps before it remain."""
    names, name = list(row["steps"]), step["name"]
    kept = {one: row["steps"][one] for one in names[: names.index(name) + 1]}
    kept[name] = {key: value for key, value in kept[name].items() if key != "output"}
    kept[name] |= {"status": "FAILED", "errorMessage": message}
    row |= {"status": "FAILED", "steps": kept}
    row["failedStep"] = {"name": name, "message": message, "displayName": step["displayName"]}
