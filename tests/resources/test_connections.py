"""Connections: made by the app's own form, renewed, replaced, renamed, deleted; and their secrets in no page, log or audit row."""

import json
import logging
from typing import Any

import pytest
from django import forms
from django.test import Client

from tests.connection_scene import TYPED, Scene, hidden, scene, shown
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import practice
from tests.resources.samples.connections import connection
from tests.resources.samples.pieces import PIECE, piece
from tests.stub_engine import StubEngine, flow, identity, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.engine_objects.pieces import AuthSchema
from workflows_ui.jobs.models import Job
from workflows_ui.members.models import Flavour, Role
from workflows_ui.resources.connections import auth_forms
from workflows_ui.resources.connections.actions import ALL

__all__ = ["practice", "scene"]

LIST = "/w/sales/connections/"
CONNECT = "/w/sales/pieces/do/connect/@activepieces/piece-{}/"
ONE = "/v1/app-connections/*"


def page_of(scene: Scene, external_id: str, action: str = "") -> str:
    return (
        f"{LIST}do/{action}/{scene.connection_id(external_id)}/"
        if action
        else f"{LIST}{scene.connection_id(external_id)}/"
    )


def test_the_list_says_in_words_how_each_connection_is(scene: Scene) -> None:
    page = scene.page(LIST)
    for words in (
        "Gmail phòng kinh doanh",
        "Fails",
        "Replace the secret",
        "No secret",
        "Google Sheets",
    ):
        assert words in page
    assert "practice-only" not in page


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("name=slack", "Slack team", "Twilio SMS"),
        ("app=@activepieces/piece-twilio", "Twilio SMS", "Slack team"),
        ("status=ERROR", "Slack team", "Twilio SMS"),
    ],
)
def test_filters_are_the_engines_own(scene: Scene, query: str, there: str, not_there: str) -> None:
    page = scene.page(f"{LIST}?{query}")
    assert there in page
    assert not_there not in page


@pytest.mark.slow
@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
def test_the_call_that_shows_a_secret_is_made_by_no_page(scene: Scene) -> None:
    for row in list(scene.rows().values()):
        scene.browser.get(f"{LIST}{row['id']}/")
        for action in ALL:
            if not action.collection:
                address = action.url("sales", "connections", row["id"])
                scene.browser.get(address)
                scene.browser.post(address, {"sure": "yes"})
    scene.browser.get(f"{LIST}{identity(5)}/")
    assert scene.called("POST", "/v1/app-connections*") + scene.called("DELETE", ONE) > 0
    assert scene.called("GET", ONE) == 0
    assert scene.called("GET", "/v1/app-connections") > 0


def test_a_connection_of_another_project_or_none_is_not_found(scene: Scene) -> None:
    for address in (page_of(scene, "gmail-ops"), page_of(scene, "gmail-ops", "rename"), f"{LIST}{identity(5)}/"):
        assert scene.browser.get(address).status_code == 404


def test_its_page_names_the_flows_that_use_it_and_what_to_do(scene: Scene) -> None:
    used = next(row for row in scene.rows().values() if scene_flows(scene, row))
    assert f'href="/w/sales/flows/?connection={used["externalId"]}"' in scene.page(LIST)
    page = scene.page(f"{LIST}{used['id']}/")
    for name in scene_flows(scene, used):
        assert name in page
    broken = scene.page(page_of(scene, "slack-team"))
    assert "The app no longer accepts it" in broken
    assert f'href="{page_of(scene, "slack-team", "replace-secret")}"' in broken


def scene_flows(scene: Scene, row: dict[str, Any]) -> list[str]:
    """The names of the flows of the workspace that use it, from the engine's own state."""
    state = scene.practice.engine.state
    versions = [
        state.versions[flow["versionId"]]
        for flow in state.flows.values()
        if flow["projectId"] == scene.practice.credentials.project_id
    ]
    return [version["displayName"] for version in versions if row["externalId"] in version["connectionIds"]]


def test_a_new_connection_starts_with_the_choice_of_the_app(scene: Scene) -> None:
    assert f'href="{LIST}new/"' in scene.page(LIST)
    page = scene.page(f"{LIST}new/")
    assert CONNECT.format("twilio") in page
    assert CONNECT.format("webhook") not in page
    # Where one signs in at the app, that comes first.
    assert f"{LIST}sign-in/@activepieces/piece-gmail/" in page
    found = scene.page(f"{LIST}new/?search=twilio")
    assert CONNECT.format("twilio") in found
    assert "piece-gmail" not in found
    assert "No matching app that needs a connection" in scene.page(f"{LIST}new/?search=nothing-like-it")
    assert scene.called("GET", "/v1/pieces") == 1


