"""Runs that wait for a decision: its address is nowhere to be read or followed, and what the engine says before it is no answer."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests import flows
from tests.practice_engine.fixtures import until
from tests.stage import Stage
from workflows_ui.audit.services import audit_log
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import following, launches, sending

pytestmark = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)


def launched(stage: Stage, flow: str) -> Launch:
    order = launches.LaunchRequest(flow, "Approve the order", {}, False, launches.ticket(), confirmed=True)
    person = stage.users.owner
    launch = launches.create(audit_log.Actor(person), stage.users.place(person), order).launch
    assert launch is not None
    sending.send(launch.pk)
    return launch


def followed(launch: Launch, state: State) -> Launch:
    def look() -> bool:
        Launch.objects.filter(pk=launch.pk).update(poll_at=timezone.now() - timedelta(seconds=1))
        following.poll(launch.workspace_id)
        launch.refresh_from_db()
        return launch.state == state and (launch.state != State.SUCCEEDED or launch.poll_at is None)

    until(look)
    return launch


def test_the_address_of_a_decision_is_masked_everywhere_and_no_link(stage: Stage) -> None:
    stage.practice.engine.settings.version = "0.83.0"
    links = flows.piece("approval", "create_approval_links", {})
    wait = flows.piece("approval", "wait_for_approval", {})
    mail = flows.code("echo", text="Please decide: {{step_1.approvalLink}}. Thank you.", link="{{step_1.approvalLink}}")
    flow = flows.make(stage.session.workflows, "Approve the order", links, wait, mail)
    launch = followed(launched(stage, flow), State.PAUSED)
    key = stage.practice.engine.state.runs[launch.run_id]["requestId"]
    pages = {
        "run": f"/w/sales/runs/{launch.run_id}/",
        "data": f"/w/sales/runs/{launch.run_id}/?tab=raw",
        "file": f"/w/sales/runs/{launch.run_id}/file/",
        "launch": f"/w/sales/launches/{launch.pk}/",
        "story": f"/w/sales/launches/{launch.pk}/story/",
    }
    for name, url in pages.items():
        response = stage.browser.get(url)
        assert response.status_code == 200, name
        page = response.content.decode()
        assert key not in page, name
        assert "waitpoints" not in page, name
        assert "approved" not in page, name
    assert "approvalLink" in stage.browser.get(pages["file"]).content.decode()
    assert "output" not in json.loads(stage.browser.get(pages["file"]).content)["steps"]["step_2"]
    stage.practice.call("POST", f"/v1/flow-runs/{launch.run_id}/waitpoints/{key}?action=approve", credential={})
    launch = followed(launch, State.SUCCEEDED)
    assert key in launch.open("answer")
    for name, url in pages.items():
        page = stage.browser.get(url).content.decode()
        assert key not in page, name
        assert "waitpoints" not in page, name
        assert not [address for address in re.findall(r'href="([^"]*)"', page) if "flow-runs" in address], name
    assert "Please decide" in stage.browser.get(pages["launch"]).content.decode()


def test_a_retry_of_a_waiting_run_breaks_it_and_is_not_offered(stage: Stage) -> None:
    stage.practice.engine.settings.version = "0.83.0"
    flow = flows.make(stage.session.workflows, "Waits", flows.piece("approval", "wait_for_approval", {}))
    launch = followed(launched(stage, flow), State.PAUSED)
    page = stage.browser.get(f"/w/sales/runs/{launch.run_id}/").content.decode()
    assert "/do/retry" not in page
    for action in ("retry", "retry-latest"):
        assert stage.browser.post(f"/w/sales/runs/do/{action}/{launch.run_id}/").status_code == 409
    # As recorded: what would have come of it.
    stage.session.workflows.retry_run(launch.run_id, "FROM_FAILED_STEP")
    until(lambda: stage.session.workflows.get_run(launch.run_id)["status"] == "FAILED")
    found = stage.session.workflows.get_run(launch.run_id)
    assert "Cannot read properties of null (reading 'queryParams')" in found["failedStep"]["message"]
