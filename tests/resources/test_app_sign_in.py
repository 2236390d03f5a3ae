"""Signing in at an app for an OAuth2 connection: the way there, the way back with a code, and the form that ends it."""

import logging
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from tests.connection_scene import TYPED, Scene, hidden, scene, shown
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import practice
from tests.resources.samples.pieces import PIECE, piece
from tests.stub_engine import StubEngine, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine_objects.pieces import AuthSchema
from workflows_ui.members.models import Flavour, Member, Role, Workspace
from workflows_ui.resources.connections import oauth_forms, signing_in
from workflows_ui.resources.connections.oauth_forms import SignIn

__all__ = ["practice", "scene"]

APP = "@activepieces/piece-slack"
SIGN_IN = f"/w/sales/connections/sign-in/{APP}/"
CONNECT = f"/w/sales/pieces/do/connect/{APP}/"
BACK = "/oauth/callback/"
CODE = f"code-{TYPED}"
LAST_STEP = "You are signed in at the app with this client"


def begun(browser: Client, address: str = SIGN_IN, **typed: str) -> dict[str, str]:
    """Begins a sign-in, and gives the parameters that the app would get."""
    answer = browser.post(address, {"client_id": "client-17", "scope": "chat:write", **typed})
    assert answer.status_code == 200, shown(answer)
    return dict(parse_qsl(urlsplit(answer.context["address"]).query, keep_blank_values=True))


def test_a_person_signs_in_at_the_app_and_comes_back_to_one_last_step(scene: Scene) -> None:
    assert f'href="{SIGN_IN}"' in scene.page(CONNECT)
    page = scene.page(SIGN_IN)
    assert "http://testserver/oauth/callback/" in page
    assert 'name="client_secret"' not in page
    asked = begun(scene.browser)
    assert asked["client_id"] == "client-17"
    assert asked["redirect_uri"] == "http://testserver/oauth/callback/"
    assert asked["response_type"] == "code"
    assert asked["scope"] == "chat:write"
    answer = scene.browser.get(BACK, {"code": CODE, "state": asked["state"]})
    assert answer.status_code == 303
    assert CODE not in answer["Location"]
    form = scene.browser.get(answer["Location"])
    assert LAST_STEP in shown(form)
    assert CODE not in shown(form)
    for name in ("code", "redirect_url", "scope"):
        assert f'name="{name}"' not in shown(form)
    typed = hidden(form) | {"name": "Slack by sign-in", "client_secret": TYPED}
    made = scene.browser.post(CONNECT, typed)
    assert made.status_code == 303, shown(made)
    (row,) = [row for row in scene.rows().values() if row["displayName"] == "Slack by sign-in"]
    assert row["type"] == "OAUTH2"
    assert row["value"] == {
        "type": "OAUTH2",
        "client_id": "client-17",
        "client_secret": TYPED,
        "redirect_url": "http://testserver/oauth/callback/",
        "scope": "chat:write",
        "code": CODE,
    }


def test_a_connection_that_fails_gets_its_new_secret_by_a_sign_in(scene: Scene) -> None:
    identity = scene.connection_id("slack-team")
    renew = f"/w/sales/connections/do/replace-secret/{identity}/"
    address = f"{SIGN_IN}?connection={identity}"
    assert f'href="{address}"' in scene.page(renew)
    asked = begun(scene.browser, address)
    answer = scene.browser.get(BACK, {"code": CODE, "state": asked["state"]})
    assert answer["Location"].startswith(renew)
    form = scene.browser.get(answer["Location"])
    assert scene.browser.post(renew, hidden(form) | {"client_secret": TYPED}).status_code == 303
    assert scene.rows()["slack-team"]["status"] == "ACTIVE"
    assert scene.rows()["slack-team"]["value"]["code"] == CODE
    # The ticket is of this connection alone, and of one use.
    ticket = parse_qs(urlsplit(answer["Location"]).query)["sign_in"][0]
    assert LAST_STEP not in scene.page(f"{renew}?sign_in={ticket}")


