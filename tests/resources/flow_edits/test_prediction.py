"""The prediction of an operation is what a real engine made of it, for every recorded pair; and damage is found before it is done."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.practice_engine.fixtures import Practice, practice
from tests.resources.flow_edits.distil import recorded
from workflows_ui.engine import flow_tree
from workflows_ui.resources.flows.editing.damage import problems
from workflows_ui.resources.flows.editing.prediction import Impossible, Operation, names, predict, shape

__all__ = ["practice"]
RECORDED = recorded()
#: Between these and the flow recorded before them, operations were not recorded.
GAPS = {
    "flow_continue_03_add_action_2_step_2",
    "flow_delay_03_add_action_1_step_1",
    "flow_exit_03_add_action_1_step_1",
    "flow_fail_04_lock_and_publish",
    "flow_memory_03_add_action_1_step_1",
    "flow_noresp_04_lock_and_publish",
    "flow_orders_03_add_action_1_step_1",
    "flow_orders_04_lock_and_publish",
    "flow_redirect_04_lock_and_publish",
    "flow_slow_03_add_action_1_step_1",
    "flow_syntax_04_lock_and_publish",
    "flow_timeout_03_add_action_1_step_1",
    "op_add_action_loop_inside_branch",
    "op_add_action_name_trigger",
    "op_add_action_property_settings_dynamic",
    "op_add_action_unknown_parent",
    "op_add_action_with_last_updated_date",
    "op_add_branch_unknown_step",
    "op_add_note_same_id",
    "op_delete_action_trigger",
    "op_move_action_loop_with_children",
    "op_set_skip_unknown",
    "op_update_action_custom_logo",
    "op_update_action_loop_items",
    "op_update_action_skip_true",
    "op_update_metadata",
    "op_update_sample_data_info_set",
    "op_update_trigger_keeps_next_action",
    "op_use_as_draft",
}
#: The engine drops inputs that the piece does not have, or changes a type of an older version into today's: no form sends either.
CHANGED_BY_THE_ENGINE = {
    "op_add_action_piece_extra_input",
    "op_import_flow_unknown_step_type",
    "op_update_trigger_extra_input_key",
}
#: What the engine accepts and that damages the flow, or does not do what was meant (engine-0.83.md section 5).
DAMAGE = {
    "op_add_action_duplicate_name",
    "op_add_action_inside_branch_negative",
    "op_add_action_inside_branch_out_of_range",
    "op_add_action_name_trigger",
    "op_add_action_unknown_parent",
    "op_add_branch_after_fallback",
    "op_add_branch_not_a_router",
    "op_add_branch_unknown_step",
    "op_add_note_same_id",
    "op_change_folder_missing",
    "op_delete_action_empty_names",
    "op_delete_action_trigger",
    "op_delete_action_unknown",
    "op_delete_branch_fallback",
    "op_delete_branch_not_a_router",
    "op_delete_branch_out_of_range",
    "op_delete_branch_unknown_step",
    "op_duplicate_branch_fallback",
    "op_move_branch_fallback",
    "op_move_branch_onto_fallback",
    "op_move_branch_out_of_range",
    "op_set_skip_trigger",
    "op_set_skip_unknown",
    "op_update_action_change_type_router_to_code",
    "op_update_action_router_more_branches",
    "op_update_action_router_no_fallback",
    "op_update_action_unknown_step",
}
#: These set what is set already.
SAME = {"op_update_owner_self", "flow_op_change_name", "flow_op_update_metadata", "op_delete_note_unknown"}
ALL = [(version, pair) for version, pairs in RECORDED.items() for pair in pairs]
by_name = pytest.mark.parametrize(
    ("version", "pair"), [pytest.param(version, pair, id=f"{version}-{pair['name']}") for version, pair in ALL]
)


def operation_of(pair: dict[str, Any]) -> Operation:
    return Operation(pair["operation"]["type"], pair["operation"].get("request") or {})


def versions_of(version: str) -> dict[str, Any]:
    flows = [flow for pair in RECORDED[version] for flow in (pair["before"], pair["after"])]
    return {flow["version"]["id"]: flow["version"] for flow in flows}


@by_name
def test_the_prediction_is_what_the_engine_did(version: str, pair: dict[str, Any]) -> None:
    if pair["name"] in GAPS | CHANGED_BY_THE_ENGINE:
        return
    before = copy.deepcopy(pair["before"])
    assert shape(predict(pair["before"], operation_of(pair), versions_of(version))) == shape(pair["after"])
    assert pair["before"] == before


def test_exceptions_are_recorded_and_do_differ() -> None:
    recorded = {pair["name"] for _version, pair in ALL}
    assert recorded >= GAPS | CHANGED_BY_THE_ENGINE | DAMAGE | SAME
    for version, pair in ALL:
        if pair["name"] in CHANGED_BY_THE_ENGINE:
            assert shape(predict(pair["before"], operation_of(pair), versions_of(version))) != shape(pair["after"])


@by_name
def test_damage_is_found_and_nothing_else_is_refused(version: str, pair: dict[str, Any]) -> None:
    try:
        predicted = predict(pair["before"], operation_of(pair), versions_of(version))
    except Impossible:
        assert pair["name"] in GAPS
        return
    found = problems(pair["before"], predicted, operation_of(pair))
    if pair["name"] in DAMAGE:
        assert found
    elif pair["name"] not in SAME | GAPS:
        assert found in ([], found if pair["before"] == predicted else [])


LOST = [
    ("MOVE_ACTION", {"name": "step_1", "newParentStep": "step_1", "stepLocationRelativeToNewParent": "AFTER"}),
    ("MOVE_ACTION", {"name": "step_2", "newParentStep": "step_3", "stepLocationRelativeToNewParent": "AFTER"}),
    ("MOVE_ACTION", {"name": "step_2", "newParentStep": "step_2", "stepLocationRelativeToNewParent": "INSIDE_LOOP"}),
]


def step(name: str, kind: str = "CODE", **more: Any) -> dict[str, Any]:
    settings = more.pop("settings", {"input": {}, "sourceCode": {"code": "", "packageJson": "{}"}})
    return {"name": name, "type": kind, "valid": True, "displayName": name, "settings": settings, **more}


def flow(first: dict[str, Any]) -> dict[str, Any]:
    trigger = step("trigger", "EMPTY", settings={}, nextAction=first)
    return {"status": "DISABLED", "version": {"id": "v", "displayName": "A flow", "trigger": trigger}}


@pytest.mark.parametrize(("kind", "request_"), LOST)
def test_a_step_that_the_engine_would_lose_is_named(kind: str, request_: dict[str, Any]) -> None:
    loop = step("step_2", "LOOP_ON_ITEMS", settings={"items": ""}, firstLoopAction=step("step_3"))
    before = flow(step("step_1", nextAction=loop))
    operation = Operation(kind, request_)
    found = problems(before, predict(before, operation), operation)
    assert any("would be lost" in text for text in found)


# --- Random trees and operations: the prediction and the practice engine agree ---------------------------------------------------

NAMES = [f"step_{number}" for number in range(1, 7)]
KINDS = ("CODE", "LOOP_ON_ITEMS", "ROUTER")


@st.composite
def operations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation as it may come, with places that exist and others."""
    name, other = draw(st.sampled_from([*NAMES, "trigger"])), draw(st.sampled_from([*NAMES, "trigger"]))
    location = draw(st.sampled_from(["AFTER", "INSIDE_LOOP", "INSIDE_BRANCH"]))
    index = draw(st.integers(-1, 3))
    kind = draw(st.sampled_from(KINDS))
    place = {"stepLocationRelativeToParent": location, "branchIndex": index}
    new_place = {"stepLocationRelativeToNewParent": location, "branchIndex": index}
    branch = {"stepName": name, "branchIndex": index}
    listed: list[tuple[str, dict[str, Any]]] = [
        ("ADD_ACTION", {"parentStep": other, "action": action(name, kind), **place}),
        ("MOVE_ACTION", {"name": name, "newParentStep": other, **new_place}),
        ("DELETE_ACTION", {"names": [name]}),
        ("DUPLICATE_ACTION", {"stepName": name}),
        ("SET_SKIP_ACTION", {"names": [name], "skip": True}),
        ("ADD_BRANCH", branch | {"branchName": "New"}),
        ("DELETE_BRANCH", branch),
        ("DUPLICATE_BRANCH", branch),
        ("MOVE_BRANCH", {"stepName": name, "sourceBranchIndex": index, "targetBranchIndex": 0}),
        ("UPDATE_ACTION", action(name, kind)),
        ("CHANGE_NAME", {"displayName": "Renamed"}),
    ]
    chosen: tuple[str, dict[str, Any]] = draw(st.sampled_from(listed))
    return chosen


