"""An edit is undone by its inverse, so that samples of steps stay; where there is none, by an import, and the samples are brought back."""

import json
import re
from typing import Any

import pytest

from tests import flows, logs
from tests.flow_editing.test_editing import ask, confirm, edit, flow, newer, router, tree
from tests.stage import Stage, lead, stage
from tests.stub_engine import text
from tests.unclear_writes.later import Killed, act_late, failing_at, lease_over, look_at_the_end
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing.models import EditState, FlowEdit
from workflows_ui.unclear_writes.models import UnclearWrite

__all__ = ["flow", "router", "stage"]


@pytest.mark.slow
def test_edits_are_undone_one_after_the_other(stage: Stage, flow: str) -> None:
    page = f"/w/sales/flows/{flow}/?tab=steps"
    assert "/do/edit-undo/" not in text(stage.browser.get(page).content)
    states = [tree(stage, flow)]
    edit(stage, "step-duplicate", flow, step="step_3")
    states.append(tree(stage, flow))
    done = edit(stage, "step-delete", flow, step="step_1")
    toast = text(stage.browser.get(lead(done)).content).partition("toast-body")[2]
    assert f'The step is deleted. <a href="/w/sales/flows/do/edit-undo/{flow}/">Undo</a>' in toast
    assert "/do/edit-undo/" in text(stage.browser.get(page).content).partition("toast-body")[0]
    asked = ask(stage, "edit-undo", flow)
    assert "is added" in text(asked.content)
    assert "are not restored" in text(asked.content)
    assert "An undo cannot be undone." in text(asked.content)
    done = confirm(stage, asked, "edit-undo", flow)
    assert ">Undo</a>" not in text(stage.browser.get(lead(done)).content)
    assert tree(stage, flow) == states[1]
    edit(stage, "edit-undo", flow)
    assert tree(stage, flow) == states[0]
    assert "no edit by this console" in text(ask(stage, "edit-undo", flow).content)


def essence(stage: Stage, key: str) -> Any:
    """A flow without times, ids of versions, and what the engine decides."""
    flow = stage.session.workflows.get_flow(key)
    parts = {name: flow.get(name) for name in ("status", "folderId", "ownerId", "metadata", "timeSavedPerRun")}
    version = {name: flow["version"].get(name) for name in ("displayName", "trigger", "notes")}
    own = re.compile(r'"(lastUpdatedDate|lastTestDate|updatedAt|createdAt|valid|skip)": ("[^"]+"|true|false),? ?')
    found = json.loads(own.sub("", json.dumps(parts | version)).replace(", }", "}"))
    return found | {
        "skipped": [node.name for node in flow_tree.walk(flow["version"]["trigger"]) if node.step.get("skip")]
    }


def sampled(stage: Stage, key: str, *names: str) -> None:
    for name in names:
        request = {"stepName": name, "payload": {"of": name}, "type": "OUTPUT"}
        stage.session.workflows.apply_flow_operation(key, {"type": "SAVE_SAMPLE_DATA", "request": request})


#: Edits of the flow and of the router, and the one operation that undoes each.
INVERSES: list[tuple[str, dict[str, str], str]] = [
    ("step-rename", {"step": "step_1", "name": "Prepare"}, "UPDATE_ACTION"),
    ("step-move", {"step": "step_1", "place": "INSIDE_BRANCH:step_5:0"}, "MOVE_ACTION"),
    ("step-duplicate", {"step": "step_5"}, "DELETE_ACTION"),
    ("step-delete", {"step": "step_2"}, "ADD_ACTION"),
    ("step-skip", {"step": "step_1", "skip": "yes"}, "SET_SKIP_ACTION"),
    ("branch-add", {"step": "step_5", "name": "Huge"}, "DELETE_BRANCH"),
    ("branch-delete", {"branch": "step_5:0"}, "ADD_BRANCH"),
    ("branch-duplicate", {"branch": "step_5:0"}, "DELETE_BRANCH"),
    ("branch-move", {"branch": "step_5:0", "position": "2"}, "MOVE_BRANCH"),
    ("branch-rename", {"branch": "step_5:0", "name": "Big"}, "UPDATE_ACTION"),
    ("router-execution", {"step": "step_5", "execution": "EXECUTE_ALL_MATCH"}, "UPDATE_ACTION"),
    ("step-sample-clear", {"step": "step_1"}, "UPDATE_SAMPLE_DATA_INFO"),
    ("minutes-saved", {"minutes": "5"}, "UPDATE_MINUTES_SAVED"),
    ("note-add", {"content": "Watch", "color": "red"}, "DELETE_NOTE"),
    ("trigger-remove", {}, "UPDATE_TRIGGER"),
]


@newer
@pytest.mark.sampled(3)
@pytest.mark.parametrize(("action", "values", "kind"), INVERSES, ids=[one[0] for one in INVERSES])
def test_an_edit_is_undone_by_its_inverse_and_samples_stay(
    stage: Stage, router: str, action: str, values: dict[str, str], kind: str
) -> None:
    client = stage.session.workflows
    branch = {"stepName": "step_5", "branchIndex": 1, "branchName": "Medium"}
    client.apply_flow_operation(router, {"type": "ADD_BRANCH", "request": branch})
    last = {
        "parentStep": "step_5",
        "stepLocationRelativeToParent": "AFTER",
        "action": flows.code("last") | {"name": "step_2"},
    }
    client.apply_flow_operation(router, {"type": "ADD_ACTION", "request": last})
    sampled(stage, router, "trigger", "step_1", "step_5")
    before = essence(stage, router)
    edit(stage, action, router, **values)
    assert essence(stage, router) != before
    stage.practice.journal.clear()
    edit(stage, "edit-undo", router)
    assert essence(stage, router) == before
    sent = [json.loads(one.body)["type"] for one in stage.practice.journal.all() if one.method == "POST"]
    assert sent == [kind]