OAUTH = {"client_id": "client-17", "client_secret": TYPED, "redirect_url": "https://x.example/r"}
OAUTH["code"] = f"code-{TYPED}"


@pytest.mark.parametrize(
    ("app", "typed", "value"),
    [
        ("telegram-bot", {"secret_text": f" {TYPED} "}, {"type": "SECRET_TEXT", "secret_text": f" {TYPED} "}),
        (
            "twilio",
            {"username": "who-it-is", "password": TYPED},
            {"type": "BASIC_AUTH", "username": "who-it-is", "password": TYPED},
        ),
        (
            "openai",
            {"secret-apiKey": TYPED, "prop-baseUrl": "https://api.example", "prop-apiVersion": ""},
            {"type": "CUSTOM_AUTH", "props": {"apiKey": TYPED, "baseUrl": "https://api.example"}},
        ),
        ("slack", OAUTH, {"type": "OAUTH2", **OAUTH, "scope": "chat:write"}),
    ],
)
def test_an_app_is_connected_by_what_its_own_schema_asks_for(
    scene: Scene, caplog: pytest.LogCaptureFixture, app: str, typed: dict[str, str], value: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = scene.fill(CONNECT.format(app), name="New one", **typed)
    made = next(row for row in scene.rows().values() if row["displayName"] == "New one")
    assert answer.status_code == 303, shown(answer)
    assert answer["Location"] == f"{LIST}{made['id']}/"
    assert made["value"] == value
    assert TYPED not in scene.page(answer["Location"])
    began, ended = AuditEvent.objects.order_by("pk")
    assert (began.action, began.outcome, ended.outcome) == ("pieces.connect", "begun", "done")
    message = json.dumps([began.detail, ended.detail])
    assert "New one" in message
    assert not [text for text in auth_forms.secrets(value) if text in message]
    assert TYPED not in caplog.text


@pytest.mark.parametrize(
    ("app", "typed", "message"),
    [
        ("telegram-bot", {"secret_text": f"wrong {TYPED}"}, "The app says: the service refused this secret"),
        ("twilio", {"username": "who-it-is", "password": f"wrong {TYPED}"}, "The app says:"),
        ("openai", {"secret-apiKey": f"wrong {TYPED}", "prop-baseUrl": "https://api.example"}, "The app says:"),
        ("slack", OAUTH | {"code": f"guessed {TYPED}"}, "The app does not accept the code."),
        ("slack", OAUTH | {"client_kind": "CLOUD_OAUTH2", "code": "guessed"}, "The app does not accept the code."),
    ],
)
def test_what_the_app_refuses_is_shown_and_the_secret_does_not_come_back(
    scene: Scene, app: str, typed: dict[str, str], message: str
) -> None:
    before = len(scene.rows())
    answer = scene.fill(CONNECT.format(app), name="New one", **typed)
    page = shown(answer)
    assert answer.status_code == 422
    assert "Nothing was saved" in page
    assert message in page
    assert ("The app says:" in page) is message.startswith("The app says:")
    assert 'value="New one"' in page
    assert "Enter the secret again" in page
    assert TYPED not in page
    assert TYPED not in json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert len(scene.rows()) == before


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
def test_a_form_that_is_not_filled_in_asks_no_engine(scene: Scene) -> None:
    answer = scene.fill(CONNECT.format("twilio"), name="New one", username="who-it-is")
    assert answer.status_code == 422
    assert scene.called("POST", "/v1/app-connections") == 0
    assert 'value="who-it-is"' in shown(answer)


def test_a_second_try_after_an_unclear_answer_makes_no_second_connection(scene: Scene) -> None:
    address = CONNECT.format("telegram-bot")
    scene.practice.engine.faults.add("reset_before", "POST", "/v1/app-connections", times=1)
    first = scene.fill(address, name="New one", secret_text=TYPED)
    page = shown(first)
    assert first.status_code == 422
    assert "It is unclear whether this happened" in page
    assert TYPED not in page
    assert scene.called("POST", "/v1/app-connections") == 1
    asked = scene.browser.post(address, hidden(first) | {"name": "New one", "secret_text": TYPED})
    assert "This may already have been done" in shown(asked)
    again = scene.browser.post(address, hidden(asked) | {"name": "New one", "secret_text": TYPED})
    assert again.status_code == 303
    assert [row["displayName"] for row in scene.rows().values()].count("New one") == 1


def test_a_new_secret_keeps_the_connection_and_its_flows(scene: Scene) -> None:
    before = scene.rows()["slack-team"]
    unchanged = {key: before[key] for key in ("id", "externalId", "displayName", "pieceName", "metadata")}
    answer = scene.fill(page_of(scene, "slack-team", "replace-secret"), **OAUTH)
    after = scene.rows()["slack-team"]
    assert answer.status_code == 303, shown(answer)
    assert {key: after[key] for key in unchanged} == unchanged
    assert after["status"] == "ACTIVE"
    assert after["value"]["client_secret"] == TYPED
    assert TYPED not in json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)))


