"""What 0.83 does with flows beyond what single recordings show (engine-0.83.md sections 4 to 6)."""

import time
from typing import Any

import pytest

from tests.practice_engine.fixtures import Practice
from tests.practice_engine.player import code_step
from tests.practice_engine.test_flows import loop_step, make, operate, order, router_step

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

Json = dict[str, Any]


def flows(practice: Practice, **query: Any) -> Json:
    asked = {"projectId": practice.credentials.project_id, **query}
    found: Json = practice.call("GET", "/v1/flows", params=asked).json()
    return found


def tree(flow: Json) -> str:
    return " ".join(order(flow))


@pytest.fixture
def flow(newer: Practice) -> str:
    """A flow with code, a loop and a router after one another."""
    return make(newer, code_step("step_1"), loop_step("step_2"), router_step("step_3"))


def test_a_walk_through_the_list_loses_nothing_forwards_and_backwards(newer: Practice) -> None:
    every = [row["id"] for row in flows(newer, limit=0)["data"]]
    assert len(every) > 20
    page = flows(newer, limit=4)
    seen = [row["id"] for row in page["data"]]
    while page["next"]:
        page = flows(newer, limit=4, cursor=page["next"])
        seen += [row["id"] for row in page["data"]]
    assert seen == every
    back = [row["id"] for row in page["data"]]
    while page["previous"]:
        page = flows(newer, limit=4, cursor=page["previous"])
        back = [row["id"] for row in page["data"]] + back
    assert back == every


def test_the_enabled_come_first_and_of_each_the_last_changed(newer: Practice) -> None:
    rows = [(row["status"] != "ENABLED", row["updated"]) for row in flows(newer, limit=0)["data"]]
    assert [off for off, _ in rows] == sorted(off for off, _ in rows)
    for status in (False, True):
        moments = [moment for off, moment in rows if off is status]
        assert moments == sorted(moments, reverse=True)


def test_a_cursor_that_cannot_be_read_gives_the_first_page(newer: Practice) -> None:
    assert flows(newer, limit=2, cursor="nonsense")["data"] == flows(newer, limit=2)["data"]


def test_only_a_page_with_a_flow_that_was_never_published_has_no_published_versions(newer: Practice) -> None:
    assert len(flows(newer, versionState="LOCKED", limit=2)["data"]) == 2
    asked = {"projectId": newer.credentials.project_id, "versionState": "LOCKED", "limit": 0}
    assert newer.call("GET", "/v1/flows", params=asked).status_code == 404


def test_flows_made_before_an_upgrade_are_shown_as_new_ones_and_can_still_be_changed(newer: Practice) -> None:
    orders = newer.sample("orders").id
    old = newer.call("GET", f"/v1/flows/{orders}").json()
    assert old["ownerId"]
    assert old["version"]["notes"] == []
    settings = old["version"]["trigger"]["settings"]
    assert settings["pieceVersion"] == "0.1.25"
    step = {key: old["version"]["trigger"][key] for key in ("name", "type", "displayName", "valid", "settings")}
    changed = operate(newer, orders, "UPDATE_TRIGGER", {**step, "displayName": "Called"})
    assert changed["version"]["trigger"]["settings"]["pieceVersion"] == "0.1.25"
    assert changed["version"]["state"] == "DRAFT"


def test_the_older_version_sees_nothing_of_what_is_new(newer: Practice, flow: str) -> None:
    operate(newer, flow, "UPDATE_MINUTES_SAVED", {"timeSavedPerRun": 5})
    newer.engine.settings.version = "0.72.4"
    seen = newer.call("GET", f"/v1/flows/{flow}").json()
    assert not {"timeSavedPerRun", "ownerId", "templateId"} & set(seen)
    assert "lastUpdatedDate" not in str(seen)


def test_a_flow_in_two_users_hands_names_who_changed_each_version(newer: Practice, flow: str) -> None:
    operate(newer, flow, "LOCK_AND_PUBLISH", {})
    colleague = {"Authorization": f"Bearer {newer.credentials.bearer_token_colleague}"}
    body = {"type": "CHANGE_NAME", "request": {"displayName": "Theirs"}}
    newer.call("POST", f"/v1/flows/{flow}", credential=colleague, json=body)
    rows = newer.call("GET", f"/v1/flows/{flow}/versions").json()["data"]
    assert [row["updatedByUser"]["id"] for row in rows] == [row["updatedBy"] for row in rows]
    assert rows[0]["updatedByUser"]["lastName"] == "Trần"


