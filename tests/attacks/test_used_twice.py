"""Links and codes for one use that are used twice at the same moment: one of the two succeeds."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.db import connection
from django.test import Client

from tests.accounts.sign_in import STEP, code, confirm, sign_in, text, with_app
from tests.at_once import meeting
from workflows_ui.accounts import password_mail
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


def test_a_link_for_a_new_password_that_is_used_twice_at_once_sets_one_password(ada: User) -> None:
    link = str(password_mail.build_mail(ada, "en").body).split("/accounts/")[1].split()[0]
    barrier = Barrier(2)

    def choose(password: str) -> str:
        browser = Client()
        page = browser.get(f"/accounts/{link}")
        with meeting(barrier, lambda sql: sql.startswith("UPDATE") and '"password" =' in sql):
            answer = browser.post(page.headers["Location"], {"password1": password, "password2": password}, follow=True)
        return text(answer)

    passwords = ["first new password 1", "second new password 2"]
    with ThreadPoolExecutor(2) as threads:
        pages = list(threads.map(choose, passwords))
    ada.refresh_from_db()
    accepted = ["This link does not work any more" not in page for page in pages]
    assert sorted(accepted) == [False, True]
    assert [ada.check_password(password) for password in passwords] == accepted
    assert "It was already used" in pages[accepted.index(False)]
    assert AuditEvent.objects.filter(action="person.password_reset").count() == 1


def test_a_recovery_code_that_is_used_while_the_codes_are_looked_at_stays_used(ada: User) -> None:
    secret = with_app(ada)
    first = RecoveryCodes.activate(ada).generate_codes()[0]
    reader = Client()
    sign_in(reader, "ada")
    reader.post(f"{STEP}enter/", {"code": code(secret)})
    confirm(reader)

    def use(_number: int = 0) -> int:
        try:
            browser = Client()
            sign_in(browser, "ada")
            return browser.post(f"{STEP}enter/", {"code": first}).status_code
        finally:
            connection.close()

    used: list[int] = []

    def use_before_writing(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not used and sql.startswith('UPDATE "mfa_authenticator"'):
            used.extend(threads.map(use, range(1)))
        return execute(sql, params, many, context)

    with ThreadPoolExecutor(1) as threads, connection.execute_wrapper(use_before_writing):
        assert reader.get(f"{STEP}codes/").status_code == 200
    assert used == [302]
    cache.clear()  # forgets, as time does, which codes were accepted in the last minutes
    assert use() == 422
