"""Connections, MCP servers, folders, triggers and options: calls that were not recorded (api.md sections 9 to 15)."""

from typing import Any

import pytest

from tests.practice_engine.fixtures import Practice

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

#: What only the older version does, or does otherwise.
OLDER = pytest.mark.usefixtures("older")
Json = dict[str, Any]
OAUTH = {"client_id": "c", "code": "code-k", "scope": "s", "redirect_url": "https://a.example"}
VARIANTS: list[tuple[str, Json]] = [
    ("SECRET_TEXT", {"secret_text": "s"}),
    ("BASIC_AUTH", {"username": "u", "password": "p"}),
    ("CUSTOM_AUTH", {"props": {"apiKey": "s"}}),
    ("NO_AUTH", {}),
    ("OAUTH2", {**OAUTH, "client_secret": "s", "grant_type": "authorization_code", "authorization_method": "BODY"}),
    ("PLATFORM_OAUTH2", OAUTH),
    ("CLOUD_OAUTH2", {key: OAUTH[key] for key in ("client_id", "code", "scope")}),
]


def upsert(practice: Practice, kind: str, value: Json, piece: str = "gmail", **more: Any) -> Any:
    body: Json = {"externalId": "x", "displayName": "X", "pieceName": f"@activepieces/piece-{piece}", "type": kind}
    body |= {"projectId": practice.credentials.project_id, "value": {"type": kind, **value}, **more}
    return practice.call("POST", "/v1/app-connections", json=body)


@pytest.mark.parametrize(("kind", "value"), VARIANTS)
@OLDER
def test_every_kind_of_connection_is_taken_and_needs_each_of_its_values(
    practice: Practice, kind: str, value: Json
) -> None:
    made = upsert(practice, kind, value)
    assert made.status_code == 201
    assert "value" not in made.json()
    for name in {"secret_text", "username", "password", "props", "client_id", "client_secret", "code"} & set(value):
        lacking = {key: text for key, text in value.items() if key != name}
        assert upsert(practice, kind, lacking).json()["code"] == "FST_ERR_VALIDATION"
    assert upsert(practice, kind, {**value, "type": "OTHER"}).status_code == 400


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("SECRET_TEXT", {"secret_text": "wrong"}, "INVALID_APP_CONNECTION"),
        ("CUSTOM_AUTH", {"props": {"apiKey": "a wrong one"}}, "INVALID_APP_CONNECTION"),
        ("CLOUD_OAUTH2", {"client_id": "c", "code": "guessed", "scope": ""}, "INVALID_CLOUD_CLAIM"),
        ("OAUTH2", {**OAUTH, "client_secret": "s", "code": "guessed"}, "INVALID_CLAIM"),
        ("OAUTH2", {**OAUTH, "client_secret": "wrong"}, "INVALID_CLAIM"),
    ],
)
def test_a_secret_that_the_piece_refuses_is_a_400(practice: Practice, kind: str, value: Json, code: str) -> None:
    refused = upsert(practice, kind, value)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert upsert(practice, "SECRET_TEXT", {"secret_text": "wrong"}, piece="discord").status_code == 201, (
        "no check without auth"
    )


def test_a_code_is_good_once(practice: Practice) -> None:
    value = {**OAUTH, "client_secret": "s"}
    assert upsert(practice, "OAUTH2", {**value, "client_secret": "wrong"}).status_code == 400
    assert upsert(practice, "OAUTH2", value).status_code == 201
    again = upsert(practice, "OAUTH2", value)
    assert (again.status_code, again.json()["code"]) == (400, "INVALID_CLAIM")
    assert again.json()["params"] == {
        "clientId": "c",
        "tokenUrl": "https://google.example/oauth/token",
        "redirectUrl": "https://a.example",
    }
    by_client = {**value, "code": "none", "grant_type": "client_credentials"}
    assert upsert(practice, "OAUTH2", by_client).status_code == 201


