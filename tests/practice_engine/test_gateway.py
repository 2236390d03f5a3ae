"""The Imbrace flavour: what the gateway lets through, refuses and changes (api.md sections 2 and 17)."""

from typing import Any

import pytest
import requests

from tests.practice_engine.fixtures import Practice, until

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

FLOWS = "/activepieces/v1/flows"


def ask(practice: Practice, path: str, method: str = "GET", body: Any = None, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return requests.request(method, practice.gateway + path, headers=named, json=body, timeout=30)


def test_each_kind_of_credential_opens_the_gateway(practice: Practice) -> None:
    own = practice.credentials
    for headers in (
        {"x_api_key": own.api_key},
        {"x_access_token": own.access_token},
        {"authorization": f"Bearer {own.jwt}", "x_organization_id": own.organization_id},
    ):
        assert ask(practice, FLOWS, **headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "keys"),
    [
        ({}, 401, {"message"}),
        ({"x_api_key": "api_unknown"}, 401, {"error", "message", "request_id"}),
        ({"x_api_key": "EXPIRED"}, 401, {"error", "message", "request_id"}),
        ({"x_api_key": "SCOPED"}, 403, {"error", "message", "request_id"}),
        ({"x_access_token": "acc_unknown"}, 401, {"message"}),
        ({"x_access_token": "JWT"}, 401, {"message"}),
        ({"authorization": "Bearer JWT"}, 401, {"message"}),
        ({"authorization": "Bearer eyJ.wrong.jwt", "x_organization_id": "org_sao_mai_practice"}, 401, {"message"}),
        ({"authorization": "Bearer JWT", "x_organization_id": "org_nowhere"}, 400, {"message"}),
    ],
)
def test_the_gateway_refuses_without_a_code(
    practice: Practice, headers: dict[str, str], status: int, keys: set[str]
) -> None:
    own = practice.credentials
    real = {"EXPIRED": own.api_key_expired, "SCOPED": own.api_key_scoped, "JWT": own.jwt}
    for name, secret in real.items():
        headers = {key: text.replace(name, secret) for key, text in headers.items()}
    response = ask(practice, FLOWS, **headers)
    assert (response.status_code, set(response.json())) == (status, keys)


def test_a_scoped_key_is_informed_which_path_it_may_not_use(practice: Practice) -> None:
    body = ask(practice, FLOWS, x_api_key=practice.credentials.api_key_scoped).json()
    assert body["error"] == "Forbidden"
    assert body["message"].startswith("Invalid API path: /imbrace/activepieces/v1/flows")


@pytest.mark.parametrize("kind", ["x_api_key", "x_access_token"])
def test_keys_and_opaque_tokens_keep_their_own_organization(practice: Practice, kind: str) -> None:
    secret = practice.credentials.api_key if kind == "x_api_key" else practice.credentials.access_token
    other = practice.credentials.other_organization_id
    path = "/activepieces/v1/users/projects/current"
    response = ask(practice, path, **{kind: secret, "x_organization_id": other})
    assert response.json()["externalId"] == practice.credentials.organization_id
    assert response.json()["type"] == "TEAM"


def test_a_jwt_chooses_the_organization_by_its_header(practice: Practice) -> None:
    own = practice.credentials
    headers = {"authorization": f"Bearer {own.jwt}", "x_organization_id": own.other_organization_id}
    assert ask(practice, "/activepieces/v1/users/projects/current", **headers).json()["id"] == own.other_project_id


def test_the_project_is_optional_and_a_foreign_one_refused_with_a_code(practice: Practice) -> None:
    key = {"x_api_key": practice.credentials.api_key}
    assert ask(practice, FLOWS, **key).status_code == 200
    assert ask(practice, f"{FLOWS}?projectId={practice.credentials.project_id}", **key).status_code == 200
    refused = ask(practice, f"{FLOWS}?projectId={practice.credentials.other_project_id}", **key)
    assert (refused.status_code, refused.json()["code"]) == (403, "AUTHORIZATION")


