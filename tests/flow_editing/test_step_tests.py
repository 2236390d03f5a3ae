"""Testing one step: what it does is said before, it is sent once, and its input, output or error are shown."""

from typing import Any

import pytest

from tests import flows
from tests.flow_editing.test_editing import confirm, edit, newer
from tests.practice_engine.fixtures import until
from tests.stage import Stage, lead, outcomes, stage
from tests.stub_engine import text
from workflows_ui.engine import flow_tree
from workflows_ui.members.models import Role

__all__ = ["stage"]
FRAGMENT = {"HX-Request": "true", "HX-Target": "step-test-live"}
TEST_STEP = "POST /v1/sample-data/test-step"


@pytest.fixture
def flow(stage: Stage) -> str:
    """Trigger, code that returns its input, code that fails."""
    steps = (flows.code("echo", total="{{trigger.body.total}}"), flows.code("fail Stock is gone"))
    key = flows.make(stage.session.workflows, "Orders", *steps, publish=False)
    stage.practice.journal.clear()
    return key


def url(key: str) -> str:
    return f"/w/sales/flows/do/step-test/{key}/"


def sample(stage: Stage, key: str, step: str, payload: Any) -> None:
    request = {"stepName": step, "payload": payload, "type": "OUTPUT", "dataType": "JSON"}
    stage.session.workflows.apply_flow_operation(key, {"type": "SAVE_SAMPLE_DATA", "request": request})


def run_of(address: str) -> str:
    return address.partition("/runs/")[2].partition("/")[0]


def ended(stage: Stage, address: str) -> str:
    """The page of a test once the run has ended, as its polling gets it."""
    run = run_of(address)
    path = f"/v1/flow-runs/{run}"
    until(lambda: stage.practice.call("GET", path).json().get("status") not in (None, "QUEUED", "RUNNING"))
    return text(stage.browser.get(address, headers=FRAGMENT).content)


def start(stage: Stage, key: str, step: str) -> str:
    """Confirm the test of a step; the address of its page."""
    page = stage.browser.get(url(key), {"step": step})
    typed = {
        "step": step,
        "seen": page.context["form"]["seen"].value(),
        page.context["ticket_name"]: page.context["ticket"],
    }
    done = stage.browser.post(url(key), typed)
    assert done.status_code == 303, text(done.content)[-1500:]
    again = stage.browser.post(url(key), typed)
    assert again.status_code == 303
    assert stage.writes().count(TEST_STEP) == 1
    return lead(done)


@newer
def test_a_step_is_tested_with_the_samples_and_its_output_becomes_a_sample(stage: Stage, flow: str) -> None:
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/steps/step_1/").content)
    assert "/do/step-test/" in page
    asked = text(stage.browser.get(url(flow), {"step": "step_1"}).content)
    assert "What it does is real" in asked
    assert "have no sample yet" in asked
    sample(stage, flow, "trigger", {"body": {"total": 71}})
    assert "have no sample yet" not in text(stage.browser.get(url(flow), {"step": "step_1"}).content)
    stage.practice.journal.clear()
    address = start(stage, flow, "step_1")
    assert outcomes()[-2:] == [("flows.step-test", "begun"), ("flows.step-test", "done")]
    page = ended(stage, address)
    assert "It finished" in page
    assert "71" in page
    assert 'id="step-test-live" data-live' not in page
    run = run_of(address)
    form = stage.browser.get(f"/w/sales/flows/do/step-sample/{flow}/", {"step": "step_1", "run": run}).context["form"]
    edit(stage, "step-sample", flow, step="step_1", kind="OUTPUT", payload=form["payload"].value())
    version = stage.session.workflows.get_flow(flow)["version"]
    assert stage.session.workflows.get_sample_data(flow, version["id"], "step_1") == {"total": 71}


@newer
def test_the_error_of_a_tested_step_is_shown_and_no_sample_is_offered(stage: Stage, flow: str) -> None:
    page = ended(stage, start(stage, flow, "step_2"))
    assert "Stock is gone" in page
    assert "It failed" in page
    assert "/do/step-sample/" not in page
    assert "Test again" in page