@pytest.mark.parametrize(
    ("kind", "request_body"),
    [
        ("MOVE_ACTION", {"name": "step_1", "newParentStep": "step_9"}),
        ("MOVE_ACTION", {"name": "step_1", "newParentStep": "step_2"}),
        (
            "MOVE_ACTION",
            {"name": "step_1", "newParentStep": "step_2", "stepLocationRelativeToNewParent": "INSIDE_BRANCH"},
        ),
        ("DUPLICATE_ACTION", {"stepName": "step_9"}),
        ("UPDATE_ACTION", {**code_step("step_1"), "settings": {}}),
        ("IMPORT_FLOW", {"displayName": "x", "trigger": {"type": "EMPTY"}, "schemaVersion": None}),
    ],
)
def test_a_refused_operation_changes_nothing(newer: Practice, flow: str, kind: str, request_body: Json) -> None:
    before = newer.call("GET", f"/v1/flows/{flow}").json()["version"]["trigger"]
    answer = newer.call("POST", f"/v1/flows/{flow}", json={"type": kind, "request": request_body})
    assert answer.status_code in (400, 404)
    assert newer.call("GET", f"/v1/flows/{flow}").json()["version"]["trigger"] == before


def test_a_step_moved_into_its_own_inside_is_gone_with_all_its_steps(newer: Practice, flow: str) -> None:
    inside = {"parentStep": "step_2", "stepLocationRelativeToParent": "INSIDE_LOOP", "action": code_step("step_4")}
    operate(newer, flow, "ADD_ACTION", inside)
    moved = operate(
        newer,
        flow,
        "MOVE_ACTION",
        {"name": "step_2", "newParentStep": "step_4", "stepLocationRelativeToNewParent": "AFTER"},
    )
    assert tree(moved) == "trigger step_1 step_3"


def test_a_copy_of_a_loop_reads_its_own_item(newer: Practice, flow: str) -> None:
    reads = code_step("step_4", item="{{step_2['item']}} of {{step_1}}")
    operate(
        newer,
        flow,
        "ADD_ACTION",
        {"parentStep": "step_2", "stepLocationRelativeToParent": "INSIDE_LOOP", "action": reads},
    )
    copied = operate(newer, flow, "DUPLICATE_ACTION", {"stepName": "step_2"})
    copy = copied["version"]["trigger"]["nextAction"]["nextAction"]["nextAction"]
    assert copy["name"] == "step_5"
    assert copy["firstLoopAction"]["settings"]["input"] == {"item": "{{step_5['item']}} of {{step_1}}"}


def test_a_new_name_of_a_flow_leaves_the_date_of_its_trigger(newer: Practice) -> None:
    asked = {"displayName": "New", "projectId": newer.credentials.project_id}
    made = newer.call("POST", "/v1/flows", json=asked).json()
    time.sleep(0.002)
    renamed = operate(newer, made["id"], "CHANGE_NAME", {"displayName": "Other"})["version"]
    assert renamed["updated"] > made["version"]["updated"]
    assert renamed["trigger"]["lastUpdatedDate"] == made["version"]["trigger"]["lastUpdatedDate"]


def test_notes_go_with_a_draft_and_come_back_with_the_version_they_are_of(newer: Practice, flow: str) -> None:
    note = {"id": "n", "content": "Hi", "color": "red", "position": {"x": 0, "y": 0}, "size": {"width": 9, "height": 9}}
    operate(newer, flow, "ADD_NOTE", note)
    published = operate(newer, flow, "LOCK_AND_PUBLISH", {})["version"]["id"]
    assert operate(newer, flow, "DELETE_NOTE", {"id": "n"})["version"]["notes"] == []
    again = operate(newer, flow, "USE_AS_DRAFT", {"versionId": published})
    assert [one["content"] for one in again["version"]["notes"]] == ["Hi"]


def test_what_is_exported_can_be_imported_into_either_version(newer: Practice, flow: str) -> None:
    file = newer.call("GET", f"/v1/flows/{flow}/template").json()["flows"][0]
    there = make(newer)
    back = operate(newer, there, "IMPORT_FLOW", {key: file[key] for key in ("displayName", "trigger", "schemaVersion")})
    assert tree(back) == "trigger step_1 step_2 step_3"
    newer.engine.settings.version = "0.72.4"
    older = newer.call("GET", f"/v1/flows/{flow}/template").json()["template"]
    newer.engine.settings.version = "0.83.0"
    asked = {key: older[key] for key in ("displayName", "trigger", "schemaVersion")}
    assert tree(operate(newer, there, "IMPORT_FLOW", asked)) == "trigger step_1 step_2 step_3"


