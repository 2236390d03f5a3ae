"""Session fixation and stolen sessions: one that somebody prepared, knows or kept is worth nothing afterwards."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tests.accounts.sign_in import PASSWORD, set_up_app, sign_in
from tests.users import Users

PREPARED = "a" * 32


def test_a_prepared_session_name_is_not_taken(users: Users) -> None:
    victim = Client()
    victim.cookies["sessionid"] = PREPARED
    assert sign_in(victim, "owner").status_code == 302
    assert victim.cookies["sessionid"].value != PREPARED
    attacker = Client()
    attacker.cookies["sessionid"] = PREPARED
    assert attacker.get("/profile/").status_code == 303
    assert not Session.objects.filter(session_key=PREPARED).exists()


def test_a_real_session_from_before_the_sign_in_is_invalid_afterwards(users: Users) -> None:
    attacker = Client()
    attacker.get("/accounts/login/")
    session = attacker.session
    session["planted"] = "x"
    session.save()
    attacker.cookies["sessionid"] = planted = str(session.session_key)
    victim = Client()
    victim.cookies["sessionid"] = planted
    sign_in(victim, "owner")
    assert victim.cookies["sessionid"].value != planted
    assert victim.get("/profile/").status_code == 200
    assert attacker.get("/profile/").status_code == 303


def test_somebody_elses_session_of_this_browser_is_not_taken_over(users: Users) -> None:
    attacker = Client()
    sign_in(attacker, "stranger")
    session = attacker.session
    session["planted"] = "x"
    session.save()
    old_session = attacker.cookies["sessionid"].value
    victim = Client()
    victim.cookies["sessionid"] = old_session
    victim.post("/accounts/logout/")
    sign_in(victim, "owner")
    assert victim.cookies["sessionid"].value != old_session
    assert "planted" not in victim.session
    assert attacker.get("/profile/").status_code == 303


def test_a_session_that_was_copied_ends_with_the_sign_out(users: Users) -> None:
    browser, thief = Client(), Client()
    sign_in(browser, "owner")
    thief.cookies["sessionid"] = browser.cookies["sessionid"].value
    assert thief.get("/profile/").status_code == 200
    browser.post("/accounts/logout/")
    assert thief.get("/profile/").status_code == 303


def test_a_copied_session_ends_with_the_password(users: Users) -> None:
    browser, thief = Client(), Client()
    new = "another horse battery"
    sign_in(browser, "owner")
    thief.cookies["sessionid"] = browser.cookies["sessionid"].value
    browser.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert thief.get("/profile/").status_code == 303


@pytest.mark.django_db(transaction=True)
def test_sessions_of_a_password_alone_end_with_the_first_second_step(users: Users) -> None:
    other, desk = Client(), Client()
    sign_in(other, "colleague")
    sign_in(desk, "colleague")
    set_up_app(desk)
    assert other.get("/profile/").status_code == 303
    assert desk.get("/profile/").status_code == 200


def test_the_first_step_alone_is_no_session(users: Users) -> None:
    desk = Client()
    sign_in(desk, "owner")
    set_up_app(desk)
    attacker = Client()
    sign_in(attacker, "owner")
    for path in ("/profile/", "/w/sales/", "/accounts/second-step/", "/accounts/password/change/"):
        assert attacker.get(path).status_code in {302, 303}, path