def test_mcp_servers_need_the_project_on_the_gateway_too(practice: Practice) -> None:
    response = ask(practice, "/activepieces/v1/mcp-servers", x_api_key=practice.credentials.api_key)
    assert (response.status_code, response.json()["code"]) == (400, "FST_ERR_VALIDATION")


def test_the_alias_leads_to_the_same_engine(practice: Practice) -> None:
    key = {"x_api_key": practice.credentials.api_key}
    assert ask(practice, "/activepieces/api/v1/flows", **key).json() == ask(practice, FLOWS, **key).json()


def test_a_stranger_sees_nothing_of_the_other_organization(practice: Practice) -> None:
    flow = practice.sample("quick").id
    stranger = {"x_api_key": practice.credentials.api_key_stranger}
    assert ask(practice, f"{FLOWS}/{flow}", **stranger).status_code == 404
    names = {row["version"]["displayName"] for row in ask(practice, FLOWS, **stranger).json()["data"]}
    assert names == {"Plan a delivery route", "Hồ sơ hải quan"}


def test_a_webhook_needs_some_token_and_looks_at_keys_only(practice: Practice) -> None:
    path = f"/activepieces/v1/webhooks/{practice.sample('quick').id}"
    assert ask(practice, path, "POST", {}).status_code == 401
    assert ask(practice, path, "POST", {}, x_access_token="anything").status_code == 200
    assert ask(practice, path, "POST", {}, authorization="Bearer anything").status_code == 200
    assert ask(practice, path, "POST", {}, x_api_key="api_unknown").status_code == 401


def test_a_run_keeps_the_access_token_it_was_started_with_but_no_key(practice: Practice) -> None:
    flow = practice.sample("quick")
    path = f"/activepieces/v1/webhooks/{flow.id}/sync"
    for headers in ({"x_access_token": practice.credentials.access_token}, {"x_api_key": practice.credentials.api_key}):
        marks = {"x_console_launch_id": "L", "ap_parent_run_id": "Z" * 21}
        assert ask(practice, path, "POST", flow.payload, **marks, **headers).status_code == 200
    runs = until(
        lambda: found if len(found := [run for run in practice.runs(flow.id) if run["parentRunId"]]) == 2 else []
    )
    seen = []
    for run in runs:
        whole = practice.call("GET", f"/v1/flow-runs/{run['id']}").json()
        seen.append(whole["steps"]["trigger"]["output"]["headers"])
    assert {headers.get("x-access-token") for headers in seen} == {practice.credentials.access_token, None}
    assert all("x-api-key" not in headers and headers["x-console-launch-id"] == "L" for headers in seen)
    assert all(headers["x-organization-id"] == practice.credentials.organization_id for headers in seen)


def test_a_gateway_that_gives_up_answers_itself_and_the_run_goes_on(practice: Practice) -> None:
    practice.engine.settings.gateway_limit = 5
    path = f"/activepieces/v1/webhooks/{practice.sample('eight').id}/sync"
    headers = {"x_api_key": practice.credentials.api_key, "ap_parent_run_id": "Z" * 21}
    with practice.engine.clock.held(8):
        response = ask(practice, path, "POST", {}, **headers)
        assert (response.status_code, "x-webhook-id" in response.headers) == (504, False)
    until(lambda: [r for r in practice.runs() if r["parentRunId"] == "Z" * 21 and r["status"] == "SUCCEEDED"])


def test_one_connection_can_be_read_with_its_secret_on_the_gateway_only(practice: Practice) -> None:
    key = {"x_api_key": practice.credentials.api_key}
    listed = ask(practice, "/activepieces/v1/app-connections?limit=100", **key).json()["data"]
    assert listed
    assert all("value" not in row for row in listed)
    whole = ask(practice, f"/activepieces/v1/app-connections/{listed[0]['id']}", **key).json()
    assert whole["value"]["refresh_token"]
    assert practice.call("GET", f"/v1/app-connections/{listed[0]['id']}").status_code == 404


