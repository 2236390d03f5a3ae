"""Open redirects: no address leads outside, whatever stands in the fields and headers that say where to go next."""

import pytest
from django.test import Client

from tests.attacks import addresses
from tests.cast import Cast
from tests.shelf import Shelf, flow, run

pytestmark = pytest.mark.once

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
NAMES = ("next", "back", "return", "return_to", "to", "url", "redirect", "continue", "from")


def leads_outside(answer: object) -> str:
    """Where an answer sends the browser, if that is elsewhere."""
    headers = getattr(answer, "headers", {})
    for name in ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "Refresh"):
        where = headers.get(name, "")
        inside = where.startswith("/") and not where.startswith(("//", "/\\"))
        if where not in {"", "false"} and not inside and not where.startswith(("?", "#", "http://testserver/")):
            return f"{name}: {where}"
    return ""


@pytest.mark.parametrize("evil", EVIL)
def test_no_address_leads_outside(cast: Cast, shelf: Shelf, evil: str) -> None:
    shelf.flows, shelf.runs = [flow()], [run()]
    asked = dict.fromkeys(NAMES, evil)
    headers = {"referer": "https://evil.example/", "HX-Current-URL": evil.encode("ascii", "ignore").decode().strip()}
    browser = Client()
    browser.force_login(cast.owner)
    for name, url in addresses.every().items():
        if name == "account_logout":
            continue  # the next test: it would end this one's session
        for answer in (browser.get(url, asked, headers=headers), browser.post(url, asked, headers=headers)):
            assert not leads_outside(answer), name
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                page = answer.content.decode()
                assert 'href="https://evil' not in page, name
                assert 'href="//evil' not in page, name
                assert 'href="javascript:' not in page, name


@pytest.mark.parametrize("evil", EVIL)
def test_neither_signing_in_nor_out_leads_outside(cast: Cast, evil: str) -> None:
    browser = Client()
    sent = {"login": "owner", "password": "correct horse battery", "next": evil}
    answer = browser.post("/accounts/login/", sent)
    assert answer.status_code == 302
    assert not leads_outside(answer)
    assert not leads_outside(browser.get("/accounts/login/", {"next": evil}))
    for path in ("/preferences/language/", "/preferences/theme/", "/accounts/logout/"):
        assert not leads_outside(browser.post(path, {"next": evil, "language": "en"}))
