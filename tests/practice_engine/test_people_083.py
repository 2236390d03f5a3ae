"""Who gets in on 0.83, and where, beyond what single recordings show (engine-0.83.md sections 2 and 3)."""

from typing import Any

import pytest

from tests.practice_engine.fixtures import Practice, until

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

Json = dict[str, Any]
NOBODY = "A" * 21


def sign_in(practice: Practice, password: str = "") -> Any:
    own = practice.credentials
    body = {"email": own.email, "password": password or own.password}
    return practice.call("POST", "/v1/authentication/sign-in", credential={}, json=body)


def bearer(token: str) -> Json:
    return {"Authorization": f"Bearer {token}"}


def test_the_fifty_first_sign_in_of_a_minute_is_refused_and_later_ones_are_not(newer: Practice) -> None:
    newer.engine.clock.scale = 1.0
    assert {sign_in(newer, "wrong").status_code for _ in range(50)} == {401}
    refused = sign_in(newer)
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (429, "0")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    newer.engine.clock.scale = 0.001
    until(lambda: sign_in(newer).status_code == 200)


def test_signing_in_is_not_counted_on_the_older_version(older: Practice) -> None:
    assert "x-ratelimit-limit" not in sign_in(older).headers


def test_a_token_from_signing_in_opens_the_person_s_own_project(newer: Practice) -> None:
    given = sign_in(newer).json()
    query = {"projectId": given["projectId"]}
    assert newer.call("GET", "/v1/flows", credential=bearer(given["token"]), params=query).status_code == 200
    assert newer.call("GET", f"/v1/users/{given['id']}").json()["email"] == newer.credentials.email


def test_an_administrator_reaches_every_project_by_list_and_by_id(newer: Practice) -> None:
    rows = newer.call("GET", "/v1/projects").json()["data"]
    assert {row["id"] for row in rows} == {newer.credentials.project_id, newer.credentials.other_project_id}
    there = {"projectId": newer.credentials.other_project_id}
    flow = newer.call("GET", "/v1/flows", params=there).json()["data"][0]
    assert newer.call("GET", f"/v1/flows/{flow['id']}").json()["projectId"] == newer.credentials.other_project_id


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/v1/flows", {"params": {"projectId": "PROJECT"}}),
        ("GET", "/v1/flows/FLOW", {}),
        ("POST", "/v1/flows/FLOW", {"json": {"type": "CHANGE_NAME", "request": {"displayName": "taken"}}}),
        ("DELETE", "/v1/flows/FLOW", {}),
        ("POST", "/v1/flows", {"json": {"displayName": "x", "projectId": "PROJECT"}}),
        ("GET", "/v1/projects/PROJECT", {}),
        ("DELETE", "/v1/projects/PROJECT", {}),
        ("GET", "/v1/records", {"params": {"tableId": "TABLE"}}),
    ],
)
def test_a_member_is_refused_in_a_project_that_is_not_theirs(
    newer: Practice, method: str, path: str, more: Json
) -> None:
    table = next(iter(newer.engine.state.tables))
    places = {"PROJECT": newer.credentials.project_id, "FLOW": newer.sample("quick").id, "TABLE": table}

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(inner) for key, inner in value.items()}
        for word, text in places.items():
            value = value.replace(word, text)
        return value

    stranger = bearer(newer.credentials.bearer_token_stranger)
    response = newer.call(method, filled(path), credential=stranger, **filled(more))
    assert (response.status_code, response.json()["code"]) == (403, "AUTHORIZATION")
    assert newer.call("GET", f"/v1/flows/{places['FLOW']}").json()["version"]["displayName"] != "taken"


def test_a_colleague_works_in_the_project_of_the_company(newer: Practice) -> None:
    colleague = bearer(newer.credentials.bearer_token_colleague)
    rows = newer.call("GET", "/v1/projects", credential=colleague).json()["data"]
    assert [row["id"] for row in rows] == [newer.credentials.project_id]
    assert newer.call("GET", f"/v1/flows/{newer.sample('quick').id}", credential=colleague).status_code == 200


def test_a_personal_project_stays(newer: Practice) -> None:
    response = newer.call("DELETE", f"/v1/projects/{newer.credentials.project_id}")
    assert (response.status_code, response.json()["code"]) == (409, "VALIDATION")


def test_a_team_project_goes_with_everything_in_it(newer: Practice) -> None:
    project = newer.call("POST", "/v1/projects", json={"displayName": "Team"}).json()
    body = {"displayName": "In the team", "projectId": project["id"]}
    flow = newer.call("POST", "/v1/flows", json=body).json()
    assert newer.call("DELETE", f"/v1/projects/{project['id']}").status_code == 204
    assert newer.call("GET", f"/v1/flows/{flow['id']}").status_code == 404
    assert flow["version"]["id"] not in newer.engine.state.versions


def test_an_invitation_is_good_for_one_sign_up(newer: Practice) -> None:
    asked = {"email": "lan@example.com", "type": "PLATFORM", "platformRole": "MEMBER"}
    link = newer.call("POST", "/v1/user-invitations", json=asked).json()["link"]
    who = {"email": "lan@example.com", "password": "a password", "firstName": "Lan", "lastName": "Phạm"}
    assert newer.call("POST", "/v1/authentication/sign-up", credential={}, json=who).status_code == 403
    token = link.partition("token=")[2].partition("&")[0]
    newer.call("POST", "/v1/user-invitations/accept", credential={}, json={"invitationToken": token})
    given = newer.call("POST", "/v1/authentication/sign-up", credential={}, json=who).json()
    assert given["platformRole"] == "MEMBER"
    assert newer.call("POST", "/v1/authentication/sign-up", credential={}, json=who).status_code == 403
    mine = newer.call("GET", "/v1/projects", credential=bearer(given["token"])).json()["data"]
    assert [row["id"] for row in mine] == [given["projectId"]]


def test_the_gateway_stays_what_it_is_while_the_version_changes(newer: Practice) -> None:
    path = f"/v1/flows/{newer.sample('quick').id}"
    flow = newer.call("GET", path, flavour="imbrace").json()
    assert flow["version"]["schemaVersion"] == "8"
    assert "ownerId" not in flow
    assert "notes" not in flow["version"]
    assert newer.call("GET", "/v1/users/me", flavour="imbrace").status_code == 200
    assert newer.call("GET", "/v1/projects", flavour="imbrace").status_code == 404
    assert newer.call("GET", "/v1/flags", flavour="imbrace").json()["CURRENT_VERSION"] == "0.72.4"
    assert newer.call("GET", path).json()["version"]["schemaVersion"] == "20"


def test_a_route_that_is_gone_is_distinguished_from_an_object_that_is_not_there(newer: Practice) -> None:
    assert newer.call("GET", "/v1/users/projects/current").json()["message"] == "Route not found"
    assert newer.call("GET", f"/v1/users/{NOBODY}").json()["params"]["entityType"] == "user"
