"""Guessing: passwords, codes, links and tokens. Guessing is stopped, everywhere alike, and the answer reveals nothing."""

from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests import mailbox
from tests.accounts.sign_in import code, set_up_app, sign_in, text
from tests.users import Users
from workflows_ui.accounts import tasks as account_tasks
from workflows_ui.audit.models import AuditEvent

RIGHT = "correct horse battery"


def test_another_browser_and_another_address_do_not_reset_the_lock(users: Users) -> None:
    for number in range(5):
        attacker = Client(REMOTE_ADDR=f"203.0.113.{number}", headers={"user-agent": f"agent {number}"})
        assert sign_in(attacker, "owner", "wrong").status_code == 422
    fresh = Client(REMOTE_ADDR="198.51.100.7")
    assert "Too many attempts" in text(sign_in(fresh, "owner", RIGHT))
    assert fresh.get("/profile/").status_code == 303


@pytest.mark.parametrize("name", ["owner", "OWNER", " owner ", "Owner", "owner@example.com", "Owner@Example.com"])
@pytest.mark.sampled(3)
def test_another_spelling_of_the_name_does_not_reset_the_lock(users: Users, name: str) -> None:
    for _ in range(5):
        sign_in(Client(), "owner", "wrong")
    assert "Too many attempts" in text(sign_in(Client(), name, RIGHT))


def test_an_invented_forwarded_address_does_not_reset_the_lock_of_an_address(users: Users) -> None:
    answers = []
    for number in range(25):
        made_up = {
            "x-forwarded-for": f"198.51.100.{number}",
            "x-real-ip": f"198.51.100.{number}",
            "forwarded": f"for=192.0.2.{number}",
        }
        answers.append(sign_in(Client(headers=made_up), f"name{number}", "wrong"))
    assert "Too many attempts" in text(answers[-1])


def test_a_lock_is_the_same_for_a_name_that_exists_and_for_one_that_does_not(users: Users) -> None:
    locked = []
    for name in ("owner", "nobody-has-this"):
        cache.clear()
        for _ in range(6):
            answer = sign_in(Client(), name, "wrong")
        locked.append(answer)
    assert [answer.status_code for answer in locked] == [422, 422]
    assert "Too many attempts" in text(locked[0])
    assert "Too many attempts" in text(locked[1])


def test_failures_are_logged_without_the_input(users: Users) -> None:
    sign_in(Client(), "owner", "my-real-password-mistyped")
    sign_in(Client(), "my-real-password-in-the-wrong-field", "x")
    rows = AuditEvent.objects.filter(action="person.sign_in", outcome="refused")
    assert rows.count() == 2
    assert "my-real-password" not in repr(list(rows.values()))


@pytest.mark.slow
def test_a_second_step_cannot_be_guessed_by_starting_over(users: Users) -> None:
    desk = Client()
    sign_in(desk, "owner")
    secret = set_up_app(desk)
    attacker = Client()
    for number in range(6):
        attacker = Client()
        sign_in(attacker, "owner", RIGHT)
        attacker.post("/accounts/second-step/enter/", {"code": f"12345{number}"})
    answer = attacker.post("/accounts/second-step/enter/", {"code": code(secret, steps=1)})
    assert "Too many attempts" in text(answer)
    assert attacker.get("/profile/").status_code in {302, 303}


@pytest.mark.parametrize("path", ["/join/{token}/", "/accounts/password/reset/key/1-{token}/"])
def test_links_that_are_guessed_all_lead_to_the_same_answer(users: Users, path: str) -> None:
    pages = {
        text(Client().get(path.format(token=token), follow=True)).count("<form")
        for token in ("abc", "a" * 40, "set-password", "x" * 2_000)
    }
    assert len(pages) == 1


def test_a_reset_reveals_to_nobody_who_has_an_account(
    users: Users, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def asked(address: str) -> tuple[Any, int, list[Any]]:
        browser = Client()
        with django_assert_max_num_queries(20) as counted:
            answer = browser.post("/accounts/password/reset/", {"email": address})
        return answer, len(counted), mailbox.rung(account_tasks.mail_password)

    known, unknown = asked("owner@example.com"), asked("nobody@example.com")
    assert known[0].headers["Location"] == unknown[0].headers["Location"]
    # The same work: as many queries, one bell each, and no mail before a worker hears it.
    assert known[1] == unknown[1]
    assert (known[2], unknown[2]) == ([([users.owner.pk], "en")], [([], "en")])
    assert mail.outbox == []
    for (arguments,) in (known[2], unknown[2]):
        account_tasks.mail_password.apply(arguments)
    assert [message.to for message in mail.outbox] == [["owner@example.com"]]


@pytest.mark.slow
def test_resets_cannot_fill_somebodys_mailbox(users: Users) -> None:
    for _ in range(40):
        Client().post("/accounts/password/reset/", {"email": "owner@example.com"})
    mailbox.carry()
    assert 0 < len(mail.outbox) <= 20
