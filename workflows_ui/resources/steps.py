"""A run's steps made ready for templates/runs/steps.html: in the order they ran, loops by iteration, cut to what a page can carry."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from workflows_ui.kit import readable, show, words
from workflows_ui.kit.resource import pick
from workflows_ui.resources import outline, run_times
from workflows_ui.resources.run_reading import FAILED
from workflows_ui.services.runs import any_failed

#: Characters of one step's input or output on the page, iterations of a loop, steps in all, and beyond these the failed ones.
LONGEST, MOST_ITERATIONS, MOST_STEPS, MOST_FAILED = 20_000, 30, 200, 20
_DEEPEST = 6


@dataclass
class Value:
    """What went into a step or came out of it: to read, and as JSON."""

    node: readable.Node
    json: show.Pretty


@dataclass
class Iteration:
    """One round of a loop; `failed` if any step in it failed."""

    number: int
    steps: list["StepView"]
    failed: bool
    duration: str = ""


@dataclass
class StepView:
    """One step that ran.

    `place` is where it stands, as part of its page's address; `id` the same, unique in the page. `began` and `duration` are words;
    `bar` its stretch of the run's working time. `full` says that its values did not fit into the page any more;
    `iterations_next` is the first one that is left out.
    """

    id: str
    place: str
    name: str
    title: str
    kind: str | Promise
    icon: str
    state: words.StateWord
    duration: str
    began: str = ""
    waited: str = ""
    bar: run_times.Bar | None = None
    input: Value | None = None
    output: Value | None = None
    error: str = ""
    error_line: str = ""
    failed: bool = False
    full: bool = False
    branches: list[tuple[str, bool]] = field(default_factory=list)
    iterations: list[Iteration] = field(default_factory=list)
    iterations_left_out: int = 0
    iterations_next: int = 0
    iterations_in_all: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell of what went in and came out."""
        return not (self.full or self.error or self.input or self.output or self.iterations or self.branches)