@newer
def test_a_test_that_still_runs_polls_and_has_a_link_for_browsers_without_scripts(stage: Stage, flow: str) -> None:
    stage.practice.engine.settings.queue_time = 1000.0
    page = text(stage.browser.get(start(stage, flow, "step_1")).content)
    assert 'id="step-test-live" data-live' in page
    assert "Check again" in page
    assert "Save the output" not in page


@newer
def test_a_run_that_the_engine_does_not_have_yet_is_waited_for(stage: Stage, flow: str) -> None:
    stage.practice.engine.settings.appear_after = 1000.0
    address = start(stage, flow, "step_1")
    page = text(stage.browser.get(address).content)
    assert "It is queued in the engine" in page
    assert 'id="step-test-live" data-live' in page
    here = address.split("?")[0]
    assert stage.browser.get(f"{here}?since=1").status_code == 404
    stage.practice.engine.state.runs[run_of(address)]["visibleAt"] = 0
    found = stage.browser.get(f"{address}&waiting=1", headers=FRAGMENT)
    assert lead(found) == here


@newer
def test_a_step_whose_name_no_address_can_hold_is_shown(stage: Stage, flow: str) -> None:
    client = stage.session.workflows
    run = client.test_step(flow, client.get_flow(flow)["version"]["id"], "a/b")
    ended(stage, f"/w/sales/runs/{run['id']}/test/")


@newer
def test_a_step_that_was_changed_since_is_not_run(stage: Stage, flow: str) -> None:
    page = stage.browser.get(url(flow), {"step": "step_1"})
    typed = {"step": "step_1", "seen": page.context["form"]["seen"].value()}
    edit(stage, "step-rename", flow, step="step_1", name="Prepare")
    refused = stage.browser.post(url(flow), typed)
    assert refused.status_code == 422
    assert "has been changed since" in text(refused.content)
    assert TEST_STEP not in stage.writes()
    assert stage.browser.post(url(flow), typed | {"seen": refused.context["form"]["seen"].value()}).status_code == 303


@newer
def test_the_page_of_a_test_is_of_a_test_only_and_for_builders(stage: Stage, flow: str) -> None:
    address = start(stage, flow, "step_1")
    assert stage.as_role(Role.VIEWER).get(address).status_code == 403
    run = stage.session.workflows.list_runs(limit=1)["data"][0]["id"]
    assert stage.browser.get(f"/w/sales/runs/{run}/test/").status_code == 404


def test_an_engine_that_cannot_test_steps_is_said_to(stage: Stage, flow: str) -> None:
    if "notes" in stage.session.workflows.get_flow(flow)["version"]:
        stage.practice.engine.settings.version = "0.72.4"
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/steps/step_1/").content)
    assert "cannot test single steps" in page
    assert "/do/step-test/" not in page
    assert stage.browser.post(url(flow), {"step": "step_1"}).status_code == 409
    assert TEST_STEP not in stage.writes()


@newer
def test_the_saved_sample_is_in_the_form_and_a_text_stays_a_text(stage: Stage, flow: str) -> None:
    address = f"/w/sales/flows/do/step-sample/{flow}/"
    assert not stage.browser.get(address, {"step": "step_1"}).context["form"]["payload"].value()
    sample(stage, flow, "step_1", {"total": 5, "token": "abcdefgh12345678"})
    form = stage.browser.get(address, {"step": "step_1"}).context["form"]
    assert '"total": 5' in form["payload"].value()
    assert "abcdefgh12345678" not in form["payload"].value()
    refused = stage.browser.post(address, {"step": "step_1", "kind": "OUTPUT", "payload": form["payload"].value()})
    assert "hidden secret" in text(refused.content)
    sample(stage, flow, "step_1", "just text")
    assert stage.browser.get(address, {"step": "step_1"}).context["form"]["payload"].value() == '"just text"'
    asked = stage.browser.post(address, {"step": "step_1", "kind": "OUTPUT", "payload": '"just text"'})
    assert (
        confirm(stage, asked, "step-sample", flow, step="step_1", kind="OUTPUT", payload='"just text"').status_code
        == 303
    )
    assert flow_tree.steps_by_name(stage.session.workflows.get_flow(flow)["version"]["trigger"])["step_1"]
