"""The Back button after a session's end: browsers may store no answer to a request with a session."""

import pytest
from django.conf import settings
from django.test import Client

from tests.attacks import addresses
from tests.stub_engine import StubEngine, flow, run
from tests.users import Users
from workflows_ui.accounts.services import sessions

#: As a page, as a fragment, and as the answer to a link that htmx follows.
KINDS: tuple[dict[str, str], ...] = (
    {},
    {"HX-Request": "true", "HX-Target": "results"},
    {"HX-Request": "true", "HX-Boosted": "true"},
)


@pytest.fixture
def desk(users: Users) -> Client:
    """A superuser who also manages the workspace: nearly every address answers with its page."""
    users.owner.is_superuser = True
    users.owner.save()
    made = Client(raise_request_exception=False)
    made.force_login(users.owner)
    return made


@pytest.mark.slow
def test_no_address_lets_a_browser_store_an_answer_to_a_request_with_a_session(
    desk: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run()]
    urls = [*addresses.every().values(), "/admin/", "/admin/workflows_ui/user/", "/no-such-page/", "/w/sales/%00/"]
    stored = {}
    for number, url in enumerate(urls):
        answer = desk.get(url, headers=KINDS[number % len(KINDS)])
        if "no-store" not in answer.get("Cache-Control", ""):
            stored[url] = answer.get("Cache-Control", "")
    assert stored == {}
    assert desk.get("/profile/").status_code == 200, "the session ended on the way"


@pytest.mark.parametrize("path", ["/profile/", "/w/sales/flows/", "/accounts/address/", "/no-such-page/"])
def test_answers_to_posts_are_not_stored_either(desk: Client, stub_engine: StubEngine, path: str) -> None:
    assert "no-store" in desk.post(path)["Cache-Control"]


def test_a_session_that_was_ended_elsewhere_gets_no_answer_that_is_stored(desk: Client, users: Users) -> None:
    sessions.close(users.owner)
    desk.session.flush()
    for answer in (desk.get("/profile/"), desk.post("/profile/", {"first_name": "Half typed"})):
        assert answer.status_code in {303, 403}
        assert "no-store" in answer["Cache-Control"]
        desk.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32


def test_signing_in_and_out_is_not_stored(users: Users) -> None:
    browser = Client()
    signed_in = browser.post("/accounts/login/", {"login": "owner", "password": "correct horse battery"})
    assert signed_in.status_code == 302
    assert "no-store" in signed_in["Cache-Control"]
    signed_out = browser.post("/accounts/logout/")
    assert "no-store" in signed_out["Cache-Control"]


def test_pages_without_a_session_may_be_stored(db: None) -> None:
    assert "no-store" not in Client().get("/accounts/signup/")["Cache-Control"]
