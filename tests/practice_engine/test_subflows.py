"""A flow that calls another one: the runs of both, as recorded (recordings ``subflow_*``)."""

from typing import Any

import pytest

from practice_engine import PracticeEngine
from tests.practice_engine.fixtures import Practice, until

Json = dict[str, Any]
ITEMS = [{"sku": "TRA-01", "qty": 2, "price": 85000}]


@pytest.fixture(autouse=True)
def version(practice: Practice) -> None:
    """The Activepieces flavour speaks 0.83.0 here."""
    practice.engine.settings.version = "0.83.0"


def _start(practice: Practice, body: Json) -> Json:
    """The parent's run, once it has ended."""
    practice.call("POST", f"/v1/webhooks/{practice.sample('quoting').id}", json=body, credential={})
    run = practice.started_run()
    found: Json = {}

    def ended() -> bool:
        found.update(practice.call("GET", f"/v1/flow-runs/{run}").json())
        return found["status"] not in ("QUEUED", "RUNNING", "PAUSED")

    until(ended)
    return found


def _child(practice: Practice, parent: Json) -> Json:
    [row] = [row for row in practice.runs(practice.sample("pricing").id) if row["parentRunId"] == parent["id"]]
    whole: Json = practice.call("GET", f"/v1/flow-runs/{row['id']}").json()
    return whole


def test_a_called_flow_answers_the_run_that_waits_for_it(practice: Practice) -> None:
    parent = _start(practice, {"customer": "An Phát", "items": ITEMS})
    child = _child(practice, parent)
    answer = {"total": 170000, "count": 1, "currency": "VND"}
    assert (parent["status"], child["status"]) == ("SUCCEEDED", "SUCCEEDED")
    assert parent["steps"]["step_1"]["output"] == {"status": "success", "data": answer}
    assert parent["parentRunId"] is None
    assert child["failParentOnFailure"] is True
    trigger = child["steps"]["trigger"]["output"]
    assert trigger["data"] == {"items": ITEMS}
    assert f"/v1/flow-runs/{parent['id']}/waitpoints/" in trigger["callbackUrl"]


def test_a_called_flow_that_fails_fails_the_run_that_waits_for_it(practice: Practice) -> None:
    parent = _start(practice, {"customer": "An Phát", "items": "none"})
    child = _child(practice, parent)
    assert (parent["status"], child["status"]) == ("FAILED", "FAILED")
    link = f"{practice.url}/projects/{parent['projectId']}/runs/{child['id']}"
    message = f'{{\n  "message": "Subflow execution failed",\n  "link": "{link}"\n}}'
    assert parent["failedStep"] == {"name": "step_1", "message": message, "displayName": "Price the order"}
    assert parent["steps"]["step_1"]["errorMessage"] == message


def test_the_flows_that_can_be_called_are_offered_by_their_external_ids(practice: Practice) -> None:
    flow = practice.call("GET", f"/v1/flows/{practice.sample('pricing').id}").json()
    body = {
        "projectId": flow["projectId"],
        "pieceName": "@activepieces/piece-subflows",
        "pieceVersion": "0.6.3",
        "actionOrTriggerName": "callFlow",
        "propertyName": "flowId",
        "flowId": flow["id"],
        "flowVersionId": flow["version"]["id"],
        "input": {},
    }
    found = practice.call("POST", "/v1/pieces/options", json=body).json()
    assert found["options"]["options"] == [{"value": flow["externalId"], "label": flow["version"]["displayName"]}]


def test_the_runs_of_the_month_have_those_that_they_called() -> None:
    engine = PracticeEngine(0.01, month=True)
    runs = engine.state.runs
    children = [row for row in runs.values() if row["flowName"] == "Tính tổng báo giá"]
    assert len(children) > 20
    for child in children:
        parent = runs[child["parentRunId"]]
        assert parent["flowName"] == "Báo giá cho khách"
        assert parent["created"] < child["created"] <= child["finishTime"] <= parent["finishTime"]
        assert child["status"] == parent["status"]
    assert {child["status"] for child in children} == {"SUCCEEDED", "FAILED"}
    engine.close()
