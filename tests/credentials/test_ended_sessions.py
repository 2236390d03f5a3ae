"""What people read once the engine has ended the session of their token, by route and by shape of its answer."""

import html

import pytest
from django.test import Client

from tests.practice_engine.fixtures import Practice
from tests.users import Users
from workflows_ui.credentials.services import credential_tests, credentials

pytestmark = pytest.mark.usefixtures("no_second_try")


@pytest.mark.parametrize("cause", ["revoked", "inactive"])
@pytest.mark.parametrize("page", ["flows", "runs", "connections", "tables", "pieces"])
def test_every_page_says_that_the_credential_ended_and_not_that_it_needs_more_rights(
    plain: Users, practice: Practice, cause: str, page: str
) -> None:
    practice.engine.settings.version = "0.83.0"
    entry = practice.engine.state.credentials[plain.credential.open("secret")]
    if cause == "revoked":
        entry["revoked"] = True
    else:
        practice.engine.state.users[entry["user"]]["status"] = "INACTIVE"
    browser = Client()
    browser.force_login(plain.owner)
    answer = browser.get(f"/w/sales/{page}/")
    text = html.unescape(answer.content.decode())
    assert answer.status_code == 502
    assert "The credential no longer works" in text
    assert "signing in again" in text
    assert "more rights" not in text


def test_no_role_in_the_project_is_a_matter_of_rights(plain: Users, practice: Practice) -> None:
    practice.engine.settings.version = "0.83.0"
    state = practice.engine.state
    stranger = state.credentials[practice.credentials.bearer_token_stranger]
    state.credentials[plain.credential.open("secret")] = dict(stranger)
    state.users[stranger["user"]]["platformRole"] = "MEMBER"
    browser = Client()
    browser.force_login(plain.owner)
    text = html.unescape(browser.get("/w/sales/flows/").content.decode())
    assert "The credential no longer works" not in text
    problem = credentials.retest(plain.credential)
    assert isinstance(problem, credential_tests.Problem)
    assert problem.code != credential_tests.Code.SESSION_ENDED
