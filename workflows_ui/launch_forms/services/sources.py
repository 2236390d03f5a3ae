"""Sources of proposed launch forms: the flow's steps, earlier launches, the engine's stored samples and latest runs."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator

from workflows_ui.core import json_text, masking
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import dicts_at
from workflows_ui.core.readers import is_nested, mapping_of
from workflows_ui.engine import Workflows
from workflows_ui.engine.errors import EngineError
from workflows_ui.engine_objects.runs import Run
from workflows_ui.form_schema.document import NOTHING, Form
from workflows_ui.launch_forms.proposal import proposing, references
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import runs
from workflows_ui.members.models import Workspace

#: Most characters of ciphertext that are opened for one proposal.
MOST_CHARACTERS = 60_000_000
#: If the console launched the flow less often than this, runs started elsewhere are read too.
FEW = 10
#: Number of these runs: each costs a call.
RUNS = 5
SAMPLES = 5
_log = logging.getLogger(__name__)


def propose(workflows: Workflows, workspace: Workspace, flow_id: str, trigger: object) -> Form:
    """The form proposed for a flow with the step tree `trigger`. Only for builders: it uses everybody's launches.

    Calls the engine at most 7 times, and does without samples and runs if calls fail.
    """
    launched = dict(launch_payloads(workspace, flow_id))
    elsewhere = _run_bodies(workflows, flow_id, known=set(launched)) if len(launched) < FEW else ()
    return proposing.propose(trigger, [*launched.values(), *elsewhere], samples(workflows, flow_id))


def propose_for_launcher(
    workflows: Workflows, flow_id: str, trigger: object, wanted: object, last: Callable[[], object]
) -> Form:
    """The form for a launcher without a published form: from the steps and the engine's samples, not from other people's launches.

    Calls the engine once, and does without samples if that fails.

    Args:
        wanted: the values that the form will be filled with, and must therefore accept; NOTHING for none.
        last: returns the launcher's own last values, None for none. Called only without other sources: values that were typed into
            a poor form would result in a poor form again.
    """
    stored = samples(workflows, flow_id)
    own = [] if wanted is NOTHING else [wanted]
    if not own and not stored and (last_values := last()) is not None:
        own = [last_values]
    return proposing.propose(trigger, own, stored, accept_all=True)


def reads_everything(trigger: object) -> bool:
    """Whether a step passes on the whole body, so that the steps do not show what it must contain."""
    return any(reference.path == () for reference in references.find_references(trigger))


def launch_payloads(workspace: Workspace, flow_id: str) -> Iterator[tuple[str, object]]:
    """The payloads of sent launches with the launch's id, newest first, without those that cannot be opened.

    Those of failed launches are left out: what was wrong with their values would become a part of the form.
    """
    rows = (
        Launch.objects.filter(workspace=workspace, flow_id=flow_id)
        .exclude(payload="")
        .exclude(state__in=[State.NOT_SENT, State.REFUSED, State.FAILED])
        .order_by("-asked_at")
        .defer(None)
        .only("pk", "payload")[: proposing.MOST_PAYLOADS]
    )
    characters, mask = 0, masking.workspace_mask(workspace)
    for launch in rows.iterator(chunk_size=500):
        characters += len(launch.payload)
        if characters > MOST_CHARACTERS:
            return
        try:
            # Not json_text.parse: the payload was checked at its launch, and there may be thousands.
            yield launch.pk, json.loads(mask.text(launch.open("payload")))
        except (CannotOpen, ValueError, RecursionError) as problem:
            _log.warning("a launch's values are left out of a proposal: %r", problem)


def _run_bodies(workflows: Workflows, flow_id: str, *, known: set[str]) -> Iterator[object]:
    """The bodies of the latest runs that did not fail, and were not started by the launches in `known`."""
    try:
        page = workflows.list_runs(limit=RUNS + 20, flow_id=flow_id)
        listed = [
            run
            for run in map(Run, dicts_at(page, "data"))
            if run.id and run.parent_run_id not in known and run.status not in runs.FAILED
        ]
        for run in listed[:RUNS]:
            yield from body_of(Run(workflows.get_run(run.id)).trigger.output)
    except EngineError as problem:
        _log.info("a proposal without runs: %r", problem)


def samples(workflows: Workflows, flow_id: str) -> list[object]:
    """The bodies of the trigger's stored sample events, newest first; none if they cannot be read."""
    try:
        page = workflows.list_trigger_events(flow_id, limit=SAMPLES)
    except EngineError as problem:
        _log.info("a proposal without samples: %r", problem)
        return []
    return [body for row in dicts_at(page, "data") for body in body_of(row.get("payload"))]


def body_of(output: object) -> Iterator[object]:
    """The body in a trigger's output: a webhook returns the whole request (recording `run_get_SUCCEEDED`), others any value."""
    request = mapping_of(output)
    if "headers" in request and ("body" in request or "method" in request):
        output = request.get("body")
    if is_nested(output) and output:
        # As strict as for typed values: half surrogate pairs and deep nesting are not accepted.
        with contextlib.suppress(json_text.BadPayload, RecursionError):
            yield json_text.parse(json_text.dump(output))