def test_the_code_is_in_no_log_no_audit_row_no_session_and_in_no_cache_unsealed(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = begun(scene.browser)
    answer = scene.browser.get(BACK, {"code": CODE, "state": asked["state"]})
    form = scene.browser.get(answer["Location"])
    scene.browser.post(CONNECT, hidden(form) | {"name": "x", "client_secret": f"wrong {TYPED}"})
    assert CODE not in caplog.text
    assert CODE not in repr(list(AuditEvent.objects.values()))
    assert CODE not in repr([row.get_decoded() for row in Session.objects.all()])
    asking = engine_session.open_session(scene.users.place(scene.users.owner))
    ticket = parse_qs(urlsplit(answer["Location"]).query)["sign_in"][0]
    assert signing_in.find_sign_in(asking, ticket, APP, "") is not None
    cached = cache.get(signing_in._key(asking, "ticket", ticket))
    assert CODE not in cached


def test_a_state_that_this_browser_did_not_begin_leads_nowhere(scene: Scene) -> None:
    asked = begun(scene.browser)
    other = scene.sign_in("colleague", Role.MANAGER)
    for browser in (other, Client()):
        answer = browser.get(BACK, {"code": CODE, "state": asked["state"]})
        assert answer["Location"] == BACK
        page = browser.get(BACK)
        assert page.status_code == 400
        assert "This sign-in cannot be completed" in shown(page)
        assert CODE not in shown(page)
    for query in ({"code": CODE}, {"code": CODE, "state": "made-up"}):
        assert scene.browser.get(BACK, query)["Location"] == BACK
    assert scene.browser.get(BACK, {"code": CODE, "state": asked["state"]})["Location"].startswith(CONNECT)
    # A second time, as by the back button, is one too many.
    assert scene.browser.get(BACK, {"code": CODE, "state": asked["state"]})["Location"] == BACK


def test_a_ticket_is_of_no_use_to_another_person_or_for_another_app(scene: Scene) -> None:
    asked = begun(scene.browser)
    address = scene.browser.get(BACK, {"code": CODE, "state": asked["state"]})["Location"]
    other = scene.sign_in("colleague", Role.MANAGER)
    assert LAST_STEP not in shown(other.get(address))
    assert LAST_STEP not in scene.page(address.replace("slack", "hubspot"))
    assert LAST_STEP in scene.page(address)


def test_an_app_that_says_no_is_shown_in_its_words(scene: Scene) -> None:
    asked = begun(scene.browser)
    answer = scene.browser.get(BACK, {"error": "access_denied", "state": asked["state"]})
    assert answer["Location"] == SIGN_IN
    assert "It says: access_denied" in scene.page(SIGN_IN)


def test_who_lost_the_role_meanwhile_does_not_come_in(scene: Scene) -> None:
    asked = begun(scene.browser)
    Member.objects.filter(user=scene.users.owner).update(role=Role.VIEWER)
    assert scene.browser.get(BACK, {"code": CODE, "state": asked["state"]}).status_code == 403


def test_a_workspace_that_demands_a_second_step_meanwhile_does_not_take_the_code(scene: Scene) -> None:
    state = begun(scene.browser)["state"]
    Workspace.objects.update(second_factor_required=True)
    answer = scene.browser.get(BACK, {"code": CODE, "state": state})
    assert answer["Location"] == "/w/sales/"
    assert CODE not in str(dict(scene.browser.session))


def test_a_form_without_a_client_is_shown_and_an_app_without_such_a_page_is_not_found(scene: Scene) -> None:
    answer = scene.browser.post(SIGN_IN, {"client_id": ""})
    assert answer.status_code == 422
    assert "This field is required." in shown(answer)
    for name in ("@activepieces/piece-openai", "@activepieces/piece-none", ".."):
        assert scene.browser.get(f"/w/sales/connections/sign-in/{name}/").status_code == 404


@pytest.mark.parametrize(
    ("kind", "held"),
    [
        ("PLATFORM_OAUTH2", {"client_id", "redirect_url", "scope", "code", "type"}),
        ("CLOUD_OAUTH2", {"client_id", "scope", "code", "type"}),
    ],
)
def test_a_client_of_somebody_else_needs_no_secret(scene: Scene, kind: str, held: set[str]) -> None:
    scene.practice.engine.settings.version = "0.72.4"
    answer = scene.fill(
        CONNECT,
        name="By another's client",
        client_kind=kind,
        client_id="theirs",
        redirect_url="https://engine.example/redirect",
        scope="chat:write",
        code=CODE,
    )
    assert answer.status_code == 303, shown(answer)
    (row,) = [row for row in scene.rows().values() if row["displayName"] == "By another's client"]
    assert row["type"] == row["value"]["type"] == kind
    assert set(row["value"]) == held


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
def test_an_edition_without_clients_of_the_platform_is_not_shown_as_done(scene: Scene) -> None:
    scene.practice.engine.settings.version = "0.83.0"  # recording conn_upsert_platform_oauth2
    before = len(scene.rows())
    typed = {"client_kind": "PLATFORM_OAUTH2", "client_id": "theirs", "redirect_url": "https://engine.example/redirect"}
    answer = scene.fill(CONNECT, name="By the platform's client", **typed, scope="chat:write", code=CODE)
    assert answer.status_code == 422
    assert "Checking whether it was done" in shown(answer)
    assert CODE not in shown(answer)
    assert len(scene.rows()) == before


def test_ones_own_client_needs_its_secret(scene: Scene) -> None:
    answer = scene.fill(CONNECT, name="x", client_id="mine", redirect_url="https://x.example/", code=CODE)
    assert answer.status_code == 422
    assert vars(answer)["context"]["form"].errors.keys() == {"client_secret"}


def test_an_app_without_a_page_to_sign_in_at_leads_to_the_form(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[PIECE] = Reply(
        200, piece(auth={"type": "OAUTH2", "authUrl": "", "grantType": "client_credentials"})
    )
    answer = owner.get(f"/w/sales/connections/sign-in/{PIECE}/")
    assert answer.headers["Location"] == f"/w/sales/pieces/do/connect/{PIECE}/"


AUTH = {
    "type": "OAUTH2",
    "authUrl": "https://{region}.app.example/sign-in?keep=1",
    "scope": ["read", "{region}.write"],
    "pkce": True,
    "pkceMethod": "S256",
    "extra": {"audience": "api"},
    "prompt": "omit",
    "props": {
        "region": {"type": "SHORT_TEXT", "displayName": "Region", "required": True},
        "note": {"type": "SHORT_TEXT", "displayName": "Note"},
    },
}


def test_what_the_apps_page_is_made_of_is_asked_for_first(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[PIECE] = Reply(200, piece(auth=AUTH))
    stub_engine.faults["POST /app-connections"] = Reply(201, {"id": "A" * 21})
    stub_engine.rows["/app-connections"] = []
    address = f"/w/sales/connections/sign-in/{PIECE}/"
    page = text(owner.get(address).content)
    assert 'name="prop-region"' in page
    assert 'name="prop-note"' not in page
    answer = owner.post(address, {"client_id": "c", "scope": "read {region}.write", "prop-region": "eu/1"})
    parts = urlsplit(answer.context["address"])
    asked = dict(parse_qsl(parts.query))
    assert parts.netloc == "eu%2F1.app.example"
    assert asked["keep"] == "1"
    assert asked["audience"] == "api"
    assert asked["scope"] == "read eu/1.write"
    assert asked["code_challenge_method"] == "S256"
    assert "prompt" not in asked
    form = owner.get(owner.get(BACK, {"code": CODE, "state": asked["state"]})["Location"])
    assert 'name="prop-region"' not in text(form.content)
    made = owner.post(f"/w/sales/pieces/do/connect/{PIECE}/", hidden(form) | {"name": "x", "client_secret": TYPED})
    assert made.status_code == 303, shown(made)
    body = next(seen.body for seen in stub_engine.seen if seen.method == "POST").decode()
    assert '"region": "eu/1"' in body or '"region":"eu/1"' in body
    assert '"code_challenge"' in body


@pytest.mark.parametrize(
    "where", ["javascript:alert(1)", "", None, [], "//x", "data:text/html,x", "https://[", "ftp://x.example/"]
)
def test_no_odd_address_is_made_a_link(where: object) -> None:
    assert oauth_forms.page_of(AuthSchema({"type": "OAUTH2", "authUrl": where})) == ""


def test_a_verifier_is_sent_as_it_is_where_the_app_wants_it_so() -> None:
    sign_in = SignIn("p", "c", "https://x.example/", "", verifier="v" * 43)
    address = oauth_forms.address(AuthSchema({"authUrl": "https://a.example/"}), sign_in, "s", {})
    asked = dict(parse_qsl(urlsplit(address).query))
    assert asked["code_challenge"] == "v" * 43
    assert asked["code_challenge_method"] == "plain"
    assert asked["prompt"] == "consent"
