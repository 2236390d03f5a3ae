"""Locking somebody out by guessing: a browser in which they signed in before still takes their password, and is no way around the lock."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests import mailbox
from tests.accounts.sign_in import code, sign_in, text, with_app
from tests.attacks import production
from tests.users import Users
from workflows_ui.accounts import known_browsers
from workflows_ui.accounts.models import KnownBrowser, User

RIGHT, NEW = "correct horse battery", "staple battery horse 9"
LOCKED = "Too many attempts"
CHANGE = "/accounts/password/change/"


def elsewhere(number: int) -> Client:
    """A browser of nobody's at an address of its own."""
    return Client(REMOTE_ADDR=f"203.0.113.{number}")


def known(name: str = "owner") -> Client:
    """A browser in which somebody signed in and out again."""
    browser = Client(REMOTE_ADDR="198.51.100.7")
    assert sign_in(browser, name, RIGHT).status_code == 302
    browser.post("/accounts/logout/")
    assert browser.get("/profile/").status_code == 303
    return browser


def cookie(browser: Client) -> tuple[str, str]:
    """The name and value of the only cookie by which a browser is known."""
    found = {name: one.value for name, one in browser.cookies.items() if name.startswith("known_") and one.value}
    assert len(found) == 1
    return next(iter(found.items()))


def with_cookie(name: str, value: str, number: int) -> Client:
    """A browser elsewhere with a copied cookie."""
    browser = elsewhere(number)
    browser.cookies[name] = value
    return browser


def lock() -> None:
    """Strangers lock the owner's account."""
    for number in range(5):
        sign_in(elsewhere(number), "owner", "wrong")
    assert LOCKED in text(sign_in(elsewhere(99), "owner", RIGHT))


def test_strangers_do_not_lock_the_owner_out_of_a_browser_of_theirs(users: Users) -> None:
    browser = known()
    lock()
    assert sign_in(browser, "owner", RIGHT).status_code == 302
    assert browser.get("/profile/").status_code == 200
    # The lock is still there for all others.
    assert LOCKED in text(sign_in(elsewhere(98), "owner", RIGHT))


def test_wrong_passwords_in_a_known_browser_count_for_it_alone(users: Users) -> None:
    browser = known()
    for _ in range(5):
        assert LOCKED not in text(sign_in(browser, "owner", "wrong"))
    assert LOCKED in text(sign_in(browser, "owner", RIGHT))
    assert sign_in(elsewhere(1), "owner", RIGHT).status_code == 302


def test_copies_of_a_stolen_cookie_share_one_small_allowance(users: Users) -> None:
    name, value = cookie(known())
    lock()
    answers = [text(sign_in(with_cookie(name, value, 20 + number), "owner", "wrong")) for number in range(12)]
    assert [LOCKED in answer for answer in answers] == [False] * 5 + [True] * 7


def test_a_cookie_of_one_account_does_not_help_with_another(users: Users) -> None:
    name, value = cookie(known("colleague"))
    owners, _ = cookie(known("owner"))
    lock()
    for named in (name, owners):
        assert LOCKED in text(sign_in(with_cookie(named, value, 30), "owner", RIGHT))


@pytest.mark.parametrize("forged", ["", "x", "a" * 32, "{}:{}:{}", "a:b", "é" * 10])
@pytest.mark.sampled(3)
def test_an_invented_cookie_does_not_help(users: Users, forged: str) -> None:
    name, value = cookie(known())
    lock()
    token, rest = value.split(":", 1)
    for made in (forged, f"{token[::-1]}:{rest}", value[:-1] + ("A" if value[-1] != "A" else "B")):
        assert LOCKED in text(sign_in(with_cookie(name, made, 31), "owner", RIGHT))


def test_a_cookie_is_replaced_at_each_sign_in(users: Users) -> None:
    browser = known()
    name, old = cookie(browser)
    assert sign_in(browser, "owner", RIGHT).status_code == 302
    assert cookie(browser)[1] != old
    lock()
    assert LOCKED in text(sign_in(with_cookie(name, old, 32), "owner", RIGHT))
    assert KnownBrowser.objects.count() == 1


def test_another_password_makes_all_browsers_unknown_but_the_one_that_chose_it(users: Users) -> None:
    other, browser = known(), known()
    sign_in(browser, "owner", RIGHT)
    answer = browser.post(CHANGE, {"oldpassword": RIGHT, "password1": NEW, "password2": NEW})
    assert answer.status_code == 302
    browser.post("/accounts/logout/")
    lock()
    assert LOCKED in text(sign_in(other, "owner", NEW))
    assert sign_in(browser, "owner", NEW).status_code == 302


