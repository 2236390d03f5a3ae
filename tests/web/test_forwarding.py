"""Requests with the headers of a proxy although none is trusted: logged, and shown to administrators as what is known, no more."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.launches.launch_scene import text_of
from tests.logs import lines
from tests.stub_engine import stub_engine, users
from tests.users import Users
from workflows_ui.web import forwarding

__all__ = ["stub_engine", "users"]

TITLE = "Requests came with the header of a proxy, but TRUSTED_PROXIES is 0"
PROXY, FORGED = "10.0.0.5", "198.51.100.9"


@pytest.fixture(autouse=True)
def _nothing_noted() -> Iterator[None]:
    forwarding._noted.clear()
    yield
    forwarding._noted.clear()


def browser(user: Any = None, peer: str = "127.0.0.1", **headers: str) -> Client:
    made = Client(REMOTE_ADDR=peer, headers=headers)
    if user is not None:
        made.force_login(user)
    return made


@pytest.fixture
def administrator(users: Users) -> Any:
    users.owner.is_superuser = True
    users.owner.save()
    return users.owner


def test_what_anyone_can_send_is_no_sign_of_a_proxy(users: Users, administrator: Any) -> None:
    reader = browser(administrator)
    assert TITLE not in text_of(reader.get("/people/"))
    browser(peer="203.0.113.7", **{"x-forwarded-for": FORGED}).get("/accounts/login/")
    for page in ("/people/", "/admin/", "/w/sales/", "/w/sales/settings/"):
        shown = text_of(reader.get(page))
        assert TITLE in shown, page
        assert "A request without a sign-in came with one, the last from 203.0.113.7" in shown
        assert "this alone does not mean that there is a proxy" in shown
        assert 'alert-warning" role="status"' not in shown
        assert "If your proxy has this address" not in shown
        assert FORGED not in shown


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
def test_requests_of_people_show_where_a_proxy_may_be_and_what_to_set(
    users: Users, administrator: Any, header: str
) -> None:
    browser(users.colleague, PROXY, **{header: f"for={FORGED}"}).get("/profile/")
    shown = text_of(browser(administrator).get("/people/"))
    assert f"requests of people who are signed in came with one from: {PROXY}" in shown
    assert 'alert-warning" role="status"' in shown
    assert "set TRUSTED_PROXIES to the number of proxies" in shown
    own = text_of(browser(administrator, PROXY, **{header: f"for={FORGED}"}).get("/people/"))
    assert f"Your own request came from {PROXY} with such a header." in own
    assert FORGED not in own


def test_only_administrators_are_shown_it_and_not_where_proxies_are_trusted(
    users: Users, administrator: Any, settings: Any
) -> None:
    colleague = browser(users.colleague, PROXY, **{"x-forwarded-for": FORGED})
    assert TITLE not in text_of(colleague.get("/w/sales/"))
    settings.TRUSTED_PROXIES = 1
    assert TITLE not in text_of(browser(administrator, PROXY, **{"x-forwarded-for": FORGED}).get("/people/"))


def test_it_is_logged_once_an_hour_and_not_for_monitoring(users: Users, caplog: pytest.LogCaptureFixture) -> None:
    browser(peer=PROXY, **{"x-forwarded-for": FORGED}).get("/healthz")
    assert not lines(caplog)
    for number in range(5):
        forwarding._noted.clear()
        browser(peer=f"203.0.113.{number}", **{"x-forwarded-for": FORGED}).get("/accounts/login/")
    browser(users.colleague, PROXY, **{"x-forwarded-for": FORGED}).get("/profile/")
    found = [(line["peer"], line["signed_in"]) for line in lines(caplog) if line["event"] == "forwarding.not_trusted"]
    assert found == [("203.0.113.0", False), (PROXY, True)]


@pytest.mark.slow
def test_many_addresses_of_strangers_do_not_hide_one_of_people(users: Users, administrator: Any) -> None:
    browser(users.colleague, PROXY, **{"x-forwarded-for": FORGED}).get("/profile/")
    for number in range(20):
        forwarding._noted.clear()
        browser(peer=f"203.0.113.{number}", **{"x-forwarded-for": FORGED}).get("/accounts/login/")
    shown = text_of(browser(administrator).get("/people/"))
    assert PROXY in shown
    assert "the last from 203.0.113.19" in shown
