"""The pages of credentials: adding, listing, testing, renaming, deleting; and what nobody may see.

Longer than most: one page has many ways to fail, and each stands in a table here.
"""

import logging
import uuid
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.credentials.test_credentials import everything_stored
from tests.practice_engine.fixtures import Practice
from tests.users import Users, credential, gather, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Credential, CredentialKind, Health
from workflows_ui.credentials.services import credential_tests
from workflows_ui.engine import Timeouts
from workflows_ui.members.models import AccessRequest, Member, Role, Workspace
from workflows_ui.members.services import access

ADD = "/credentials/add/"


@pytest.fixture(autouse=True)
def _no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little time that a read which failed is not tried again."""
    monkeypatch.setattr(credential_tests, "TIMEOUTS", Timeouts(connect=2.0, read=0.4, total=0.4))


@pytest.fixture
def users(db: None, practice: Practice) -> Users:
    space = workspace("sales", address=practice.activepieces, project=practice.credentials.project_id)
    return gather(space, practice.credentials.bearer_token)


def browser(who: User | None = None) -> Client:
    client = Client(raise_request_exception=True)
    if who is not None:
        client.force_login(who)
    return client


def typed(practice: Practice, **changes: str) -> dict[str, str]:
    given = {
        "engine": "activepieces",
        "address": practice.activepieces,
        "secret": practice.credentials.bearer_token,
        "name": "Key of the tests",
    }
    return given | changes


def added(client: Client, practice: Practice) -> Any:
    """Adds the owner's token; where it opens several projects (0.83), the first one is chosen."""
    page = client.post(ADD, typed(practice), follow=True)
    where = page.request["PATH_INFO"]
    return (
        client.post(where, {"project": practice.credentials.project_id}, follow=True) if "/project/" in where else page
    )


def imbrace(practice: Practice, **changes: str) -> dict[str, str]:
    given = {
        "engine": "gateway",
        "address": practice.gateway,
        "kind": "api_key",
        "secret": practice.credentials.api_key,
    }
    return given | changes


def text(response: Any) -> str:
    return str(response.content.decode())


def errors(response: Any) -> dict[str, list[str]]:
    return {field: [str(error) for error in found] for field, found in response.context["form"].errors.items()}


# --- Adding


def test_a_good_credential_is_kept_and_its_page_shows_what_was_found(db: None, practice: Practice) -> None:
    page = added(browser(person("ada")), practice)
    assert page.redirect_chain[0][1] == 303
    credential = Credential.objects.get()
    assert (credential.health, credential.name, credential.workspace.project_id) == (
        Health.WORKS,
        "Key of the tests",
        practice.credentials.project_id,
    )
    body = text(page)
    assert "Test result" in body
    for value in (credential.findings["who"], credential.findings["project"], credential.findings["project_id"]):
        assert value
        assert value in body.replace("&#x27;", "'")
    assert practice.credentials.bearer_token not in body


@pytest.mark.parametrize("kind", ["api_key", "access_token", "jwt"])
def test_each_kind_of_imbrace_secret_is_taken(db: None, practice: Practice, kind: str) -> None:
    known = practice.credentials
    forms = {
        "api_key": imbrace(practice),
        "access_token": imbrace(practice, kind="access_token", secret=known.access_token),
        "jwt": imbrace(practice, kind="access_token", secret=known.jwt, organization_id=known.organization_id),
    }
    assert browser(person("ada")).post(ADD, forms[kind]).status_code == 303
    credential = Credential.objects.get()
    assert credential.kind == (CredentialKind.API_KEY if kind == "api_key" else CredentialKind.ACCESS_TOKEN)
    assert credential.workspace.organization_id == known.organization_id
    assert credential.workspace.flavour == "imbrace"


def test_a_second_person_is_led_to_the_page_where_they_wait(users: Users, practice: Practice) -> None:
    token = practice.credentials.bearer_token_colleague
    page = browser(users.stranger).post(ADD, typed(practice, secret=token), follow=True)
    assert page.redirect_chain == [("/waiting/", 303)]
    assert "owner" in text(page)
    assert AccessRequest.objects.get().user == users.stranger
    assert Workspace.objects.count() == 1
    credential = Credential.objects.get(owner=users.stranger)
    assert browser(users.stranger).get(reverse("credential", args=["sales", credential.pk])).status_code == 404


