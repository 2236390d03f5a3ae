"""Copies of a passkey are noticed by its signature counter, which goes up with each use of a device's key."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from tests.accounts.passkey import Passkey
from tests.accounts.sign_in import STEP, sign_in, text
from tests.at_once import meeting
from workflows_ui.audit.models import AuditEvent

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]

ALONE = "/accounts/passkeys/sign-in/"
COPIED = "This passkey may have been copied"


@pytest.fixture(autouse=True)
def _host_name(settings: Any) -> None:
    """Passkeys need a host name."""
    settings.PASSKEYS, settings.BASE_URL = True, "https://console.example"


def enter(passkey: Passkey, counter: int) -> tuple[Client, Any]:
    """A browser that signs in with the passkey alone, and the page that it comes to."""
    browser = Client()
    options = browser.get(ALONE, headers={"x-requested-with": "XMLHttpRequest"}).json()["request_options"]
    return browser, browser.post(ALONE, {"credential": json.dumps(passkey.sign(options, counter))}, follow=True)


def signed_in(browser: Client) -> bool:
    return browser.get("/profile/").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("registered", "uses"),
    [
        (0, [(0, True), (0, True)]),  # a synchronized passkey counts nothing
        (0, [(0, True), (3, True), (0, False), (3, False), (4, True)]),
        (7, [(7, False), (6, False), (0, False), (8, True), (8, False), (2**32 - 1, True)]),
    ],
)
def test_a_passkey_is_accepted_only_with_a_counter_that_goes_up(
    ada: Any, registered: int, uses: list[tuple[int, bool]]
) -> None:
    passkey = Passkey(ada, registered)
    for counter, accepted in uses:
        browser, page = enter(passkey, counter)
        assert (signed_in(browser), COPIED in text(page)) == (accepted, not accepted)


def test_the_owner_of_a_copied_passkey_gets_a_mail_and_it_is_audited(
    ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    enter(Passkey(ada, 7), 7)
    row = AuditEvent.objects.get(action="person.passkey_use")
    assert (row.outcome, row.object_id, row.detail["name"]) == ("refused", str(ada.pk), "Phone")
    assert (row.detail["counter"], row.detail["last"]) == (7, 7)
    [message] = mail.outbox
    assert message.to == [ada.email]
    assert "“Phone”" in message.body
    assert "remove this passkey" in message.body
    assert "passkey.copied" in caplog.text


@pytest.mark.slow
def test_a_copied_passkey_is_refused_as_a_second_step_and_before_a_sensitive_action(ada: Any) -> None:
    passkey, browser = Passkey(ada, 7), Client()
    sign_in(browser, "ada")
    for counter, status in ((7, 422), (8, 302)):
        options = browser.get(f"{STEP}enter/").context["js_data"]["request_options"]
        answer = browser.post(f"{STEP}enter/", {"credential": json.dumps(passkey.sign(options, counter))})
        assert (answer.status_code, COPIED in text(answer)) == (status, status == 422)
    assert signed_in(browser)
    for counter, copied in ((8, True), (9, False)):
        options = browser.get("/accounts/passkeys/again/").context["js_data"]["request_options"]
        credential = json.dumps(passkey.sign(options, counter))
        answer = browser.post("/accounts/passkeys/again/", {"credential": credential}, follow=True)
        assert (COPIED in text(answer)) is copied


def test_of_a_passkey_and_its_copy_that_are_used_at_once_one_is_accepted(ada: Any) -> None:
    passkey, barrier = Passkey(ada, 7), Barrier(2)

    def use(_number: int) -> bool:
        with meeting(barrier, lambda sql: sql.startswith('UPDATE "workflows_ui_passkeycounter"')):
            return signed_in(enter(passkey, 8)[0])

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(use, range(2))) == [False, True]
