"""What a launch form is proposed from: the flow's steps, what was launched before, the engine's stored samples and latest runs."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine.errors import EngineError
from workflows_ui.engine.workflows import Workflows
from workflows_ui.forming import json_text, proposing, references
from workflows_ui.forming.document import NOTHING, Form
from workflows_ui.forming.proposing import Sources
from workflows_ui.models import Launch, State, Workspace
from workflows_ui.services import masking

#: Letters of ciphertext that are opened at most for one proposal.
MOST_LETTERS = 60_000_000
#: Where the console itself launched the flow less often than this, runs that came from elsewhere are read too.
FEW = 10
#: So many of them: each costs a call.
RUNS = 5
SAMPLES = 5
_log = logging.getLogger(__name__)


def propose(workflows: Workflows, workspace: Workspace, flow_id: str, trigger: Any) -> Form:
    """The form proposed for a flow whose step tree is `trigger`. Builders only: it learns from what everybody launched.

    Calls the engine at most 7 times, and goes without samples and runs where it fails.
    """
    return proposing.propose(gather(workflows, workspace, flow_id, trigger))


def for_launcher(workflows: Workflows, flow_id: str, trigger: Any, wanted: Any, last: Callable[[], Any]) -> Form:
    """The form that a launcher is given where none is published: from the steps and the engine's samples, and from nothing that others
    launched. Calls the engine once, and goes without samples where that fails.

    Args:
        wanted: the values that it is to be filled with, and so has to take back; NOTHING for none.
        last: gives the launcher's own last values, None for none. Asked only where there is nothing else to learn from: values
            that were typed into a worse form would make a worse form again.
    """
    stored = samples(workflows, flow_id)
    own = [] if wanted is NOTHING else [wanted]
    if not own and not stored and (mine := last()) is not None:
        own = [mine]
    return proposing.propose(Sources(trigger, own, stored))


def reads_everything(trigger: Any) -> bool:
    """Whether a step hands on the body as a whole, so that nobody can tell from the steps what it is to hold."""
    return any(reference.path == () for reference in references.of_flow(trigger))


def gather(workflows: Workflows, workspace: Workspace, flow_id: str, trigger: Any) -> Sources:
    """Everything there is to learn from, newest first."""
    ours = dict(_launched(workspace, flow_id))
    payloads = list(ours.values())
    if len(payloads) < FEW:
        payloads.extend(_of_runs(workflows, flow_id, known=set(ours)))
    return Sources(trigger, payloads, samples(workflows, flow_id))


def launched(workspace: Workspace, flow_id: str) -> list[Any]:
    """The payloads of launches that left the console, newest first."""
    return [payload for _id, payload in _launched(workspace, flow_id)]


def _launched(workspace: Workspace, flow_id: str) -> Iterator[tuple[str, Any]]:
    """The payloads of launches that left the console, by the launch's id; those that cannot be opened are left out."""
    rows = (
        Launch.objects.filter(workspace=workspace, flow_id=flow_id)
        .exclude(payload="")
        .exclude(state__in=[State.NOT_SENT, State.REFUSED])
        .order_by("-asked_at")
        .only("pk", "payload")[: proposing.MOST_PAYLOADS]
    )
    letters, mask = 0, masking.of(workspace)
    for launch in rows.iterator(chunk_size=500):
        letters += len(launch.payload)
        if letters > MOST_LETTERS:
            return
        try:
            # It was looked at when it was asked for (json_text.parse), and there may be thousands.
            yield launch.pk, json.loads(mask.text(launch.open("payload")))
        except (CannotOpen, ValueError, RecursionError) as problem:
            _log.warning("a launch's values are left out of a proposal: %r", problem)


def _of_runs(workflows: Workflows, flow_id: str, *, known: set[str]) -> Iterator[Any]:
    """The bodies of the latest runs that did not come from the launches in `known`."""
    try:
        page = workflows.list_runs(limit=RUNS + 20, flow_id=flow_id)
        rows = [run for run in _rows(page) if run.get("parentRunId") not in known and isinstance(run.get("id"), str)]
        for run in rows[:RUNS]:
            steps = workflows.get_run(run["id"]).get("steps")
            first = steps.get("trigger") if isinstance(steps, dict) else None
            yield from body_of(first.get("output") if isinstance(first, dict) else None)
    except EngineError as problem:
        _log.info("a proposal without runs: %r", problem)


def samples(workflows: Workflows, flow_id: str) -> list[Any]:
    """The bodies of the trigger's stored sample events, newest first; none where the engine does not give them."""
    try:
        page = workflows.list_trigger_events(flow_id, limit=SAMPLES)
    except EngineError as problem:
        _log.info("a proposal without samples: %r", problem)
        return []
    return [body for row in _rows(page) for body in body_of(row.get("payload"))]


def body_of(output: Any) -> Iterator[Any]:
    """The body in what a trigger gave: a webhook gives the whole request (recording `run_get_SUCCEEDED`), others what they like."""
    if isinstance(output, dict) and "headers" in output and ("body" in output or "method" in output):
        output = output.get("body")
    if isinstance(output, dict | list) and output:
        # As strict as with what people type: half letters and deep nests go into no form.
        with contextlib.suppress(json_text.BadPayload, RecursionError):
            yield json_text.parse(json_text.dump(output))


def _rows(page: Any) -> list[dict[str, Any]]:
    rows = page.get("data") if isinstance(page, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
