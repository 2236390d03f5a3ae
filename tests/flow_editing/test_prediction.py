"""The prediction of an operation is what a real engine made of it, for every recorded pair; and damage is found before it is done."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.flow_editing.distil import recorded
from tests.practice_engine.fixtures import Practice, practice
from workflows_ui.engine import flow_tree
from workflows_ui.engine.flow_shape import shape
from workflows_ui.flow_editing.damage import problems
from workflows_ui.flow_editing.inverse import inverse
from workflows_ui.flow_editing.operations import Operation
from workflows_ui.flow_editing.prediction import TYPES, Impossible, names, predict

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
    "op_update_owner_second_user",
    "op_update_sample_data_info_set",
    "op_update_trigger_keeps_next_action",
    "op_use_as_draft",
}
#: The engine drops inputs that the piece does not have, which no form sends.
CHANGED_BY_THE_ENGINE = {
    "op_add_action_piece_extra_input",
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


#: Undone by several operations, or by one that does not bring everything back, so by an import.
SEVERAL = {"DELETE_NOTE", "DELETE_ACTION", "DELETE_BRANCH", "IMPORT_FLOW", "USE_AS_DRAFT", "UPDATE_ACTION"}
#: Of two notes of one id, both are changed.
TWICE = {"op_update_note"}


@by_name
def test_the_inverse_of_a_recorded_operation_makes_the_flow_what_it_was(version: str, pair: dict[str, Any]) -> None:
    if pair["name"] in GAPS | DAMAGE:
        return
    before, after = pair["before"], pair["after"]
    outside = ("publishedVersionId", "status") if pair["operation"]["type"] == "LOCK_AND_PUBLISH" else ()
    earlier = {**before, **{key: after.get(key) for key in outside}}
    parts = {key: value for key, value in earlier.items() if key != "version" and value != after.get(key)}
    operation = inverse(after, before["version"], parts)
    if operation.type == "IMPORT_FLOW":
        assert pair["operation"]["type"] in SEVERAL or pair["name"] in TWICE or shape(earlier) == shape(after)
    else:
        assert shape(predict(after, operation)) == shape(earlier)


def step(name: str, kind: str = "CODE", **more: Any) -> dict[str, Any]:
    settings = more.pop("settings", {"input": {}, "sourceCode": {"code": "", "packageJson": "{}"}})
    return {"name": name, "type": kind, "valid": True, "displayName": name, "settings": settings, **more}


def flow(first: dict[str, Any]) -> dict[str, Any]:
    trigger = step("trigger", "EMPTY", settings={}, nextAction=first)
    return {"status": "DISABLED", "version": {"id": "v", "displayName": "A flow", "trigger": trigger}}


LOST = [
    ("MOVE_ACTION", {"name": "step_1", "newParentStep": "step_1", "stepLocationRelativeToNewParent": "AFTER"}),
    ("MOVE_ACTION", {"name": "step_2", "newParentStep": "step_3", "stepLocationRelativeToNewParent": "AFTER"}),
    ("MOVE_ACTION", {"name": "step_2", "newParentStep": "step_2", "stepLocationRelativeToNewParent": "INSIDE_LOOP"}),
    ("ADD_ACTION", {"parentStep": "step_1", "action": step("step_8", nextAction=step("step_9"))}),
]


@pytest.mark.parametrize(("kind", "request_"), LOST)
def test_a_step_that_the_engine_would_lose_is_named(kind: str, request_: dict[str, Any]) -> None:
    loop = step("step_2", "LOOP_ON_ITEMS", settings={"items": ""}, firstLoopAction=step("step_3"))
    before = flow(step("step_1", nextAction=loop))
    operation = Operation(kind, request_)
    found = problems(before, predict(before, operation), operation)
    assert any("would be lost" in text for text in found)


def test_a_router_without_branches_can_get_some() -> None:
    before = flow(
        step("step_1", "ROUTER", settings={"branches": [], "executionType": "EXECUTE_ALL_MATCH"}, children=[])
    )
    operation = Operation("ADD_BRANCH", {"stepName": "step_1", "branchIndex": 0, "branchName": "First"})
    assert not problems(before, predict(before, operation), operation)


#: Requests that the engine grants although they damage the flow below, and what the console says.
GRANTED = [
    ("UPDATE_TRIGGER", {**step("step_1", "EMPTY"), "settings": {}}, "of a type that its place does not allow"),
    ("UPDATE_ACTION", step("trigger"), "of a type that its place does not allow"),
    ("UPDATE_SAMPLE_DATA_INFO", {"stepName": "step_9", "sampleDataSettings": None}, "Nothing would change"),
    ("UPDATE_ACTION", "step_1 as a router of three", "no longer fit the steps in them"),
    ("ADD_BRANCH", {"stepName": "step_3", "branchIndex": 0, "branchName": "First of all"}, ""),
    ("ADD_BRANCH", {"stepName": "step_3", "branchIndex": -1, "branchName": "Last"}, "branch for everything else"),
    ("ADD_BRANCH", {"stepName": "step_3", "branchIndex": 9, "branchName": "Last"}, "branch for everything else"),
]


@pytest.mark.parametrize(("kind", "request_", "said"), GRANTED)
def test_what_the_engine_grants_is_predicted_and_damage_is_named(kind: str, request_: Any, said: str) -> None:
    if isinstance(request_, str):
        request_ = action("step_1", "ROUTER of three")
    router = action("step_3", "ROUTER") | {"children": [None, step("step_4")]}
    before, operation = flow(step("step_1", nextAction=router)), Operation(kind, request_)
    after = predict(before, operation)
    found = problems(before, after, operation)
    assert found if said else not found
    assert said in " ".join(found)


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        ("DUPLICATE_BRANCH", {"stepName": "step_1", "branchIndex": 0}),
        ("DUPLICATE_BRANCH", {"stepName": "step_3", "branchIndex": -1}),
        ("DUPLICATE_BRANCH", {"stepName": "step_3", "branchIndex": 9}),
        ("DUPLICATE_BRANCH", {"stepName": "step_9", "branchIndex": 0}),
        ("ADD_ACTION", {"parentStep": "step_1", "action": step("step_1")}),
        ("IMPORT_FLOW", {"displayName": "x", "trigger": step("start", "EMPTY", settings={}), "schemaVersion": None}),
    ],
)
def test_what_the_engine_refuses_is_not_predicted(kind: str, request_: dict[str, Any]) -> None:
    router = action("step_3", "ROUTER") | {"children": [None, None]}
    with pytest.raises(Impossible):
        predict(flow(step("step_1", nextAction=router)), Operation(kind, request_))


def test_a_copied_router_has_a_place_for_each_branch_and_refers_to_its_own_copies() -> None:
    inner = step("step_2", settings={"input": {"a": "{{step_2.x}} {{step_1.y}} {{step_20.z}}", "b": "step_2"}})
    router = action("step_1", "ROUTER of three") | {"children": [None, inner, None, None, None]}
    after = predict(flow(router), Operation("DUPLICATE_ACTION", {"stepName": "step_1"}))
    copied = after["version"]["trigger"]["nextAction"]["nextAction"]
    assert [child and child["name"] for child in copied["children"]] == [None, "step_4", None]
    assert copied["children"][1]["settings"]["input"] == {"a": "{{step_4.x}} {{step_3.y}} {{step_20.z}}", "b": "step_2"}


# --- Random trees and operations: the prediction and the practice engine agree ---------------------------------------------------

NAMES = [f"step_{number}" for number in range(1, 7)]
KINDS = ("CODE", "LOOP_ON_ITEMS", "ROUTER", "ROUTER of three")


@st.composite
def operations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An operation as it may come, with places that exist and others."""
    name, other = draw(st.sampled_from([*NAMES, "trigger"])), draw(st.sampled_from([*NAMES, "trigger"]))
    location = draw(st.sampled_from(["AFTER", "INSIDE_LOOP", "INSIDE_BRANCH"]))
    index = draw(st.integers(-1, 3))
    kind = draw(st.sampled_from(KINDS))
    note = {
        "id": draw(st.sampled_from(["n1", "n2"])),
        "content": name,
        "color": "blue",
        "position": {"x": index, "y": 0},
    }
    note["size"] = {"width": 100, "height": 80}
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
        ("UPDATE_TRIGGER", trigger(draw(st.sampled_from([name, "trigger", "trigger"])))),
        ("IMPORT_FLOW", imported(draw(st.integers(0, 3)), name, kind)),
        ("USE_AS_DRAFT", {"versionId": index}),
        ("CHANGE_NAME", {"displayName": "Renamed"}),
        ("CHANGE_FOLDER", draw(st.sampled_from([{}, {"folderId": None}]))),
        ("CHANGE_STATUS", {"status": "DISABLED"}),
        ("LOCK_FLOW", {}),
        ("LOCK_AND_PUBLISH", {}),
        ("UPDATE_METADATA", {"metadata": draw(st.sampled_from([None, {"tags": ["a"]}]))}),
        ("UPDATE_OWNER", {"ownerId": index}),
        ("UPDATE_MINUTES_SAVED", {"timeSavedPerRun": draw(st.sampled_from([None, index]))}),
        ("SAVE_SAMPLE_DATA", {"stepName": name, "payload": {"a": 1}, "type": "OUTPUT"}),
        ("UPDATE_SAMPLE_DATA_INFO", {"stepName": name, "sampleDataSettings": None}),
        ("ADD_NOTE", note),
        ("UPDATE_NOTE", note),
        ("DELETE_NOTE", {"id": note["id"]}),
    ]
    assert {kind for kind, _request in listed} == set(TYPES)
    chosen: tuple[str, dict[str, Any]] = draw(st.sampled_from(listed))
    return chosen


