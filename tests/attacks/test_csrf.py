"""Writing from another site: every address refuses a POST without the token of a form, and one that comes from elsewhere with a token."""

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.attacks import addresses, production
from tests.credentials.test_credentials import everything_stored
from tests.resources.samples import sample_for
from tests.stub_engine import StubEngine, flow, run
from tests.users import Users
from tests.web.test_every_address import _patterns
from workflows_ui.resources import RESOURCES


def actions() -> dict[str, str]:
    """Each declared action's address."""
    found = {}
    for resource in RESOURCES:
        for action in resource.actions:
            found[f"{resource.name} {action.name}"] = f"{resource.url('sales', sample_for(resource).key)}{action.name}/"
    return found


#: The one click of mail programs has no token: its address is signed (tests/notification_mails/test_unsubscribe.py).
WITHOUT_TOKEN = {"unsubscribe"}


def test_one_view_takes_a_post_without_a_token_and_is_declared_here() -> None:
    exempt = {str(one.name) for one in _patterns(get_resolver()) if getattr(one.callback, "csrf_exempt", False)}
    assert exempt == WITHOUT_TOKEN


@pytest.mark.slow
def test_no_address_takes_a_post_without_a_token(users: Users, stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run()]
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(users.owner)
    before = everything_stored()
    for name, url in {**addresses.every(), **actions()}.items():
        for headers in ({}, {"HX-Request": "true", "HX-Target": "live"}, {"X-CSRFToken": "a" * 64}):
            answer = browser.post(url, {"sure": "yes", "payload": "{}"}, headers=headers)
            refused = {404} if name in WITHOUT_TOKEN else {403, 405}
            assert answer.status_code in refused, (name, answer.status_code)
    assert not stub_engine.seen
    assert everything_stored() == before


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://console.example.com", "null", "https://console.example.com.evil.example"]
)
def test_a_valid_token_does_not_help_another_site(
    settings: Any, users: Users, stub_engine: StubEngine, origin: str
) -> None:
    production.put_over(settings)
    browser = Client(enforce_csrf_checks=True, headers={"host": production.HOST})
    browser.force_login(users.owner)
    token = browser.get("/profile/", secure=True).context["csrf_token"]
    sent = {"csrfmiddlewaretoken": str(token), "first_name": "Mallory", "language": "", "time_zone": ""}
    assert browser.post("/profile/", sent, secure=True, headers={"origin": origin}).status_code == 403
    assert browser.post("/profile/", sent, secure=True, headers={"referer": f"{origin}/x"}).status_code == 403
    users.owner.refresh_from_db()
    assert users.owner.first_name == ""
    good = {"origin": f"https://{production.HOST}"}
    assert browser.post("/profile/", sent, secure=True, headers=good).status_code == 303