def test_another_connection_of_the_app_is_chosen_and_a_job_looks_at_all_flows_first(scene: Scene) -> None:
    used = next(row for row in scene.rows().values() if scene_flows(scene, row) and row["externalId"] == "gmail-sales")
    names = scene_flows(scene, used)
    app = used["pieceName"].rpartition("piece-")[2]
    scene.fill(CONNECT.format(app), name="The other", **OAUTH)
    other = next(row for row in scene.rows().values() if row["displayName"] == "The other")
    address = page_of(scene, used["externalId"], "replace")
    page = scene.page(address)
    assert all(name in page for name in names)
    assert f'<option value="{other["id"]}">The other' in page
    assert "Slack team" not in page
    assert "nothing changes before you confirm that. MCP servers keep the connection that they act with." in page
    assert scene.fill(address, target=scene.connection_id("twilio-main")).status_code == 422
    # What happens then is in test_connection_replacement.py.
    answer = scene.fill(address, target=other["id"])
    assert answer["Location"] == f"/w/sales/jobs/{Job.objects.get().pk}/"
    assert scene_flows(scene, used) == names


def test_a_connection_is_renamed_and_deleted_once_its_flows_were_named(scene: Scene) -> None:
    external_id = "gmail-sales"
    key, names = scene.connection_id(external_id), scene_flows(scene, scene.rows()[external_id])
    assert names
    assert scene.fill(page_of(scene, external_id, "rename"), name="Gmail <b>mới</b>").status_code == 303
    page = scene.page(f"{LIST}do/delete/{key}/")
    assert all(name in page for name in names)
    assert "Delete the connection “Gmail <b>mới</b>”" in page
    answer = scene.fill(f"{LIST}do/delete/{key}/")
    assert answer["Location"] == LIST
    assert external_id not in scene.rows()


def test_a_connection_of_the_platform_is_left_alone(scene: Scene) -> None:
    key = scene.connection_id("sheets-shared")
    assert "managed in the engine" in scene.page(f"{LIST}{key}/")
    for action in ("rename", "delete", "replace-secret"):
        assert f"{LIST}do/{action}/{key}/" not in scene.page(LIST)
        assert scene.browser.post(f"{LIST}do/{action}/{key}/", {"name": "x"}).status_code == 409
    assert scene.called("DELETE", ONE) == scene.called("POST", ONE) == 0


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
@pytest.mark.parametrize("role", list(Role), ids=str)
def test_only_builders_change_connections(scene: Scene, role: Role) -> None:
    browser = scene.sign_in("colleague", role)
    may = role.includes(Role.BUILDER)
    addresses = [page_of(scene, "twilio-main", action.name) for action in ALL if not action.collection]
    for address in (*addresses, CONNECT.format("twilio"), f"{LIST}new/"):
        assert browser.get(address).status_code == (200 if may else 403), address
    if not may:
        for address in (*addresses, CONNECT.format("twilio")):
            assert browser.post(address, {"name": "x"}).status_code == 403
        assert scene.called("POST", "/v1/app-connections*") + scene.called("DELETE", ONE) == 0
    assert ("new/" in shown(browser.get(LIST))) is may
    assert ("do/delete/" in shown(browser.get(LIST))) is may


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
def test_a_stranger_finds_no_form(scene: Scene) -> None:
    browser = scene.sign_in("stranger")
    for address in (f"{LIST}new/", CONNECT.format("twilio"), page_of(scene, "twilio-main", "delete")):
        assert browser.get(address).status_code == 404
        assert browser.post(address, {}).status_code == 404


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
@pytest.mark.parametrize("kind", ["html", "too_many", "invalid_json", "reset_before", "garbage"])
def test_an_engine_at_fault_is_explained(scene: Scene, kind: str) -> None:
    address = page_of(scene, "twilio-main", "rename")
    fields = hidden(scene.browser.get(address)) | {"name": "Kept as typed"}
    scene.practice.engine.faults.add(kind, "POST", "*", act=False)
    answer = scene.browser.post(address, fields)
    assert answer.status_code == 422
    assert 'value="Kept as typed"' in shown(answer)
    assert scene.called("POST", ONE) == 1


