"""A secret is replaced with a safety net: tested before, the old one back by one click, destroyed when its time is over."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.practice_engine.fixtures import Practice
from tests.users import Users
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import masking
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret, Health
from workflows_ui.credentials.services import clients, credential_tests, secret_rotation
from workflows_ui.credentials.services.credential_tests import Draft
from workflows_ui.engine.masking import HIDDEN
from workflows_ui.members.models import Member, Role, Workspace

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]


def page(users: Users, what: str = "replace", row: Credential | None = None) -> str:
    return f"/w/sales/credentials/{(row or users.credential).pk}/{what}/"


def at(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(users: Users, user: User | None = None, **form: str) -> Any:
    return at(user or users.owner).post(page(users), form)


def put_back(users: Users) -> Any:
    """The button as a page that was just opened has it."""
    aside = secret_rotation.last(users.credential)
    return at(users.owner).post(page(users, "put-back"), {"aside": str(aside.pk) if aside else ""}, follow=True)


def now_in(users: Users) -> str:
    return Credential.objects.get(pk=users.credential.pk).open("secret")


def test_a_new_secret_takes_over_and_the_old_one_is_kept_sealed(users: Users, practice: Practice) -> None:
    token = practice.credentials.access_token
    assert at(users.owner).get(page(users)).status_code == 200
    assert post(users, kind="access_token", secret=token).status_code == 303
    row = Credential.objects.get(pk=users.credential.pk)
    assert (row.kind, row.open("secret"), row.health) == (CredentialKind.ACCESS_TOKEN, token, Health.WORKS)
    old = CredentialSecret.objects.get()
    assert (old.open("secret"), old.kind) == (practice.credentials.api_key, CredentialKind.API_KEY)
    assert practice.credentials.api_key not in old.secret
    assert old.keep_until - old.replaced_at == timedelta(hours=72)
    event = AuditEvent.objects.get(action="credential.replace")
    assert event.user == users.owner
    assert token not in str(event.detail)


@pytest.mark.parametrize(
    ("kind", "secret", "field"),
    [
        ("api_key", "api_key_expired", "secret"),
        ("api_key", "api_key_scoped", "secret"),
        ("api_key", "api_key_stranger", "secret"),
        ("access_token", "access_token_stranger", "secret"),
    ],
)
def test_one_that_does_not_open_this_project_changes_nothing(
    users: Users, practice: Practice, kind: str, secret: str, field: str
) -> None:
    given = str(getattr(practice.credentials, secret))
    answer = post(users, kind=kind, secret=given)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert given not in answer.content.decode()
    assert now_in(users) == practice.credentials.api_key
    assert not CredentialSecret.objects.exists()


def test_one_click_brings_the_old_one_back_and_another_the_new_one(users: Users, practice: Practice) -> None:
    post(users, kind="access_token", secret=practice.credentials.access_token)
    detail = at(users.owner).get(f"/w/sales/credentials/{users.credential.pk}/")
    assert "Restore the old secret" in detail.content.decode()
    assert "in use again, and works" in put_back(users).content.decode()
    row = Credential.objects.get(pk=users.credential.pk)
    assert (row.kind, row.open("secret"), row.health) == (
        CredentialKind.API_KEY,
        practice.credentials.api_key,
        Health.WORKS,
    )
    put_back(users)
    assert now_in(users) == practice.credentials.access_token
    assert AuditEvent.objects.filter(action="credential.put_back").count() == 2


def test_the_old_one_comes_back_even_while_the_engine_is_down(users: Users, practice: Practice) -> None:
    post(users, kind="access_token", secret=practice.credentials.access_token)
    practice.server.stop()
    answer = put_back(users)
    assert "in use again. Its test failed" in answer.content.decode()
    assert now_in(users) == practice.credentials.api_key


def test_an_old_secret_is_destroyed_when_its_time_is_over(users: Users, practice: Practice) -> None:
    post(users, kind="access_token", secret=practice.credentials.access_token)
    assert secret_rotation.purge() == 0
    old = CredentialSecret.objects.get()
    CredentialSecret.objects.update(keep_until=old.replaced_at)
    assert secret_rotation.purge() == 1
    old.refresh_from_db()
    assert (old.secret, old.password) == ("", "")
    assert old.destroyed_at is not None
    answer = put_back(users)
    assert "no previous secret any more" in answer.content.decode()
    assert now_in(users) == practice.credentials.access_token
    assert AuditEvent.objects.filter(action="credential.destroy_old").count() == 1


def test_who_comes_second_with_a_page_from_before_is_asked_first(users: Users, practice: Practice) -> None:
    known = practice.credentials
    Member.objects.filter(user=users.colleague).update(role=Role.MANAGER)
    stale, other = at(users.owner), at(users.colleague)
    seen = stale.get(page(users)).context["form"]["seen"].value()
    form = {"kind": "access_token", "secret": known.access_token, "email": "kept@example.com"}
    assert other.post(page(users), {"kind": "api_key", "secret": known.api_key, "seen": seen}).status_code == 303
    answer = stale.post(page(users), form | {"seen": seen})
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "colleague replaced this secret since this page was opened (just now)." in shown
    assert "Enter the secret again" in shown
    assert 'value="kept@example.com"' in shown
    assert (now_in(users), CredentialSecret.objects.count()) == (known.api_key, 1)
    # The button of a page from before is no surprise either.
    assert "Nothing was restored" in stale.post(page(users, "put-back"), {"aside": ""}, follow=True).content.decode()
    # To do it all the same, one sends the page with the warning.
    assert stale.post(page(users), form | {"seen": answer.context["form"]["seen"].value()}).status_code == 303
    assert now_in(users) == known.access_token
    # What the other one had put in is kept as well.
    (last,) = CredentialSecret.objects.filter(replaced_by=users.owner)
    assert last.open("secret") == known.api_key


def test_of_two_replacements_at_once_one_takes_over_and_the_other_is_refused(users: Users, practice: Practice) -> None:
    known = practice.credentials
    seen = [Credential.objects.select_related("workspace").get(pk=users.credential.pk) for _tab in range(2)]
    draft = Draft("imbrace", "access_token", known.access_token, address=practice.gateway)
    findings = credential_tests.test(draft)
    secret_rotation.take_over(Actor(user=users.owner), seen[0], draft, findings)
    with pytest.raises(secret_rotation.Changed):
        secret_rotation.take_over(Actor(user=users.owner), seen[1], draft, findings)
    # Nothing of the second is left.
    assert CredentialSecret.objects.count() == 1
    assert now_in(users) == known.access_token


def test_a_secret_resealed_meanwhile_is_replaced_all_the_same(users: Users, practice: Practice) -> None:
    row = Credential.objects.select_related("workspace").get(pk=users.credential.pk)
    Credential.objects.filter(pk=row.pk).update(secret=row.seal("secret", row.open("secret")))
    draft = Draft("imbrace", "access_token", practice.credentials.access_token, address=practice.gateway)
    secret_rotation.take_over(Actor(user=users.owner), row, draft, credential_tests.test(draft))
    assert now_in(users) == practice.credentials.access_token


def test_a_test_of_a_secret_that_was_replaced_meanwhile_says_nothing_of_the_new_one(
    users: Users, practice: Practice
) -> None:
    from workflows_ui.credentials.services import credentials

    stale = Credential.objects.select_related("workspace").get(pk=users.credential.pk)
    post(users, kind="access_token", secret=practice.credentials.access_token)
    practice.engine.state.credentials[practice.credentials.api_key]["expired"] = True
    assert isinstance(credentials.retest(stale), credential_tests.Problem)
    assert Credential.objects.get(pk=stale.pk).health == Health.WORKS


def test_old_and_new_are_masked_until_the_old_is_destroyed(users: Users, practice: Practice) -> None:
    known = practice.credentials
    post(users, kind="access_token", secret=known.access_token)
    Credential.objects.exclude(pk=users.credential.pk).delete()
    space = Workspace.objects.get()
    assert masking.workspace_mask(space).text(f"{known.api_key} {known.access_token}") == f"{HIDDEN} {HIDDEN}"
    CredentialSecret.objects.update(keep_until=CredentialSecret.objects.get().replaced_at)
    secret_rotation.purge()
    assert masking.workspace_mask(Workspace.objects.get()).text(known.api_key) == known.api_key


def test_the_new_secret_is_used_at_once(users: Users, practice: Practice) -> None:
    post(users, kind="access_token", secret=practice.credentials.access_token)
    practice.engine.state.credentials[practice.credentials.api_key]["expired"] = True
    client, _credential = clients.client_for_person(users.owner, users.workspace)
    assert client.workflows.list_flows(limit=1)["data"]


def test_somebody_else_s_secret_cannot_be_replaced_and_a_manager_may(users: Users, practice: Practice) -> None:
    known = practice.credentials
    form = {"kind": "api_key", "secret": known.api_key_colleague}
    assert at(users.colleague).post(page(users), form).status_code == 404
    assert at(users.colleague).post(page(users, "put-back")).status_code == 404
    theirs = Credential.objects.get(owner=users.colleague)
    assert at(users.owner).post(page(users, row=theirs), form).status_code == 303
    assert now_in(users) == known.api_key


def test_a_secret_that_no_key_opens_is_replaced_and_nothing_is_kept(users: Users, practice: Practice) -> None:
    Credential.objects.filter(pk=users.credential.pk).update(secret="gAAAA-damaged")
    answer = post(users, kind="api_key", secret=practice.credentials.api_key)
    assert answer.status_code == 303
    assert now_in(users) == practice.credentials.api_key
    assert secret_rotation.last(users.credential) is None


def test_a_sign_in_replaces_a_typed_secret_without_asking_for_the_organization(
    users: Users, practice: Practice
) -> None:
    known = practice.credentials
    assert post(users, kind="sign_in", email=known.email, password=known.password).status_code == 303
    row = Credential.objects.get(pk=users.credential.pk)
    assert (row.kind, row.organization_id) == (CredentialKind.SIGN_IN, known.organization_id)
    assert row.renew_at is not None
