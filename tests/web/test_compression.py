"""Pages are compressed only where nobody else can make a browser ask for them, and never with a secret in them."""

import gzip
from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from tests import users
from workflows_ui.members.models import Member, Role
from workflows_ui.web import responses
from workflows_ui.web.middleware import Compression

LONG = "<p>The same sentence.</p>" * 100
HEADERS = {"Accept-Encoding": "gzip, deflate, br", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def browser(db: None) -> Client:
    owner = users.person("owner")
    Member.objects.create(workspace=users.workspace("sales"), user=owner, role=Role.MANAGER)
    return users.browser(owner)


def passed(response: HttpResponseBase, **headers: str) -> HttpResponseBase:
    request = RequestFactory().get("/", headers=HEADERS | headers)
    answer = Compression(lambda _request: response)(request)
    assert isinstance(answer, HttpResponseBase)
    return answer


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_page_is_compressed_for_our_own_pages_and_the_address_bar(browser: Client, site: str) -> None:
    plain = browser.get("/w/sales/launches/")
    assert "Content-Encoding" not in plain
    sent = browser.get("/w/sales/launches/", headers=HEADERS | {"Sec-Fetch-Site": site})
    assert sent["Content-Encoding"] == "gzip"
    assert len(sent.content) < len(plain.content) / 2
    assert "</html>" in gzip.decompress(sent.content).decode()
    assert {"Accept-Encoding", "Sec-Fetch-Site"} <= {name.strip() for name in sent["Vary"].split(",")}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "anything"])
def test_a_page_that_another_site_asks_for_is_not_compressed(browser: Client, site: str) -> None:
    answer = browser.get("/w/sales/launches/", headers=HEADERS | {"Sec-Fetch-Site": site})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer
    assert "Sec-Fetch-Site" in answer["Vary"]


def test_a_browser_that_does_not_say_who_asks_gets_it_plain(browser: Client) -> None:
    answer = browser.get("/w/sales/launches/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer


def test_html_is_never_sent_with_brotli(browser: Client) -> None:
    answer = browser.get("/w/sales/launches/", headers=HEADERS | {"Accept-Encoding": "br"})
    assert "Content-Encoding" not in answer


def test_the_length_of_the_same_page_differs_by_chance() -> None:
    lengths = {len(passed(HttpResponse(LONG)).content) for _ in range(50)}  # type: ignore[attr-defined]
    assert len(lengths) > 5


def test_a_page_that_is_not_to_be_stored_is_not_compressed() -> None:
    secret = HttpResponse(LONG, headers={"Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private"})
    assert "Content-Encoding" not in passed(secret)


@pytest.mark.django_db
def test_the_page_with_the_secret_of_a_second_step_is_not_compressed() -> None:
    browser = users.browser(users.person("owner"))
    browser.post("/accounts/again/", {"password": "correct horse battery"})
    answer = browser.get("/accounts/second-step/app/add/", headers=HEADERS)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer
    assert answer.context["form"].secret in answer.content.decode()


def test_downloads_and_streams_stay_as_they_are() -> None:
    def rows() -> Iterator[str]:
        yield LONG

    for response in (responses.download(LONG, "rows.json"), responses.download(rows(), "rows.json")):
        answer = passed(response)
        assert "Content-Encoding" not in answer
        assert b"".join(answer) == LONG.encode()


def test_errors_are_compressed_too(browser: Client) -> None:
    answer = browser.get("/w/sales/nothing/", headers=HEADERS)
    assert answer.status_code == 404
    assert answer["Content-Encoding"] == "gzip"
