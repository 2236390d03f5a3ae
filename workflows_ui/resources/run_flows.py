"""The flows that runs can be looked for by: names, what starts them, and the steps at which their runs may have failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from workflows_ui.engine import flow_tree
from workflows_ui.kit import flow_facts, show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import id_at
from workflows_ui.resources import outline
from workflows_ui.resources.flow_reading import name_of, trigger_of

_FOR, _MOST, _STEPS, _LONGEST = 60, 100, 500, 80


@dataclass(frozen=True)
class Named:
    """A flow: its name, else its id; how it starts (flow_facts.Facts.start); its steps as (own name, title), trigger first."""

    id: str
    name: str
    start: str
    steps: Sequence[tuple[str, str]]


def known(caller: Caller) -> Sequence[Named]:
    """The hundred flows that were changed last, at most a minute old; none where the engine does not give them."""

    def ask() -> Sequence[Named]:
        rows = caller.workflows.list_flows(limit=_MOST).get("data") or []
        return [_named(row) for row in rows if isinstance(row, dict) and id_at(row)]

    nothing: Sequence[Named] = ()
    return caller.remember_or(nothing, "flows-of-runs", _FOR, ask)


def _named(row: dict[str, object]) -> Named:
    trigger = trigger_of(row)
    steps = flow_tree.steps_by_name(trigger).items()
    titles = [(name, outline.title_of(step)[:_LONGEST]) for name, step in steps if len(name) <= _LONGEST]
    name = name_of(row) if show.visible(name_of(row)) else id_at(row)
    return Named(id_at(row), name[:_LONGEST], flow_facts.start_of(trigger), titles[: _STEPS // 5])


def flow_choices(flows: Sequence[Named]) -> list[tuple[str, str]]:
    """The flows by name."""
    return sorted(((flow.id, flow.name) for flow in flows), key=lambda pair: pair[1].lower())


def step_choices(flows: Sequence[Named]) -> list[tuple[str, str]]:
    """Their steps by flow, as many as a list to choose from can hold; the value names both."""
    told = [(flow, name, title) for flow in flows for name, title in flow.steps][:_STEPS]
    told.sort(key=lambda one: one[0].name.lower())
    return [(of_flow(name, flow.id), f"{flow.name} › {title}") for flow, name, title in told]


def of_flow(step: str, flow: str) -> str:
    """The filter's value for a step of one flow."""
    return f"{step}@{flow}"


def step_and_flow(value: str) -> tuple[str, str]:
    """The step's own name and the flow's id, "" where the value names a step of any flow."""
    step, mark, flow = value.rpartition("@")
    return (step, flow) if mark else (value, "")
