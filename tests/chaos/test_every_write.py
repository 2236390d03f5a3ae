"""Every operation that changes something, under every false answer, before and after the engine acts; and actions of the console, whose
statement is compared with the engine's state: nothing false is said, and nothing is there twice.
"""

from typing import Any

import pytest

from tests.engine.test_looks import CALLS, FAULTS, Place, answered_falsely, place
from tests.practice_engine.fixtures import practice
from tests.resources.test_every_action import name_of
from tests.stage import Stage, stage
from tests.unclear_writes.false_answers import ANSWERS
from tests.unclear_writes.test_every_action import what_is_said_is_so
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.resources import RESOURCES

__all__ = ["place", "practice", "stage"]
pytestmark = [pytest.mark.slow, pytest.mark.chaos]

before_and_after = pytest.mark.parametrize("acted", [False, True], ids=["before", "after"])
#: One of each kind: an edit, a deletion, creations, a rename, a change of state, of a run.
ACTIONS = frozenset(
    {
        "flows.note-add",
        "flows.delete",
        "flows.duplicate",
        "flows.turn-off",
        "tables.new",
        "folders.rename",
        "connections.delete",
        "runs.archive",
    }
)
chosen_actions = pytest.mark.parametrize(
    ("resource", "action"),
    [pytest.param(a, b, id=name_of(a, b)) for a in RESOURCES for b in a.actions if name_of(a, b) in ACTIONS],
)


@pytest.mark.parametrize("fault", sorted(FAULTS))
@before_and_after
@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_operation_under_every_fault_is_found_out_about(place: Place, name: str, fault: str, acted: bool) -> None:
    answered_falsely(place, name, fault, acted=acted)


@pytest.mark.both_databases
@pytest.mark.parametrize("answer", sorted(ANSWERS))
@before_and_after
@chosen_actions
def test_what_the_console_says_is_so_under_every_answer(
    stage: Stage, resource: Resource, action: Action, acted: bool, answer: Any
) -> None:
    what_is_said_is_so(stage, resource, action, acted=acted, answer=answer)
