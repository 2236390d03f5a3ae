"""What 0.83.0 does otherwise with runs, webhooks and waits (engine-0.83.md sections 7, 8 and 10), beyond what the facts say."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from tests.practice_engine.fixtures import Practice, until
from tests.practice_engine.player import code_step
from tests.practice_engine.test_flows import make, operate
from tests.practice_engine.test_runs import SAID

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

Json = dict[str, Any]
MARKER = "LaunchMarker000000001"
#: Long enough to be seen running on a busy machine.
LONG = "// practice: sleep 100"
STOP = {"responseType": "json", "fields": {"status": 200, "headers": {}, "body": {"done": True}}, "respond": "stop"}


@pytest.fixture(autouse=True)
def version(practice: Practice) -> None:
    """The Activepieces flavour speaks 0.83.0 here."""
    practice.engine.settings.version = "0.83.0"


def published(practice: Practice, *steps: Json) -> str:
    """A flow that is live; its id."""
    flow = make(practice, *steps)
    operate(practice, flow, "LOCK_AND_PUBLISH", {})
    return flow


def send(practice: Practice, flow: str, wait: bool = False, **more: Any) -> requests.Response:
    """Trigger a flow with the marker."""
    headers = {"ap-parent-run-id": MARKER, **more.pop("headers", {})}
    more = more or {"json": {}}
    return practice.call(
        "POST", f"/v1/webhooks/{flow}" + ("/sync" if wait else ""), headers=headers, credential={}, **more
    )


def run(practice: Practice, flow: str, *states: str) -> Json:
    """The flow's run with the marker, once it is in one of these states, with its steps."""

    def look() -> Json | None:
        rows = [row for row in practice.runs(flow) if row["parentRunId"] == MARKER]
        return rows[0] if rows and rows[0]["status"] in states else None

    found = until(look)
    assert found is not None
    whole: Json = practice.call("GET", f"/v1/flow-runs/{found['id']}").json()
    return whole


def answering(name: str, action: str = "return_response", **settings: Any) -> Json:
    """A response step."""
    handling = {"continueOnFailure": {"value": False}, "retryOnFailure": {"value": False}}
    given: Json = {"pieceName": "@activepieces/piece-webhook", "pieceVersion": "~0.1.25", "actionName": action}
    step: Json = {"name": name, "valid": True, "displayName": name, "type": "PIECE"}
    given |= {"propertySettings": {}, "errorHandlingOptions": handling, "input": {**STOP, **settings}}
    return {**step, "settings": given}


def test_a_run_lasts_at_least_as_long_as_its_steps_together(practice: Practice) -> None:
    """Recordings `run_get_SUCCEEDED`, `run_get_FAILED`."""
    flow = published(practice, *(code_step(f"step_{number}", "// practice: echo") for number in range(1, 6)))
    send(practice, flow)
    found = run(practice, flow, "SUCCEEDED")
    whole = datetime.fromisoformat(found["finishTime"]) - datetime.fromisoformat(found["startTime"])
    worked = sum(step.get("duration") or 0 for step in found["steps"].values())
    assert whole / timedelta(milliseconds=1) >= worked - 1  # moments are cut to milliseconds


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("// practice: echo", "SUCCEEDED"),
        ("// practice: fail no", "FAILED"),
        ("// practice: memory", "FAILED"),
        ("// practice: exit", "FAILED"),
        ("// practice: hang", "TIMEOUT"),
        ("// practice: big 3000", "LOG_SIZE_EXCEEDED"),
        *(
            (f"// practice: crash {status}", status)
            for status in ("MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR", "QUOTA_EXCEEDED")
        ),
    ],
)
def test_a_run_can_end_in_every_state_and_keeps_its_request(practice: Practice, source: str, status: str) -> None:
    practice.engine.settings.flow_limit = 30
    flow = published(practice, code_step("step_1", source))
    send(practice, flow)
    found = run(practice, flow, status)
    assert found["steps"]["trigger"]["output"]["headers"]["ap-parent-run-id"] == MARKER
    assert found["finishTime"] is not None
    step = found["failedStep"]
    assert (step is None) == (status not in ("FAILED", "LOG_SIZE_EXCEEDED"))
    assert step is None or (step["name"], bool(step["message"])) == ("step_1", True)


def test_a_code_step_that_ends_its_process_fails_and_its_message_is_in_the_list(practice: Practice) -> None:
    flow = published(practice, code_step("step_1", "// practice: exit"))
    send(practice, flow)
    found = run(practice, flow, "FAILED")
    message = practice.runs(flow)[0]["failedStep"]["message"]
    assert message == found["steps"]["step_1"]["errorMessage"]
    assert "process exited" in message


def test_a_running_run_shows_its_start_and_its_steps_only_after_a_while(practice: Practice) -> None:
    practice.engine.settings.report_after = 100
    flow = published(practice, code_step("step_1", "// practice: hang"))
    send(practice, flow)
    early = run(practice, flow, "RUNNING")
    assert (early["startTime"], list(early["steps"])) == (None, ["trigger"])
    late = until(lambda: practice.call("GET", f"/v1/flow-runs/{early['id']}").json()["startTime"])
    assert late
    steps = practice.call("GET", f"/v1/flow-runs/{early['id']}").json()["steps"]
    assert (list(steps), steps["step_1"]["status"]) == (["trigger", "step_1"], "RUNNING")