def test_the_link_of_a_reset_makes_the_browser_known_so_that_a_lock_does_not_last(users: Users) -> None:
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": "owner@example.com"})
    mailbox.carry()
    found = re.search(r"http://\S+(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert found
    form = browser.get(found[1], follow=True)
    browser.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    lock()
    assert sign_in(browser, "owner", NEW).status_code == 302


def test_only_the_browsers_used_last_are_known_and_not_for_ever(users: Users) -> None:
    browsers = [known() for _ in range(known_browsers.MOST + 1)]
    assert KnownBrowser.objects.count() == known_browsers.MOST
    lock()
    assert LOCKED in text(sign_in(browsers[0], "owner", RIGHT))
    assert sign_in(browsers[1], "owner", RIGHT).status_code == 302
    with time_machine.travel(timezone.now() + known_browsers.KEPT + timedelta(minutes=1)):
        lock()
        assert LOCKED in text(sign_in(browsers[2], "owner", RIGHT))


def fill_address() -> None:
    """Somebody uses up what the address of `known` may try."""
    answers = [sign_in(Client(REMOTE_ADDR="198.51.100.7"), f"name{number}", "wrong") for number in range(31)]
    assert LOCKED in text(answers[25])
    assert answers[-1].status_code == 429


def test_guesses_at_an_address_lock_nobody_out_of_a_known_browser_behind_it(users: Users) -> None:
    browser = known()
    fill_address()
    assert sign_in(browser, "owner", RIGHT).status_code == 302
    # A browser that is not known shares the limit, and so does this one for accounts that did not sign in there.
    assert sign_in(Client(REMOTE_ADDR="198.51.100.7"), "owner", RIGHT).status_code == 429
    browser.post("/accounts/logout/")
    assert sign_in(browser, "colleague", RIGHT).status_code == 429


def test_guesses_at_an_address_do_not_stop_the_second_step_in_a_known_browser(users: Users) -> None:
    browser = known()
    secret = with_app(users.owner)
    fill_address()
    assert "second-step" in sign_in(browser, "owner", RIGHT)["Location"]
    answer = browser.post("/accounts/second-step/enter/", {"code": code(secret)})
    assert answer.status_code == 302, text(answer)
    assert browser.get("/profile/").status_code == 200


def test_codes_guessed_in_a_known_browser_are_limited(users: Users) -> None:
    browser = known()
    secret = with_app(users.owner)
    for number in range(6):
        sign_in(browser, "owner", RIGHT)
        browser.post("/accounts/second-step/enter/", {"code": f"12345{number}"})
    answer = browser.post("/accounts/second-step/enter/", {"code": code(secret)})
    assert LOCKED in text(answer)


@pytest.mark.slow
def test_copies_of_a_stolen_cookie_are_limited_together_at_many_addresses(users: Users) -> None:
    name, value = cookie(known())
    answers = [sign_in(with_cookie(name, value, 50 + number), "owner", "wrong") for number in range(40)]
    assert [LOCKED not in text(answer) and answer.status_code == 422 for answer in answers] == [True] * 5 + [False] * 35


@pytest.mark.parametrize("page", ["/accounts/login/", "/accounts/password/reset/"])
def test_a_name_of_more_than_254_letters_is_refused_before_it_is_searched_for(users: Users, page: str) -> None:
    for number, refused in ((254, False), (255, True), (20_000, True)):
        name = "a" * (number - len("@example.com")) + "@example.com"
        with CaptureQueriesContext(connection) as queries:
            answer = Client().post(page, {"login": name, "email": name, "password": "x"})
        searched = [one for one in queries.captured_queries if User._meta.db_table in one["sql"]]
        assert bool(searched) is not refused
        if refused:
            assert answer.status_code == 422
            assert "at most 254 characters" in text(answer)


def test_a_password_without_its_second_step_makes_no_browser_known(users: Users) -> None:
    with_app(users.owner)
    browser = Client()
    assert "second-step" in sign_in(browser, "owner", RIGHT)["Location"]
    assert not [name for name in browser.cookies if name.startswith("known_")]
    assert not KnownBrowser.objects.exists()


def test_the_cookie_does_not_reveal_who_has_an_account(
    users: Users, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    name, value = cookie(known("colleague"))

    def asked(typed: str) -> tuple[Any, ...]:
        browser = with_cookie(name, value, 40)
        with django_assert_max_num_queries(60) as counted:
            answer = sign_in(browser, typed, "wrong")
        shown = text(answer)[text(answer).index("<main") :].replace(typed, "")
        return answer.status_code, len(counted), sorted(browser.cookies), re.sub(r'value="\w*"|req_\w+', "", shown)

    assert asked("owner") == asked("nobody")


def test_the_cookie_is_out_of_reach_and_names_nobody(settings: Any, users: Users) -> None:
    production.put_over(settings)
    browser = Client(headers={"host": production.HOST})
    answer = browser.post("/accounts/login/", {"login": "owner", "password": RIGHT}, secure=True)
    assert answer.status_code == 302
    name, value = cookie(browser)
    morsel = browser.cookies[name]
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"]) == (
        True,
        True,
        "Strict",
        "/accounts/",
    )
    assert "owner" not in name + value
    # Signed values have a time in them, keyed digests have none: nothing is the account's number.
    assert str(users.owner.pk) not in value.split(":")
    assert value.split(":")[0] not in str(list(KnownBrowser.objects.values()))
