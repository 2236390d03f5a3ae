"""A run in short, beside the list: why it failed first, then its facts, inputs and steps."""

from typing import NamedTuple

from workflows_ui.core import formats
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches import inputs
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches, runs
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.places import flow_url, launch_url, run_url
from workflows_ui.resource_admin.resource import RESOURCES, Row, id_at
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import indexed, masking, panels, reading, starters, times
from workflows_ui.runs.steps import Reader, StepView
from workflows_ui.web import messages

#: Steps that are shown; the run's page has all of them.
_STEPS = 12


class ShortSteps(NamedTuple):
    """The first steps of a run, with the failed one if it is among them, and how many are left out."""

    shown: list[StepView]
    left_out: int


def load_run(session: EngineSession, run_id: str) -> Row:
    """The masked run: from the index if it has ended and its steps are kept there, else by a call. Raises EngineError."""
    index = indexes.for_session(session)
    kept = indexed.get(index, run_id) if index else None
    if kept and kept.get("steps") and runs.ended(Run(kept)):
        run = reading.with_retries(session.workspace, [kept])[0]
    else:
        run = dict(RESOURCES["runs"].get(session, run_id))
    index_flows = indexed.flows_of(session, index)
    with_starter = starters.with_starters(session, [run], {flow.id: flow.start for flow in index_flows})
    return masking.masked(session, with_starter)[0]


def context(access: Access, session: EngineSession, run: Row) -> dict[str, object]:
    """What the template shows of a masked run."""
    sent, slug = Run(run), access.workspace.slug
    launch = starters.launches_of(session, [run]).get(id_at(run))
    return {
        "run_id": id_at(run),
        "run_name": reading.name_of(sent) or id_at(run, "flowId") or id_at(run),
        "run_url": run_url(slug, id_at(run)),
        "state": messages.run_state(sent.status),
        "reason": panels.reason_of(run),
        "sentence": reading.sentence(sent, reading.length(sent)),
        "received": sent.created,
        "waited": formats.duration(reading.waited(sent)),
        "took": formats.duration(reading.length(sent)),
        "starter": starters.name_of(run),
        "starter_url": starters.url_of(slug, run),
        "launch_url": launch_url(session, launch) if launch else "",
        "tags": sent.tags,
        "flow_url": flow_url(slug, id_at(run, "flowId")),
        "inputs": _inputs(session, run, launch),
        "steps": _steps(session, run),
        "gone": indexed.is_gone(run),
    }


def _inputs(session: EngineSession, run: Row, launch: launches.Launched | None) -> str:
    """The inputs in one line, as far as the person may see them: those of the launch, else what the trigger was given."""
    if launch is None:
        return inputs.summary(inputs.readable_values(None, masking.body(run)))
    if not launches.may_open(launch, session.user_id, session.role):
        return ""
    row = Launch.objects.filter(workspace=session.workspace, pk=launch.pk).only("size")
    return next(iter(inputs.summaries(row).values()), "")


def _steps(session: EngineSession, run: Row) -> ShortSteps:
    sent = Run(run)
    if not sent.raw.get("steps"):
        return ShortSteps([], 0)
    known = panels.known_steps(session, run)
    found = Reader(known, times.Times(sent, known), sent).read(sent.chain)
    return ShortSteps(found[:_STEPS], max(0, len(found) - _STEPS))
