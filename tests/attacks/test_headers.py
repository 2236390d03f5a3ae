"""The headers of every answer, graded as a reviewer would: policy, transport, frames, copies, referrers, cookies."""

import re
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from tests.attacks import addresses, production
from tests.stub_engine import StubEngine, flow, run
from tests.users import Users

#: For machines: they hold nothing of anybody's.
MACHINES = {"healthz", "readyz", "metrics"}


@pytest.fixture
def desk(settings: Any, users: Users) -> Client:
    """The owner at a desk, before a console with production's settings."""
    production.put_over(settings)
    made = Client(headers={"host": production.HOST}, raise_request_exception=False)
    made.force_login(users.owner)
    return made


def policy(answer: HttpResponseBase) -> dict[str, list[str]]:
    """The content security policy by directive."""
    parts = [part.split() for part in answer.get("Content-Security-Policy", "").split(";") if part.strip()]
    return {name: values for name, *values in parts}


def faults(answer: HttpResponseBase) -> list[str]:
    """What a reviewer would find wrong with the headers of an answer."""
    said = policy(answer)
    cache_control = answer.get("Cache-Control", "")
    seconds = re.search(r"max-age=(\d+)", answer.get("Strict-Transport-Security", ""))
    everything = " ".join(word for words in said.values() for word in words)
    good = {
        "nothing is loaded unless it is named": said.get("default-src") == ["'none'"],
        "scripts from here only": set(said.get("script-src", ["*"])) <= {"'self'"}
        or all(word == "'self'" or word.startswith("'nonce-") for word in said.get("script-src", ["*"])),
        "no inline or evaluated script, no wildcard": not re.search(r"unsafe|\*|https?:", everything),
        "forms lead here only": said.get("form-action") == ["'self'"],
        "no base": said.get("base-uri") == ["'none'"],
        "no frame": said.get("frame-ancestors") == ["'none'"] and answer.get("X-Frame-Options") == "DENY",
        "a year of https, neighbours included": seconds is not None
        and int(seconds[1]) >= 31_536_000
        and "includeSubDomains" in answer.get("Strict-Transport-Security", ""),
        "types are not guessed": answer.get("X-Content-Type-Options") == "nosniff",
        "no address is sent to other sites": answer.get("Referrer-Policy") in {"same-origin", "no-referrer"},
        "no window of others holds ours": answer.get("Cross-Origin-Opener-Policy") == "same-origin",
        "no other site uses it": answer.get("Cross-Origin-Resource-Policy") == "same-origin",
        "no device": "camera=()" in answer.get("Permissions-Policy", ""),
        "no shared copy": "no-store" in cache_control
        or {"private", "no-cache"} <= set(re.split(r",\s*", cache_control)),
        "the server says nothing of itself": not answer.has_header("X-Powered-By") and not answer.has_header("Server"),
    }
    return [name for name, holds in good.items() if not holds]


@pytest.mark.slow
def test_every_answer_has_the_headers_of_a_careful_site(desk: Client, users: Users, stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run()]
    found = {}
    for name, url in addresses.every().items():
        for answer in (desk.get(url, secure=True), desk.get(url, secure=True, headers={"HX-Request": "true"})):
            if name not in MACHINES and faults(answer):
                found[name] = faults(answer)
        if name == "account_logout":
            desk.force_login(users.owner)
    assert not found


@pytest.mark.slow
def test_trace_is_refused_at_every_address(desk: Client, stub_engine: StubEngine) -> None:
    """It would say back what was sent, cookies included."""
    found = {}
    for url in [*addresses.every().values(), "/no-such-page/", "/static/console.css", "/admin/"]:
        for method in ("TRACE", "TRACK", "CONNECT", "PUT", "MADE-UP"):
            answer = desk.generic(method, url, secure=True)
            wrong = [] if url.startswith("/static/") else faults(answer)
            if answer.status_code != 405 or getattr(answer, "content", None) or wrong:
                found[f"{method} {url}"] = (answer.status_code, wrong)
    assert not found
    assert stub_engine.calls == []


@pytest.mark.parametrize("path", ["/no-such-page/", "/w/elsewhere/flows/", "/w/sales/flows/%00/", "/accounts/login/"])
def test_errors_have_them_too(desk: Client, stub_engine: StubEngine, path: str) -> None:
    assert faults(desk.get(path, secure=True)) == []
    assert faults(desk.post(path, secure=True)) == []


def test_an_internal_error_has_them_too_and_shows_no_variable(
    desk: Client, stub_engine: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_ui.members.services.access.access_for", None)
    answer = desk.get("/w/sales/flows/", secure=True)
    assert answer.status_code == 500
    assert faults(answer) == []
    assert "Traceback" not in answer.content.decode()
    assert "NoneType" not in answer.content.decode()


def test_plain_http_leads_to_https_and_nothing_else(desk: Client) -> None:
    answer = desk.get("/profile/")
    assert (answer.status_code, answer["Location"]) == (301, f"https://{production.HOST}/profile/")


def test_cookies_are_kept_from_scripts_from_plain_http_and_from_neighbours(settings: Any, users: Users) -> None:
    production.put_over(settings)
    browser = Client(headers={"host": production.HOST})
    browser.get("/accounts/login/", secure=True)
    assert sign_in_over_tls(browser).status_code == 302
    names = set()
    for name, morsel in browser.cookies.items():
        names.add(name)
        assert morsel["secure"], name
        assert morsel["samesite"] in {"Lax", "Strict"}, name
        assert not morsel["domain"], name
        assert morsel["httponly"] or name in {"django_language", "theme"}, name
    assert names >= {"__Host-sessionid", "__Host-csrftoken"}
    for name in names:
        assert not name.startswith("__Host-") or browser.cookies[name]["path"] == "/"


def sign_in_over_tls(browser: Client) -> Any:
    """The owner signs in, as a browser would over https."""
    return browser.post("/accounts/login/", {"login": "owner", "password": "correct horse battery"}, secure=True)
