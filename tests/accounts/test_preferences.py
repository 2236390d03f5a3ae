"""Language and theme: switched by a form, remembered, never a way out of the console."""

import pytest
from django.test import Client

from tests.stub_engine import text
from tests.users import Users

LANGUAGE, THEME = "/preferences/language/", "/preferences/theme/"


def test_a_language_is_remembered_by_the_browser_of_somebody_signed_out(db: None, client: Client) -> None:
    client.post(LANGUAGE, {"language": "vi", "next": "/accounts/login/"})
    page = client.get("/accounts/login/")
    assert page["Content-Language"] == "vi"
    assert b'<html lang="vi"' in page.content


def test_a_language_is_remembered_by_the_person_in_every_browser(users: Users, owner: Client) -> None:
    owner.post(LANGUAGE, {"language": "vi", "next": "/"})
    users.owner.refresh_from_db()
    other = Client()
    other.force_login(users.owner)
    assert users.owner.language == "vi"
    assert b'<html lang="vi"' in other.get("/?all=1").content


def test_a_language_that_does_not_exist_changes_nothing(users: Users, owner: Client) -> None:
    owner.post(LANGUAGE, {"language": "xx", "next": "/"})
    users.owner.refresh_from_db()
    assert users.owner.language == ""
    assert b'<html lang="en"' in owner.get("/?all=1").content


def test_without_a_choice_the_browsers_wish_holds(db: None, client: Client) -> None:
    page = client.get("/accounts/login/", headers={"Accept-Language": "vi-VN,vi;q=0.9"})
    assert b'<html lang="vi"' in page.content
    assert "Accept-Language" in page["Vary"]


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", "no-page", "credential"]
)
@pytest.mark.parametrize("address", [LANGUAGE, THEME])
def test_the_way_back_stays_in_the_console(db: None, client: Client, address: str, where: str) -> None:
    assert client.post(address, {"language": "vi", "theme": "dark", "next": where})["Location"] == "/"


def test_a_theme_is_written_into_every_page(db: None, client: Client) -> None:
    client.post(THEME, {"theme": "dark", "next": "/accounts/login/"})
    assert b'data-bs-theme="dark"' in client.get("/accounts/login/").content
    client.post(THEME, {"theme": "none", "next": "/"})
    assert b"data-bs-theme=" not in client.get("/accounts/login/").content


def test_a_made_up_theme_cookie_is_ignored(db: None, client: Client) -> None:
    client.cookies["theme"] = '"><script>'
    assert "data-bs-theme" not in text(client.get("/accounts/login/").content).split("<body")[0]


@pytest.mark.parametrize("address", [LANGUAGE, THEME])
def test_preferences_are_changed_by_post_only(db: None, client: Client, address: str) -> None:
    assert client.get(address).status_code == 405