def test_a_flow_being_deleted_has_no_version_to_edit(newer: Practice, flow: str) -> None:
    newer.engine.settings.delete_after = 3600
    operate(newer, flow, "LOCK_AND_PUBLISH", {})
    assert newer.call("DELETE", f"/v1/flows/{flow}").status_code == 204
    assert newer.call("GET", f"/v1/flows/{flow}").json()["operationStatus"] == "DELETING"
    assert newer.call("DELETE", f"/v1/flows/{flow}").status_code == 409
    assert flow not in [row["id"] for row in flows(newer, limit=0)["data"]]
    assert operate(newer, flow, "CHANGE_NAME", {"displayName": "x"}, 404)["params"]["entityType"] == "FlowVersion"


def _connection(practice: Practice, name: str) -> str:
    body = {"externalId": name, "displayName": name, "pieceName": "@activepieces/piece-gmail", "type": "NO_AUTH"}
    more = {"value": {"type": "NO_AUTH"}, "projectId": practice.credentials.project_id}
    return str(practice.call("POST", "/v1/app-connections", json=body | more).json()["id"])


def _mail(connection: str, subject: str) -> Json:
    values = {
        "auth": f"{{{{connections['{connection}']}}}}",
        "receiver": ["a@example.com"],
        "subject": subject,
        "body": "b",
    }
    settings: Json = {"pieceName": "@activepieces/piece-gmail", "pieceVersion": "~0.9.4", "actionName": "send_email"}
    step = code_step("step_1")
    settings |= {
        "input": values,
        "propertySettings": {},
        "errorHandlingOptions": step["settings"]["errorHandlingOptions"],
    }
    return {**step, "type": "PIECE", "settings": settings}


def _replace(practice: Practice, source: str, target: str, **more: Any) -> int:
    body = {"sourceAppConnectionId": source, "targetAppConnectionId": target, **more}
    body["projectId"] = practice.credentials.project_id
    return practice.call("POST", "/v1/app-connections/replace", json=body).status_code


def _subject(version: Json) -> tuple[str, str]:
    values = version["trigger"]["nextAction"]["settings"]["input"]
    return values["subject"], values["auth"]


@pytest.mark.parametrize("flags", [{}, {"applyToPublishedVersions": False, "deleteSourceConnection": False}])
def test_replacing_a_connection_publishes_the_newest_locked_version_and_turns_the_flow_on(
    newer: Practice, flags: Json
) -> None:
    """Recordings conn_replace_off_ui_*, conn_replace_off_console_*: no key of the request changes it."""
    source, target = _connection(newer, "team"), _connection(newer, "office")
    _connection(newer, "team-two")
    mail = _mail("team", "Published")
    mail["settings"]["pieceVersion"] = newer.call("GET", "/v1/pieces/@activepieces/piece-gmail").json()["version"]
    off, live, never = make(newer, mail), make(newer, mail), make(newer, mail)
    other = make(
        newer, {**mail, "settings": {**mail["settings"], "input": _mail("team-two", "x")["settings"]["input"]}}
    )
    operate(newer, off, "LOCK_AND_PUBLISH", {"status": "DISABLED"})
    for subject in ("Locked, never published", "Draft"):
        mail["settings"]["input"] = {**mail["settings"]["input"], "subject": subject}
        operate(newer, off, "UPDATE_ACTION", mail)
        if subject != "Draft":
            operate(newer, off, "LOCK_FLOW", {})
    operate(newer, live, "LOCK_AND_PUBLISH", {})
    draft = newer.call("GET", f"/v1/flows/{off}").json()["version"]["id"]
    assert _replace(newer, source, target, **flags) == 204
    flow = newer.call("GET", f"/v1/flows/{off}").json()
    assert (flow["status"], flow["publishedVersionId"]) == ("ENABLED", draft)
    assert _subject(flow["version"]) == ("Draft", "{{connections['office']}}")
    published = newer.call("GET", f"/v1/flows/{off}", params={"versionId": draft}).json()["version"]
    assert _subject(published) == ("Locked, never published", "{{connections['office']}}")
    flow = newer.call("GET", f"/v1/flows/{live}").json()
    assert (flow["status"], flow["publishedVersionId"]) == ("ENABLED", flow["version"]["id"])
    flow = newer.call("GET", f"/v1/flows/{never}").json()
    assert (flow["status"], flow["publishedVersionId"], flow["version"]["state"]) == ("DISABLED", None, "DRAFT")
    assert _subject(flow["version"])[1] == "{{connections['office']}}"
    assert _subject(newer.call("GET", f"/v1/flows/{other}").json()["version"])[1] == "{{connections['team-two']}}"
    assert source not in newer.engine.state.connections
    assert _replace(newer, source, target) == 404
    assert _replace(newer, target, target) == 204
    assert target not in newer.engine.state.connections, "onto itself it is deleted (conn_replace_other_08)"
