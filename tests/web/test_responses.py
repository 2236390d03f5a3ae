"""Whole pages and fragments: the one htmx rule."""

import re
from pathlib import Path

import pytest
from django.test import Client

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow

PAGE = "/w/sales/flows/"


@pytest.fixture(autouse=True)
def _one_flow(stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow()]


def test_a_browser_gets_the_whole_page(owner: Client) -> None:
    page = owner.get(PAGE).content
    assert page.startswith(b"<!doctype html>")
    assert b'<section id="results"' in page


def test_htmx_gets_only_the_element_it_replaces(owner: Client) -> None:
    fragment = owner.get(PAGE, headers={"HX-Request": "true", "HX-Target": "results"}).content.strip()
    assert fragment.startswith(b'<section id="results"')
    assert fragment.endswith(b"</section>")
    assert b"Order intake" in fragment


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true", "HX-Target": "something-else"},
        {"HX-Request": "true", "HX-Boosted": "true", "HX-Target": "results"},
        {"HX-Request": "true", "HX-History-Restore-Request": "true"},
    ],
    ids=["a target that is not the view's", "a boosted link", "restored history"],
)
def test_anything_else_from_htmx_gets_the_whole_page(owner: Client, headers: dict[str, str]) -> None:
    assert owner.get(PAGE, headers=headers).content.startswith(b"<!doctype html>")


def test_caches_keep_page_and_fragment_apart(owner: Client) -> None:
    answer = owner.get(PAGE)
    assert {"HX-Request", "HX-Target"} <= {name.strip() for name in answer["Vary"].split(",")}
    assert "private" in answer["Cache-Control"]


def test_a_redirect_is_303_for_a_browser_and_a_header_for_htmx(owner: Client) -> None:
    plain = owner.post("/preferences/theme/", {"theme": "dark", "next": "/"})
    htmx = owner.post("/preferences/theme/", {"theme": "dark", "next": "/"}, headers={"HX-Request": "true"})
    assert (plain.status_code, plain["Location"]) == (303, "/")
    assert (htmx.status_code, htmx["HX-Redirect"]) == (200, "/")


def test_a_next_page_that_is_no_path_is_the_first_page(owner: Client) -> None:
    for target in ("profile", "//elsewhere.example/", "javascript:alert(1)"):
        assert owner.post("/preferences/theme/", {"theme": "dark", "next": target})["Location"] == "/"


def test_a_boosted_link_gets_whole_pages_of_errors_and_leads_back_to_where_it_went_after_a_sign_in(
    owner: Client, stub_engine: StubEngine
) -> None:
    boosted = {"HX-Request": "true", "HX-Boosted": "true", "HX-Current-URL": "http://testserver/w/sales/credentials/"}
    stub_engine.faults["/flows"] = Reply(500, {"message": "down"})
    for address in (PAGE, "/w/sales/flows/no-such-flow/", "/nowhere/"):
        answer = owner.get(address, headers=boosted)
        assert answer.status_code >= 400
        assert answer.content.startswith(b"<!doctype html>")
        assert "HX-Retarget" not in answer
    owner.logout()
    assert owner.get(PAGE, headers=boosted)["Location"] == "/accounts/login/?next=%2Fw%2Fsales%2Fflows%2F"


def test_a_script_that_not_every_page_has_is_marked_so_that_links_to_and_from_its_page_load_it() -> None:
    for path in Path("templates").rglob("*.html"):
        if path.name != "page_header.html":
            scripts = re.findall(r"<script[^>]*\ssrc=[^>]*>", path.read_text())
            assert all(script.startswith("<script data-own ") for script in scripts), path