def test_a_connection_of_the_platform_says_204_and_stays(practice: Practice) -> None:
    query = {"projectId": practice.credentials.project_id, "scope": "PLATFORM"}
    shared = practice.call("GET", "/v1/app-connections", params=query).json()["data"]
    assert [row["externalId"] for row in shared] == ["sheets-shared"]
    assert practice.call("DELETE", f"/v1/app-connections/{shared[0]['id']}").status_code == 204
    assert practice.call("GET", "/v1/app-connections", params=query).json()["data"] == shared


def test_the_sample_connections_show_every_status(practice: Practice) -> None:
    query = {"projectId": practice.credentials.project_id, "limit": 100}
    rows = practice.call("GET", "/v1/app-connections", params=query).json()["data"]
    assert {row["status"] for row in rows} == {"ACTIVE", "ERROR", "MISSING"}
    both = practice.call("GET", "/v1/app-connections", params={**query, "status": ["ERROR", "MISSING"]}).json()["data"]
    assert {row["externalId"] for row in both} == {"slack-team", "zalo-oa"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "", 404), ("DELETE", "", 404), ("POST", "", 500), ("POST", "/rotate", 500)],
)
@OLDER
def test_an_unknown_mcp_server(practice: Practice, method: str, path: str, status: int) -> None:
    body: Json = {"json": {}} if method == "POST" else {}
    response = practice.call(method, f"/v1/mcp-servers/{'A' * 21}{path}", **body)
    assert response.status_code == status


@OLDER
def test_the_tools_of_an_mcp_server_are_replaced_and_renamed(practice: Practice) -> None:
    project = practice.credentials.project_id
    server = practice.call("POST", "/v1/mcp-servers", json={"name": "M", "projectId": project}).json()["id"]
    flows = [{"type": "FLOW", "toolName": "t" * 60, "flowId": practice.sample(slug).id} for slug in ("quick", "draft")]
    tools = practice.call("POST", f"/v1/mcp-servers/{server}", json={"tools": flows}).json()["tools"]
    assert [tool["flow"]["version"]["displayName"] for tool in tools] == ["Greet a customer"], "a draft makes no tool"
    assert len(tools[0]["toolName"]) <= 47
    assert tools[0]["toolName"].endswith(f"_{tools[0]['id'][:4]}")
    lacking = {"tools": [{"type": "FLOW", "toolName": "x"}]}
    assert practice.call("POST", f"/v1/mcp-servers/{server}", json=lacking).status_code == 400
    assert practice.call("POST", f"/v1/mcp-servers/{server}", json={"tools": []}).json()["tools"] == []


