"""How a run's time was spent: before its start, working, waiting in a pause, and around the steps; as bars for
templates/runs/times.html.

The engine gives how long each step worked, not when it began, and a pause counts for no step (recording `run_get_PAUSED`: a delay of 60 s
has a `duration` of 73 ms). So steps are placed one after another, and the rest of the run's own time is waiting if a step pauses, the
step itself if one did not end, else the engine's own work around the steps.

A retry continues at the failed step and keeps the steps before it with their times, while the run's own times are those of the retry (0.83,
recording `run_retry_succeeded_from_failed_step`) or span both tries (0.72.4, recordings `run_retry_from_failed_step` and
`runs_list_final`). Then total and steps measure different things, and the difference is not shown.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.readers import mapping_of, number_of
from workflows_ui.engine import run_tree
from workflows_ui.engine_objects.flows import Step
from workflows_ui.engine_objects.runs import Run, StepResult
from workflows_ui.runs import reading

#: The whole width of a bar, in its own units.
WIDTH = 1000
_THINNEST = 6
#: A remainder below this many milliseconds is ignored.
_NOTHING = 1.0
_LONGEST = 1e12
#: The engine truncates its times to milliseconds.
_ROUNDING = 2.0
#: A larger remainder, without a pause, is not the engine's overhead: the run was probably retried elsewhere.
_UNEXPLAINED = 60_000.0
_UNITS = {"seconds": 1e3, "minutes": 6e4, "hours": 3.6e6, "days": 8.64e7, "weeks": 6.048e8}
#: Pieces whose steps pause a run, and the word that marks such steps of other pieces.
_PAUSING = ("piece-delay", "piece-approval", "piece-subflows")
_LABELS: Mapping[str, str | Promise] = {
    "queue": gettext_lazy("In the engine's queue"),
    "before": gettext_lazy("Before it started"),
    "long-before": gettext_lazy("Before it started: in the queue, or in earlier tries"),
    "work": gettext_lazy("Steps"),
    "tries": gettext_lazy("Steps running, including earlier tries"),
    "waiting": gettext_lazy("Waiting in a pause"),
    "unended": gettext_lazy("In a step whose time is not known"),
    "current": gettext_lazy("Current step and time between steps"),
    "around": gettext_lazy("Engine overhead"),
    "unexplained": gettext_lazy("Not explained by the steps: engine overhead, or a time before the run was retried"),
}


@dataclass(frozen=True)
class Bar:
    """A section of a bar, starting at `x`, both in units of WIDTH."""

    x: int
    width: int


@dataclass(frozen=True)
class Part:
    """A part of a run's time. `kind` is a key of _LABELS."""

    kind: str
    label: str | Promise
    duration: str
    bar: Bar


def bar(begin: float, took: float, whole: float) -> Bar | None:
    """The section from `begin` on (milliseconds) of a bar for `whole`, visible unless it took no time; None without a whole."""
    if whole <= 0:
        return None
    x = min(WIDTH - _THINNEST, max(0, round(begin / whole * WIDTH)))
    return Bar(x, max(_THINNEST, min(WIDTH - x, round(took / whole * WIDTH))) if took > 0 else 0)


def worked(step: StepResult, depth: int = 0) -> float:
    """Milliseconds that a step worked; for a loop without its own time the sum of its steps. 0 if nothing is known."""
    known = step.duration
    if known is not None and 0 <= known < _LONGEST:
        return float(known)
    rounds = step.iterations if depth < run_tree.DEEPEST else ()
    return sum((all_worked(turn, depth + 1) for turn in rounds), 0.0)


def all_worked(steps: object, depth: int = 0) -> float:
    """The same of all steps in a chain, which are by name. Accepts any value."""
    return sum((worked(StepResult(step), depth) for step in mapping_of(steps).values()), 0.0)


