"""Where a run's time went: in the queue, at work, waiting in a pause, and around the steps; as bars for templates/runs/times.html.

The engine tells how long each step worked, not when it began, and a pause counts for no step (recording `run_get_PAUSED`: a delay of
60 s has a `duration` of 73 ms). So steps are laid one after another, and what the run's own times leave over is waiting where a step
of it pauses, the step itself where one did not come to its end, else the engine's own work around the steps.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from workflows_ui.kit import show
from workflows_ui.kit.resource import Row, pick
from workflows_ui.resources import run_reading

#: The whole width of a bar, in its own units.
WIDTH = 1000
_THINNEST = 6
#: What is left over below this many milliseconds says nothing.
_NOTHING = 1.0
_DEEPEST, _LONGEST = 6, 1e12
_UNITS = {"seconds": 1e3, "minutes": 6e4, "hours": 3.6e6, "days": 8.64e7, "weeks": 6.048e8}
#: Pieces whose steps pause a run, and the word that names such steps of other pieces.
_PAUSING = ("piece-delay", "piece-approval", "piece-subflows")
_LABELS: Mapping[str, str | Promise] = {
    "queue": gettext_lazy("In the engine's queue"),
    "work": gettext_lazy("Steps at work"),
    "waiting": gettext_lazy("Waiting in a pause"),
    "unended": gettext_lazy("In a step that did not come to its end"),
    "around": gettext_lazy("Around the steps: the engine gets ready and stores, or rests before a retry"),
}


@dataclass(frozen=True)
class Bar:
    """A stretch of a bar, from `x` on, both in units of WIDTH."""

    x: int
    width: int

    @property
    def end(self) -> int:
        """Where it ends, with room for a mark behind it."""
        return min(self.x + self.width, WIDTH - 3 * _THINNEST)


@dataclass(frozen=True)
class Part:
    """A part of a run's time. `kind` is queue, work, waiting, unended or around."""

    kind: str
    label: str | Promise
    duration: str
    bar: Bar


def bar(begin: float, took: float, whole: float) -> Bar | None:
    """The stretch from `begin` on (milliseconds) of a bar that means `whole`; never too thin to be seen, unless it took no time.

    None where there is no whole.
    """
    if whole <= 0:
        return None
    x = min(WIDTH - _THINNEST, max(0, round(begin / whole * WIDTH)))
    return Bar(x, max(_THINNEST, min(WIDTH - x, round(took / whole * WIDTH))) if took > 0 else 0)


def worked(step: Any, depth: int = 0) -> float:
    """Milliseconds that a step worked; a loop without a time of its own worked as long as its steps. 0 where nothing is known."""
    known = pick(step, "duration")
    if isinstance(known, int | float) and not isinstance(known, bool) and 0 <= known < _LONGEST:
        return float(known)
    rounds = pick(step, "output.iterations")
    if not isinstance(rounds, list) or depth >= _DEEPEST:
        return 0.0
    return sum(all_worked(turn, depth + 1) for turn in rounds)


def all_worked(steps: Any, depth: int = 0) -> float:
    """Milliseconds that a chain of steps worked."""
    return sum(worked(step, depth) for step in steps.values()) if isinstance(steps, dict) else 0.0


class Times:
    """The times of one run. `known` are its flow's steps by name, as far as they are known: they tell which of them pause."""

    def __init__(self, run: Row, known: Mapping[str, Any], now: datetime.datetime | None = None) -> None:
        now = now or timezone.now()
        steps = run.get("steps")
        self._steps: dict[str, Any] = steps if isinstance(steps, dict) else {}
        self.work = all_worked(self._steps)
        self._queue = run_reading.waited(run, now) or 0.0
        end = now.isoformat() if run.get("status") == "PAUSED" else run.get("finishTime")
        self._whole = show.between(run.get("startTime"), end)
        self._rest = max(0.0, (self._whole or 0.0) - self.work)
        self._pausing = [name for name, step in self._steps.items() if pauses(step, known.get(name))]
        #: Milliseconds that each step waited, by its name, as far as that can be told.
        self.waits: Mapping[str, float] = self._waits()

    def _waits(self) -> dict[str, float]:
        planned = {name: planned_wait(self._steps[name]) for name in self._pausing}
        unknown = [name for name, wait in planned.items() if wait is None]
        if self._whole is None or self._rest < _NOTHING:
            return {}
        if len(self._pausing) == 1:
            return {self._pausing[0]: self._rest}
        told = {name: min(wait, self._rest) for name, wait in planned.items() if wait}
        left = self._rest - sum(told.values())
        if len(unknown) == 1 and left > _NOTHING:
            told[unknown[0]] = left
        return told

    def _unended(self) -> bool:
        """Whether the run ended within a step, which then stays running, without a time (recording `run_odd_TIMEOUT_Endless_flow`)."""
        return any(pick(step, "status") == "RUNNING" and not worked(step) for step in self._steps.values())

    def parts(self) -> list[Part]:
        """The parts in their order, those that took no time left out; [] where nothing is known."""
        rest = "waiting" if self._pausing else "unended" if self._unended() else "around"
        found = [("queue", self._queue), ("work", self.work), (rest, self._rest)]
        whole = sum(took for _kind, took in found)
        parts, begin = [], 0.0
        for kind, took in found:
            stretch = bar(begin, took, whole)
            if took > 0 and stretch and (took >= _NOTHING or kind == "work"):
                parts.append(Part(kind, _LABELS[kind], show.duration(took), stretch))
            begin += took
        return parts


def pauses(step: Any, known: Any) -> bool:
    """Whether a step is of those that let a run wait: it does so now, its app is one that does, or it was given a delay."""
    if pick(step, "status") == "PAUSED" or planned_wait(step) is not None:
        return True
    piece, action = (str(pick(known, f"settings.{key}") or "") for key in ("pieceName", "actionName"))
    return piece.endswith(_PAUSING) or "wait" in action.lower()


def planned_wait(step: Any) -> float | None:
    """The milliseconds that a delay was told to wait (`unit`, `delayFor`: recording `run_get_PAUSED`); None for other steps."""
    unit, amount = pick(step, "input.unit"), pick(step, "input.delayFor")
    try:
        wait = float(amount) * _UNITS[str(unit).lower()]
    except (TypeError, ValueError, KeyError):
        return None
    return wait if 0 <= wait < _LONGEST else None
