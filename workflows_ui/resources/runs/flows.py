"""The flows for the filters of runs: names, triggers, and the steps at which their runs may have failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.launches import flow_facts
from workflows_ui.resource_admin.resource import id_at
from workflows_ui.resources.flows import outline
from workflows_ui.resources.flows.reading import name_of, trigger_of
from workflows_ui.web import formats

_FOR, _MOST, _STEPS, _LONGEST = 60, 100, 500, 80


@dataclass(frozen=True)
class Named:
    """A flow: its name, else its id; how it starts (flow_facts.Facts.start); its steps as (own name, title), trigger
    first.
    """

    id: str
    name: str
    start: str
    steps: Sequence[tuple[str, str]]


def load_flows(session: EngineSession) -> Sequence[Named]:
    """The hundred flows that were changed last, at most a minute old; none if the engine does not give them."""

    def ask() -> Sequence[Named]:
        rows = session.workflows.list_flows(limit=_MOST).get("data") or []
        return [_flow(row) for row in rows if isinstance(row, dict) and id_at(row)]

    nothing: Sequence[Named] = ()
    return session.remember_or(nothing, "flows-of-runs", _FOR, ask)


def _flow(row: dict[str, object]) -> Named:
    trigger = trigger_of(row)
    steps = flow_tree.steps_by_name(trigger).items()
    titles = [(name, outline.title_of(step)[:_LONGEST]) for name, step in steps if len(name) <= _LONGEST]
    name = name_of(row) if formats.visible(name_of(row)) else id_at(row)
    return Named(id_at(row), name[:_LONGEST], flow_facts.start_of(trigger), titles[: _STEPS // 5])


def flow_choices(flows: Sequence[Named]) -> list[tuple[str, str]]:
    """The flows by name."""
    return sorted(((flow.id, flow.name) for flow in flows), key=lambda pair: sort_key(pair[1]))


def step_choices(flows: Sequence[Named]) -> list[tuple[str, str]]:
    """Their steps by flow, as many as a select field can hold; the value names both."""
    steps = [(flow, name, title) for flow in flows for name, title in flow.steps][:_STEPS]
    steps.sort(key=lambda item: sort_key(item[0].name))
    return [(of_flow(name, flow.id), f"{flow.name} › {title}") for flow, name, title in steps]


def of_flow(step: str, flow: str) -> str:
    """The filter's value for a step of one flow."""
    return f"{step}@{flow}"


def step_and_flow(value: str) -> tuple[str, str]:
    """The step's own name and the flow's id, "" if the value names a step of any flow."""
    step, mark, flow = value.rpartition("@")
    return (step, flow) if mark else (value, "")