class Times:
    """The times of one run. `known` are its flow's steps by name, if known: they show which of them pause."""

    def __init__(self, run: Run, known: Mapping[str, object], now: datetime.datetime | None = None) -> None:
        now = now or timezone.now()
        self._steps = {name: StepResult(step) for name, step in run.chain.items()}
        self.work = all_worked(run.chain)
        self._start = reading.started(run)
        status = run.status
        self._so_far = formats.between(self._start, now.isoformat()) if status in ("PAUSED", "RUNNING") else None
        self._whole = self._so_far if status == "PAUSED" else reading.length(run)
        #: Whether steps of an earlier try are among the steps: then their times do not add up to the run's.
        self.mixed = reading.retried(run) is not None or (
            self._whole is not None and self.work > self._whole + _ROUNDING
        )
        self._queue = 0.0 if self.mixed and not reading.goes_on(run) else reading.waited(run, now) or 0.0
        self._before = "queue" if status == "QUEUED" else "before" if self._queue < _UNEXPLAINED else "long-before"
        self._rest = 0.0 if self.mixed else max(0.0, (self._whole or self._so_far or 0.0) - self.work)
        self._pausing = [name for name, step in self._steps.items() if pauses(step, known.get(name))]
        #: Milliseconds that each step waited, by its name, if known.
        self.waits: Mapping[str, float] = self._waits()
        #: Milliseconds of work and waits before each step, by its name.
        self.begins: Mapping[str, float] = self._begins()

    @property
    def axis(self) -> float:
        """Milliseconds on the axis of all steps: their work, and the waits that are known."""
        return self.work + sum(self.waits.values())

    def ticks(self) -> list[str]:
        """Marks of the axis at equal distances, from its begin to its end; [] if no step took any time."""
        return ["0", *(formats.duration(self.axis * part / 4) for part in range(1, 5))] if self.axis >= _NOTHING else []

    @property
    def total(self) -> float | None:
        """Milliseconds that the run took; None while in progress, and for the times of several tries."""
        return None if self._kind == "unexplained" else self._whole

    @property
    def in_order(self) -> bool:
        """Whether the steps are those of one try, so that each began where the one before it ended."""
        return not self.mixed and self._kind != "unexplained"

    @property
    def _kind(self) -> str:
        """The kind of time that is not spent in steps."""
        if self._whole is None:
            return "current"
        if self._pausing:
            return "waiting"
        if self._unended():
            return "unended"
        # A delay before the engine's own second try of a step grows with the step's work, so it does not count as unexplained.
        return "unexplained" if self._rest > max(_UNEXPLAINED, 10 * self.work) else "around"

    def end_of(self, name: str) -> tuple[datetime.datetime, bool] | None:
        """When a step ended, and whether that may be seconds off; None if it cannot be determined within a minute.

        It lies between the start plus the work up to it, and the end minus the work after it.
        """
        if self._start is None or self.mixed or name not in self._steps:
            return None
        before = self.begins[name] + self._took(name)
        names = list(self._steps)
        behind = sum(map(self._took, names[names.index(name) + 1 :]), 0.0)
        slack = 0.0 if self._whole is None else self._whole - behind - before
        if not -_ROUNDING <= slack <= _UNEXPLAINED or before >= _LONGEST:
            return None
        return self._start + datetime.timedelta(milliseconds=before), self._whole is None or slack >= 1000

    def _begins(self) -> dict[str, float]:
        begins, begin = {}, 0.0
        for name in self._steps:
            begins[name] = begin
            begin += self._took(name)
        return begins

    def _took(self, name: str) -> float:
        return worked(self._steps[name]) + self.waits.get(name, 0.0)

    def _waits(self) -> dict[str, float]:
        planned = {name: planned_wait(self._steps[name]) for name in self._pausing}
        unknown = [name for name, wait in planned.items() if wait is None]
        if self._whole is None or self._rest < _NOTHING:
            return {}
        if len(self._pausing) == 1:
            return {self._pausing[0]: self._rest}
        waits = {name: min(wait, self._rest) for name, wait in planned.items() if wait}
        left = self._rest - sum(waits.values())
        if len(unknown) == 1 and left > _NOTHING:
            waits[unknown[0]] = left
        return waits

    def _unended(self) -> bool:
        """Whether the run ended within a step, which then has no time: it stays running (recording `run_odd_TIMEOUT_Endless_flow`), or
        failed with the run (recording `run_odd_LOG_SIZE_EXCEEDED_Huge_answer_log_too_large`).
        """
        return any(step.status in ("RUNNING", "FAILED") and not worked(step) for step in self._steps.values())

    def parts(self) -> list[Part]:
        """The parts in their order, without those that took no time; [] if nothing is known."""
        spans = [(self._before, self._queue), ("tries" if self.mixed else "work", self.work), (self._kind, self._rest)]
        whole = sum(took for _kind, took in spans)
        parts, begin = [], 0.0
        for kind, took in spans:
            stretch = bar(begin, took, whole)
            if took > 0 and stretch and (took >= _NOTHING or kind in ("work", "tries")):
                parts.append(Part(kind, _LABELS[kind], formats.duration(took), stretch))
            begin += took
        return parts


def pauses(step: StepResult, known: object) -> bool:
    """Whether a step may pause a run: it does so now, its app is one that does, or it has a delay. `known`: the flow's step, if known."""
    if step.status == "PAUSED" or planned_wait(step) is not None:
        return True
    settings = Step(known).settings
    return settings.piece_name.endswith(_PAUSING) or "wait" in settings.action_name.lower()


def planned_wait(step: StepResult) -> float | None:
    """The milliseconds of a delay (`unit`, `delayFor`: recording `run_get_PAUSED`); None for other steps."""
    unit, amount = _UNITS.get(str(step.fields.get("unit")).lower()), number_of(step.fields.get("delayFor"))
    if unit is None or amount is None:
        return None
    wait = amount * unit
    return wait if 0 <= wait < _LONGEST else None
