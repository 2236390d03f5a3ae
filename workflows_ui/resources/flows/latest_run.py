"""The diagram of a flow with how each step did in its latest run."""

from itertools import islice

from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services.engine_session import EngineSession, cached
from workflows_ui.engine import flow_tree, run_tree
from workflows_ui.engine_objects.runs import Run, StepResult
from workflows_ui.flows import drawing, reading
from workflows_ui.resource_admin.places import run_url
from workflows_ui.resource_admin.resource import Subject, id_at
from workflows_ui.resources.flows import results
from workflows_ui.runs import reading as run_reading
from workflows_ui.runs.times import worked


def panel(subject: Subject) -> dict[str, object] | None:
    """The diagram of the newest version; left out without steps. A quick session has the latest run's states only if they are cached.
    In a long flow the last step that failed is unfolded.
    """
    trigger = reading.trigger_of(subject.object)
    if trigger is None or len(list(islice(flow_tree.walk(trigger), 2))) < 2:
        return None
    run = next(iter(results.latest_runs(subject.session, subject.id)), None)
    states = _step_states(subject.session, id_at(run), text_at(run, "status")) if run else {}
    failed = (name for name in reversed(states) if states[name][0] == run_reading.FAILED)
    return {
        **drawing.run_diagram(subject.session, subject.object, states, next(failed, "")),
        "run": run if states else None,
        "run_url": run_url(subject.slug, id_at(run)) if run and states else "",
    }


@cached("flow-step-states", 60, {}, optional=True)
def _step_states(session: EngineSession, run_id: str, status: str) -> dict[str, tuple[str, float]]:
    """How each step did in a run, by name; a step in a loop failed if it failed in any iteration. `status` is the run's, for the cache."""
    run = Run(session.workflows.get_run(run_id))
    left = run_reading.left_behind(run)
    return {name: state for name, state in _states(run.chain).items() if name != left}


def _states(steps: object) -> dict[str, tuple[str, float]]:
    states: dict[str, tuple[str, float]] = {}
    for name, given, _position in run_tree.walk(steps):
        step = StepResult(given)
        status = run_reading.FAILED if step.any_failed else step.status
        before, took = states.get(str(name), ("", 0.0))
        failed = run_reading.FAILED in (before, status)
        states[str(name)] = (run_reading.FAILED if failed else status, took + worked(step))
    return states