def action(name: str, kind: str) -> dict[str, Any]:
    """A step as a request has it."""
    if kind == "LOOP_ON_ITEMS":
        return step(name, kind, settings={"items": "{{trigger.lines}}"})
    if kind.startswith("ROUTER"):
        condition = {"operator": "TEXT_CONTAINS", "firstValue": "a", "secondValue": "b", "caseSensitive": False}
        branch = {"branchName": "First", "branchType": "CONDITION", "conditions": [[condition]]}
        # An update may have more branches than the router that it changes.
        branches = [branch] * (1 if kind == "ROUTER" else 2) + [{"branchName": "Otherwise", "branchType": "FALLBACK"}]
        kind = "ROUTER"
        return step(name, kind, settings={"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"})
    handling = {"retryOnFailure": {"value": False}, "continueOnFailure": {"value": False}}
    source = {"code": "export const code = async () => 1;", "packageJson": "{}"}
    return step(
        name, kind, settings={"input": {"a": "{{step_1.b}}"}, "sourceCode": source, "errorHandlingOptions": handling}
    )


def trigger(name: str) -> dict[str, Any]:
    """A webhook as a request has it."""
    values = {"authType": "none", "authFields": {}}
    chosen = {"pieceName": "@activepieces/piece-webhook", "pieceVersion": "0.1.29", "triggerName": "catch_webhook"}
    return step(name, "PIECE_TRIGGER", settings={**chosen, "input": values, "propertySettings": {}})


