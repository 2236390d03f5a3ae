"""The drawn diagram of a flow: its steps at their positions, with apps, and how each of them did in the latest run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.launches.services.runs import any_failed
from workflows_ui.resource_admin.resource import Row, Subject, id_at
from workflows_ui.resources.cached import cached
from workflows_ui.resources.flows import diagram, outline, reading, results
from workflows_ui.resources.places import run_url
from workflows_ui.resources.runs import reading as run_reading
from workflows_ui.resources.runs.times import worked
from workflows_ui.web import formats, messages
from workflows_ui.web.paths import list_at, text_at

#: Characters of a title and of a second line that fit into a box, and of a branch's label.
_TITLE, _SECOND, _LABEL = 24, 30, 26
_DEEPEST = 6
#: How a step did: the engine's status, and milliseconds.
States = Mapping[str, tuple[str, float]]


@dataclass(frozen=True)
class DrawnStep:
    """A step for templates/resources/flows/diagram.html. Numbers are texts, which no language changes."""

    x: str
    y: str
    number: str
    title: str
    second: str
    whole: str
    initials: str
    logo: str
    icon: str
    colour: str
    state: Badge | None
    took: str
    faded: bool
    skipped: bool


def panel(subject: Subject) -> dict[str, Any] | None:
    """The diagram of the newest version; left out without steps. A quick session has the latest run's states only if they are cached."""
    trigger = reading.trigger_of(subject.object)
    drawn = diagram.layout(trigger)
    if len(drawn.boxes) < 2:
        return None
    run = next(iter(results.latest_runs(subject.session, subject.id)), None)
    states = _step_states(subject.session, id_at(run), text_at(run, "status")) if run else {}
    known = reading.known_apps(subject.session)
    return {
        "width": str(drawn.width),
        "height": str(drawn.height),
        "lines": drawn.lines,
        "heads": drawn.heads,
        "frames": [tuple(map(str, (item.x, item.y, item.width, item.height))) for item in drawn.frames],
        "labels": [
            (str(item.x), str(item.y + 15), formats.cut(_branch(item), _LABEL), _branch(item)) for item in drawn.labels
        ],
        "steps": [_drawn_step(box, known, states) for box in drawn.boxes],
        "left_out": drawn.left_out,
        "run": run if states else None,
        "run_url": run_url(subject.slug, id_at(run)) if run and states else "",
    }


def _branch(label: diagram.Label) -> str:
    return label.name or _("Branch %(number)d") % {"number": label.number}


def _drawn_step(box: diagram.Box, known: Mapping[str, Row], states: States) -> DrawnStep:
    step = box.step
    piece = text_at(step, "settings.pieceName")
    [mark] = reading.app_marks(known, [piece]) if piece else [None]
    title, second = outline.title_of(step), mark.text if mark else str(outline.kind_of(step)[1])
    status, took = states.get(flow_tree.step_name(step), ("", 0.0))
    state = messages.run_state(status) if status else None
    words = [title, second, str(state.word) if state else "", _("Skipped") if step.get("skip") is True else ""]
    return DrawnStep(
        x=str(box.x),
        y=str(box.y),
        number=str(box.number),
        title=formats.cut(title, _TITLE),
        second=formats.cut(f"{second} …" if box.more else second, _SECOND),
        whole=", ".join(filter(None, words)),
        initials=mark.initials if mark else "",
        logo=mark.logo if mark else "",
        icon="" if mark else outline.kind_of(step)[0],
        colour=mark.colour if mark else "secondary",
        state=state,
        took=formats.duration(took) if took >= 1 else "",
        faded=bool(states) and state is None,
        skipped=step.get("skip") is True,
    )


@cached("flow-step-states", 60, {}, optional=True)
def _step_states(session: EngineSession, run_id: str, status: str) -> dict[str, tuple[str, float]]:
    """How each step did in a run, by name; a step in a loop failed if it failed in any iteration. `status` is the run's, for the cache."""
    run = session.workflows.get_run(run_id)
    left = run_reading.left_behind(run)
    states: dict[str, tuple[str, float]] = {}
    _collect(run.get("steps"), states, 0)
    return {name: state for name, state in states.items() if name != left}


def _collect(steps: Any, states: dict[str, tuple[str, float]], depth: int) -> None:
    for name, step in steps.items() if isinstance(steps, dict) else ():
        status = run_reading.FAILED if any_failed({name: step}) else text_at(step, "status")
        before, took = states.get(str(name), ("", 0.0))
        failed = run_reading.FAILED in (before, status)
        states[str(name)] = (run_reading.FAILED if failed else status, took + worked(step))
        if depth < _DEEPEST:
            for turn in list_at(step, "output.iterations"):
                _collect(turn, states, depth + 1)
