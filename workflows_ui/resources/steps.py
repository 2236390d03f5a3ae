"""A run's steps made ready for templates/runs/steps.html: in the order they ran, loops by iteration, cut to what a page can carry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from workflows_ui.kit import show, words
from workflows_ui.kit.resource import pick
from workflows_ui.resources import outline

#: Characters of one step's input or output on the page, iterations of a loop, and steps in all; the raw data has the rest.
LONGEST, MOST_ITERATIONS, MOST_STEPS = 20_000, 30, 400
_DEEPEST = 6
#: The state in which a step has not gone well.
_BAD = "FAILED"


@dataclass
class Iteration:
    """One round of a loop; `failed` if any step in it failed."""

    number: int
    steps: list["StepView"]
    failed: bool


@dataclass
class StepView:
    """One step that ran. `input`, `output` are pretty JSON or None; `error` is text; `id` is unique in the page."""

    id: str
    name: str
    title: str
    kind: str | Promise
    icon: str
    state: words.StateWord
    duration: str
    input: show.Pretty | None = None
    output: show.Pretty | None = None
    error: str = ""
    error_line: str = ""
    failed: bool = False
    branches: list[tuple[str, bool]] = field(default_factory=list)
    iterations: list[Iteration] = field(default_factory=list)
    iterations_left_out: int = 0


class Reader:
    """Turns `steps` of a run into StepViews. `known` are the flow's steps by name, for their titles; it may be empty."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known
        self._count = 0
        #: Whether steps were left out because there are too many.
        self.cut = False

    def read(self, steps: Any) -> list[StepView]:
        """The steps of one run, as `steps` of get_run holds them (api.md 8.1)."""
        return list(self._read(steps, "step", 0))

    def _read(self, steps: Any, prefix: str, depth: int) -> Iterator[StepView]:
        if not isinstance(steps, dict):
            return
        for position, (name, step) in enumerate(steps.items()):
            if self._count >= MOST_STEPS:
                self.cut = True
                return
            self._count += 1
            yield self._one(str(name), step, f"{prefix}-{position}", depth)

    def _one(self, name: str, step: Any, id: str, depth: int) -> StepView:
        step = step if isinstance(step, dict) else {"output": step}
        known = self._known.get(name)
        icon, kind = outline.kind_of(step)
        error = error_text(step.get("errorMessage"))
        status = step.get("status")
        view = StepView(
            id=id,
            name=name,
            title=outline.title_of(known) if known else name,
            kind=outline.piece_of(known) or kind,
            icon=icon,
            state=words.run_state(status),
            duration=show.duration(step.get("duration")),
            input=_json(step.get("input")),
            error=error,
            error_line=show.first_line(error),
            failed=status == _BAD,
        )
        output = step.get("output")
        rounds = pick(output, "iterations")
        if isinstance(rounds, list) and depth < _DEEPEST:
            self._loop(view, rounds, depth)
        elif step.get("type") == "ROUTER" and isinstance(pick(output, "branches"), list):
            view.branches = [
                (str(branch.get("branchName") or _("Branch"))[:200], branch.get("evaluation") is True)
                for branch in pick(output, "branches")
                if isinstance(branch, dict)
            ]
        else:
            view.output = _json(output)
        return view

    def _loop(self, view: StepView, rounds: list[Any], depth: int) -> None:
        """The first rounds, and of the later ones those that failed, as long as there is room."""
        for number, steps in enumerate(rounds, start=1):
            failed = any_failed(steps)
            if len(view.iterations) >= MOST_ITERATIONS and not (failed and len(view.iterations) < 2 * MOST_ITERATIONS):
                view.iterations_left_out += 1
                continue
            inner = list(self._read(steps, f"{view.id}-{number}", depth + 1))
            view.iterations.append(Iteration(number, inner, failed))


def any_failed(steps: Any) -> bool:
    """Whether a step of this chain failed; steps inside loops count."""
    if not isinstance(steps, dict):
        return False
    waiting = [steps]
    while waiting:
        for step in waiting.pop().values():
            if not isinstance(step, dict):
                continue
            if step.get("status") == _BAD:
                return True
            rounds = pick(step, "output.iterations")
            waiting.extend(inner for inner in rounds if isinstance(inner, dict)) if isinstance(rounds, list) else None
    return False


def error_text(value: Any) -> str:
    """A step's `errorMessage`, which is text or an object with the text somewhere in it; at most LONGEST characters."""
    if value in (None, "", {}, []):
        return ""
    return value[:LONGEST] if isinstance(value, str) else show.pretty(value, LONGEST).text


def _json(value: Any) -> show.Pretty | None:
    return None if value in (None, "", {}, []) else show.pretty(value, LONGEST)
