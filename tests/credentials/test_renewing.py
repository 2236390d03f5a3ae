"""Tokens that end are renewed before they do, by one worker; a failure leaves the old one, and says so."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.practice_engine.fixtures import Practice
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret, Health
from workflows_ui.credentials.services import (
    credential_tests,
    credentials,
    renewal,
    scheduled_checks,
    secret_rotation,
    signing_in,
)
from workflows_ui.credentials.services.credential_tests import Draft
from workflows_ui.credentials.services.signing_in import Typed
from workflows_ui.notifications.models import Notice

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def signed_in(users: Users, practice: Practice, *, password: bool) -> Credential:
    """The owner's credential, as signing in at the gateway makes it, due for renewal."""
    known = practice.credentials
    typed = Typed("imbrace", practice.gateway, known.email, password=known.password)
    token = signing_in.sign_in(typed, known.organization_id)
    draft = Draft(
        "imbrace",
        CredentialKind.SIGN_IN,
        token.secret,
        address=practice.gateway,
        organization_id=known.organization_id,
        email=known.email,
        password=known.password if password else "",
        ends_at=token.ends_at,
    )
    return due(credentials.add(Actor(user=users.owner), draft, credential_tests.test(draft)).credential)


def at_activepieces(plain: Users, practice: Practice, *, password: bool) -> Credential:
    """As `added_at_activepieces`, due for renewal."""
    return due(added_at_activepieces(plain, practice, password=password))


def added_at_activepieces(plain: Users, practice: Practice, *, password: bool) -> Credential:
    known = practice.credentials
    token = signing_in.sign_in(Typed("activepieces", practice.activepieces, known.email, password=known.password))
    draft = Draft(
        "activepieces",
        CredentialKind.BEARER_SIGN_IN,
        token.secret,
        address=practice.activepieces,
        project_id=token.project_id,
        email=known.email,
        password=known.password if password else "",
        ends_at=token.ends_at,
    )
    return credentials.add(Actor(user=plain.owner), draft, credential_tests.test(draft)).credential


def due(row: Credential) -> Credential:
    Credential.objects.filter(pk=row.pk).update(renew_at=timezone.now() - timedelta(seconds=1))
    return fresh(row)


def fresh(row: Credential) -> Credential:
    return Credential.objects.select_related("workspace").get(pk=row.pk)


def forgotten(practice: Practice, row: Credential) -> None:
    """The engine knows this token no more."""
    del practice.engine.state.credentials[row.open("secret")]


@pytest.mark.both_databases
def test_a_token_in_time_is_renewed_without_a_password_and_the_old_one_is_kept_to_be_masked(
    users: Users, practice: Practice
) -> None:
    row = signed_in(users, practice, password=False)
    before = row.open("secret")
    assert renewal.due() == [row.pk]
    renewal.renew(row.pk)
    row = fresh(row)
    assert row.open("secret") != before
    assert row.renew_at is not None
    assert row.renew_at > timezone.now() + timedelta(days=26)
    assert renewal.due() == []
    old = CredentialSecret.objects.get()
    assert old.open("secret") == before
    # It is there to be masked, not to be gone back to.
    assert secret_rotation.last(row) is None
    event = AuditEvent.objects.get(action="credential.renew")
    assert (event.user, event.outcome) == (None, "done")
    assert before not in str(event.detail)
    assert not isinstance(credentials.retest(row), credential_tests.Problem)


@pytest.mark.both_databases
def test_a_token_that_is_refused_is_fetched_with_the_kept_password(users: Users, practice: Practice) -> None:
    row = signed_in(users, practice, password=True)
    forgotten(practice, row)
    renewal.renew(row.pk)
    row = fresh(row)
    assert row.renew_problem == ""
    assert row.open("secret") in practice.engine.state.credentials
    assert row.open("password") == practice.credentials.password


@pytest.mark.both_databases
def test_without_a_password_a_refused_token_is_not_tried_again_and_its_page_says_so(
    users: Users, practice: Practice
) -> None:
    row = signed_in(users, practice, password=False)
    before = row.open("secret")
    forgotten(practice, row)
    renewal.renew(row.pk)
    row = fresh(row)
    assert (row.renew_problem, row.renew_at, row.open("secret")) == ("no_password", None, before)
    assert AuditEvent.objects.get(action="credential.renew").outcome == "no_password"
    browser = Client()
    browser.force_login(users.owner)
    assert "No longer renews automatically" in browser.get(f"/w/sales/credentials/{row.pk}/").content.decode()