def test_times_come_in_their_order(practice: Practice) -> None:
    flow = published(practice, code_step("step_1"))
    send(practice, flow)
    row = run(practice, flow, "SUCCEEDED")
    assert row["created"] <= row["startTime"] <= row["finishTime"] <= row["updated"]


@pytest.mark.parametrize(("slug", "status"), SAID.items())
@pytest.mark.sampled(3)
def test_a_waiting_call_answers_as_the_flow_does_and_says_nothing_of_one_that_fails(
    practice: Practice, slug: str, status: int
) -> None:
    flow = practice.sample(slug)
    response = send(practice, flow.id, wait=True, json=flow.payload)
    assert response.status_code == (204 if status == 500 else status)
    assert "x-webhook-id" in response.headers
    assert response.content or response.status_code in (204, 301)


def test_the_runs_of_the_sample_flows_are_shown_whole(practice: Practice) -> None:
    rows = practice.runs()
    assert {"SUCCEEDED", "FAILED", "PAUSED", "MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR"} <= {
        row["status"] for row in rows
    }
    for row in rows[::7]:
        whole = practice.call("GET", f"/v1/flow-runs/{row['id']}").json()
        assert whole["flowVersion"] == row["flowVersion"]
        assert "trigger" in whole["steps"]


def test_a_password_keeps_a_stranger_out_unless_they_wait(practice: Practice) -> None:
    flow = practice.sample("partner").id
    assert send(practice, flow).json() == {}
    assert practice.journal.triggers(flow)[-1].runs == []
    assert send(practice, flow, wait=True).json() == {"taken": True}
    assert "output" not in run(practice, flow, "SUCCEEDED")["steps"]["trigger"]


def test_an_app_that_the_engine_lacks_is_answered_and_never_run(practice: Practice) -> None:
    flow = published(practice, code_step("step_1"))
    with practice.engine.state.lock:
        identity = practice.engine.state.flows[flow]["publishedVersionId"]
        step = {**answering("step_2"), "settings": {**answering("step_2")["settings"], "pieceName": "@x/piece-gone"}}
        practice.engine.state.versions[identity]["trigger"]["nextAction"] = step
    assert send(practice, flow).json() == {}
    assert send(practice, flow, wait=True).status_code == 204
    assert [one.runs for one in practice.journal.triggers(flow)] == [[], []]


@pytest.mark.parametrize(
    ("kind", "data", "body"),
    [
        ("application/json", b"[1, 2]", [1, 2]),
        ("application/json", b"", None),
        ("text/plain", b"hello", "hello"),
        ("application/xml", b"<a>1</a>", {"a": 1}),
        ("text/xml", b"<a><b>x</b><b>2.5</b><c/></a>", {"a": {"b": ["x", 2.5], "c": ""}}),
        ("application/x-www-form-urlencoded", b"id=F-1&x=", {"id": "F-1", "x": ""}),
    ],
)
def test_a_body_of_any_kind_arrives(practice: Practice, kind: str, data: bytes, body: Any) -> None:
    flow = practice.sample("silent").id
    assert send(practice, flow, data=data, headers={"content-type": kind}).status_code == 200
    output = run(practice, flow, "SUCCEEDED")["steps"]["trigger"]["output"]
    assert output.get("body") == body
    assert output["rawBody"] == data.decode()


def test_bytes_become_a_file_with_an_address(practice: Practice) -> None:
    flow = practice.sample("silent").id
    send(practice, flow, data=b"\x00\xff", headers={"content-type": "application/octet-stream"})
    output = run(practice, flow, "SUCCEEDED")["steps"]["trigger"]["output"]
    assert "rawBody" not in output
    assert requests.get(output["body"]["fileUrl"], timeout=20).content == b"\x00\xff"
    assert practice.call("GET", "/v1/step-files/signed", params={"token": "x"}, credential={}).status_code == 401


def test_a_header_that_is_a_number_stays_one_in_the_step_and_is_text_on_its_way_out(practice: Practice) -> None:
    response = send(practice, practice.sample("orders").id, wait=True, json={"id": "P", "items": []})
    assert response.headers["x-order-total"] == "0"
    found = run(practice, practice.sample("orders").id, "SUCCEEDED")["steps"]
    assert found["step_2"]["output"]["headers"] == {"x-order-total": 0}
    assert found["step_1"]["output"]["currency"] == ""