class Reader:
    """Turns `steps` of a run into StepViews.

    Args:
        known: the flow's steps by name, for their titles; may be empty.
        times: the run's times, for bars and waits; None where they do not matter.
    """

    def __init__(self, known: Mapping[str, Any], times: run_times.Times | None = None) -> None:
        self._known, self._times = known, times
        self._room = readable.Room()
        self._count = self._beyond = 0
        #: How many steps of the chain were left out because there are too many.
        self.left_out = 0

    def read(self, steps: Any) -> list[StepView]:
        """The steps of one run, as `steps` of get_run holds them (api.md 8.1)."""
        return list(self._read(steps, "", 0, 0.0))

    def one(self, step: Any, name: str, place: str, first: int, count: int) -> StepView:
        """One step alone, with `count` iterations from number `first` on if it is a loop."""
        view = self._one(name, step, place, 0, 0.0, in_rounds=False)
        rounds = pick(step, "output.iterations")
        if isinstance(rounds, list):
            chosen = list(enumerate(rounds, start=1))[first - 1 : first - 1 + count]
            view.iterations = [self._round(number, turn, place, 0, 0.0) for number, turn in chosen]
            view.iterations_in_all = len(rounds)
        return view

    def _read(self, steps: Any, prefix: str, depth: int, begin: float) -> Iterator[StepView]:
        if not isinstance(steps, dict):
            return
        waited = 0.0
        for position, (name, step) in enumerate(steps.items()):
            wait = self._times.waits.get(name, 0.0) if self._times and not depth else 0.0
            if self._fits(step):
                view = self._one(str(name), step, f"{prefix}{position}", depth, begin)
                if not depth:
                    view.began = show.duration(begin + waited) if begin + waited >= 1 else ""
                    view.waited = show.duration(wait) if wait else ""
                yield view
            elif not depth:
                self.left_out += 1
            begin, waited = begin + run_times.worked(step), waited + wait

    def _fits(self, step: Any) -> bool:
        """Whether there is room for one step more; for failed ones a little is kept."""
        if self._count < MOST_STEPS:
            self._count += 1
            return True
        if pick(step, "status") == FAILED and self._beyond < MOST_FAILED:
            self._beyond += 1
            return True
        return False

    def _one(self, name: str, step: Any, place: str, depth: int, begin: float, *, in_rounds: bool = True) -> StepView:
        step = step if isinstance(step, dict) else {"output": step}
        known = self._known.get(name)
        icon, kind = outline.kind_of(step)
        error = error_text(step.get("errorMessage"))
        status = step.get("status")
        view = StepView(
            id=f"step-{place}",
            place=place,
            name=name,
            title=outline.title_of(known) if known else name,
            kind=outline.piece_of(known) or kind,
            icon=icon,
            state=words.run_state(status),
            duration=show.duration(run_times.worked(step)) if run_times.worked(step) else "",
            bar=run_times.bar(begin, run_times.worked(step), self._times.work) if self._times else None,
            error=error,
            error_line=show.first_line(error),
            failed=status == FAILED,
        )
        view.input = self._value(view, step.get("input"))
        output = step.get("output")
        rounds = pick(output, "iterations")
        if isinstance(rounds, list) and depth < _DEEPEST:
            if in_rounds:
                self._loop(view, rounds, depth, begin)
        elif step.get("type") == "ROUTER" and isinstance(pick(output, "branches"), list):
            view.branches = [
                (str(branch.get("branchName") or _("Branch"))[:200], branch.get("evaluation") is True)
                for branch in pick(output, "branches")
                if isinstance(branch, dict)
            ]
        else:
            view.output = self._value(view, output)
        return view

    def _loop(self, view: StepView, rounds: Sequence[Any], depth: int, begin: float) -> None:
        """The first rounds, and of the later ones those that failed, as long as there is room."""
        view.iterations_in_all = len(rounds)
        for number, steps in enumerate(rounds, start=1):
            failed = any_failed(steps)
            many = len(view.iterations)
            if many >= MOST_ITERATIONS and not (failed and many < 2 * MOST_ITERATIONS):
                view.iterations_left_out += 1
                view.iterations_next = view.iterations_next or number
            else:
                view.iterations.append(self._round(number, steps, view.place, depth, begin))
            begin += run_times.all_worked(steps)

    def _round(self, number: int, steps: Any, place: str, depth: int, begin: float) -> Iteration:
        inner = list(self._read(steps, f"{place}-{number}-", depth + 1, begin))
        took = run_times.all_worked(steps)
        return Iteration(number, inner, any_failed(steps), show.duration(took) if took else "")

    def _value(self, view: StepView, value: Any) -> Value | None:
        if value in (None, "", {}, []):
            return None
        if self._room.spent() and not view.failed:
            view.full = True
            return None
        pretty = show.pretty(value, LONGEST)
        self._room.characters -= len(pretty.text)
        return Value(readable.of(value, readable.Room(200, LONGEST) if self._room.spent() else self._room), pretty)


def find(steps: Any, place: str) -> tuple[str, Any] | None:
    """The step at a place, with its name; None where there is none. `2` is the third step, `2-5-0` the first one in its fifth round."""
    numbers = [int(part) if part.isdecimal() and len(part) < 8 else -1 for part in place.split("-")]
    if len(numbers) % 2 == 0:
        return None
    while isinstance(steps, dict) and 0 <= numbers[0] < len(steps):
        name, step = list(steps.items())[numbers[0]]
        if len(numbers) == 1:
            return str(name), step
        rounds = pick(step, "output.iterations")
        if not isinstance(rounds, list) or not 0 < numbers[1] <= len(rounds):
            return None
        steps, numbers = rounds[numbers[1] - 1], numbers[2:]
    return None


def error_text(value: Any) -> str:
    """A step's `errorMessage`, which is text or an object with the text somewhere in it; at most LONGEST characters."""
    if value in (None, "", {}, []):
        return ""
    return value[:LONGEST] if isinstance(value, str) else show.pretty(value, LONGEST).text
