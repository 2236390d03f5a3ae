"""Editing the steps of a flow by forms: what will change is said first, sent once, compared, and can be undone."""

import json
from typing import Any

import pytest

from tests import flows
from tests.resources.stage import Stage, lead, outcomes, stage
from tests.stub_engine import text
from workflows_ui.engine import flow_tree
from workflows_ui.flow_edits.models import EditState, FlowEdit
from workflows_ui.members.models import Role
from workflows_ui.resources.flows.editing.prediction import TYPES, Operation, find, predict

__all__ = ["stage"]
LOOP = {
    "name": "step_2",
    "displayName": "Each line",
    "type": "LOOP_ON_ITEMS",
    "valid": True,
    "settings": {"items": "{{trigger.body.lines}}"},
}


#: Imbrace's fork is of 0.72.4, which has no notes, owners to change, or minutes saved.
newer = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)


@pytest.fixture
def flow(stage: Stage) -> str:
    """Trigger, code, a loop with code in it, and an answer."""
    client = stage.session.workflows
    key = flows.make(client, "Orders", flows.code("echo"), flows.response({"ok": True}), publish=False)
    request = {"parentStep": "step_1", "action": LOOP | {"name": "step_3"}}
    client.apply_flow_operation(key, {"type": "ADD_ACTION", "request": request})
    inner = {
        "parentStep": "step_3",
        "stepLocationRelativeToParent": "INSIDE_LOOP",
        "action": flows.code("inner") | {"name": "step_4"},
    }
    client.apply_flow_operation(key, {"type": "ADD_ACTION", "request": inner})
    stage.practice.journal.clear()
    return key


def url(action: str, key: str) -> str:
    return f"/w/sales/flows/do/{action}/{key}/"


def ask(stage: Stage, action: str, key: str, **values: str) -> Any:
    """The page after the first submission."""
    return stage.browser.post(url(action, key), values)


def confirm(stage: Stage, asked: Any, action: str, key: str, **values: str) -> Any:
    return stage.browser.post(url(action, key), values | {"seen": asked.context["form"].data["seen"]})


def edit(stage: Stage, action: str, key: str, **values: str) -> Any:
    asked = ask(stage, action, key, **values)
    assert asked.status_code == 200, text(asked.content)[-1500:]
    done = confirm(stage, asked, action, key, **values)
    assert done.status_code == 303, text(done.content)[-1500:]
    return done


def tree(stage: Stage, key: str) -> list[tuple[str, int]]:
    """The names of the steps with their depths, in reading order."""
    trigger = stage.session.workflows.get_flow(key)["version"]["trigger"]
    return [(node.name, node.depth) for node in flow_tree.walk(trigger)]


def test_what_will_change_is_said_in_words_before_anything_is_sent(stage: Stage, flow: str) -> None:
    asked = ask(stage, "step-move", flow, step="step_1", place="INSIDE_LOOP:step_3")
    page = text(asked.content)
    assert asked.status_code == 200
    assert "will change:" in page
    assert "is moved" in page
    assert "MOVE_ACTION" in page
    assert not stage.writes()
    assert not outcomes()
    reads = [received for received in stage.practice.journal.all() if received.path.endswith(f"/flows/{flow}")]
    assert len(reads) == 1
    done = confirm(stage, asked, "step-move", flow, step="step_1", place="INSIDE_LOOP:step_3")
    assert lead(done) == f"/w/sales/flows/{flow}/?tab=steps"
    assert tree(stage, flow) == [("trigger", 0), ("step_3", 0), ("step_1", 1), ("step_4", 1), ("step_2", 0)]
    assert FlowEdit.objects.get().state == EditState.DONE


def test_a_place_within_the_step_itself_is_not_offered_and_is_refused(stage: Stage, flow: str) -> None:
    page = text(stage.browser.get(url("step-move", flow), {"step": "step_3"}).content)
    assert "AFTER:step_2" in page
    assert not any(
        f'"{place}"' in page for place in ("AFTER:step_3", "AFTER:step_4", "INSIDE_LOOP:step_3", "AFTER:step_1")
    )
    request = '{"name": "step_3", "newParentStep": "step_4", "stepLocationRelativeToNewParent": "AFTER"}'
    refused = ask(stage, "operation", flow, type="MOVE_ACTION", request=request)
    assert refused.status_code == 422
    assert "would be lost" in text(refused.content)
    assert not stage.writes()


