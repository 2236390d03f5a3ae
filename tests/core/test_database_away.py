"""A database that does not answer is reported as such, on whole pages and fragments; what was typed is given back."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from tests.users import Users, gather, workspace

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
TITLE = "The console cannot reach its database"


@pytest.fixture
def browser(users: Users) -> Client:
    made = Client(raise_request_exception=False)
    made.force_login(users.owner)
    return made


@pytest.fixture
def users() -> Users:
    return gather(workspace("sales"), "secret-secret-secret")


@pytest.fixture
def _away(browser: Client) -> Iterator[None]:
    """The database is not where it was."""
    connection.close()
    known = connection.settings_dict
    place, known["NAME"] = known["NAME"], "/nowhere/at/all"
    yield
    connection.close()
    known["NAME"] = place


@pytest.mark.usefixtures("_away")
def test_a_page_says_that_the_database_is_away_and_when_to_try_again(browser: Client) -> None:
    for client in (browser, Client(raise_request_exception=False)):
        client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
        answer = client.get("/w/sales/launches/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert TITLE in answer.content.decode()
        assert '<a class="btn btn-primary" href="/w/sales/launches/">Try again</a>' in answer.content.decode()


@pytest.mark.usefixtures("_away")
def test_a_fragment_says_so_in_the_pages_alerts(browser: Client) -> None:
    answer = browser.get("/w/sales/launches/", headers={"HX-Request": "true", "HX-Target": "list"})
    assert (answer.status_code, answer["HX-Retarget"]) == (503, "#alerts")
    assert TITLE in answer.content.decode()


@pytest.mark.usefixtures("_away")
def test_what_was_typed_is_given_back_without_secrets(browser: Client) -> None:
    sent = {"name": "Chị Hoa", "secret": "never-shown-again"}
    page = browser.post("/w/sales/credentials/add/", sent).content.decode()
    assert TITLE in page
    assert "Chị Hoa" in page
    assert "never-shown-again" not in page


@pytest.mark.usefixtures("_away")
def test_health_needs_no_database_and_readiness_names_it() -> None:
    assert Client().get("/healthz").status_code == 200
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "down")