def test_signing_in_and_choosing_an_organization(practice: Practice) -> None:
    own = practice.credentials
    login = {"email": own.email, "password": own.password}
    signed = ask(practice, "/platform/v1/login/authenticate", "POST", login).json()
    assert {one["organization_id"] for one in signed["organizations"]} == {
        own.organization_id,
        own.other_organization_id,
    }
    choose = {"organization_id": own.other_organization_id}
    path = "/platform/v1/access/_exchange_access_token"
    access = ask(practice, path, "POST", choose, x_access_token=signed["token"]).json()
    account = ask(practice, "/platform/v1/account", x_access_token=access["token"]).json()
    assert account["organization_id"] == own.other_organization_id
    assert ask(practice, path, "POST", choose, x_access_token=signed["token"]).status_code == 401, (
        "a login token serves once"
    )


def test_a_wrong_password_is_a_400(practice: Practice) -> None:
    login = {"email": practice.credentials.email, "password": "wrong"}
    response = ask(practice, "/platform/v1/login/sign_in", "POST", login)
    assert (response.status_code, response.json()["code"]) == (400, 40005)


def test_a_key_made_with_permissions_is_a_scoped_one(practice: Practice) -> None:
    token = {"x_access_token": practice.credentials.access_token}
    for permissions, status in (([], 200), (["board"], 403)):
        made = ask(practice, "/v1/platform/third_party_token", "POST", {"permissions": permissions}, **token)
        assert made.status_code == 201
        assert ask(practice, FLOWS, x_api_key=made.json()["apiKey"]["apiKey"]).status_code == status


def test_channel_automations_move_from_the_old_route_to_the_new(practice: Practice) -> None:
    key = {"x_api_key": practice.credentials.api_key}
    new, old = "/channel-service/v1/workflows/channel_automation", "/v2/backend/workflows/channel_automation"
    assert len(ask(practice, new, **key).json()["data"]) == 3
    assert [row["name"] for row in ask(practice, f"{new}?channelType=whatsapp", **key).json()["data"]] == [
        "WhatsApp order updates"
    ]
    assert ask(practice, old, **key).status_code == 404
    practice.engine.settings.new_channel_route, practice.engine.settings.old_channel_route = False, True
    assert ask(practice, new, **key).status_code == 404
    assert len(ask(practice, old, **key).json()["data"]) == 3


def test_invitations_cannot_be_taken_back_on_a_plan_without_roles(practice: Practice) -> None:
    key = {"x_api_key": practice.credentials.api_key}
    answers = {}
    for kind in ("PROJECT", "PLATFORM"):
        rows = ask(practice, f"/activepieces/v1/user-invitations?type={kind}", **key).json()["data"]
        answers[kind] = ask(practice, f"/activepieces/v1/user-invitations/{rows[0]['id']}", "DELETE", **key).status_code
    assert answers == {"PROJECT": 402, "PLATFORM": 403}


def test_the_gateway_gives_back_the_request_id(practice: Practice) -> None:
    key = {"x_api_key": practice.credentials.api_key}
    assert ask(practice, FLOWS, x_request_id="mine", **key).headers["x-request-id"] == "mine"
    assert ask(practice, FLOWS, **key).headers["x-request-id"].startswith("req_")
    assert "x-request-id" not in practice.call("GET", "/v1/users/me").headers


def test_rotating_a_foreign_mcp_token_happens_and_is_then_refused(practice: Practice) -> None:
    own = practice.credentials
    stranger = {"x_api_key": own.api_key_stranger}
    path = "/activepieces/v1/mcp-servers"
    foreign = ask(practice, f"{path}?projectId={own.other_project_id}", **stranger).json()["data"][0]
    assert ask(practice, f"{path}/{foreign['id']}/rotate", "POST", {}, x_api_key=own.api_key).status_code == 403
    assert ask(practice, f"{path}/{foreign['id']}", **stranger).json()["token"] != foreign["token"]
    assert ask(practice, f"{path}/{foreign['id']}", x_api_key=own.api_key).status_code == 404
