"""Saving an ordinary change of a step takes one press: it is asked about only where something would be lost. What changed is shown after
it, with a button that undoes it."""

import json
import re
from typing import Any

import pytest

from tests import flows
from tests.flow_editing.posted_forms import open_form
from tests.flow_editing.test_editing import flow, tree, url
from tests.stage import Stage, lead, stage
from tests.stub_engine import text
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing.models import EditState, FlowEdit

__all__ = ["flow", "stage"]
SAVED = re.compile(r"\?saved=(\w+)$")


def post(stage: Stage, action: str, key: str, **values: Any) -> Any:
    """Submit an opened form once, with these values typed into it."""
    asked = {name: values[name] for name in ("step", "branch", "place") if name in values}
    return stage.browser.post(url(action, key), open_form(stage, action, key, **asked) | values)


def title(stage: Stage, key: str, name: str) -> object:
    steps = flow_tree.steps_by_name(stage.session.workflows.get_flow(key)["version"]["trigger"])
    return steps[name]["displayName"]


def test_a_change_is_saved_by_one_press_and_shown_afterwards_with_an_undo_of_one_press(stage: Stage, flow: str) -> None:
    done = post(stage, "step-rename", flow, step="step_1", name="Prepare <b>it</b>")
    assert done.status_code == 303
    assert FlowEdit.objects.get().state == EditState.DONE
    assert SAVED.search(lead(done))
    page = stage.browser.get(lead(done))
    shown = text(page.content)
    assert "What the edit changed" in shown
    assert "Prepare &lt;b&gt;it&lt;/b&gt;" in shown
    assert title(stage, flow, "step_1") == "Prepare <b>it</b>"
    saved = page.context["form"].saved
    undo = {"edit": saved["edit"].pk, "seen": saved["seen"], "action-ticket": "t"}
    undone = stage.browser.post(url("edit-undo", flow), undo)
    assert undone.status_code == 303, text(undone.content)[-1500:]
    assert title(stage, flow, "step_1") == "Echo"
    assert {edit.state for edit in FlowEdit.objects.all()} == {EditState.UNDONE}


def test_a_step_that_others_read_is_deleted_after_a_question_only(stage: Stage) -> None:
    steps = (flows.code("echo"), flows.code("echo", total="{{step_1['total']}}"), flows.code("echo"))
    key = flows.make(stage.session.workflows, "Orders", *steps, publish=False)
    asked = post(stage, "step-delete", key, step="step_1")
    assert asked.status_code == 200
    assert "will no longer find" in text(asked.content)
    assert "step_1" in dict(tree(stage, key))
    assert post(stage, "step-delete", key, step="step_3").status_code == 303
    assert "step_3" not in dict(tree(stage, key))


def test_steps_that_would_be_deleted_with_another_one_are_named_first(stage: Stage, flow: str) -> None:
    asked = post(stage, "step-delete", flow, step="step_3")
    assert asked.status_code == 200
    assert "This step is removed with it:" in text(asked.content)
    assert "Inner" in text(asked.content)


def test_a_change_of_a_flow_that_somebody_else_changed_since_is_asked_about(stage: Stage, flow: str) -> None:
    opened = open_form(stage, "step-rename", flow, step="step_1")
    skip = {"type": "SET_SKIP_ACTION", "request": {"names": ["step_1"], "skip": True}}
    stage.session.workflows.apply_flow_operation(flow, skip)
    asked = stage.browser.post(url("step-rename", flow), opened | {"name": "Prepare"})
    assert asked.status_code == 200
    assert "has been changed since" in text(asked.content)
    assert title(stage, flow, "step_1") == "Echo"


def test_a_form_that_was_not_opened_is_asked_about(stage: Stage, flow: str) -> None:
    assert stage.browser.post(url("step-rename", flow), {"step": "step_1", "name": "Prepare"}).status_code == 200
    assert title(stage, flow, "step_1") == "Echo"


def test_a_first_sample_is_saved_at_once_and_another_one_after_a_question(stage: Stage, flow: str) -> None:
    assert post(stage, "step-sample", flow, step="step_1", kind="OUTPUT", payload='{"a": 1}').status_code == 303
    if stage.session.workflows.get_flow(flow)["version"].get("notes") is not None:
        asked = post(stage, "step-sample", flow, step="step_1", kind="OUTPUT", payload='{"a": 2}')
        assert "cannot restore this" in text(asked.content)


def test_an_older_version_and_an_operation_as_json_are_always_asked_about(stage: Stage, flow: str) -> None:
    request = '{"displayName": "Other"}'
    assert post(stage, "operation", flow, type="CHANGE_NAME", request=request).status_code == 200
    assert stage.writes() == []


@pytest.mark.slow
def test_the_page_of_an_undo_shows_what_it_changes_and_needs_one_press(stage: Stage, flow: str) -> None:
    post(stage, "step-rename", flow, step="step_1", name="Prepare")
    page = text(stage.browser.get(url("edit-undo", flow)).content)
    assert "“Prepare” is renamed to “Echo”" in page
    assert post(stage, "edit-undo", flow).status_code == 303
    assert title(stage, flow, "step_1") == "Echo"


def test_an_undo_of_what_the_page_did_not_show_is_asked_about(stage: Stage, flow: str) -> None:
    post(stage, "step-rename", flow, step="step_1", name="Prepare")
    opened = open_form(stage, "edit-undo", flow)
    post(stage, "step-rename", flow, step="step_1", name="Other")
    asked = stage.browser.post(url("edit-undo", flow), opened)
    assert asked.status_code == 200
    assert title(stage, flow, "step_1") == "Other"


@pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
def test_another_action_of_a_step_that_others_read_is_asked_about(stage: Stage) -> None:
    steps = (flows.piece("webhook", "return_response", {}), flows.code("echo", total="{{step_1['status']}}"))
    key = flows.make(stage.session.workflows, "Orders", *steps, publish=False)
    before = stage.session.workflows.get_flow(key)["version"]["trigger"]["nextAction"]
    request = {**{name: before[name] for name in ("name", "type", "displayName", "valid")}, "type": "CODE"}
    request["settings"] = flows.code("echo")["settings"]
    values = open_form(stage, "operation", key)
    asked = stage.browser.post(
        url("operation", key), values | {"type": "UPDATE_ACTION", "request": json.dumps(request)}
    )
    assert "reads the output of the step" in text(asked.content)
