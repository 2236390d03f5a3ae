"""Flows: their life, and every operation on them (api.md section 6)."""

from typing import Any

import pytest

from tests.practice_engine.fixtures import Practice, until
from tests.practice_engine.player import WEBHOOK_TRIGGER, code_step

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

#: What only the older version does, or does otherwise.
OLDER = pytest.mark.usefixtures("older")
Json = dict[str, Any]
NOBODY = "A" * 21


def make(practice: Practice, *steps: Json, name: str = "Flow") -> str:
    """A flow with a webhook trigger and these steps after one another."""
    body = {"displayName": name, "projectId": practice.credentials.project_id}
    flow = str(practice.call("POST", "/v1/flows", json=body).json()["id"])
    operate(practice, flow, "UPDATE_TRIGGER", WEBHOOK_TRIGGER)
    parent = "trigger"
    for step in steps:
        where = {"parentStep": parent, "stepLocationRelativeToParent": "AFTER"}
        operate(practice, flow, "ADD_ACTION", {**where, "action": step})
        parent = step["name"]
    return flow


def operate(practice: Practice, flow: str, kind: str, request: Any, status: int = 200) -> Json:
    response = practice.call("POST", f"/v1/flows/{flow}", json={"type": kind, "request": request})
    assert response.status_code == status, response.text
    found: Json = response.json()
    return found


def order(flow: Json) -> list[str]:
    """The names of the steps, inner ones in brackets after their parent."""
    found: list[str] = []
    step = flow["version"]["trigger"]
    while step:
        found.append(step["name"])
        inner = [child for child in [step.get("firstLoopAction"), *(step.get("children") or [])] if child]
        found.extend(f"[{' '.join(order({'version': {'trigger': child}}))}]" for child in inner)
        step = step.get("nextAction")
    return found


def loop_step(name: str) -> Json:
    return {
        "name": name,
        "valid": True,
        "displayName": name,
        "type": "LOOP_ON_ITEMS",
        "settings": {"items": "{{trigger}}"},
    }