@newer
def test_an_edit_without_an_inverse_is_undone_by_an_import_and_samples_are_brought_back(
    stage: Stage, flow: str
) -> None:
    sampled(stage, flow, "trigger", "step_1", "step_2", "step_4")
    before = essence(stage, flow)
    edit(stage, "step-delete", flow, step="step_3")
    done = edit(stage, "edit-undo", flow)
    assert "IMPORT_FLOW" in [
        json.loads(one.body)["type"] for one in stage.practice.journal.all() if one.method == "POST"
    ]
    version = stage.session.workflows.get_flow(flow)["version"]["id"]
    for name in ("trigger", "step_1", "step_2"):
        assert stage.session.workflows.get_sample_data(flow, version, name) == {"of": name}
    # The engine deletes the file of a step that is deleted.
    assert "no sample any more: “Each line”" not in (page := text(stage.browser.get(lead(done)).content))
    assert "The flow is as it was before, but these steps have no sample any more: “Inner”." in page
    after = essence(stage, flow)
    assert after["notes"] == before["notes"]
    assert tree(stage, flow) == [("trigger", 0), ("step_1", 0), ("step_3", 0), ("step_4", 1), ("step_2", 0)]


@pytest.fixture
def unclear_undo(stage: Stage, flow: str) -> str:
    """A flow whose undo, which lost the sample of a step, the engine made after its answer said otherwise."""
    sampled(stage, flow, "step_1")
    edit(stage, "step-delete", flow, step="step_3")
    stage.practice.engine.faults.add("status", "POST", "/v1/flows/*", status=503, times=1)
    assert confirm(stage, ask(stage, "edit-undo", flow), "edit-undo", flow).status_code == 422
    act_late(stage.practice, f"/v1/flows/{flow}")
    return flow


def has_sample(stage: Stage, flow: str) -> bool:
    version = stage.session.workflows.get_flow(flow)["version"]["id"]
    return bool(stage.session.workflows.get_sample_data(flow, version, "step_1") == {"of": "step_1"})


@newer
def test_samples_are_brought_back_by_an_undo_that_is_found_done_later(stage: Stage, unclear_undo: str) -> None:
    assert look_at_the_end().state == "done"
    assert has_sample(stage, unclear_undo)


@pytest.mark.slow
@newer
def test_a_worker_that_is_killed_before_it_stores_that_an_undo_was_made_brings_samples_back(
    stage: Stage, unclear_undo: str
) -> None:
    with failing_at("UPDATE", "flowedit", Killed()), pytest.raises(Killed):
        look_at_the_end()
    assert has_sample(stage, unclear_undo)
    # With the samples, the flow still is as the undo was to leave it.
    lease_over(UnclearWrite.objects.get())
    assert look_at_the_end().state == "done"
    assert has_sample(stage, unclear_undo)


@newer
def test_an_undo_is_done_even_if_samples_cannot_be_brought_back(
    stage: Stage, unclear_undo: str, caplog: pytest.LogCaptureFixture
) -> None:
    with failing_at("SELECT", "flowedit", RuntimeError("a bug")):
        assert look_at_the_end().state == "done"
    assert not FlowEdit.objects.filter(state=EditState.SENT).exists()
    assert "write.not_followed_up" in [line["event"] for line in logs.lines(caplog)]


@pytest.mark.slow
@newer
def test_edits_of_the_flow_itself_are_undone_one_after_the_other_with_those_of_its_steps(
    stage: Stage, flow: str
) -> None:
    edit(stage, "step-rename", flow, step="step_1", name="Prepare")
    edit(stage, "step-sample", flow, step="step_1", kind="OUTPUT", payload='{"total": 5}')
    assert "cannot restore this" in text(
        ask(stage, "step-sample", flow, step="step_1", kind="OUTPUT", payload="1").content
    )
    assert "cannot restore this" not in text(ask(stage, "minutes-saved", flow, minutes="5").content)
    edit(stage, "minutes-saved", flow, minutes="5")
    edit(stage, "operation", flow, type="UPDATE_METADATA", request='{"metadata": {"tags": ["a"]}}')
    edit(stage, "step-sample-clear", flow, step="step_1")
    assert "This step has no sample" in text(ask(stage, "step-sample-clear", flow, step="step_1").content)
    assert "gets the sample back" in text(ask(stage, "edit-undo", flow).content)
    edit(stage, "edit-undo", flow)
    now = essence(stage, flow)
    assert flow_tree.steps_by_name(now["trigger"])["step_1"]["settings"]["sampleData"]["sampleDataFileId"]
    assert (now["timeSavedPerRun"], now["metadata"]) == (5, {"tags": ["a"]})
    edit(stage, "edit-undo", flow)
    assert essence(stage, flow)["metadata"] is None
    edit(stage, "edit-undo", flow)
    assert essence(stage, flow)["timeSavedPerRun"] is None
    edit(stage, "edit-undo", flow)
    assert flow_tree.steps_by_name(essence(stage, flow)["trigger"])["step_1"]["displayName"] != "Prepare"
