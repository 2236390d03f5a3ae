"""A run's steps in the order they ran, loops by iteration, limited to what a page can hold."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core import formats, readable
from workflows_ui.core.readers import as_text, mapping_of
from workflows_ui.core.states import Badge
from workflows_ui.engine import run_tree
from workflows_ui.engine_objects.runs import Run, StepResult, any_failed
from workflows_ui.flows import outline
from workflows_ui.launches import answers
from workflows_ui.launches.failures import reading as failure_reading
from workflows_ui.launches.services import runs
from workflows_ui.runs import reading, times as resource_times
from workflows_ui.runs.reading import FAILED
from workflows_ui.web import messages

#: Maximum characters of one step's input or output on the page, iterations of a loop, steps in all, and additional failed ones.
LONGEST, MOST_ITERATIONS, MOST_STEPS, MOST_FAILED = 20_000, 30, 200, 20
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)")
_DATA = re.compile(r"data:([a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80})?[^,]{0,300};base64,", re.IGNORECASE)


class ValueRoom(readable.Room):
    def special(self, text: str) -> readable.Node | None:
        """A web address as a link, a moment in the reader's zone, a file in the text as its kind and size. Nothing is fetched."""
        if address := answers.web_address(text):
            return readable.Node("link", address, href=address)
        if _MOMENT.fullmatch(text) and (moment := formats.moment(text)):
            return readable.Node("plain", formats.exact(moment))
        if head := _DATA.match(text[:500]):
            size = max(1, (len(text) - head.end()) * 3 // 4 // 1000)
            kind = _("%(kind)s, %(size)d kB") % {"kind": head[1] or _("file"), "size": size}
            return readable.Node("plain", kind, muted=True)
        return None


@dataclass
class Value:
    """The input or output of a step: as lines, and as JSON."""

    node: readable.Node
    json: formats.Pretty


@dataclass
class Iteration:
    """One iteration of a loop; `failed` if any step in it failed."""

    number: int
    steps: list["StepView"]
    failed: bool
    duration: str = ""
    bar: resource_times.Bar | None = None


@dataclass
class StepView:
    """One step that ran.

    `position` is part of the URL of its page; `id` the same, unique in the page. `began` and `duration` are texts; `bar` and `wait_bar` are
    its work and its wait on the axis of all steps. `full` is whether its values no longer fit into the page; `iterations_next` is the first
    one that is left out. `failed` is whether it failed, or a step in one of its iterations did. `stack` is what follows the message of its
    `error`.
    """

    id: str
    position: str
    name: str
    title: str
    kind: str | Promise
    technical: str
    icon: str
    state: Badge
    duration: str
    began: str = ""
    waited: str = ""
    bar: resource_times.Bar | None = None
    wait_bar: resource_times.Bar | None = None
    input: Value | None = None
    output: Value | None = None
    error: str = ""
    error_line: str = ""
    stack: str = ""
    failed: bool = False
    full: bool = False
    branches: list[tuple[str, bool]] = field(default_factory=list)
    iterations: list[Iteration] = field(default_factory=list)
    iterations_left_out: int = 0
    iterations_next: int = 0
    iterations_in_all: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is neither input nor output to show."""
        return not (self.full or self.error or self.input or self.output or self.iterations or self.branches)


class Reader:
    """Turns `steps` of a run into StepViews.

    Args:
        known: the flow's steps by name, for their titles; may be empty.
        times: the run's times, for bars and waits; None if they do not matter.
        run: the run of the steps.
    """

    def __init__(
        self, known: Mapping[str, object], times: resource_times.Times | None = None, run: Run | None = None
    ) -> None:
        self._known, self._times = known, times
        self._ended, failing = (run is not None and check(run) for check in (runs.ended, reading.failing))
        self._left = reading.left_behind(run) if run is not None else ""
        #: By the failed step's name: since 0.83 the run has its message (`failedStep.message`), the step may not.
        self._message = {run.failed_step.name: run.failed_step.raw.get("message")} if run and failing else {}
        self._room = ValueRoom()
        self._count = self._beyond = 0
        #: Number of steps of the chain that were left out because there are too many.
        self.left_out = 0

    def read(self, steps: object) -> list[StepView]:
        """The steps of one run, as `steps` of get_run holds them (api.md 8.1)."""
        return list(self._read(steps, "", 0, 0.0))

    def read_step(self, given: object, name: str, position: str, first: int, count: int) -> StepView:
        """A single step, with `count` iterations from number `first` on if it is a loop."""
        step = _result(given)
        view = self._view(name, step, position, 0, 0.0, in_rounds=False)
        chosen = list(enumerate(step.iterations, start=1))[first - 1 : first - 1 + count]
        view.iterations = [self._round(number, turn, position, 0, 0.0) for number, turn in chosen]
        view.iterations_in_all = len(step.iterations)
        return view

    def _read(self, steps: object, prefix: str, depth: int, begin: float) -> Iterator[StepView]:
        waited = 0.0
        for position, (name, given) in enumerate(mapping_of(steps).items()):
            step = _result(given)
            took = resource_times.worked(step)
            wait = self._times.waits.get(name, 0.0) if self._times and not depth else 0.0
            if self._fits(step):
                view = self._view(str(name), step, f"{prefix}{position}", depth, begin + waited)
                view.wait_bar = self._bar(begin + waited + took, wait) if wait else None
                if not depth and (self._times is None or self._times.in_order):
                    view.began = formats.duration(begin + waited) if begin + waited >= 1 else ""
                    view.waited = formats.duration(wait) if wait else ""
                yield view
            elif not depth:
                self.left_out += 1
            begin, waited = begin + took, waited + wait

    def _bar(self, begin: float, took: float) -> resource_times.Bar | None:
        return resource_times.bar(begin, took, self._times.axis) if self._times else None

    def _fits(self, step: StepResult) -> bool:
        """Whether there is room for one more step; some is reserved for failed ones."""
        if self._count < MOST_STEPS:
            self._count += 1
            return True
        if step.status == FAILED and self._beyond < MOST_FAILED:
            self._beyond += 1
            return True
        return False

    def _view(
        self, name: str, step: StepResult, position: str, depth: int, begin: float, *, in_rounds: bool = True
    ) -> StepView:
        known = self._known.get(name)
        icon, kind = outline.kind_of(step)
        left = is_left(name, step, self._left)
        error = "" if left else error_text(step.error_message or self._message.get(name))
        message, stack = failure_reading.split(error)
        failed, took = not left and step.any_failed, resource_times.worked(step)
        view = StepView(
            id=f"step-{position}",
            position=position,
            name=name,
            title=outline.title_of(known) if known else name,
            kind=outline.short_piece(known) or kind,
            technical=" · ".join(filter(None, (outline.piece_of(known), name))),
            icon=icon,
            state=self._state(step, failed=failed, left=left),
            duration=formats.duration(took) if took else "",
            bar=self._bar(begin, took),
            error=message,
            error_line=formats.first_line(error),
            stack=stack,
            failed=failed,
        )
        view.input = self._value(view, step.input)
        if step.is_loop and depth < run_tree.DEEPEST:
            if in_rounds:
                self._loop(view, step.iterations, depth, begin)
        elif step.is_router:
            view.branches = [(str(branch.name or _("Branch"))[:200], branch.taken) for branch in step.branches]
        else:
            view.output = self._value(view, step.output)
        return view

    def _state(self, step: StepResult, *, failed: bool, left: bool) -> Badge:
        """A step's state; in a finished run no step is shown as running."""
        if left:
            return _EARLIER_TRY
        if self._ended and step.status in ("RUNNING", "PAUSED"):
            return _NOT_ENDED
        return _ROUND_FAILED if failed and step.status != FAILED else messages.run_state(step.raw.get("status"))

    def _loop(self, view: StepView, rounds: Sequence[object], depth: int, begin: float) -> None:
        """The first iterations, and the later ones that failed, as long as there is room."""
        view.iterations_in_all = len(rounds)
        for number, steps in enumerate(rounds, start=1):
            failed = any_failed(steps)
            many = len(view.iterations)
            if many >= MOST_ITERATIONS and not (failed and many < 2 * MOST_ITERATIONS):
                view.iterations_left_out += 1
                view.iterations_next = view.iterations_next or number
            else:
                view.iterations.append(self._round(number, steps, view.position, depth, begin))
            begin += resource_times.all_worked(steps)

    def _round(self, number: int, steps: object, position: str, depth: int, begin: float) -> Iteration:
        inner = list(self._read(steps, f"{position}-{number}-", depth + 1, begin))
        took = resource_times.all_worked(steps)
        bar = self._bar(begin, took) if took else None
        return Iteration(number, inner, any_failed(steps), formats.duration(took) if took else "", bar)

    def _value(self, view: StepView, value: object) -> Value | None:
        if value in (None, "", {}, []):
            return None
        if self._room.spent() and not view.failed:
            view.full = True
            return None
        pretty = formats.pretty(value, LONGEST)
        self._room.characters -= len(pretty.text)
        room = ValueRoom(200, LONGEST) if self._room.spent() else self._room
        return Value(readable.readable_node(value, room), pretty)


_EARLIER_TRY = Badge(gettext_lazy("Failed in an earlier try"), "history", "secondary")
_NOT_ENDED = Badge(gettext_lazy("Did not finish"), "circle-stop", "secondary")
_ROUND_FAILED = Badge(gettext_lazy("A step in it failed"), "circle-x", "red")


def _result(given: object) -> StepResult:
    """A step of a run; anything else in its place is treated as its output."""
    return StepResult(given) or StepResult({"output": given})


def is_left(name: str, step: StepResult, left: str) -> bool:
    """Whether a step's failure is that of an earlier try. `left` is the step that failed then."""
    return bool(left) and step.any_failed and (name == left or step.is_loop)


def failed_position(steps: object, name: str) -> str:
    """The position of the failed step of this name, also in iterations; "" for none."""
    failed = (ran for ran in run_tree.walk(steps) if ran.name == name and StepResult(ran.step).status == FAILED)
    return next((ran.position for ran in failed), "")


def shows(views: Sequence[StepView], position: str) -> bool:
    """Whether the step at this position is among those that a page shows."""
    return any(
        view.position == position or any(shows(turn.steps, position) for turn in view.iterations)
        for view in views
        if position == view.position or position.startswith(f"{view.position}-")
    )


def error_text(value: object) -> str:
    """A step's `errorMessage`, a text or an object, as text of at most LONGEST characters."""
    if value in (None, "", {}, []):
        return ""
    text = as_text(value)
    return failure_reading.collapsed(text[:LONGEST]) if text else formats.pretty(value, LONGEST).text