@pytest.mark.both_databases
def test_a_password_that_was_changed_is_sent_once_and_not_again(users: Users, practice: Practice) -> None:
    row = signed_in(users, practice, password=True)
    forgotten(practice, row)
    practice.credentials.password = "another-password-now"
    before = practice.journal.count("POST", "/v1/login/authenticate")
    renewal.renew(row.pk)
    renewal.renew(row.pk)
    assert practice.journal.count("POST", "/v1/login/authenticate") == before + 1
    assert fresh(row).renew_problem == "wrong_sign_in"
    assert renewal.due() == []


@pytest.mark.both_databases
def test_an_engine_that_is_down_is_tried_again_later_and_later(users: Users, practice: Practice) -> None:
    row = signed_in(users, practice, password=True)
    before = row.open("secret")
    practice.server.stop()
    waits = []
    for _failure in range(3):
        renewal.renew(due(row).pk)
        row = fresh(row)
        assert row.renew_at is not None
        waits.append(round((row.renew_at - timezone.now()).total_seconds() / 60))
    assert waits == [5, 10, 20]
    assert (row.open("secret"), row.renew_until) == (before, None)
    assert AuditEvent.objects.filter(action="credential.renew").count() == 1


@pytest.mark.both_databases
def test_one_worker_renews_and_a_dead_one_is_followed(users: Users, practice: Practice) -> None:
    row = signed_in(users, practice, password=False)
    Credential.objects.filter(pk=row.pk).update(renew_until=timezone.now() + timedelta(minutes=1))
    assert renewal.due() == []
    renewal.renew(row.pk)
    assert fresh(row).secret == row.secret
    Credential.objects.filter(pk=row.pk).update(renew_until=LONG_AGO)
    assert renewal.due() == [row.pk]
    renewal.renew(row.pk)
    assert fresh(row).secret != row.secret