def imported(number: int, name: str, kind: str) -> dict[str, Any]:
    """A file with a loop in which a router has `number` children, whether it has as many branches or not."""
    inner = {**action("step_11", "ROUTER"), "children": [None, *(step(f"step_2{index}") for index in range(number))]}
    loop = {**action("step_10", "LOOP_ON_ITEMS"), "firstLoopAction": inner, "nextAction": action(name, kind)}
    return {"displayName": "A file", "trigger": trigger("trigger") | {"nextAction": loop}, "schemaVersion": None}


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed=st.lists(operations(), min_size=1, max_size=12))
def test_the_practice_engine_does_what_is_predicted(
    practice: Practice, listed: list[tuple[str, dict[str, Any]]]
) -> None:
    practice.engine.settings.version = "0.83.0"
    values = {"displayName": "A flow", "projectId": practice.credentials.project_id}
    flow_id = practice.call("POST", "/v1/flows", json=values).json()["id"]
    before = practice.call("GET", f"/v1/flows/{flow_id}").json()
    versions: dict[str, Any] = {}
    owners = list(practice.engine.state.users)
    for kind, request_ in listed:
        versions[before["version"]["id"]] = before["version"]
        if kind == "USE_AS_DRAFT":
            request_ = {"versionId": list(versions)[request_["versionId"] % len(versions)]}
        if kind == "UPDATE_OWNER":
            request_ = {"ownerId": owners[request_["ownerId"] % len(owners)]}
        operation = Operation(kind, request_)
        answer = practice.call("POST", f"/v1/flows/{flow_id}", json=operation.body)
        try:
            predicted = predict(before, operation, versions)
        except Impossible:
            assert answer.status_code >= 400, operation.body
            # A refused publication has locked the draft all the same.
            before = practice.call("GET", f"/v1/flows/{flow_id}").json()
            continue
        assert answer.status_code == 200, (operation.body, answer.text)
        before = answer.json()
        assert shape(predicted) == shape(before), operation.body
        assert names(predicted["version"]["trigger"]) == [
            node.name for node in flow_tree.walk(before["version"]["trigger"])
        ]