def test_a_flow_that_was_changed_since_is_asked_about_again(stage: Stage, flow: str) -> None:
    asked = ask(stage, "step-rename", flow, step="step_1", name="Prepare")
    stage.session.workflows.apply_flow_operation(
        flow, {"type": "SET_SKIP_ACTION", "request": {"names": ["step_1"], "skip": True}}
    )
    again = confirm(stage, asked, "step-rename", flow, step="step_1", name="Prepare")
    assert again.status_code == 200
    assert "has been changed since" in text(again.content)
    assert "will change:" in text(again.content)
    other = confirm(stage, again, "step-rename", flow, step="step_1", name="Other")
    assert "has been changed since" not in text(other.content)
    done = confirm(stage, again, "step-rename", flow, step="step_1", name="Prepare")
    assert done.status_code == 303
    step = next(
        node.step
        for node in flow_tree.walk(stage.session.workflows.get_flow(flow)["version"]["trigger"])
        if node.name == "step_1"
    )
    assert (step["displayName"], step["skip"]) == ("Prepare", True)


def test_a_step_that_somebody_else_deleted_is_named_as_such(stage: Stage, flow: str) -> None:
    asked = ask(stage, "step-rename", flow, step="step_1", name="Prepare")
    stage.session.workflows.apply_flow_operation(flow, {"type": "DELETE_ACTION", "request": {"names": ["step_1"]}})
    refused = confirm(stage, asked, "step-rename", flow, step="step_1", name="Prepare")
    assert refused.status_code == 422
    assert "This step is no longer in the flow." in text(refused.content)


def test_edits_are_undone_one_after_the_other(stage: Stage, flow: str) -> None:
    page = f"/w/sales/flows/{flow}/?tab=steps"
    assert "/do/edit-undo/" not in text(stage.browser.get(page).content)
    states = [tree(stage, flow)]
    edit(stage, "step-duplicate", flow, step="step_3")
    states.append(tree(stage, flow))
    edit(stage, "step-delete", flow, step="step_1")
    assert "/do/edit-undo/" in text(stage.browser.get(page).content)
    asked = ask(stage, "edit-undo", flow)
    assert "is added" in text(asked.content)
    assert "do not come back" in text(asked.content)
    confirm(stage, asked, "edit-undo", flow)
    assert tree(stage, flow) == states[1]
    edit(stage, "edit-undo", flow)
    assert tree(stage, flow) == states[0]
    assert "no edit by this console" in text(ask(stage, "edit-undo", flow).content)


def test_the_code_of_one_step_is_not_offered_for_another_one(stage: Stage, flow: str) -> None:
    for asked, name in (({}, "step_1"), ({"step": "step_4"}, "step_4")):
        form = stage.browser.get(url("step-code", flow), asked).context["form"]
        step = find(stage.session.workflows.get_flow(flow)["version"]["trigger"], name) or {}
        assert form["code"].value() == step["settings"]["sourceCode"]["code"]
        assert [value for value, _label in form.fields["step"].choices] == [name]


def test_an_operation_as_json_copies_a_version_of_the_flow_only(stage: Stage, flow: str) -> None:
    key = stage.session.workflows.get_flow(flow)["version"]["id"]
    stage.session.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    before = tree(stage, flow)
    edit(stage, "step-delete", flow, step="step_1")
    edit(stage, "operation", flow, type="USE_AS_DRAFT", request=json.dumps({"versionId": key}))
    assert tree(stage, flow) == before
    refused = ask(stage, "operation", flow, type="USE_AS_DRAFT", request=json.dumps({"versionId": "V" * 21}))
    assert refused.status_code == 422


def test_everything_else_of_a_step_is_sent_as_it_is(stage: Stage, flow: str) -> None:
    def settings() -> dict[str, Any]:
        trigger = stage.session.workflows.get_flow(flow)["version"]["trigger"]
        found: dict[str, Any] = next(node.step for node in flow_tree.walk(trigger) if node.name == "step_1")["settings"]
        return found

    before = settings()
    edit(
        stage,
        "step-code",
        flow,
        step="step_1",
        code="export const code = async () => 2;",
        inputs='{"a": 1}',
        packages="{}",
    )
    after = settings()
    assert after["sourceCode"]["code"] == "export const code = async () => 2;"
    assert after["input"] == {"a": 1}
    assert {**after, "sourceCode": 0, "input": 0} == {**before, "sourceCode": 0, "input": 0}