def test_the_form_starts_where_the_workspace_leads(users: Users) -> None:
    body = text(browser(users.colleague).get(f"{ADD}?workspace=sales"))
    assert users.workspace.address in body
    assert users.workspace.address not in text(browser(users.stranger).get(f"{ADD}?workspace=sales"))


PROBLEMS = [
    ("api_key_scoped", {}, "secret", "limited to other parts"),
    ("api_key_expired", {}, "secret", "refuses this secret"),
    ("jwt", {"kind": "access_token", "organization_id": "org_nobody"}, "organization_id", "does not belong"),
    ("jwt", {"kind": "access_token"}, "organization_id", "only together with its organization"),
    (
        "access_token",
        {"kind": "access_token", "organization_id": "org_nobody"},
        "organization_id",
        "belongs to the organization",
    ),
    ("api_key", {"address": "http://127.0.0.1:9"}, "address", "Nothing answers"),
    ("api_key", {"address": "http://169.254.169.254"}, "address", "does not call this address"),
    ("api_key", {"address": "ftp://files.example"}, "address", "starts with https"),
    ("api_key", {"address": "https://user:word@gw.example"}, "address", "must not hold a username"),
    ("api_key", {"address": "https://gw.example/?a=b"}, "address", "before any"),
    ("api_key", {"address": ""}, "address", "Enter the engine"),
]


@pytest.mark.parametrize(("secret", "changes", "field", "words"), PROBLEMS)
def test_what_is_wrong_is_said_at_its_field_and_nothing_else_typed_is_lost(
    db: None,
    practice: Practice,
    secret: str,
    changes: dict[str, str],
    field: str,
    words: str,
) -> None:
    value = getattr(practice.credentials, secret)
    sent = imbrace(practice, secret=value, name="A name that I chose", **changes)
    page = browser(person("ada")).post(ADD, sent)
    assert page.status_code == 422
    assert words in " ".join(errors(page)[field])
    body = text(page)
    assert "A name that I chose" in body
    assert sent["address"] in body
    assert sent.get("organization_id", "") in body
    assert "Enter the secret again" in body
    assert value not in body
    assert not Credential.objects.exists()
    assert not Workspace.objects.exists()
    assert not AuditEvent.objects.exists()


FAULTS = [
    ({"kind": "html"}, "", "has a problem"),
    ({"kind": "status", "status": 500}, "", "has a problem"),
    ({"kind": "status", "status": 402, "body": "empty"}, "", "plan"),
    ({"kind": "too_many", "seconds": 60}, "", "limiting requests"),
    ({"kind": "delay", "seconds": 2}, "", "did not answer in time"),
    ({"kind": "reset_before"}, "", "has a problem"),
    ({"kind": "truncated"}, "", "has a problem"),
    ({"kind": "invalid_json"}, "address", "not a workflow engine"),
    ({"kind": "empty"}, "address", "not a workflow engine"),
    ({"kind": "garbage"}, "", "has a problem"),
]


@pytest.mark.parametrize(("fault", "field", "words"), FAULTS)
def test_each_fault_of_an_engine_becomes_a_clear_message(
    db: None,
    practice: Practice,
    fault: dict[str, object],
    field: str,
    words: str,
) -> None:
    given = dict(fault)
    # The first route that is asked for, whichever version answers.
    practice.engine.faults.add(given.pop("kind"), "GET", "/v1/projects", **given)  # type: ignore[arg-type]
    page = browser(person("ada")).post(ADD, typed(practice, name="Kept"))
    assert page.status_code == 422
    assert words in " ".join(errors(page)[field or "__all__"])
    assert "Kept" in text(page)
    assert not Credential.objects.exists()