def action(name: str, kind: str) -> dict[str, Any]:
    """A step as a request has it."""
    if kind == "LOOP_ON_ITEMS":
        return step(name, kind, settings={"items": "{{trigger.lines}}"})
    if kind == "ROUTER":
        condition = {"operator": "TEXT_CONTAINS", "firstValue": "a", "secondValue": "b", "caseSensitive": False}
        branches = [
            {"branchName": "First", "branchType": "CONDITION", "conditions": [[condition]]},
            {"branchName": "Otherwise", "branchType": "FALLBACK"},
        ]
        return step(name, kind, settings={"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"})
    handling = {"retryOnFailure": {"value": False}, "continueOnFailure": {"value": False}}
    source = {"code": "export const code = async () => 1;", "packageJson": "{}"}
    return step(
        name, kind, settings={"input": {"a": "{{step_1.b}}"}, "sourceCode": source, "errorHandlingOptions": handling}
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed=st.lists(operations(), min_size=1, max_size=12))
def test_the_practice_engine_does_what_is_predicted(
    practice: Practice, listed: list[tuple[str, dict[str, Any]]]
) -> None:
    practice.engine.settings.version = "0.83.0"
    values = {"displayName": "A flow", "projectId": practice.credentials.project_id}
    flow_id = practice.call("POST", "/v1/flows", json=values).json()["id"]
    before = practice.call("GET", f"/v1/flows/{flow_id}").json()
    for kind, request_ in listed:
        operation = Operation(kind, request_)
        answer = practice.call("POST", f"/v1/flows/{flow_id}", json=operation.body)
        try:
            predicted = predict(before, operation)
        except Impossible:
            assert answer.status_code >= 400
            continue
        assert answer.status_code == 200, (operation.body, answer.text)
        before = answer.json()
        assert shape(predicted) == shape(before), operation.body
        assert names(predicted["version"]["trigger"]) == [
            node.name for node in flow_tree.walk(before["version"]["trigger"])
        ]