@pytest.mark.both_databases
def test_what_a_person_replaced_while_it_was_renewed_stays(
    users: Users, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = signed_in(users, practice, password=False)
    key = practice.credentials.api_key
    truly = signing_in.exchange_token

    def meanwhile(*given: Any) -> signing_in.Token:
        draft = Draft("imbrace", CredentialKind.API_KEY, key, address=practice.gateway)
        secret_rotation.take_over(Actor(user=users.owner), fresh(row), draft, credential_tests.test(draft))
        return truly(*given)

    monkeypatch.setattr(signing_in, "exchange_token", meanwhile)
    renewal.renew(row.pk)
    row = fresh(row)
    assert (row.open("secret"), row.kind, row.renew_at, row.renew_until) == (key, CredentialKind.API_KEY, None, None)


@pytest.mark.both_databases
@pytest.mark.parametrize("password", [True, False])
def test_an_activepieces_token_is_renewed_with_its_password_only(
    plain: Users, practice: Practice, *, password: bool
) -> None:
    row = at_activepieces(plain, practice, password=password)
    renewal.renew(row.pk)
    assert (fresh(row).secret != row.secret) is password
    assert fresh(row).renew_problem == ("" if password else "no_password")


@pytest.mark.both_databases
def test_nothing_else_is_renewed_and_a_vanished_credential_hurts_nobody(users: Users, practice: Practice) -> None:
    assert (
        secret_rotation.renewal_time(Credential(kind=CredentialKind.API_KEY), LONG_AGO, LONG_AGO + timedelta(days=9))
        is None
    )
    assert secret_rotation.renewal_time(Credential(kind=CredentialKind.SIGN_IN), LONG_AGO, None) is None
    assert secret_rotation.renewal_time(
        Credential(kind=CredentialKind.SIGN_IN), LONG_AGO, LONG_AGO + timedelta(hours=5)
    ) == LONG_AGO + timedelta(hours=4)
    assert secret_rotation.renewal_time(
        Credential(kind=CredentialKind.SIGN_IN), LONG_AGO, LONG_AGO + timedelta(days=30)
    ) == LONG_AGO + timedelta(days=27)
    renewal.renew(uuid.uuid4())


@pytest.mark.both_databases
def test_a_secret_that_no_key_opens_is_not_renewed(users: Users, practice: Practice) -> None:
    row = signed_in(users, practice, password=False)
    Credential.objects.filter(pk=row.pk).update(secret="gAAAA-damaged")
    renewal.renew(row.pk)
    assert fresh(row).renew_problem == "cannot_open"


@pytest.mark.parametrize(
    "secret", ["", "a.b.c", "eyJ.e30.x", "eyJ.bnVsbA.x", "eyJ.eyJleHAiOiJ4In0.x", "eyJ.eyJleHAiOjFlMzB9.x", "eyJ.W10.x"]
)
def test_a_token_that_shows_no_end_or_a_mad_one_has_none(secret: str) -> None:
    assert signing_in.end_of(secret) is None


# --- Sessions that the engine ended


def end_session(practice: Practice, row: Credential, *, inactive: bool = False) -> None:
    """Another password was set, or the user was deactivated (recordings `session_revoked_*`, `session_inactive_*`)."""
    entry = practice.engine.state.credentials[row.open("secret")]
    if inactive:
        practice.engine.state.users[entry["user"]]["status"] = "INACTIVE"
    else:
        entry["revoked"] = True


def test_without_a_kept_password_an_activepieces_sign_in_says_when_it_ends_and_reminds(
    plain: Users, practice: Practice
) -> None:
    row = added_at_activepieces(plain, practice, password=False)
    assert row.renew_at is None
    browser = Client()
    browser.force_login(plain.owner)
    page = browser.get(f"/w/sales/credentials/{row.pk}/").content.decode()
    assert "Renews automatically" not in page
    assert "Works, expires in 7 days" in page
    scheduled_checks.remind()
    notice = Notice.objects.get(user=plain.owner)
    assert notice.about["days"] == 7
    assert notice.mail_at is not None


def test_an_ended_session_is_renewed_with_the_kept_password_and_tested(plain: Users, practice: Practice) -> None:
    practice.engine.settings.version = "0.83.0"
    row = at_activepieces(plain, practice, password=True)
    Credential.objects.filter(pk=row.pk).update(renew_at=timezone.now() + timedelta(days=4))
    end_session(practice, row)
    problem = credentials.retest(fresh(row))
    assert isinstance(problem, credential_tests.Problem)
    assert problem.code == credential_tests.Code.SESSION_ENDED
    assert renewal.due() == [row.pk]
    renewal.renew(row.pk)
    row = fresh(row)
    assert (row.renew_problem, row.health) == ("", Health.WORKS)
    assert practice.call("GET", "/v1/projects", credential={"Authorization": f"Bearer {row.open('secret')}"}).ok, (
        "it is the new token"
    )


def test_a_deactivated_user_is_a_problem_that_only_a_person_can_fix(plain: Users, practice: Practice) -> None:
    practice.engine.settings.version = "0.83.0"
    row = at_activepieces(plain, practice, password=True)
    end_session(practice, row, inactive=True)
    before = practice.journal.count("POST", "/v1/authentication/sign-in")
    for _time in range(3):
        credentials.retest(fresh(row))
        renewal.renew(row.pk)
    row = fresh(row)
    assert (row.renew_problem, row.renew_at, row.health) == ("user_inactive", None, Health.REFUSED)
    assert practice.journal.count("POST", "/v1/authentication/sign-in") == before + 1
    browser = Client()
    browser.force_login(plain.owner)
    assert "user of this sign-in is deactivated" in browser.get(f"/w/sales/credentials/{row.pk}/").content.decode()


def test_a_renewed_token_is_said_to_work_only_after_a_test(users: Users, practice: Practice) -> None:
    row = signed_in(users, practice, password=True)
    Credential.objects.filter(pk=row.pk).update(health=Health.REFUSED)
    tested_at = fresh(row).tested_at
    renewal.renew(row.pk)
    row = fresh(row)
    assert row.health == Health.WORKS
    assert row.tested_at != tested_at
