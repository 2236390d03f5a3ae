"""Host headers that lie: refused, and never in a link, a mail or a redirect."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from tests import mailbox
from tests.attacks import production
from tests.users import Users

LIES = [
    "evil.example",
    "console.example.com.evil.example",
    "console.example.com@evil.example",
    "console.example.com:80@evil.example",
    "evil.example:443",
    "127.0.0.1",
    "[::1]",
    "",
    "*",
    "console.example.com/evil",
    "console.example.com, evil.example",
]


@pytest.mark.parametrize("host", LIES)
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/", "/no-such-page/"])
def test_a_foreign_host_is_refused(settings: Any, users: Users, host: str, path: str) -> None:
    production.put_over(settings)
    browser = Client(headers={"host": host})
    for answer in (browser.get(path, secure=True), browser.post(path, {"email": "owner@example.com"}, secure=True)):
        assert answer.status_code == 400
        assert "evil" not in answer.content.decode()
        assert not answer.has_header("Location")
    assert mail.outbox == []


def test_forwarded_hosts_are_ignored(settings: Any, users: Users) -> None:
    production.put_over(settings)
    lies = {
        "x-forwarded-host": "evil.example",
        "x-host": "evil.example",
        "forwarded": "host=evil.example",
        "x-forwarded-server": "evil.example",
    }
    browser = Client(headers={"host": production.HOST} | lies)
    browser.post("/accounts/password/reset/", {"email": "owner@example.com"}, secure=True)
    mailbox.carry()
    (message,) = mail.outbox
    assert f"https://{production.HOST}/accounts/password/reset/key/" in str(message.body)
    assert "evil" not in str(message.message())
    for path in ("/", "/accounts/login/", "/profile"):
        answer = browser.get(path, secure=True)
        assert "evil" not in answer.content.decode() + repr(answer.headers)


def test_plain_http_is_not_redirected_to_a_forged_host(settings: Any, users: Users) -> None:
    production.put_over(settings)
    answer = Client(headers={"host": "evil.example"}).get("/profile/")
    assert answer.status_code == 400
    assert not answer.has_header("Location")
