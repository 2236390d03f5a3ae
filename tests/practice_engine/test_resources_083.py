"""What 0.83 does with tables, records and MCP servers beyond what single recordings show (engine-0.83.md sections 9 and 10)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from practice_engine.ids import stamp
from tests.practice_engine.fixtures import Practice, until

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

Json = dict[str, Any]


def in_project(practice: Practice, **more: Any) -> Json:
    return {"projectId": practice.credentials.project_id, **more}


def flags(practice: Practice) -> Json:
    found: Json = practice.call("GET", "/v1/flags", credential={}).json()
    return found


@pytest.mark.parametrize(("version", "records", "fields"), [("0.72.4", 1500, 15), ("0.83.0", 10_000, 100)])
def test_the_flags_show_what_a_table_may_hold(practice: Practice, version: str, records: int, fields: int) -> None:
    practice.engine.settings.version = version
    limits = flags(practice)
    assert (limits["MAX_RECORDS_PER_TABLE"], limits["MAX_FIELDS_PER_TABLE"]) == (records, fields)


@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
def test_a_table_that_is_full_refuses_one_more_and_keeps_what_it_has(practice: Practice, version: str) -> None:
    practice.engine.settings.version = version
    practice.engine.settings.max_records_per_table, practice.engine.settings.max_fields_per_table = 2, 1
    limits = flags(practice)
    assert (limits["MAX_RECORDS_PER_TABLE"], limits["MAX_FIELDS_PER_TABLE"]) == (2, 1)
    table = practice.call("POST", "/v1/tables", json=in_project(practice, name="Small")).json()["id"]
    field: Json = {"name": "a", "type": "TEXT", "tableId": table}
    made = practice.call("POST", "/v1/fields", json=field).json()["id"]
    assert practice.call("POST", "/v1/fields", json=field).json()["code"] == "VALIDATION"
    row = [{"fieldId": made, "value": "x"}]
    assert practice.call("POST", "/v1/records", json={"tableId": table, "records": [row] * 3}).status_code == 409
    assert practice.call("POST", "/v1/records", json={"tableId": table, "records": [row] * 2}).status_code == 201
    assert practice.call("POST", "/v1/records", json={"tableId": table, "records": [row]}).status_code == 409
    assert len(practice.call("GET", "/v1/records", params={"tableId": table}).json()["data"]) == 2


def test_records_are_distinguished_by_what_was_never_set_and_what_was_emptied(newer: Practice) -> None:
    table = newer.call("POST", "/v1/tables", json=in_project(newer, name="T")).json()["id"]
    field = newer.call("POST", "/v1/fields", json={"name": "a", "type": "TEXT", "tableId": table}).json()["id"]
    rows = [[], [{"fieldId": field, "value": None}], [{"fieldId": field, "value": "x"}]]
    made = newer.call("POST", "/v1/records", json={"tableId": table, "records": rows}).json()
    assert [record["cells"][field]["value"] for record in made] == [None, "", "x"]
    found = {
        operator: [
            record["id"]
            for record in newer.call(
                "GET",
                "/v1/records",
                params={"tableId": table, "filters[0][fieldId]": field, "filters[0][operator]": operator},
            ).json()["data"]
        ]
        for operator in ("exists", "not_exists")
    }
    assert found == {"exists": [made[2]["id"]], "not_exists": [made[0]["id"], made[1]["id"]]}


@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
def test_a_change_is_dated_at_its_cell_and_not_at_the_record(practice: Practice, version: str) -> None:
    practice.engine.settings.version = version
    table = practice.call("POST", "/v1/tables", json=in_project(practice, name="T")).json()["id"]
    field = practice.call("POST", "/v1/fields", json={"name": "a", "type": "TEXT", "tableId": table}).json()["id"]
    cells = [{"fieldId": field, "value": "x"}]
    made = practice.call("POST", "/v1/records", json={"tableId": table, "records": [cells]}).json()[0]
    until(lambda: stamp() > made["cells"][field]["updated"])
    changed = practice.call("POST", f"/v1/records/{made['id']}", json={"tableId": table, "cells": cells}).json()
    assert changed["updated"] == made["updated"] <= made["cells"][field]["updated"] < changed["cells"][field]["updated"]


def test_a_project_has_one_mcp_server_whose_token_is_replaced_and_whose_tools_are_switched(newer: Practice) -> None:
    path = f"/v1/projects/{newer.credentials.project_id}/mcp-server"
    first = newer.call("GET", path).json()
    assert newer.call("GET", path).json() == first
    assert len(first["token"]) == 72
    assert newer.call("POST", path, json={"enabledTools": []}).json() == {
        **first,
        "enabledTools": [],
        "updated": newer.call("GET", path).json()["updated"],
    }
    rotated = newer.call("POST", f"{path}/rotate", json={}).json()
    assert rotated["token"] != first["token"]
    assert newer.call("GET", path).json() == rotated
    assert newer.call("POST", path, json={"enabledTools": [1]}).status_code == 400
    assert newer.call("POST", path, json={}).json()["enabledTools"] == []


def test_the_flows_of_an_mcp_server_are_those_that_start_with_the_mcp_piece(newer: Practice) -> None:
    path = f"/v1/projects/{newer.credentials.project_id}/mcp-server"
    assert newer.call("GET", path).json()["flows"] == []
    flow = newer.call("POST", "/v1/flows", json=in_project(newer, displayName="Look up stock")).json()["id"]
    settings: Json = {"pieceName": "@activepieces/piece-mcp", "pieceVersion": "0.1.0", "triggerName": "mcp_tool"}
    settings |= {
        "input": {"toolName": "stock", "toolDescription": "d", "returnsResponse": False},
        "propertySettings": {},
    }
    trigger = {
        "name": "trigger",
        "valid": True,
        "displayName": "MCP Tool",
        "type": "PIECE_TRIGGER",
        "settings": settings,
    }
    assert (
        newer.call("POST", f"/v1/flows/{flow}", json={"type": "UPDATE_TRIGGER", "request": trigger}).status_code == 200
    )
    assert [(one["id"], one["version"]["displayName"]) for one in newer.call("GET", path).json()["flows"]] == [
        (flow, "Look up stock")
    ]


def test_an_mcp_server_of_another_project_is_for_admins_and_its_members(newer: Practice) -> None:
    path = f"/v1/projects/{newer.credentials.project_id}/mcp-server"
    stranger = {"Authorization": f"Bearer {newer.credentials.bearer_token_stranger}"}
    refused = newer.call("POST", f"{path}/rotate", credential=stranger, json={})
    assert (refused.status_code, refused.json()["code"]) == (403, "AUTHORIZATION")
    theirs = f"/v1/projects/{newer.credentials.other_project_id}/mcp-server"
    assert newer.call("GET", theirs, credential=stranger).status_code == 200
    assert newer.call("GET", theirs).status_code == 200, "the owner is the platform's admin"


def test_a_piece_that_is_not_installed_is_known_to_nobody_until_it_is(newer: Practice) -> None:
    name = "@activepieces/piece-slack"
    newer.engine.settings.missing_pieces = [name]
    assert newer.call("GET", f"/v1/pieces/{name}").status_code == 404
    assert name not in {row["name"] for row in newer.call("GET", "/v1/pieces").json()}
    flow = newer.call("POST", "/v1/flows", json=in_project(newer, displayName="F")).json()["id"]
    settings: Json = {"pieceName": name, "pieceVersion": "0.10.1", "actionName": "send_channel_message", "input": {}}
    settings |= {"propertySettings": {}, "errorHandlingOptions": {}}
    action: Json = {"name": "step_1", "type": "PIECE", "valid": True, "displayName": "Tell", "settings": settings}
    added: Json = {"type": "ADD_ACTION", "request": {"parentStep": "trigger", "action": action}}
    assert newer.call("POST", f"/v1/flows/{flow}", json=added).status_code == 404
    asked = {"packageType": "REGISTRY", "scope": "PLATFORM", "pieceName": name, "pieceVersion": "0.10.1"}
    assert newer.call("POST", "/v1/pieces", json=asked).json()["name"] == name
    assert newer.call("GET", f"/v1/pieces/{name}").status_code == 200
    assert newer.call("POST", f"/v1/flows/{flow}", json=added).status_code == 200


@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
def test_a_piece_says_what_each_of_its_triggers_needs_and_speaks_the_language_asked_for(
    practice: Practice, version: str
) -> None:
    practice.engine.settings.version = version
    webhook = practice.call("GET", "/v1/pieces/@activepieces/piece-webhook").json()
    trigger = webhook["triggers"]["catch_webhook"]
    assert trigger["handshakeConfiguration"] == trigger["renewConfiguration"] == {"strategy": "NONE"}
    assert trigger["sampleData"] is None
    assert ("contextInfo" in webhook) is (version == "0.83.0")
    delay = practice.call("GET", "/v1/pieces/@activepieces/piece-delay", params={"locale": "vi"}).json()
    assert delay["actions"]["delayFor"]["props"]["unit"]["displayName"] == delay["i18n"]["vi"]["Unit"] == "Đơn vị"
    listed = practice.call("GET", "/v1/pieces", params={"searchQuery": "delay", "locale": "vi"}).json()
    assert listed[0]["description"] == "Chờ trước bước tiếp theo."
    assert "i18n" not in listed[0]


@pytest.mark.parametrize(
    ("version", "asked", "status"),
    [
        *(("0.72.4", "x", 400), ("0.72.4", "0.1.25", 200), ("0.72.4", "0.1.20", 200), ("0.72.4", "0.1.26", 404)),
        *(("0.83.0", "x", 400), ("0.83.0", "", 400), ("0.83.0", "0.1.29", 200), ("0.83.0", "~0.1.30", 404)),
        *(("0.83.0", "^0.1.0", 200), ("0.83.0", "^0.2.0", 404), ("0.83.0", "9.9.9", 404)),
    ],
)
def test_a_version_of_a_piece_is_one_that_the_engine_has(
    practice: Practice, version: str, asked: str, status: int
) -> None:
    practice.engine.settings.version = version
    found = practice.call("GET", "/v1/pieces/@activepieces/piece-webhook", params={"version": asked})
    assert found.status_code == status


@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
def test_nobody_is_invited_to_a_personal_project(practice: Practice, version: str) -> None:
    practice.engine.settings.version = version
    asked = in_project(practice, type="PROJECT", email="dev@example.com", projectRole="Editor")
    refused = practice.call("POST", "/v1/user-invitations", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (409, "VALIDATION")
    listed = practice.call("GET", "/v1/user-invitations", params=in_project(practice, type="PROJECT"))
    assert (listed.status_code, listed.json()["code"]) == (409, "VALIDATION")
    at_gateway = practice.call("POST", "/v1/user-invitations", "imbrace", json=asked)
    assert (at_gateway.status_code, at_gateway.json()["code"]) == (402, "FEATURE_DISABLED")


def test_inviting_to_a_team_project_is_not_in_the_plan_unless_it_is(newer: Practice) -> None:
    team = newer.call("POST", "/v1/projects", json={"displayName": "Team"}).json()["id"]
    asked = {"type": "PROJECT", "email": "dev@example.com", "projectRole": "Editor", "projectId": team}
    assert newer.call("POST", "/v1/user-invitations", json=asked).status_code == 402
    newer.engine.settings.invitations_in_plan = True
    made = newer.call("POST", "/v1/user-invitations", json=asked)
    assert (made.status_code, made.json()["projectId"]) == (201, team)
    listed = newer.call("GET", "/v1/user-invitations", params={"type": "PROJECT", "projectId": team}).json()["data"]
    assert [row["email"] for row in listed] == ["dev@example.com"]


def test_who_accepts_an_invitation_signs_up_once_with_the_role_that_it_gave(newer: Practice) -> None:
    def sign_up() -> Any:
        who = {"email": "new@example.com", "password": "a password", "firstName": "Nu", "lastName": "Er"}
        return newer.call("POST", "/v1/authentication/sign-up", credential={}, json=who)

    asked = {"type": "PLATFORM", "email": "new@example.com", "platformRole": "MEMBER"}
    made = newer.call("POST", "/v1/user-invitations", json=asked).json()
    assert sign_up().status_code == 403
    token = parse_qs(urlsplit(made["link"]).query)["token"][0]
    body = {"invitationToken": token}
    assert newer.call("POST", "/v1/user-invitations/accept", credential={}, json=body).json()["status"] == "PENDING"
    assert token not in newer.call("GET", "/v1/user-invitations", params={"type": "PLATFORM"}).text
    joined = sign_up().json()
    assert joined["platformRole"] == "MEMBER"
    credential = {"Authorization": f"Bearer {joined['token']}"}
    query = {"projectId": joined["projectId"]}
    for path in ("flows", "folders", "app-connections", "tables"):
        own = newer.call("GET", f"/v1/{path}", credential=credential, params=query)
        assert (own.status_code, own.json()["data"]) == (200, []), path
        other = newer.call("GET", f"/v1/{path}", credential=credential, params=in_project(newer))
        assert (other.status_code, other.json()["code"]) == (403, "AUTHORIZATION"), path


def test_the_sample_company_is_whole_in_either_version(practice: Practice) -> None:
    def seen() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in ("folders", "app-connections", "tables", "flows"):
            rows = practice.call("GET", f"/v1/{path}", params=in_project(practice, limit=500)).json()["data"]
            found[path] = sorted(row["id"] for row in rows)
        found["pieces"] = sorted(row["name"] for row in practice.call("GET", "/v1/pieces").json())
        invited = practice.call("GET", "/v1/user-invitations", params={"type": "PLATFORM"}).json()["data"]
        return {**found, "invitations": [row["id"] for row in invited]}

    before = seen()
    assert all(before.values())
    practice.engine.settings.version = "0.83.0"
    assert seen() == before


def test_the_gateway_keeps_the_mcp_servers_of_its_version(newer: Practice) -> None:
    assert newer.call("GET", "/v1/mcp-servers", "imbrace", params=in_project(newer)).json()["data"] != []
    missing = newer.call("GET", f"/v1/projects/{newer.credentials.project_id}/mcp-server", "imbrace")
    assert missing.status_code == 404
