"""Runs: what a trigger leads to, and what can be done with a run (api.md sections 7 and 8)."""

import threading
from typing import Any

import pytest
import requests

from tests.practice_engine.fixtures import Practice, until
from tests.practice_engine.player import code_step
from tests.practice_engine.test_flows import make, operate

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

#: What only the older version does, or does otherwise.
OLDER = pytest.mark.usefixtures("older")
Json = dict[str, Any]
MARKER = "LaunchMarker000000001"
LATE = {"slow": 204, "pausing": 204, "silent": 204}
SAID = {
    "quick": 200,
    "orders": 201,
    "eight": 200,
    "failing": 500,
    "refusing": 422,
    "looping": 200,
    "routing": 200,
    "sorting": 200,
}
SAID |= {
    "form": 200,
    "disabled": 404,
    "draft": 404,
    "changed": 200,
    "carry-on": 200,
    "memory": 500,
    "exit": 500,
    "text": 200,
}
SAID |= {"redirect": 301, "accepting": 202, **LATE}


def send(practice: Practice, slug: str, wait: bool = False, **headers: str) -> requests.Response:
    flow = practice.sample(slug)
    path = f"/v1/webhooks/{flow.id}" + ("/sync" if wait else "")
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return practice.call("POST", path, json=flow.payload, headers=named, credential={})


def marked(practice: Practice, slug: str, *states: str) -> Json:
    """The run with the marker, once it is in one of these states, with its steps."""
    flow = practice.sample(slug).id

    def look() -> Json | None:
        rows = [run for run in practice.runs(flow) if run["parentRunId"] == MARKER]
        return rows[0] if rows and rows[0]["status"] in states else None

    found = until(look)
    assert found is not None
    whole: Json = practice.call("GET", f"/v1/flow-runs/{found['id']}").json()
    return whole


@pytest.mark.parametrize(("slug", "status"), SAID.items())
@OLDER
@pytest.mark.sampled(3)
def test_a_waiting_trigger_answers_as_the_flow_does(practice: Practice, slug: str, status: int) -> None:
    response = send(practice, slug, wait=True)
    assert response.status_code == status
    assert len(response.headers["x-webhook-id"]) == 21
    if status in (204, 404):
        assert response.text == ("" if status == 204 else "{}")


def test_a_trigger_without_waiting_says_nothing_but_a_webhook_id(practice: Practice) -> None:
    for slug in ("quick", "failing", "slow"):
        response = send(practice, slug)
        assert (response.status_code, response.json()) == (200, {})
        assert len(response.headers["x-webhook-id"]) == 21


def test_an_unknown_flow_is_gone_and_a_malformed_id_refused(practice: Practice) -> None:
    gone = practice.call("POST", f"/v1/webhooks/{'A' * 21}", json={})
    assert (gone.status_code, gone.json(), "x-webhook-id" in gone.headers) == (410, {}, True)
    bad = practice.call("POST", "/v1/webhooks/bad", json={})
    assert (bad.status_code, "x-webhook-id" in bad.headers) == (400, False)


@OLDER
def test_a_payload_over_25_mb_is_refused(practice: Practice) -> None:
    body = b'{"x":"' + b"x" * (25 * 1024 * 1024) + b'"}'
    path = f"/v1/webhooks/{practice.sample('quick').id}"
    response = practice.call("POST", path, data=body, headers={"content-type": "application/json"})
    assert (response.status_code, "x-webhook-id" in response.headers) == (413, False)


@pytest.mark.parametrize(
    ("slug", "status"),
    [
        ("quick", "SUCCEEDED"),
        ("failing", "FAILED"),
        ("pausing", "PAUSED"),
        ("memory", "MEMORY_LIMIT_EXCEEDED"),
        ("exit", "INTERNAL_ERROR"),
        ("endless", "RUNNING"),
    ],
)
@pytest.mark.parametrize("wait", [False, True])
@OLDER
@pytest.mark.sampled(3)
def test_a_made_up_parent_comes_back_in_the_list_in_every_state(
    practice: Practice, slug: str, status: str, wait: bool
) -> None:
    practice.engine.settings.wait_limit = 1
    send(practice, slug, wait, ap_parent_run_id=MARKER, x_console_launch_id=MARKER)
    run = marked(practice, slug, status)
    assert run["failParentOnFailure"] is False
    if status in ("SUCCEEDED", "FAILED", "PAUSED"):
        assert run["steps"]["trigger"]["output"]["headers"]["x-console-launch-id"] == MARKER
    else:
        assert run["steps"] == {}


@OLDER
def test_a_run_cannot_be_seen_before_its_row_is_written(practice: Practice) -> None:
    practice.engine.settings.appear_after = 30
    send(practice, "quick", ap_parent_run_id=MARKER)
    with practice.engine.state.lock:
        row = next(row for row in practice.engine.state.runs.values() if row["parentRunId"] == MARKER)
    early = practice.call("GET", f"/v1/flow-runs/{row['id']}")
    assert (early.status_code, early.json()["code"]) == (400, "FLOW_RUN_NOT_FOUND")
    until(lambda: practice.call("GET", f"/v1/flow-runs/{row['id']}").status_code == 200)