def test_a_folder_is_found_by_its_name_whatever_its_case_and_leaves_its_flows(practice: Practice) -> None:
    project = practice.credentials.project_id
    folders = practice.call("GET", "/v1/folders", params={"projectId": project}).json()["data"]
    care = next(row for row in folders if row["displayName"] == "Chăm sóc khách hàng")
    again = practice.call("POST", "/v1/folders", json={"displayName": "CHĂM SÓC khách hàng", "projectId": project})
    assert (again.status_code, again.json()["id"]) == (200, care["id"])
    assert int(care["numberOfFlows"]) == again.json()["numberOfFlows"] > 0
    other = next(row for row in folders if row["id"] != care["id"])
    taken = practice.call("POST", f"/v1/folders/{other['id']}", json={"displayName": care["displayName"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "VALIDATION")
    assert practice.call("DELETE", f"/v1/folders/{care['id']}").status_code == 200
    assert practice.call("GET", f"/v1/flows/{practice.sample('pausing').id}").json()["folderId"] is None


def test_each_sample_flow_with_a_payload_has_a_sample_event(practice: Practice) -> None:
    query = {"projectId": practice.credentials.project_id, "flowId": practice.sample("orders").id}
    event = practice.call("GET", "/v1/trigger-events", params=query).json()["data"][0]
    assert event["payload"]["body"] == practice.sample("orders").payload
    assert event["sourceName"] == "@activepieces/piece-webhook@0.1:catch_webhook"


def test_options_need_a_connection_where_the_piece_does(practice: Practice) -> None:
    flow = practice.call("GET", f"/v1/flows/{practice.sample('changed').id}").json()
    body: Json = {
        "pieceName": "@activepieces/piece-google-sheets",
        "pieceVersion": "0.2.0",
        "propertyName": "spreadsheet_id",
    }
    body |= {
        "actionOrTriggerName": "insert_row",
        "flowId": flow["id"],
        "flowVersionId": flow["version"]["id"],
    }
    body |= {"projectId": practice.credentials.project_id}
    without = practice.call("POST", "/v1/pieces/options", json={**body, "input": {}}).json()
    assert (without["options"]["disabled"], without["options"]["options"]) == (True, [])
    auth = {"auth": "{{connections['sheets-shared']}}"}
    found = practice.call("POST", "/v1/pieces/options", json={**body, "input": auth, "searchValue": "kho"}).json()
    assert found["type"] == "DROPDOWN"
    assert [option["label"] for option in found["options"]["options"]] == ["Tồn kho"]
    # The loader of an app throws if it refuses the account.
    broken = {"auth": "{{connections['slack-team']}}"}
    refused = practice.call("POST", "/v1/pieces/options", json={**body, "input": broken}).json()
    assert refused["options"]["placeholder"] == "Throws an error, reconnect or refresh the page"


@OLDER
def test_trigger_figures_speak_of_the_whole_platform(practice: Practice) -> None:
    stranger = {"Authorization": f"Bearer {practice.credentials.bearer_token_stranger}"}
    mine = practice.call("GET", "/v1/trigger-runs/status").json()
    assert practice.call("GET", "/v1/trigger-runs/status", credential=stranger).json() == mine
    figures = mine["pieces"]["@activepieces/piece-webhook"]
    assert sum(day["success"] + day["failure"] for day in figures["dailyStats"].values()) == figures["totalRuns"]


def samples_of(practice: Practice, flow: str) -> list[Json]:
    found: list[Json] = practice.call("GET", "/v1/trigger-events", params={"flowId": flow, "limit": 100}).json()["data"]
    return found


def listen(practice: Practice, flow: str, method: str = "POST") -> int:
    version = practice.engine.state.flows[flow]["versionId"]
    body = {"flowId": flow, "flowVersionId": version, "testStrategy": "SIMULATION"}
    return practice.call(method, "/v1/test-trigger", json=body).status_code


@pytest.mark.parametrize(
    ("slug", "path", "status"), [("quick", "", 200), ("disabled", "", 200), ("disabled", "/sync", 404)]
)
@OLDER
def test_a_test_that_waits_takes_the_next_request_as_its_sample_and_ends(
    practice: Practice, slug: str, path: str, status: int
) -> None:
    flow = practice.sample(slug).id
    before = len(samples_of(practice, flow))
    assert listen(practice, flow) == 200
    assert len(samples_of(practice, flow)) == before
    assert practice.call("POST", f"/v1/webhooks/{flow}{path}", json={"heard": True}).status_code == status
    assert samples_of(practice, flow)[0]["payload"]["body"] == {"heard": True}
    practice.call("POST", f"/v1/webhooks/{flow}", json={"heard": "again"})
    assert len(samples_of(practice, flow)) == before + 1


@OLDER
def test_a_test_that_was_cancelled_hears_nothing(practice: Practice) -> None:
    flow = practice.sample("quick").id
    before = samples_of(practice, flow)
    assert listen(practice, flow) == listen(practice, flow, "DELETE") == 200
    practice.call("POST", f"/v1/webhooks/{flow}", json={})
    assert samples_of(practice, flow) == before


@pytest.mark.parametrize("status", [429, 503])
def test_a_refused_trigger_starts_nothing_and_is_counted_once(practice: Practice, status: int) -> None:
    flow = practice.sample("quick").id
    before = len(practice.runs(flow))
    practice.engine.faults.add("status", "POST", "/v1/webhooks/*", status=status)
    assert practice.call("POST", f"/v1/webhooks/{flow}", json={}).status_code == status
    assert len(practice.journal.triggers(flow)) == 1
    assert len(practice.runs(flow)) == before


def test_two_weeks_of_runs_in_various_states(practice: Practice) -> None:
    states = {run["status"] for run in practice.runs()}
    assert states >= {"SUCCEEDED", "FAILED", "PAUSED", "CANCELED", "MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR"}
    days = {run["created"][:10] for run in practice.runs()}
    assert len(days) >= 10
