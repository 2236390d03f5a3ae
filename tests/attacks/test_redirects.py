"""Open redirects: no address leads outside, whatever stands in the fields and headers that say where to go next."""

from typing import Any

import pytest
from django.test import Client

from tests.attacks import addresses
from tests.stub_engine import StubEngine, flow, run
from tests.users import Users

EVIL = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "https:///evil.example",
    "http://testserver@evil.example/",
    "https://testserver.evil.example/",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    " //evil.example",
    "\t//evil.example",
    "/\t/evil.example",
    "//evil.example\\@testserver/",
]
INSIDE = "/inside/1337/"
NAMES = ("next", "back", "return", "return_to", "to", "url", "redirect", "continue", "from")
#: Signing out has the second test: it would end the session of the first.
ADDRESSES = {name: url for name, url in addresses.every().items() if name != "account_logout"}


def leads_outside(answer: object) -> str:
    """Where an answer sends the browser, if that is elsewhere."""
    headers = getattr(answer, "headers", {})
    for name in ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "Refresh"):
        where = headers.get(name, "")
        inside = where.startswith("/") and not where.startswith(("//", "/\\"))
        if where not in {"", "false"} and not inside and not where.startswith(("?", "#", "http://testserver/")):
            return f"{name}: {where}"
    return ""


@pytest.mark.slow
def test_no_address_leads_outside(users: Users, stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run()]
    browser = Client()
    browser.force_login(users.owner)
    # Where to go next is either read by an address or not: those that take an address of the console are tried with every attack.
    led = {name for name, url in ADDRESSES.items() if any(map(leads_there, both(browser, url, INSIDE)))}
    assert led >= {"account_login", "set_language", "set_theme"}
    for name, url in ADDRESSES.items():
        for evil in EVIL if name in led else ("https://evil.example/", "//evil.example/"):
            for answer in both(browser, url, evil):
                assert not leads_outside(answer), (name, evil)
                if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                    page = answer.content.decode()
                    assert 'href="https://evil' not in page, (name, evil)
                    assert 'href="//evil' not in page, (name, evil)
                    assert 'href="javascript:' not in page, (name, evil)


def both(browser: Client, url: str, where: str) -> tuple[Any, Any]:
    """The answers to a GET and a POST with this in every field and header that could say where to go next."""
    asked = dict.fromkeys(NAMES, where)
    headers = {"referer": "https://evil.example/", "HX-Current-URL": where.encode("ascii", "ignore").decode().strip()}
    return browser.get(url, asked, headers=headers), browser.post(url, asked, headers=headers)


def leads_there(answer: Any) -> bool:
    """Whether an answer leads to INSIDE, or a link or a form's field in it does."""
    page = "" if answer.streaming else answer.content.decode("utf-8", "replace")
    return INSIDE in answer.headers.values() or f'="{INSIDE}"' in page


@pytest.mark.parametrize("evil", EVIL)
def test_neither_signing_in_nor_out_leads_outside(users: Users, evil: str) -> None:
    browser = Client()
    sent = {"login": "owner", "password": "correct horse battery", "next": evil}
    answer = browser.post("/accounts/login/", sent)
    assert answer.status_code == 302
    assert not leads_outside(answer)
    assert not leads_outside(browser.get("/accounts/login/", {"next": evil}))
    for path in ("/preferences/language/", "/preferences/theme/", "/accounts/logout/"):
        assert not leads_outside(browser.post(path, {"next": evil, "language": "en"}))