def test_an_outcome_that_was_not_predicted_is_shown_with_both_versions(stage: Stage, flow: str) -> None:
    trigger = stage.session.workflows.get_flow(flow)["version"]["trigger"]
    body = {key: trigger[key] for key in ("name", "type", "valid", "displayName", "settings")}
    body["settings"] = {**body["settings"], "input": {**body["settings"]["input"], "nonsense": 1}}
    done = edit(stage, "operation", flow, type="UPDATE_TRIGGER", request=json.dumps(body))
    row = FlowEdit.objects.get()
    if row.state == EditState.DONE:
        pytest.skip("this version of the engine keeps unknown inputs")
    assert lead(done) == f"/w/sales/flows/{flow}/edits/{row.pk}/"
    page = text(stage.browser.get(lead(done)).content)
    assert "something else than the console predicted" in page
    assert "nonsense" in page.lower()


def test_who_may_not_build_sees_no_way_to_edit(stage: Stage, flow: str) -> None:
    edit(stage, "step-rename", flow, step="step_1", name="Prepare")
    key = FlowEdit.objects.get().pk
    viewer = stage.as_role(Role.VIEWER)
    assert "/steps/step_1/" not in text(viewer.get(f"/w/sales/flows/{flow}/?tab=steps").content)
    for address in (
        f"/w/sales/flows/{flow}/steps/step_1/",
        f"/w/sales/flows/{flow}/edits/{key}/",
        url("step-rename", flow),
    ):
        assert viewer.get(address).status_code in (403, 404)


def test_a_step_and_an_edit_of_another_flow_are_not_found(stage: Stage, flow: str) -> None:
    edit(stage, "step-rename", flow, step="step_1", name="Prepare")
    other = stage.practice.sample("quick").id
    assert stage.browser.get(f"/w/sales/flows/{other}/edits/{FlowEdit.objects.get().pk}/").status_code == 404
    assert stage.browser.get(f"/w/sales/flows/{flow}/steps/step_99/").status_code == 404
    assert stage.browser.get(f"/w/sales/flows/{flow}/edits/{FlowEdit.objects.get().pk}/").status_code == 200
    assert "Add a step to the loop" in text(stage.browser.get(f"/w/sales/flows/{flow}/steps/step_3/").content)