@OLDER
def test_the_states_come_in_their_order(practice: Practice) -> None:
    practice.engine.settings.queue_time = 20
    with practice.engine.clock.held(8) as begin:
        send(practice, "eight", ap_parent_run_id=MARKER)
        queued = marked(practice, "eight", "QUEUED")
        begin()
        running = marked(practice, "eight", "RUNNING")
    assert (queued["startTime"], queued["finishTime"], queued["steps"]) == ("", "", {})
    assert (running["logsFileId"], running["steps"]) == (None, {})
    done = marked(practice, "eight", "SUCCEEDED")
    assert [step["status"] for step in done["steps"].values()] == ["SUCCEEDED"] * 3
    assert done["steps"]["step_1"]["duration"] >= 8000


@OLDER
def test_a_quick_run_was_updated_before_it_was_created(practice: Practice) -> None:
    practice.engine.settings.appear_after = 10
    send(practice, "quick", ap_parent_run_id=MARKER)
    run = marked(practice, "quick", "SUCCEEDED")
    assert run["updated"] < run["created"]


@OLDER
def test_a_paused_run_goes_on_and_ends(practice: Practice) -> None:
    send(practice, "pausing", ap_parent_run_id=MARKER)
    paused = marked(practice, "pausing", "PAUSED")
    assert (paused["steps"]["step_1"]["status"], paused["finishTime"]) == ("PAUSED", "")
    done = marked(practice, "pausing", "SUCCEEDED")
    assert done["steps"]["step_2"]["output"] == {"reminded": True}


def test_what_outlasts_the_wait_goes_on_after_the_204(practice: Practice) -> None:
    assert send(practice, "slow", True, ap_parent_run_id=MARKER).status_code == 204
    assert marked(practice, "slow", "SUCCEEDED")["steps"]["step_2"]["output"]["body"]["reconciled"] is True


def test_a_flow_that_answers_early_works_on(practice: Practice) -> None:
    assert send(practice, "accepting", True, ap_parent_run_id=MARKER).status_code == 202
    assert marked(practice, "accepting", "SUCCEEDED")["steps"]["step_3"]["output"] == {"finished": True}


@OLDER
def test_a_failure_that_is_carried_over_leaves_the_run_succeeded(practice: Practice) -> None:
    send(practice, "carry-on", ap_parent_run_id=MARKER)
    run = marked(practice, "carry-on", "SUCCEEDED")
    assert (run["steps"]["step_1"]["status"], run["failedStep"]) == ("FAILED", {})


def test_a_loop_keeps_its_inner_steps_in_iterations(practice: Practice) -> None:
    send(practice, "sorting", ap_parent_run_id=MARKER)
    steps = marked(practice, "sorting", "SUCCEEDED")["steps"]
    assert list(steps) == ["trigger", "step_1", "step_5"]
    first, second = steps["step_1"]["output"]["iterations"]
    assert set(first) == {"step_2", "step_3", "step_4"}
    assert [one["evaluation"] for one in second["step_2"]["output"]["branches"]] == [False, True]


@OLDER
def test_retrying_from_the_failed_step_keeps_the_run_and_a_new_version_makes_another(practice: Practice) -> None:
    send(practice, "failing", ap_parent_run_id=MARKER)
    run = marked(practice, "failing", "FAILED")
    assert run["failedStep"] == {"name": "step_1", "displayName": "Đọc tệp"}
    body = {"projectId": practice.credentials.project_id, "strategy": "FROM_FAILED_STEP"}
    path = f"/v1/flow-runs/{run['id']}/retry"
    again = practice.call("POST", path, json=body).json()
    assert (again["id"], again["status"]) == (run["id"], "QUEUED")
    marked(practice, "failing", "FAILED")
    new = practice.call("POST", path, json={**body, "strategy": "ON_LATEST_VERSION"}).json()
    assert new["id"] != run["id"]
    assert "steps" not in new


def test_what_succeeded_is_not_done_again_by_a_retry(practice: Practice) -> None:
    failing = code_step("step_2", "// practice: fail no")
    flow = make(practice, code_step("step_1", x="{{trigger.body.x}}"), failing)
    operate(practice, flow, "LOCK_AND_PUBLISH", {})
    practice.call("POST", f"/v1/webhooks/{flow}", json={"x": 1})
    until(lambda: [run for run in practice.runs(flow) if run["status"] == "FAILED"])
    run = practice.runs(flow)[0]["id"]
    before = practice.call("GET", f"/v1/flow-runs/{run}").json()
    body = {"projectId": practice.credentials.project_id, "strategy": "FROM_FAILED_STEP"}
    practice.call("POST", f"/v1/flow-runs/{run}/retry", json=body)
    until(lambda: (practice.runs(flow)[0]["finishTime"] or "") > before["finishTime"])
    after = practice.call("GET", f"/v1/flow-runs/{run}").json()
    assert after["steps"]["step_1"] == before["steps"]["step_1"]
    assert after["steps"]["step_2"]["status"] == "FAILED"