def test_a_flow_that_answers_and_waits_is_called_again_once(practice: Practice) -> None:
    waiting = answering("step_1", "return_response_and_wait_for_next_webhook")
    flow = published(practice, waiting, code_step("step_2", got="{{step_1.body}}"), answering("step_3"))
    response = send(practice, flow, wait=True)
    address = response.headers["x-activepieces-resume-webhook-url"]
    paused = run(practice, flow, "PAUSED")
    assert paused["steps"]["step_1"]["output"] == {"nextWebhookUrl": address}
    again = requests.post(address, json={"second": True}, timeout=20)
    assert (again.status_code, again.json(), "x-webhook-id" in again.headers) == (200, {"done": True}, False)
    steps = run(practice, flow, "SUCCEEDED")["steps"]
    assert steps["step_1"]["output"]["body"] == steps["step_2"]["output"]["got"] == {"second": True}
    third = requests.post(address, json={}, timeout=20)
    assert (third.status_code, third.json()["flowRunStatus"]) == (409, "SUCCEEDED")


def test_a_cancelled_running_run_goes_on_and_a_queued_one_does_not(practice: Practice) -> None:
    flow = published(practice, code_step("step_1", LONG), code_step("step_2"))
    chosen = {"projectId": practice.credentials.project_id}
    send(practice, flow)
    running = run(practice, flow, "RUNNING")["id"]
    cancelled = practice.call("POST", "/v1/flow-runs/cancel", json={**chosen, "flowRunIds": [running]})
    assert (cancelled.status_code, cancelled.content) == (200, b"")
    run(practice, flow, "SUCCEEDED")
    practice.engine.settings.queue_time = 1000
    send(practice, practice.sample("quick").id)
    queued = run(practice, practice.sample("quick").id, "QUEUED")
    assert (queued["logsFileId"], queued["steps"], queued["created"]) == (None, {}, queued["updated"])
    practice.call("POST", "/v1/flow-runs/cancel", json={**chosen, "flowRunIds": [queued["id"]]})
    assert run(practice, practice.sample("quick").id, "CANCELED")["finishTime"] is None


def test_a_running_run_that_is_retried_ends_once(practice: Practice) -> None:
    flow = published(practice, code_step("step_1", LONG), code_step("step_2"))
    send(practice, flow)
    first = run(practice, flow, "RUNNING")
    body = {"projectId": practice.credentials.project_id, "strategy": "FROM_FAILED_STEP"}
    again = practice.call("POST", f"/v1/flow-runs/{first['id']}/retry", json=body).json()
    assert (again["id"], again["status"], again["finishTime"]) == (first["id"], "QUEUED", None)
    assert run(practice, flow, "SUCCEEDED")["steps"]["step_2"]["status"] == "SUCCEEDED"


def test_archived_runs_are_hidden_unless_they_are_asked_for(practice: Practice) -> None:
    query = {"projectId": practice.credentials.project_id, "limit": 500}
    rows = practice.runs()
    practice.call(
        "POST", "/v1/flow-runs/archive", json={"projectId": query["projectId"], "flowRunIds": [rows[0]["id"]]}
    )
    shown = practice.call("GET", "/v1/flow-runs", params={**query, "archived": "true"}).json()["data"]
    assert rows[0]["id"] not in {row["id"] for row in shown}
    everything = practice.call("GET", "/v1/flow-runs", params={**query, "includeArchived": "true"}).json()["data"]
    assert rows[0]["id"] in {row["id"] for row in everything}


def test_runs_are_counted_by_their_state(practice: Practice) -> None:
    practice.engine.settings.appear_after = 0
    until(lambda: all(row["status"] not in ("QUEUED", "RUNNING") for row in practice.runs()))
    answer = practice.call(
        "GET", "/v1/flow-runs/count-by-status", params={"projectId": practice.credentials.project_id}
    ).json()
    counts = {one["status"]: one["count"] for one in answer["data"]}
    rows = [row for row in practice.runs() if not row["archivedAt"]]
    assert counts == {status: sum(row["status"] == status for row in rows) for status in counts}
    assert sum(counts.values()) == len(rows)


def test_a_form_hands_on_its_fields_and_answers_on_its_page(practice: Practice) -> None:
    flow = practice.sample("form")
    page = practice.call("GET", f"/v1/human-input/form/{flow.id}", credential={}).json()
    assert page["props"]["waitForResponse"] is True
    assert send(practice, flow.id, wait=True, json=flow.payload).json()["type"] == "markdown"
    assert run(practice, flow.id, "SUCCEEDED")["steps"]["trigger"]["output"] == flow.payload


def test_a_made_up_parent_may_be_any_text(practice: Practice) -> None:
    send(practice, practice.sample("quick").id, headers={"ap-parent-run-id": "not-an-id"})
    until(lambda: "not-an-id" in {row["parentRunId"] for row in practice.runs(practice.sample("quick").id)})


def test_the_gateway_speaks_the_old_version_of_the_same_runs(practice: Practice) -> None:
    flow = published(practice, code_step("step_1", "// practice: fail no"))
    send(practice, flow)
    found = run(practice, flow, "FAILED")
    old = practice.call("GET", f"/v1/flow-runs/{found['id']}", "imbrace").json()
    assert (old["failedStep"], old["parentRunId"]) == ({"name": "step_1", "displayName": "step_1"}, MARKER)
    assert "stepsCount" not in old
