"""What a step was given in a run that failed: the outputs of the steps before it, for testing the step with them."""

from collections.abc import Mapping
from typing import NamedTuple

from workflows_ui.core import redaction
from workflows_ui.core.readers import as_items, mapping_of
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree, references
from workflows_ui.engine_objects.runs import Run, StepResult
from workflows_ui.flow_editing import places
from workflows_ui.flow_editing.expressions import MISSING, Expression, parse, used_steps, value_at
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flows import reading
from workflows_ui.resource_admin.resource import Row
from workflows_ui.runs import masking
from workflows_ui.runs.steps import failed_position


class RunValues(NamedTuple):
    """Of the steps that another one reads: the `outputs` of a run by name, the titles of those whose values are `hidden` from the person,
    and of those that are `missing` in the run."""

    outputs: dict[str, object]
    hidden: list[str]
    missing: list[str]


def read(session: EngineSession, flow: Row, step: Json, run_id: str) -> RunValues | None:
    """The values of a run for a step; None if it is a run of another flow. Raises EngineError."""
    [run] = masking.masked(session, [session.workflows.get_run(run_id)])
    return of_run(flow, step, run) if run.get("flowId") == flow.get("id") else None


def of_run(flow: Row, step: Json, run: Row) -> RunValues:
    """The same of a run with its secrets masked."""
    name, steps = flow_tree.step_name(step), Run(run).chain
    found = outputs_before(steps, failed_position(steps, name))
    used = list(used_steps(flow_tree.steps_by_name(reading.trigger_of(flow)), step))
    outputs = {key: found[key] for other in used if (key := flow_tree.step_name(other)) in found}
    hidden = _hidden(step, outputs)
    return RunValues(
        {key: redaction.without_masked(output) for key, output in outputs.items() if key not in hidden},
        [places.title(other) for other in used if flow_tree.step_name(other) in hidden],
        [places.title(other) for other in used if flow_tree.step_name(other) not in found],
    )


def outputs_before(steps: object, position: str) -> dict[str, object]:
    """The outputs of the steps that ran before the one at a position (run_tree.RanStep), by name; of a loop around it, the iteration.
    All of them without a position."""
    numbers, found = [int(part) for part in position.split("-") if part], dict[str, object]()
    while True:
        entries = list(mapping_of(steps).items())
        index = numbers[0] if numbers else len(entries)
        found.update((str(name), StepResult(mapping_of(step)).output) for name, step in entries[:index])
        if len(numbers) < 3:
            return found
        name, loop = str(entries[index][0]), StepResult(mapping_of(entries[index][1]))
        items, number = as_items(loop.fields.get("items")), numbers[1]
        output = mapping_of(loop.output)
        item = items[number - 1] if number <= len(items) else output.get("item")
        found[name] = {"item": item, "index": number}
        steps, numbers = loop.iterations[number - 1], numbers[2:]


def _hidden(step: Json, outputs: Mapping[str, object]) -> set[str]:
    """The names of the steps from which a step takes a value that is hidden."""
    found = set()
    for text in references.texts_in(flow_tree.without_steps(step)):
        for part in parse(text):
            if not isinstance(part, Expression):
                continue
            # What is computed may take anything.
            named = [part.root] if part.root else [name for name in outputs if name in part.raw]
            for name in named:
                value = value_at(outputs.get(name, MISSING), part.path if part.root else ())
                if value is not MISSING and redaction.MASK in str(value):
                    found.add(name)
    return found