@OLDER
def test_cancelling_takes_paused_runs_and_no_running_ones(practice: Practice) -> None:
    send(practice, "endless", ap_parent_run_id=MARKER)
    send(practice, "pausing", ap_parent_run_id=MARKER)
    running, paused = marked(practice, "endless", "RUNNING"), marked(practice, "pausing", "PAUSED")
    chosen = {"projectId": practice.credentials.project_id, "flowRunIds": [running["id"], paused["id"]]}
    assert practice.call("POST", "/v1/flow-runs/cancel", json=chosen).status_code == 200
    assert marked(practice, "pausing", "CANCELED")["finishTime"] == ""
    assert marked(practice, "endless", "RUNNING")["id"] == running["id"]


def test_a_bulk_call_without_ids_takes_the_whole_project(practice: Practice) -> None:
    practice.call("POST", "/v1/flow-runs/archive", json={"projectId": practice.credentials.project_id})
    assert all(run["archivedAt"] for run in practice.runs())
    stranger = {"Authorization": f"Bearer {practice.credentials.bearer_token_stranger}"}
    query = {"projectId": practice.credentials.other_project_id, "limit": 100}
    rows = practice.call("GET", "/v1/flow-runs", params=query, credential=stranger).json()["data"]
    assert rows
    assert not any(run["archivedAt"] for run in rows)


def test_drafts_run_as_tests_which_the_list_hides(practice: Practice) -> None:
    flow = practice.sample("changed").id
    before = len(practice.runs(flow))
    response = practice.call("POST", f"/v1/webhooks/{flow}/draft/sync", json={"name": "Lan"})
    assert response.status_code == 200
    with practice.engine.state.lock:
        tests = [row for row in practice.engine.state.runs.values() if row["environment"] == "TESTING"]
    until(lambda: practice.call("GET", f"/v1/flow-runs/{tests[0]['id']}").status_code == 200)
    assert len(practice.runs(flow)) == before


def test_a_flow_disabled_while_queued_leaves_its_run_queued(practice: Practice) -> None:
    practice.engine.settings.queue_time = 10
    send(practice, "quick", ap_parent_run_id=MARKER)
    operate(practice, practice.sample("quick").id, "CHANGE_STATUS", {"status": "DISABLED"})
    marked(practice, "quick", "QUEUED")
    probe = make(practice, code_step("step_1"))
    operate(practice, probe, "LOCK_AND_PUBLISH", {})
    practice.call("POST", f"/v1/webhooks/{probe}", json={})
    until(lambda: [run for run in practice.runs(probe) if run["status"] == "SUCCEEDED"])
    marked(practice, "quick", "QUEUED")


def test_a_trigger_with_a_secret_of_its_own_takes_no_stranger_in_and_does_not_say_so(practice: Practice) -> None:
    flow = practice.sample("partner")
    assert send(practice, "partner").status_code == 200
    assert send(practice, "partner", x_partner_key="practice-partner").status_code == 200
    until(lambda: len(practice.runs(flow.id)) == 1)


def test_300_requests_can_wait_at_once(practice: Practice) -> None:
    practice.engine.settings.wait_limit = 100
    flow = practice.sample("silent")
    said: list[int] = []

    def wait() -> None:
        said.append(send(practice, "silent", wait=True).status_code)

    before = len(practice.runs(flow.id))
    threads = [threading.Thread(target=wait) for _ in range(300)]
    for thread in threads:
        thread.start()
    until(lambda: len(practice.journal.triggers(flow.id)) == 300, 60)
    assert practice.call("GET", "/v1/flags").status_code == 200, "others are served meanwhile"
    for thread in threads:
        thread.join()
    assert said == [204] * 300
    assert len(practice.runs(flow.id)) - before == 300


def test_resuming_by_the_request_id(practice: Practice) -> None:
    practice.engine.clock.scale = 1
    send(practice, "pausing", ap_parent_run_id=MARKER)
    run = marked(practice, "pausing", "PAUSED")
    request = practice.engine.state.runs[run["id"]]["requestId"]
    practice.engine.settings.version = "0.72.4"
    assert practice.call("POST", f"/v1/flow-runs/{run['id']}/requests/{'x' * 21}", json={}).status_code == 404
    assert practice.call("POST", f"/v1/flow-runs/{run['id']}/requests/{request}", json={}).status_code == 200
    marked(practice, "pausing", "SUCCEEDED")
    assert practice.call("POST", f"/v1/flow-runs/{run['id']}/requests/{request}", json={}).status_code == 409
