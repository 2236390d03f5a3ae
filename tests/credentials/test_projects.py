"""Connecting to Activepieces 0.83: by token and by sign-in, one project among several, and an engine upgraded under a workspace."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.credentials.test_credentials import everything_stored
from tests.practice_engine.fixtures import Practice
from tests.users import person
from workflows_ui.accounts.models import User
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.models import Credential, CredentialKind
from workflows_ui.credentials.services import credential_tests, credentials
from workflows_ui.members.models import Workspace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]
ADD = "/credentials/add/"


@pytest.fixture(autouse=True)
def _newer(practice: Practice) -> None:
    practice.engine.settings.version = "0.83.0"


def at(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def token(practice: Practice, **more: str) -> dict[str, str]:
    form = {"engine": "activepieces", "address": practice.activepieces, "token_kind": "bearer_token", "name": "Mine"}
    return form | {"secret": practice.credentials.bearer_token} | more


def signing(practice: Practice, **more: str) -> dict[str, str]:
    known = practice.credentials
    form = {"engine": "activepieces", "address": practice.activepieces, "token_kind": "bearer_sign_in", "name": "Mine"}
    return form | {"email": known.email, "password": known.password} | more


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("way", [token, signing])
@pytest.mark.parametrize(("language", "heading"), [("en", "Choose a project"), ("vi", "Chọn dự án")])
def test_who_may_enter_several_projects_chooses_one_without_typing_anything_again(
    practice: Practice, way: Any, language: str, heading: str
) -> None:
    browser, known = at(person("ada"), language), practice.credentials
    form = way(practice)
    answer = browser.post(ADD, form)
    assert answer.status_code == 303
    assert not Credential.objects.exists()
    page = browser.get(answer["Location"])
    assert heading in text(page)
    assert known.other_project_id in text(page)
    refused = browser.post(answer["Location"], {"project": "Z" * 21})
    assert refused.status_code == 422
    for shown in (page, refused):
        assert not any(secret in text(shown) for secret in (known.bearer_token, known.password))
    done = browser.post(answer["Location"], {"project": known.other_project_id}, follow=True)
    assert known.other_project_id in text(done)
    credential = Credential.objects.get()
    assert (credential.name, credential.kind, credential.workspace.project_id) == (
        "Mine",
        form["token_kind"],
        known.other_project_id,
    )
    assert credential.workspace.engine_version == "0.83.0"
    assert credential.findings["who"]
    assert credential.findings["email"] == known.email
    # The choice is over.
    assert browser.get(answer["Location"]).status_code == 303


def test_the_project_that_a_sign_in_leads_to_is_chosen_beforehand(practice: Practice) -> None:
    browser, known = at(person("ada")), practice.credentials
    page = browser.get(browser.post(ADD, signing(practice))["Location"])
    assert f'value="{known.project_id}" checked' in text(page)


def test_the_project_of_the_workspace_that_one_came_from_is_chosen_beforehand(practice: Practice) -> None:
    ada, known = person("ada"), practice.credentials
    browser = at(ada)
    browser.post(browser.post(ADD, token(practice))["Location"], {"project": known.other_project_id})
    slug = Workspace.objects.get().slug
    for way in (token, signing):
        page = browser.get(browser.post(f"{ADD}?workspace={slug}", way(practice))["Location"])
        assert f'value="{known.other_project_id}" checked' in text(page)


def test_who_may_enter_one_project_is_asked_nothing(practice: Practice) -> None:
    browser, known = at(person("ha")), practice.credentials
    assert browser.post(ADD, token(practice, secret=known.bearer_token_stranger)).status_code == 303
    credential = Credential.objects.get()
    assert (credential.workspace.project_id, credential.findings["project_id"]) == (known.other_project_id,) * 2


def test_a_choice_is_open_to_nobody_else_and_keeps_its_secret_sealed(practice: Practice) -> None:
    answer = at(person("ada")).post(ADD, token(practice))
    stranger = at(person("eve"))
    assert stranger.get(answer["Location"]).status_code == 303
    chosen = {"project": practice.credentials.project_id}
    assert stranger.post(answer["Location"], chosen).status_code == 303
    assert not Credential.objects.exists()
    assert practice.credentials.bearer_token not in everything_stored()
    assert Client(enforce_csrf_checks=True).post(answer["Location"], chosen).status_code in (302, 303, 403)


def test_what_goes_wrong_after_the_choice_is_said_and_may_be_tried_again(practice: Practice) -> None:
    browser, known = at(person("ada")), practice.credentials
    where = browser.post(ADD, token(practice))["Location"]
    practice.engine.faults.add("html", "GET", f"/v1/projects/{known.project_id}", times=3)
    answer = browser.post(where, {"project": known.project_id})
    assert answer.status_code == 422
    assert "Nothing was saved." in text(answer)
    assert browser.post(where, {"project": known.project_id}).status_code == 303


def test_a_replacement_is_for_the_workspace_it_belongs_to(practice: Practice) -> None:
    browser, known = at(person("ada")), practice.credentials
    browser.post(browser.post(ADD, token(practice))["Location"], {"project": known.project_id})
    credential = Credential.objects.get()
    where = reverse("credential_replace", args=[credential.workspace.slug, credential.pk])
    form = {"token_kind": "bearer_token", "secret": known.bearer_token_stranger, "seen": ""}
    refused = browser.post(where, form)
    assert refused.status_code == 422
    assert "opens another project: Hoa Sen Logistics" in text(refused)
    done = browser.post(
        where, form | {"token_kind": "bearer_sign_in", "email": known.email, "password": known.password}
    )
    assert done.status_code == 303
    credential.refresh_from_db()
    assert (credential.kind, credential.workspace.project_id) == (CredentialKind.BEARER_SIGN_IN, known.project_id)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [("0.72.4", "0.83.0"), ("0.83.0", "0.72.4"), ("0.72.4", "0.79.1")])
def test_an_engine_may_be_exchanged_under_a_workspace(practice: Practice, before: str, after: str) -> None:
    practice.engine.settings.version = before
    browser, known = at(person("ada")), practice.credentials
    answer = browser.post(ADD, token(practice))
    if before == "0.83.0":
        browser.post(answer["Location"], {"project": known.project_id})
    credential = Credential.objects.get()
    slug = credential.workspace.slug
    practice.engine.settings.version = after
    for page in ("flows", "runs", "folders", "connections", "tables", "pieces"):
        assert browser.get(f"/w/{slug}/{page}/").status_code == 200, page
    assert isinstance(credentials.retest(credential), credential_tests.Findings)
    credential.refresh_from_db()
    assert (credential.health, credential.workspace.engine_version, credential.findings["email"]) == (
        "works",
        after,
        known.email,
    )
    shown = text(browser.get(reverse("credential", args=[slug, credential.pk])))
    assert credential_messages.engine("activepieces", after) in shown
    assert ("not tested with this console" in shown) == (after == "0.79.1")
    assert credential_messages.engine("activepieces", after) in text(browser.get(f"/w/{slug}/settings/"))
    assert credential_messages.engine("activepieces", after) in text(browser.get(f"/w/{slug}/abilities/"))


def test_an_engine_that_does_not_show_its_version_has_an_unknown_one(practice: Practice) -> None:
    practice.engine.settings.missing_routes = ["/v1/flags"]
    browser = at(person("ha"))
    browser.post(ADD, token(practice, secret=practice.credentials.bearer_token_stranger))
    slug = Workspace.objects.get().slug
    assert "Activepieces, version unknown" in text(browser.get(f"/w/{slug}/settings/"))


def test_the_command_names_the_projects_and_takes_one(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    person("ada")
    known = practice.credentials
    monkeypatch.setattr("sys.stdin", _Typed(known.bearer_token))
    options = {"user": "ada", "flavour": "activepieces", "address": practice.activepieces}
    with pytest.raises(CommandError, match=known.other_project_id):
        call_command("add_credential", **options)
    call_command("add_credential", **options, project=known.other_project_id)
    assert Credential.objects.get().workspace.project_id == known.other_project_id


class _Typed:
    """Standard input that is no terminal and says the same whenever it is read."""

    def __init__(self, line: str) -> None:
        self.line = line

    def isatty(self) -> bool:
        return False

    def readline(self) -> str:
        return self.line