def router_step(name: str) -> Json:
    branches: list[Json] = [{"branchType": "CONDITION", "branchName": "A", "conditions": [[]]}]
    branches.append({"branchType": "FALLBACK", "branchName": "Rest"})
    settings = {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"}
    return {"name": name, "valid": True, "displayName": name, "type": "ROUTER", "settings": settings}


@OLDER
def test_editing_a_published_flow_makes_a_new_draft(practice: Practice) -> None:
    flow = make(practice, code_step("step_1"))
    published = operate(practice, flow, "LOCK_AND_PUBLISH", {})
    assert (published["status"], published["version"]["state"]) == ("ENABLED", "LOCKED")
    edited = operate(practice, flow, "CHANGE_NAME", {"displayName": "Other"})
    assert edited["version"]["id"] != edited["publishedVersionId"] == published["version"]["id"]
    assert edited["version"]["state"] == "DRAFT"
    assert edited["version"]["trigger"]["settings"]["pieceVersion"] == "~0.1.25"
    versions = practice.call("GET", f"/v1/flows/{flow}/versions").json()["data"]
    assert [version["state"] for version in versions] == ["DRAFT", "LOCKED"]
    back = operate(practice, flow, "USE_AS_DRAFT", {"versionId": published["version"]["id"]})
    assert back["version"]["displayName"] == "Flow"


@OLDER
def test_deleting_takes_two_phases(practice: Practice) -> None:
    gone, flow = make(practice), make(practice)
    assert practice.call("DELETE", f"/v1/flows/{gone}").status_code == 204
    until(lambda: practice.call("GET", f"/v1/flows/{gone}").status_code == 404)
    practice.engine.settings.delete_after = 10_000
    assert practice.call("DELETE", f"/v1/flows/{flow}").status_code == 204
    assert practice.call("GET", f"/v1/flows/{flow}").json()["operationStatus"] == "DELETING"
    again = practice.call("DELETE", f"/v1/flows/{flow}")
    assert (again.status_code, again.json()["code"]) == (400, "FLOW_OPERATION_INVALID")
    query = {"projectId": practice.credentials.project_id, "limit": 100}
    assert flow not in {row["id"] for row in practice.call("GET", "/v1/flows", params=query).json()["data"]}


def test_adding_after_an_unknown_step_changes_nothing(practice: Practice) -> None:
    flow = make(practice, code_step("step_1"))
    after = operate(practice, flow, "ADD_ACTION", {"parentStep": "step_9", "action": code_step("step_2")})
    assert order(after) == ["trigger", "step_1"]


def test_a_new_step_is_inserted_not_appended(practice: Practice) -> None:
    flow = make(practice, code_step("step_1"))
    after = operate(practice, flow, "ADD_ACTION", {"parentStep": "trigger", "action": code_step("step_2")})
    assert order(after) == ["trigger", "step_2", "step_1"]


@pytest.mark.parametrize("parent", [loop_step("step_1"), router_step("step_1")])
def test_a_loop_or_router_as_parent_needs_a_location(practice: Practice, parent: Json) -> None:
    flow = make(practice, parent)
    refused = operate(practice, flow, "ADD_ACTION", {"parentStep": "step_1", "action": code_step("step_2")}, 400)
    assert refused["code"] == "FLOW_OPERATION_INVALID"
    where = {"parentStep": "step_1", "stepLocationRelativeToParent": "AFTER", "action": code_step("step_2")}
    assert order(operate(practice, flow, "ADD_ACTION", where))[-1] == "step_2"


def test_steps_go_into_loops_and_branches(practice: Practice) -> None:
    flow = make(practice, loop_step("step_1"))
    inside = {"parentStep": "step_1", "stepLocationRelativeToParent": "INSIDE_LOOP", "action": router_step("step_2")}
    operate(practice, flow, "ADD_ACTION", inside)
    branch = {"parentStep": "step_2", "stepLocationRelativeToParent": "INSIDE_BRANCH", "branchIndex": 1}
    after = operate(practice, flow, "ADD_ACTION", {**branch, "action": code_step("step_3")})
    assert order(after) == ["trigger", "step_1", "[step_2 [step_3]]"]
    assert after["version"]["trigger"]["nextAction"]["firstLoopAction"]["children"][0] is None


def test_enabling_before_a_publish_is_a_500(practice: Practice) -> None:
    assert operate(practice, make(practice), "CHANGE_STATUS", {"status": "ENABLED"}, 500)["statusCode"] == 500


def test_a_flow_in_use_is_a_409_when_switched_on(practice: Practice) -> None:
    flow = make(practice)
    practice.engine.settings.flow_in_use = [flow]
    refused = operate(practice, flow, "CHANGE_NAME", {"displayName": "Other"}, 409)
    assert refused["code"] == "FLOW_IN_USE"
    assert set(refused["params"]) == {"flowVersionId", "message"}
    practice.engine.settings.flow_in_use = []
    operate(practice, flow, "CHANGE_NAME", {"displayName": "Other"})


def test_an_invalid_draft_can_be_published(practice: Practice) -> None:
    step = loop_step("step_1")
    step["settings"]["items"] = ""
    flow = make(practice, step)
    published = operate(practice, flow, "LOCK_AND_PUBLISH", {})
    assert (published["status"], published["version"]["valid"]) == ("ENABLED", False)


@OLDER
def test_asking_for_published_versions_fails_when_one_flow_has_none(practice: Practice) -> None:
    query = {"projectId": practice.credentials.project_id, "versionState": "LOCKED"}
    assert practice.call("GET", "/v1/flows", params=query).status_code == 404


@OLDER
def test_structural_operations(practice: Practice) -> None:
    flow = make(practice, code_step("step_1"), loop_step("step_2"))
    copied = operate(practice, flow, "DUPLICATE_ACTION", {"stepName": "step_1"})
    assert order(copied) == ["trigger", "step_1", "step_3", "step_2"]
    where = {"name": "step_3", "newParentStep": "step_2", "stepLocationRelativeToNewParent": "INSIDE_LOOP"}
    assert order(operate(practice, flow, "MOVE_ACTION", where)) == ["trigger", "step_1", "step_2", "[step_3]"]
    assert operate(practice, flow, "MOVE_ACTION", {**where, "name": "step_9"}, 400)["code"] == "STEP_NOT_FOUND"
    skipped = operate(practice, flow, "SET_SKIP_ACTION", {"names": ["step_1"], "skip": True})
    assert skipped["version"]["trigger"]["nextAction"]["skip"] is True
    assert order(operate(practice, flow, "DELETE_ACTION", {"names": ["step_2", "step_9"]})) == ["trigger", "step_1"]


def test_branch_operations(practice: Practice) -> None:
    flow = make(practice, router_step("step_1"))

    def names(answer: Json) -> list[str]:
        return [branch["branchName"] for branch in answer["version"]["trigger"]["nextAction"]["settings"]["branches"]]

    branch = {"stepName": "step_1", "branchIndex": 1}
    assert names(operate(practice, flow, "ADD_BRANCH", {**branch, "branchName": "B"})) == ["A", "B", "Rest"]
    assert names(operate(practice, flow, "DUPLICATE_BRANCH", branch)) == ["A", "B", "B Copy", "Rest"]
    move = {"stepName": "step_1", "sourceBranchIndex": 0, "targetBranchIndex": 1}
    assert names(operate(practice, flow, "MOVE_BRANCH", move)) == ["B", "A", "B Copy", "Rest"]
    assert names(operate(practice, flow, "MOVE_BRANCH", {**move, "targetBranchIndex": 3})) == [
        "B",
        "A",
        "B Copy",
        "Rest",
    ]
    after = operate(practice, flow, "DELETE_BRANCH", branch)
    assert names(after) == ["B", "B Copy", "Rest"]
    assert len(after["version"]["trigger"]["nextAction"]["children"]) == 3


@OLDER
def test_validity_and_inputs_follow_from_the_piece(practice: Practice) -> None:
    mail: Json = {"receiver": ["a@example.com"], "subject": "S", "body_type": "html", "body": "T", "draft": False}
    settings = {"pieceName": "@activepieces/piece-gmail", "pieceVersion": "0.9.4", "actionName": "send_email"}
    step: Json = {"name": "step_1", "displayName": "Mail", "type": "PIECE", "valid": True, "settings": settings}
    flow = make(practice)
    added = operate(
        practice,
        flow,
        "ADD_ACTION",
        {"parentStep": "trigger", "action": {**step, "settings": {**settings, "input": {**mail, "more": 1}}}},
    )
    action = added["version"]["trigger"]["nextAction"]
    assert action["valid"] is False, "the connection is missing"
    assert "more" not in action["settings"]["input"]
    assert action["settings"]["pieceVersion"] == "~0.9.4"
    auth = {**mail, "auth": "{{connections['gmail-sales']}}"}
    changed = operate(practice, flow, "UPDATE_ACTION", {**step, "settings": {**settings, "input": auth}})
    assert changed["version"]["valid"] is True
    assert changed["version"]["connectionIds"] == ["gmail-sales"]
    unknown = {**step, "settings": {**settings, "pieceVersion": "9.9.9", "input": {}}}
    assert operate(practice, flow, "UPDATE_ACTION", unknown, 404)["code"] == "ENTITY_NOT_FOUND"


@pytest.mark.parametrize(("version", "status"), [("0.72.4", 200), ("0.83.0", 204)])
def test_replacing_a_connection_repoints_the_flows(practice: Practice, version: str, status: int) -> None:
    practice.engine.settings.version = version
    project = {"projectId": practice.credentials.project_id}
    body = {
        **project,
        "externalId": "gmail-2",
        "displayName": "G2",
        "pieceName": "@activepieces/piece-gmail",
        "type": "NO_AUTH",
        "value": {"type": "NO_AUTH"},
    }
    target = practice.call("POST", "/v1/app-connections", json=body).json()["id"]
    rows = practice.call("GET", "/v1/app-connections", params={**project, "limit": 100}).json()["data"]
    source = next(row for row in rows if row["externalId"] == "gmail-sales")
    assert source["flowIds"]
    replace = {**project, "sourceAppConnectionId": source["id"], "targetAppConnectionId": target}
    assert practice.call("POST", "/v1/app-connections/replace", json=replace).status_code == status
    rows = practice.call("GET", "/v1/app-connections", params={**project, "limit": 100}).json()["data"]
    found = {row["externalId"]: row["flowIds"] for row in rows if row["externalId"].startswith("gmail")}
    assert found == {"gmail-2": source["flowIds"]}


@OLDER
def test_filters_of_the_list(practice: Practice) -> None:
    project = practice.credentials.project_id

    def names(**query: Any) -> set[str]:
        rows = practice.call("GET", "/v1/flows", params={"projectId": project, "limit": 100, **query}).json()["data"]
        return {row["version"]["displayName"] for row in rows}

    assert names(status="DISABLED") == {"Old price sync", "Chăm sóc sau bán (nháp)"}
    assert names(status=["DISABLED", "ENABLED"]) == names()
    assert names(name="ĐƠN hàng") == {"Tiếp nhận đơn hàng"}
    assert names(folderId="NULL") == {"Gộp dữ liệu năm", "Legacy connector", "Endless import"}
    assert names(connectionExternalIds="slack-team") == {"Welcome mail (new text)"}
    assert "Daily sales report" not in names(tags="orders")
    assert practice.call("GET", "/v1/flows/count", params={"status": "DISABLED"}).json() == 2
    unknown = practice.call("GET", "/v1/flows", params={"projectId": project, "what": "ever", "limit": "2"})
    assert len(unknown.json()["data"]) == 2