@pytest.mark.slow
def test_testing_is_limited_so_that_nobody_tries_out_secrets(db: None, practice: Practice) -> None:
    client = browser(person("ada"))
    for _ in range(20):
        assert "secret" in errors(client.post(ADD, imbrace(practice, secret="api_guess")))
    before = practice.journal.count()
    page = client.post(ADD, imbrace(practice))
    assert "many credentials" in " ".join(errors(page)["__all__"])
    after = practice.journal.count()
    assert (before, Credential.objects.count()) == (after, 0)


# --- The secret


def test_the_secret_is_in_no_page_no_log_no_session_and_no_row(
    users: Users,
    practice: Practice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    token = practice.credentials.bearer_token
    client = browser(users.owner)
    credential = users.credential
    at = ["sales", credential.pk]
    pages = [
        added(client, practice),
        client.post(ADD, typed(practice, address="http://127.0.0.1:9/api"), follow=True),
        client.post(ADD, typed(practice, engine="nonsense"), follow=True),
        client.get(reverse("credentials", args=["sales"])),
        client.get(reverse("credential", args=at)),
        client.post(reverse("credential_test", args=at), follow=True),
        client.get(reverse("credential_rename", args=at)),
        client.post(reverse("credential_rename", args=at), {"name": "Renamed"}, follow=True),
        client.get(reverse("credential_delete", args=at)),
        client.get(reverse("members", args=["sales"])),
        client.get(reverse("workspace_settings", args=["sales"])),
        client.post(reverse("credential_delete", args=at), {"sure": "yes"}, follow=True),
    ]
    assert all(page.status_code in {200, 422} for page in pages)
    assert not any(token in text(page) or token in str(page.headers) for page in pages)
    assert caplog.records
    assert token not in caplog.text
    assert token not in str([session.get_decoded() for session in Session.objects.all()])
    dump = everything_stored()
    assert "Key of the tests" in dump
    assert token not in dump


# --- The list and one credential


def test_a_member_sees_their_own_and_a_manager_everybodys(users: Users) -> None:
    listing = reverse("credentials", args=["sales"])
    mine = text(browser(users.colleague).get(listing))
    assert "Colleague&#x27;s key" in mine
    assert "My key" not in mine
    everybodys = text(browser(users.owner).get(listing))
    assert "Colleague&#x27;s key" in everybodys
    assert "My key" in everybodys


def test_somebody_without_a_credential_is_offered_to_add_one(users: Users) -> None:
    Member.objects.create(workspace=users.workspace, user=users.stranger, role=Role.VIEWER)
    body = text(browser(users.stranger).get(reverse("credentials", args=["sales"])))
    assert "You have no credential here" in body
    assert f"{ADD}?workspace=sales" in body


@pytest.mark.parametrize("name", ["credential", "credential_test", "credential_rename", "credential_delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_anothers_credential_is_not_there_for_a_mere_member(users: Users, name: str, method: str) -> None:
    client = browser(users.colleague)
    answer = getattr(client, method)(reverse(name, args=["sales", users.credential.pk]), {"name": "Mine now"})
    refused = {("credential", "post"), ("credential_test", "get")}
    assert answer.status_code == (405 if (name, method) in refused else 404)
    users.credential.refresh_from_db()
    assert (users.credential.name, users.credential.tested_at) == ("My key", None)


@pytest.mark.parametrize("name", ["credential", "credential_test", "credential_rename", "credential_delete"])
def test_a_credential_is_found_in_its_own_workspace_only(users: Users, name: str) -> None:
    elsewhere = workspace("hr", project="Q" * 21)
    Member.objects.create(workspace=elsewhere, user=users.owner, role=Role.MANAGER)
    client = browser(users.owner)
    ask = client.get if name == "credential" else client.post
    assert ask(reverse(name, args=["hr", users.credential.pk])).status_code == 404
    assert ask(reverse(name, args=["sales", uuid.uuid4()])).status_code == 404
    assert Credential.objects.filter(pk=users.credential.pk).exists()


@pytest.mark.parametrize(
    "path",
    [
        "/w/sales/credentials/",
        "/w/sales/members/",
        "/w/sales/settings/",
        "/w/sales/credentials/8d0b8f1e-6a3c-4a55-9d8e-2f2f6d1c7a10/",
    ],
)
def test_a_stranger_finds_nothing_and_nobody_is_led_to_sign_in(users: Users, path: str) -> None:
    assert browser(users.stranger).get(path).status_code == 404
    assert browser().get(path).headers["Location"].startswith("/accounts/login/?next=")


def test_a_test_now_shows_its_result(users: Users, practice: Practice) -> None:
    client, at = browser(users.owner), ["sales", users.credential.pk]
    page = client.post(reverse("credential_test", args=at), follow=True)
    assert "The credential works." in text(page)
    practice.engine.faults.add("status", "GET", f"/v1/projects/{users.workspace.project_id}", status=401)
    page = client.post(reverse("credential_test", args=at), follow=True)
    assert "The engine refuses this secret." in text(page)
    assert "Result of the last successful test" in text(page)
    users.credential.refresh_from_db()
    assert users.credential.health == Health.REFUSED


def test_a_secret_whose_time_is_over_says_what_to_do(users: Users) -> None:
    Credential.objects.filter(pk=users.credential.pk).update(health="works", ends_at=timezone.now())
    page = text(browser(users.owner).get(reverse("credential", args=["sales", users.credential.pk])))
    assert "This secret has expired." in page
    assert "replace it" in page


def test_nothing_is_said_to_be_done_with_a_credential_that_is_out_of_use(users: Users) -> None:
    address = reverse("credential", args=["sales", users.credential.pk])
    assert "You are using" in text(browser(users.owner).get(address))
    Credential.objects.filter(pk=users.credential.pk).update(email="somebody@evil.example")
    page = text(browser(users.owner).get(address))
    assert "was changed outside of the console" in page
    assert "You are using" not in page


def test_a_moved_ciphertext_is_explained_and_never_used(users: Users, practice: Practice) -> None:
    other = credential(users.workspace, users.owner, "other-secret", name="Other")
    Credential.objects.filter(pk=other.pk).update(secret=users.credential.secret)
    before = practice.journal.count()
    page = browser(users.owner).post(reverse("credential_test", args=["sales", other.pk]), follow=True)
    assert "was changed outside of the console" in text(page)
    assert practice.journal.count() == before


def test_renaming_refuses_an_empty_name_and_keeps_a_good_one(users: Users) -> None:
    client, address = browser(users.owner), reverse("credential_rename", args=["sales", users.credential.pk])
    assert client.post(address, {"name": "  "}).status_code == 422
    assert client.post(address, {"name": "<b>Bold</b>"}).status_code == 303
    page = text(client.get(reverse("credential", args=["sales", users.credential.pk])))
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<b>Bold</b>" not in page


def test_deleting_asks_first(users: Users) -> None:
    client, address = browser(users.owner), reverse("credential_delete", args=["sales", users.credential.pk])
    assert "Delete this credential?" in text(client.get(address))
    assert Credential.objects.filter(pk=users.credential.pk).exists()
    assert "Delete this credential?" in text(client.post(address))
    assert client.post(address, {"sure": "yes"}).status_code == 303
    assert not Credential.objects.filter(pk=users.credential.pk).exists()
    assert access.credential(users.owner, users.workspace) is None


def test_every_write_needs_the_token_of_a_form(users: Users, practice: Practice) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(users.owner)
    at = ["sales", users.credential.pk]
    for address in (
        ADD,
        *(reverse(name, args=at) for name in ("credential_test", "credential_rename", "credential_delete")),
    ):
        answer = client.post(address, typed(practice))
        assert answer.status_code == 403, address
        assert practice.credentials.bearer_token not in text(answer)
    assert list(AuditEvent.objects.all()) == []
    assert Credential.objects.count() == 2


def test_one_button_of_a_credential_stands_out_and_the_others_are_in_a_menu(users: Users) -> None:
    page = text(browser(users.owner).get(reverse("credential", args=["sales", users.credential.pk])))
    head = page[page.index("page-actions") : page.index('class="page-body"')]
    assert head.count("btn-primary") == 1
    assert "Test now" in head[head.index("btn-primary") :]
    assert head.index('<details class="dropdown menu">') < head.index("Replace the secret") < head.index("Delete")