def test_flows_that_cannot_be_read_are_admitted_before_a_delete(scene: Scene) -> None:
    scene.practice.engine.faults.add("status", "GET", "/v1/flows", status=403)
    page = scene.page(page_of(scene, "gmail-sales", "delete"))
    assert "there may be more" in page


def test_a_long_list_loses_no_row_and_takes_one_call_a_page(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.rows["/app-connections"] = [connection(number, f"Account {number:03}") for number in range(1, 120)]
    stub_engine.rows["/pieces"] = []
    stub_engine.arrays.add("/pieces")
    seen = ""
    for position in ("", "&at=50~", "&at=50~&at=100~"):
        seen += text(owner.get(f"{LIST}?rows=50{position}").content)
    assert all(seen.count(f">Account {number:03}<") == 1 for number in range(1, 120))
    assert stub_engine.calls.count("/app-connections") == 3


def test_beyond_a_thousand_the_engines_cursor_is_followed(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.rows["/app-connections"] = [connection(number, f"Account {number}") for number in range(1, 1011)]
    assert "Account 1010" in text(owner.get(f"{LIST}{identity(1010)}/").content)
    assert [query.get("cursor") for query in stub_engine.queries("/app-connections")] == [None, ["1000"]]


def test_a_position_that_does_not_exist_is_the_first_page(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.rows["/app-connections"] = [connection()]
    for position in ("x", "-5~", "²~", "~"):
        assert "Twilio SMS" in text(owner.get(f"{LIST}?at={position}").content)


def test_a_secret_that_an_engine_puts_into_its_list_goes_no_further(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.rows["/app-connections"] = [connection(value={"secret_text": TYPED}, metadata={"value": TYPED})]
    for address in (LIST, f"{LIST}{identity(1)}/", f"{LIST}do/rename/{identity(1)}/"):
        assert TYPED not in text(owner.get(address).content)


def test_words_of_the_engine_that_repeat_the_secret_are_left_out(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[PIECE] = Reply(200, piece(auth={"type": "SECRET_TEXT", "displayName": "Key", "required": True}))
    address = f"/w/sales/pieces/do/connect/{PIECE}/"
    fields = hidden(owner.get(address)) | {"name": "New one", "secret_text": TYPED}
    for code in ("INVALID_APP_CONNECTION", "SOMETHING_ELSE"):
        error = {"code": code, "params": {"error": f"Incorrect key: {TYPED.upper()}"}}
        stub_engine.faults["/app-connections"] = Reply(400, error)
        page = shown(owner.post(address, fields | {"action-ticket": code}))
        assert "Incorrect key" not in page
        assert TYPED.upper() not in page
    assert TYPED.upper() not in json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)))


def test_html_in_an_apps_schema_is_text(owner: Client, stub_engine: StubEngine) -> None:
    bad = "<script>alert(1)</script>"
    prop = {"type": "SHORT_TEXT", "displayName": bad, "description": bad, "defaultValue": bad, "required": True}
    dropdown = {"type": "STATIC_DROPDOWN", "displayName": "x", "options": {"options": [{"label": bad, "value": bad}]}}
    auth = {"type": "CUSTOM_AUTH", "description": bad, "props": {bad: prop, "list": dropdown}}
    stub_engine.faults[PIECE] = Reply(200, piece(bad, auth=auth, description=bad))
    for address in (f"/w/sales/pieces/do/connect/{PIECE}/", f"/w/sales/pieces/{PIECE}/"):
        page = owner.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


ODD_AUTHS: list[Any] = [
    {"type": "CUSTOM_AUTH"},
    {"type": "CUSTOM_AUTH", "props": []},
    {"type": "CUSTOM_AUTH", "props": {"a": None, "": {}, "b": {"type": 5, "options": 5, "defaultValue": {}}}},
    {"type": "CUSTOM_AUTH", "props": {"d": {"type": "STATIC_DROPDOWN", "options": {"options": [5, {"value": {}}]}}}},
    {"type": "OAUTH2", "scope": 5, "authUrl": [], "props": "x"},
    {"type": "BASIC_AUTH", "username": "x"},
    {"type": "NO_AUTH"},
    {"type": "SOMETHING_NEW"},
    [{"type": "SECRET_TEXT"}, {"type": "OAUTH2"}, 5],
]


@pytest.mark.parametrize("auth", ODD_AUTHS, ids=range(len(ODD_AUTHS)))
@pytest.mark.sampled(3)
def test_an_odd_schema_gives_a_form_all_the_same(owner: Client, stub_engine: StubEngine, auth: Any) -> None:
    stub_engine.faults[PIECE] = Reply(200, piece(auth=auth))
    stub_engine.rows["/app-connections"] = [connection()]
    address = f"/w/sales/pieces/do/connect/{PIECE}/"
    fields = hidden(owner.get(address))
    assert "external_id" in fields
    assert owner.get(f"{LIST}do/replace-secret/{identity(1)}/").status_code == 200
    stub_engine.faults["/app-connections"] = Reply(400, {"code": "VALIDATION", "params": {}})
    assert owner.post(address, fields | {"name": "x"}).status_code == 422


def test_an_app_without_a_secret_is_connected_by_its_name_alone(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[PIECE] = Reply(200, piece(auth={"type": "NO_AUTH"}))
    stub_engine.rows["/app-connections"] = []
    stub_engine.faults["POST /app-connections"] = Reply(201, {"id": identity(4)})
    address = f"/w/sales/pieces/do/connect/{PIECE}/"
    answer = owner.post(address, hidden(owner.get(address)) | {"name": "Plain"})
    assert answer["Location"] == f"{LIST}{identity(4)}/"
    (sent,) = [json.loads(seen.body) for seen in stub_engine.seen if seen.method == "POST"]
    assert sent["type"] == "NO_AUTH"
    assert sent["value"] == {"type": "NO_AUTH"}


def test_an_app_with_several_ways_to_be_connected_lets_one_choose(owner: Client, stub_engine: StubEngine) -> None:
    sign_in = {"type": "OAUTH2", "authUrl": "https://app.example/auth", "tokenUrl": "https://app.example/token"}
    stub_engine.faults[PIECE] = Reply(200, piece(auth=[sign_in, {"type": "SECRET_TEXT"}, {"type": "BASIC_AUTH"}]))
    stub_engine.rows["/app-connections"] = []
    stub_engine.faults["POST /app-connections"] = Reply(201, {"id": identity(4)})
    address = f"/w/sales/pieces/do/connect/{PIECE}/"
    page = text(owner.get(address).content)
    assert "This app can be connected in several ways:" in page
    assert f'href="/w/sales/connections/sign-in/{PIECE}/"' in page
    assert f'href="{address}?way=BASIC_AUTH"' in page
    assert 'name="secret_text"' not in page
    assert 'name="client_id"' in text(owner.get(f"{address}?sign_in=lost").content), (
        "who signed in at the app goes on so"
    )
    chosen = f"{address}?way=SECRET_TEXT"
    answer = owner.post(address, hidden(owner.get(chosen)) | {"name": "By key", "secret_text": TYPED})
    assert answer["Location"] == f"{LIST}{identity(4)}/"
    (sent,) = [json.loads(seen.body) for seen in stub_engine.seen if seen.method == "POST"]
    assert sent["value"] == {"type": "SECRET_TEXT", "secret_text": TYPED}


def test_a_connection_whose_app_is_gone_still_gets_a_new_secret(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.rows["/app-connections"] = [connection(type="SECRET_TEXT", status="MISSING")]
    page = text(owner.get(f"{LIST}do/replace-secret/{identity(1)}/").content)
    assert 'name="secret_text"' in page


def test_every_kind_of_value_of_a_schema_is_sent_as_what_it_is() -> None:
    options = {"options": [{"label": "Europe", "value": {"region": "eu"}}, {"label": "Asia", "value": 2}]}
    auth = {
        "type": "CUSTOM_AUTH",
        "props": {
            "note": {"type": "MARKDOWN", "description": "Read this"},
            "port": {"type": "NUMBER", "displayName": "Port", "required": True},
            "region": {"type": "STATIC_DROPDOWN", "options": options, "defaultValue": 2},
            "tls": {"type": "CHECKBOX", "defaultValue": True},
            "pem": {"type": "LONG_TEXT", "displayName": "Private key"},
            "host": {"type": "SHORT_TEXT", "description": "a < b"},
        },
    }
    fields = auth_forms.fields(AuthSchema(auth))
    assert list(fields) == ["prop-port", "prop-region", "prop-tls", "secret-pem", "prop-host"]
    assert fields["prop-region"].initial == "1"
    assert str(fields["prop-host"].help_text) == "a &lt; b"
    form = forms.Form(
        {"prop-port": "8443", "prop-region": "0", "prop-tls": "on", "secret-pem": "a\nb", "prop-host": ""}
    )
    form.fields |= fields
    assert form.is_valid()
    assert auth_forms.value(AuthSchema(auth), form.cleaned_data) == {
        "type": "CUSTOM_AUTH",
        "props": {"port": 8443, "region": {"region": "eu"}, "tls": True, "pem": "a\nb"},
    }


def test_a_client_that_signs_in_automatically_needs_no_code() -> None:
    auth = {"type": "OAUTH2", "grantType": "client_credentials", "authorizationMethod": "BODY", "scope": ["a", "b"]}
    fields = auth_forms.fields(AuthSchema(auth))
    assert "code" not in fields
    assert fields["scope"].initial == "a b"
    typed = {"client_id": "i", "client_secret": "s", "redirect_url": "r", "scope": "a b"}
    made = auth_forms.value(AuthSchema(auth), typed)
    assert made["grant_type"] == "client_credentials"
    assert made["authorization_method"] == "BODY"
    assert made["code"]
    assert auth_forms.secrets(made) == ["i", "s", "r"]


def test_a_flow_that_only_the_engine_names_is_linked_by_its_id(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [
        flow(1, "Known"),
        flow(2, "Other", version={"displayName": "Other", "connectionIds": ["external-1"]}),
    ]
    stub_engine.rows["/app-connections"] = [connection(flowIds=[identity(1), identity(3), 5, None, ""])]
    page = text(owner.get(f"{LIST}{identity(1)}/").content)
    for number, name in ((1, "Known"), (2, "Other"), (3, identity(3))):
        assert f'href="/w/sales/flows/{identity(number)}/">{name}</a>' in page


@pytest.mark.parametrize("odd", [None, "", 5, ["external-1"], {"a": 1}])
def test_a_connection_with_an_odd_external_id_has_a_page_without_flows(
    owner: Client, stub_engine: StubEngine, odd: Any
) -> None:
    stub_engine.flows = [flow(1, "Known", version={"displayName": "Known", "connectionIds": ["external-1", ""]})]
    stub_engine.rows["/app-connections"] = [connection(externalId=odd, flowIds=None)]
    page = owner.get(f"{LIST}{identity(1)}/")
    assert page.status_code == 200
    assert "No flow uses this connection" in text(page.content)


# --- Test


def test_a_connection_is_tested_by_a_list_that_the_app_gives_only_to_an_account_that_works(scene: Scene) -> None:
    url = page_of(scene, "sheets-shared", "test")
    assert url in scene.page(page_of(scene, "sheets-shared"))
    answer = scene.browser.post(url, {"sure": "1"}, follow=True)
    assert "The connection works: the app answered with 3 choices for “Spreadsheet”." in shown(answer)
    event = AuditEvent.objects.filter(action="connections.test").latest("pk")
    assert (event.outcome, event.object_name) == ("done", "Google Sheets (shared)")


def test_a_connection_that_the_app_refuses_is_not_said_to_work(scene: Scene) -> None:
    next(row for row in scene.rows().values() if row["externalId"] == "sheets-shared")["status"] = "ERROR"
    answer = shown(scene.browser.post(page_of(scene, "sheets-shared", "test"), {"sure": "1"}, follow=True))
    assert "The app refused to be asked. Its connection may no longer work" in answer
    assert "The connection works" not in answer


def test_a_connection_of_an_app_without_such_a_list_cannot_be_tested(scene: Scene) -> None:
    page = scene.page(page_of(scene, "telegram-ops"))
    assert "it cannot be tested from here" in page
    answer = shown(scene.browser.post(page_of(scene, "telegram-ops", "test"), {"sure": "1"}, follow=True))
    assert "it cannot be tested from here" in answer
    assert scene.called("POST", "/v1/pieces/options") == 0
