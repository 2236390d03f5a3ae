"""Errors become pages with words that help: the engine's, those of access, and our own mistakes."""

import logging

import pytest
from django.test import Client
from pytest_django import Settings

from tests.engine.servers import Reply
from tests.stub_engine import SECRET, StubEngine, identity, text
from tests.users import Users, credential, move
from workflows_ui.credentials.models import Credential
from workflows_ui.members.models import LaunchRight

HTMX = {"HX-Request": "true", "HX-Target": "results"}
FAULTS = [
    (Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}}), 502, "The engine refuses the credential"),
    (Reply(403, {"code": "PERMISSION_DENIED", "params": {}}), 403, "The credential has no access to this"),
    (Reply(402, {"code": "FEATURE_DISABLED", "params": {}}), 403, "Not included in the engine"),
    (Reply(400, {"code": "VALIDATION", "params": {}}), 400, "The engine refuses this request"),
    (Reply(429, {"statusCode": 429}, (("Retry-After", "90"),)), 503, "The engine asks for a pause"),
    (Reply(500, {"statusCode": 500}, (("retry-after", "0"),)), 503, "The engine does not answer properly"),
    (Reply(502, b"<html>Bad Gateway</html>", (("retry-after", "0"),)), 503, "The engine does not answer properly"),
    (Reply(200, b'{"data": [{"id": '), 503, "The engine does not answer properly"),
    (Reply(200, b"\xff\xfe\xfa"), 503, "The engine does not answer properly"),
    (Reply(200, b""), 503, "The engine does not answer properly"),
]


@pytest.mark.parametrize(
    ("reply", "status", "title"), FAULTS, ids=[f"{fault[0].status}-{n}" for n, fault in enumerate(FAULTS)]
)
def test_each_fault_of_the_engine_is_explained(
    owner: Client, stub_engine: StubEngine, reply: Reply, status: int, title: str
) -> None:
    stub_engine.faults["/flows"] = reply
    answer = owner.get("/w/sales/flows/")
    page = text(answer.content)
    assert answer.status_code == status
    assert title in page
    assert answer["X-Request-ID"] in page
    assert SECRET not in page


def test_htmx_gets_the_words_for_the_alerts_of_the_page(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults["/flows"] = Reply(500, {"statusCode": 500}, (("retry-after", "0"),))
    answer = owner.get("/w/sales/flows/", headers=HTMX)
    assert answer.status_code == 503
    assert answer["HX-Retarget"] == "#alerts"
    assert answer.content.strip().startswith(b'<div class="alert')


def test_a_refused_credential_leads_to_the_credentials_and_never_signs_out(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.faults["/flows"] = Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}})
    assert 'href="/w/sales/credentials/"' in text(owner.get("/w/sales/flows/").content)
    assert owner.get("/?all=1").status_code == 200


def test_an_engine_that_is_down_leaves_what_still_works(owner: Client, users: Users) -> None:
    move(users.workspace, address="http://127.0.0.1:9/api")
    answer = owner.get("/w/sales/flows/")
    assert answer.status_code == 503
    assert "The engine cannot be reached" in text(answer.content)
    assert 'href="/w/sales/launches/"' in text(answer.content)


def test_a_pause_that_the_engine_asks_for_is_passed_on(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults["/flows"] = Reply(429, {"statusCode": 429}, (("Retry-After", "90"),))
    assert int(owner.get("/w/sales/flows/")["Retry-After"]) >= 90


@pytest.mark.parametrize("resource", ["flows", "runs"])
def test_what_is_no_longer_there_has_a_way_back_to_its_list(
    owner: Client, stub_engine: StubEngine, resource: str
) -> None:
    answer = owner.get(f"/w/sales/{resource}/{identity(404)}/")
    assert answer.status_code == 404
    assert "Deleted" in text(answer.content)
    assert f'href="/w/sales/{resource}/">Back to the list' in text(answer.content)


def test_a_member_without_a_credential_is_asked_to_add_one(users: Users, owner: Client) -> None:
    Credential.objects.all().delete()
    answer = owner.get("/w/sales/flows/")
    assert answer.status_code == 403
    assert "You have no credential here" in text(answer.content)
    assert "/w/sales/credentials/" in text(answer.content)


def test_a_guest_is_not_led_to_pages_that_need_a_role(users: Users, client: Client) -> None:
    LaunchRight.objects.create(workspace=users.workspace, flow_id="F" * 21, user=users.stranger)
    client.force_login(users.stranger)
    without_credential = client.get(f"/w/sales/flows/{'F' * 21}/launch/")
    assert "You have no credential here" in text(without_credential.content)
    credential(users.workspace, users.stranger, SECRET)
    for answer in (
        without_credential,
        client.get(f"/w/sales/flows/{'F' * 21}/launch/"),  # no engine listens there
        client.get(f"/w/sales/runs/{'R' * 21}/"),
    ):
        page = text(answer.content)
        assert 'href="/w/sales/launches/"' in page
        assert 'href="/w/sales/credentials/"' not in page
        assert 'href="/w/sales/runs/"' not in page


def test_a_secret_that_cannot_be_opened_is_reported_without_it(users: Users, owner: Client) -> None:
    Credential.objects.filter(owner=users.owner).update(secret="damaged")
    answer = owner.get("/w/sales/flows/")
    assert answer.status_code == 502
    assert "The credential cannot be opened" in text(answer.content)


@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_address_gets_our_own_page(owner: Client, settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug
    answer = owner.get("/no/such/page/")
    assert answer.status_code == 404
    assert "Page not found" in text(answer.content)


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.urls("tests.web.broken_urls")
def test_a_mistake_of_ours_is_logged_and_answered_without_its_variables(
    db: None, client: Client, settings: Settings, caplog: pytest.LogCaptureFixture, debug: bool
) -> None:
    settings.DEBUG = debug
    client.raise_request_exception = False
    with caplog.at_level(logging.ERROR):
        answer = client.get("/broken/")
    page = text(answer.content)
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in page
    assert "local-secret" not in page
    assert "KeyError" not in page
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.urls("tests.web.broken_urls")
def test_a_mistake_of_ours_under_htmx_goes_to_the_alerts(db: None, client: Client) -> None:
    client.raise_request_exception = False
    answer = client.get("/broken/", headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (500, "#alerts")


def test_a_form_without_its_proof_gives_back_what_was_typed(db: None) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(
        "/preferences/language/", {"language": "vi", "note": "typed <b>text</b>", "password": "hidden"}
    )
    page = text(answer.content)
    assert answer.status_code == 403
    assert "The form is out of date" in page
    assert "typed &lt;b&gt;text&lt;/b&gt;" in page
    assert ">hidden<" not in page


def test_home_works_while_the_engine_is_down(owner: Client, users: Users, stub_engine: StubEngine) -> None:
    assert "Sales" in text(owner.get("/?all=1").content)
    assert not stub_engine.seen


def test_without_a_database_there_is_still_a_page_with_words(client: Client) -> None:
    """No mark `django_db`: every touch of the database raises, as it does when the server is gone."""
    client.raise_request_exception = False
    client.cookies["sessionid"] = "somebody"
    answer = client.get("/?all=1")
    assert answer.status_code == 500
    assert "Something went wrong" in text(answer.content)
    assert answer["X-Request-ID"] in text(answer.content)
