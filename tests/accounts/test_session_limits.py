"""A session ends when nothing was done in it for a while, and a person has so many at most: both only where a setting says so."""

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from tests.users import person
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
START = 1_800_000_000
WHY = "You were signed out after 10 minutes without activity."


@pytest.fixture
def ada() -> User:
    return person("ada")


def signed_in(path: str = "/accounts/login/", **more: Any) -> Client:
    """A browser in which Ada has signed in by the form."""
    client = Client()
    answer = client.post(path, {"login": "ada", "password": "correct horse battery"}, **more)
    assert answer.status_code == 302, answer.content.decode()
    return client


def said(client: Client, path: str = "/profile/") -> str:
    return " ".join(client.get(path, follow=True).content.decode().split())


def inside(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def ends() -> list[dict[str, Any]]:
    return [row.detail for row in AuditEvent.objects.filter(action="person.sessions_end").order_by("pk")]


@pytest.mark.slow
def test_a_session_in_which_nothing_is_done_ends_and_says_so(ada: User, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 10
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in()
        for _visit in range(3):
            clock.shift(9 * 60)
            assert inside(client)
        clock.shift(10 * 60 + 1)
        copied = Client()
        copied.cookies.load({name: one.value for name, one in client.cookies.items()})
        page = said(client)
        assert WHY in page
        assert 'name="password"' in page
        assert not inside(copied)
        assert WHY not in said(client)
    assert ends() == [{"count": 1, "why": "idle"}]
    assert AuditEvent.objects.get(action="person.sessions_end").user == ada


@pytest.mark.slow
def test_a_page_that_renews_itself_does_not_keep_a_session_alive(ada: User, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 10
    live = {"HX-Request": "true", "HX-Target": "bell", "X-Live": "1"}
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in()
        assert inside(client)
        for _poll in range(3):
            clock.shift(3 * 60)
            assert client.get("/notices/", headers=live).status_code == 200
        clock.shift(2 * 60)
        answer = client.get("/notices/", headers=live)
        assert answer.status_code != 200
        assert not inside(client)


def test_what_was_typed_after_too_long_is_not_done(ada: User, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 10
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in()
        assert inside(client)
        clock.shift(601)
        answer = client.post("/profile/", {"first_name": "Changed"})
        assert answer.status_code == Client().post("/profile/").status_code
    ada.refresh_from_db()
    assert ada.first_name == ""


def test_one_browser_more_ends_the_oldest_and_that_one_says_why(ada: User, settings: Any) -> None:
    settings.SESSIONS_PER_PERSON = 2
    with time_machine.travel(START, tick=False) as clock:
        browsers = []
        for _browser in range(3):
            clock.shift(60)
            browsers.append(signed_in())
        oldest, middle, newest = browsers
        assert ends() == [{"count": 1, "why": "limit"}]
        assert inside(middle)
        assert inside(newest)
        page = said(oldest)
        assert "You were signed out here because you signed in elsewhere. The limit is 2 browsers at a time." in page
        assert 'name="password"' in page
        assert "You were signed out here" not in said(oldest)
        clock.shift(60)
        again = signed_in()
        assert not inside(middle)
        assert inside(newest)
        assert inside(again)


def test_a_session_that_has_ended_otherwise_counts_no_more(ada: User, settings: Any) -> None:
    settings.SESSIONS_PER_PERSON = 2
    first, second = signed_in(), signed_in()
    second.post("/accounts/logout/")
    third = signed_in()
    assert inside(first)
    assert inside(third)
    assert ends() == []


def test_somebody_elses_sessions_are_not_counted(ada: User, settings: Any) -> None:
    settings.SESSIONS_PER_PERSON = 1
    other = Client()
    other.force_login(person("bo"))
    here = signed_in()
    assert inside(here)
    assert inside(other)


def test_the_key_of_an_ended_session_lies_nowhere_in_clear(ada: User, settings: Any) -> None:
    settings.SESSIONS_PER_PERSON = 1
    key = signed_in().session.session_key
    signed_in()
    assert key
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert key not in repr(cursor.fetchall()), table


def test_both_are_off_unless_a_setting_says_so(ada: User) -> None:
    with time_machine.travel(START, tick=False) as clock:
        browsers = [signed_in() for _browser in range(5)]
        clock.shift(13 * 24 * 3600)
        assert all(inside(client) for client in browsers)
    assert ends() == []
    assert "seen_at" not in browsers[0].session


@pytest.mark.parametrize("limits", [0, 2])
@pytest.mark.parametrize("path", ["/accounts/login/", "/", "/healthz"])
def test_a_cookie_with_a_nul_character_is_as_good_as_none(limits: int, path: str, settings: Any) -> None:
    """A quoted cookie may hold any character; PostgreSQL refuses this one in the question for the session."""
    settings.SESSIONS_PER_PERSON = settings.SESSION_IDLE_MINUTES = limits
    browser = Client(raise_request_exception=False)
    assert browser.get(path, HTTP_COOKIE='sessionid="abcdefghij\\000klm"').status_code < 400
    refused = browser.post("/accounts/login/", {"login": "a"}, HTTP_COOKIE='sessionid="abcdefghij\\000klm"')
    assert refused.status_code < 500


def test_a_session_ends_at_its_age_and_its_row_is_no_longer_read(ada: User, settings: Any) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in()
        clock.shift(settings.SESSION_COOKIE_AGE - 1)
        key = client.cookies["sessionid"].value
        assert inside(client)
        clock.shift(2)
        client.cookies["sessionid"] = key  # Which a browser would have dropped.
        assert not inside(client)