@pytest.fixture
def router(stage: Stage) -> str:
    """A flow whose step_5 is a router: a branch with one condition, and the fallback."""
    client = stage.session.workflows
    key = flows.make(client, "Sorted", flows.code("echo"), publish=False)
    branches = [
        {
            "branchName": "Large",
            "branchType": "CONDITION",
            "conditions": [
                [{"operator": "NUMBER_IS_GREATER_THAN", "firstValue": "{{trigger.body.sum}}", "secondValue": "9"}]
            ],
        },
        {"branchName": "Otherwise", "branchType": "FALLBACK"},
    ]
    action = {
        "name": "step_5",
        "displayName": "Sort",
        "type": "ROUTER",
        "valid": True,
        "settings": {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"},
    }
    client.apply_flow_operation(key, {"type": "ADD_ACTION", "request": {"parentStep": "step_1", "action": action}})
    stage.practice.journal.clear()
    return key


def branch(stage: Stage, key: str) -> dict[str, Any]:
    trigger = stage.session.workflows.get_flow(key)["version"]["trigger"]
    step = next(node.step for node in flow_tree.walk(trigger) if node.name == "step_5")
    found: dict[str, Any] = step["settings"]["branches"][0]
    return found


def test_conditions_are_rows_in_groups_and_rows_without_values_are_ignored(stage: Stage, router: str) -> None:
    before = branch(stage, router)["conditions"][0][0]
    page = stage.browser.get(url("branch-conditions", router), {"branch": "step_5:0"})
    form = page.context["form"]
    shown = {
        name: value
        for name in form.fields
        if (value := form.get_initial_for_field(form.fields[name], name)) not in (None, False)
    }
    assert "operator4" in shown
    assert "operator5" not in shown
    edit(
        stage,
        "branch-conditions",
        router,
        **shown
        | {
            "first3": "{{trigger.body.text}}",
            "operator3": "TEXT_CONTAINS",
            "second3": "urgent",
            "case3": "on",
            "group3": "2",
        }
        | {"first4": "{{trigger.body.ok}}", "operator4": "BOOLEAN_IS_TRUE"},
    )
    assert branch(stage, router)["conditions"] == [
        [before, {"operator": "BOOLEAN_IS_TRUE", "firstValue": "{{trigger.body.ok}}"}],
        [
            {
                "operator": "TEXT_CONTAINS",
                "firstValue": "{{trigger.body.text}}",
                "secondValue": "urgent",
                "caseSensitive": True,
            }
        ],
    ]


def test_a_condition_without_its_second_value_and_no_condition_at_all_are_refused(stage: Stage, router: str) -> None:
    values = {"branch": "step_5:0", "first1": "{{trigger.body.sum}}", "operator1": "NUMBER_IS_LESS_THAN"}
    refused = ask(stage, "branch-conditions", router, **values)
    assert refused.status_code == 422
    assert "A value is missing here" in text(refused.content)
    assert "second1" in refused.context["form"].errors
    refused = ask(stage, "branch-conditions", router, branch="step_5:0")
    assert "Fill in at least one condition" in text(refused.content)
    assert not stage.writes()


@newer
def test_notes_are_added_beside_each_other_changed_and_deleted(stage: Stage, flow: str) -> None:
    def notes() -> list[Any]:
        found: list[Any] = stage.session.workflows.get_flow(flow)["version"]["notes"]
        return found

    edit(stage, "note-add", flow, content="Ask accounting", color="orange")
    edit(stage, "note-add", flow, content="Second", color="blue")
    first, second = notes()
    assert first["id"] != second["id"]
    assert second["position"]["y"] >= first["position"]["y"] + first["size"]["height"]
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/?tab=steps").content)
    assert "Ask accounting" in page
    assert "Orange" in page
    author = stage.session.workflows.get_current_user()
    assert first["ownerId"] == author["id"]
    assert author["firstName"] in page
    edit(stage, "note-change", flow, note=first["id"], content="Ask sales", color="green")
    changed = notes()[0]
    assert (changed["content"], changed["color"], changed["position"]) == ("Ask sales", "green", first["position"])
    edit(stage, "note-delete", flow, note=first["id"])
    assert [note["id"] for note in notes()] == [second["id"]]
    edit(stage, "edit-undo", flow)
    assert [note["content"] for note in notes()] == ["Ask sales", "Second"]


def test_a_mistake_in_json_is_shown_by_line_and_column_with_the_text_as_it_was_typed(stage: Stage, flow: str) -> None:
    typed = '{\n  "displayName": "New",\n}'
    refused = ask(stage, "operation", flow, type="CHANGE_NAME", request=typed)
    assert refused.status_code == 422
    assert "Line 2, column" in text(refused.content)
    assert refused.context["form"]["request"].value() == typed


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
def test_the_template_of_each_operation_is_offered_and_the_console_can_predict_it(
    stage: Stage, flow: str, type: str
) -> None:
    page = stage.browser.get(url("operation", flow), {"type": type})
    assert f'<option value="{type}" selected>' in page.content.decode()
    request = json.loads(page.context["form"]["request"].value())
    current = stage.session.workflows.get_flow(flow)
    if type == "CHANGE_STATUS" and not current["publishedVersionId"]:
        pytest.skip("the engine refuses it for a flow that was never published")
    assert predict(current, Operation(type, request), {current["version"]["id"]: current["version"]})


@newer
def test_what_lies_beside_the_steps_is_no_step_of_undoing(stage: Stage, flow: str) -> None:
    edit(stage, "step-rename", flow, step="step_1", name="Prepare")
    edit(stage, "step-sample", flow, step="step_1", kind="OUTPUT", payload='{"total": 5}')
    edit(stage, "minutes-saved", flow, minutes="5")
    edit(stage, "step-sample-clear", flow, step="step_1")
    assert "This step has no sample" in text(ask(stage, "step-sample-clear", flow, step="step_1").content)
    edit(stage, "edit-undo", flow)
    trigger = stage.session.workflows.get_flow(flow)["version"]["trigger"]
    assert flow_tree.steps_by_name(trigger)["step_1"]["displayName"] != "Prepare"


@newer
def test_a_flow_gets_another_owner_of_those_whom_the_console_knows(stage: Stage, flow: str) -> None:
    me = stage.session.workflows.get_current_user()["id"]
    page = stage.browser.get(url("owner", flow))
    choices = dict(page.context["form"].fields["owner"].choices)
    assert me not in choices
    owner, name = next(iter(choices.items()))
    asked = ask(stage, "owner", flow, owner=owner)
    assert f"belongs to {name}" in text(asked.content)
    confirm(stage, asked, "owner", flow, owner=owner)
    assert stage.session.workflows.get_flow(flow)["ownerId"] == owner
