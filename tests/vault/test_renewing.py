"""Tokens that end are renewed before they do, by one worker; a failure leaves the old one, and says so."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from tests.practice.fixtures import Practice
from workflows_ui.models import AuditEvent, Credential, CredentialSecret, Kind
from workflows_ui.services import credentials, renewing, replacing, signing_in, swapping
from workflows_ui.services.audit import Actor
from workflows_ui.services.probe import Draft
from workflows_ui.services.signing_in import Typed

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def signed_in(cast: Cast, practice: Practice, *, password: bool) -> Credential:
    """The owner's credential, as signing in at the gateway makes it, due for renewal."""
    known = practice.credentials
    begun = signing_in.begin(Typed("imbrace", practice.gateway, known.email, password=known.password))
    token = signing_in.finish(begun, known.organization_id)
    draft = Draft(
        "imbrace",
        Kind.SIGN_IN,
        token.secret,
        address=practice.gateway,
        organization_id=known.organization_id,
        email=known.email,
        password=known.password if password else "",
        ends_at=token.ends_at,
    )
    return due(credentials.add(Actor(user=cast.owner), draft, credentials.test(draft)).credential)


def at_activepieces(plain: Cast, practice: Practice, *, password: bool) -> Credential:
    known = practice.credentials
    token = signing_in.sign_in(Typed("activepieces", practice.activepieces, known.email, password=known.password))
    draft = Draft(
        "activepieces",
        Kind.BEARER_SIGN_IN,
        token.secret,
        address=practice.activepieces,
        email=known.email,
        password=known.password if password else "",
        ends_at=token.ends_at,
    )
    return due(credentials.add(Actor(user=plain.owner), draft, credentials.test(draft)).credential)


def due(row: Credential) -> Credential:
    Credential.objects.filter(pk=row.pk).update(renew_at=timezone.now() - timedelta(seconds=1))
    return fresh(row)


def fresh(row: Credential) -> Credential:
    return Credential.objects.select_related("workspace").get(pk=row.pk)


def forgotten(practice: Practice, row: Credential) -> None:
    """The engine knows this token no more."""
    del practice.engine.state.credentials[row.open("secret")]


def test_a_token_in_time_is_renewed_without_a_password_and_the_old_one_is_kept_to_be_masked(
    cast: Cast, practice: Practice
) -> None:
    row = signed_in(cast, practice, password=False)
    before = row.open("secret")
    assert renewing.due() == [row.pk]
    renewing.renew(row.pk)
    row = fresh(row)
    assert row.open("secret") != before
    assert row.renew_at is not None
    assert row.renew_at > timezone.now() + timedelta(days=26)
    assert renewing.due() == []
    old = CredentialSecret.objects.get()
    assert old.open("secret") == before
    # It is there to be masked, not to be gone back to.
    assert swapping.last(row) is None
    event = AuditEvent.objects.get(action="credential.renew")
    assert (event.user, event.outcome) == (None, "done")
    assert before not in str(event.detail)
    assert not isinstance(credentials.retest(row), credentials.Problem)


def test_a_token_that_is_refused_is_fetched_with_the_kept_password(cast: Cast, practice: Practice) -> None:
    row = signed_in(cast, practice, password=True)
    forgotten(practice, row)
    renewing.renew(row.pk)
    row = fresh(row)
    assert row.renew_problem == ""
    assert row.open("secret") in practice.engine.state.credentials
    assert row.open("password") == practice.credentials.password


def test_without_a_password_a_refused_token_is_not_tried_again_and_its_page_says_so(
    cast: Cast, practice: Practice
) -> None:
    row = signed_in(cast, practice, password=False)
    before = row.open("secret")
    forgotten(practice, row)
    renewing.renew(row.pk)
    row = fresh(row)
    assert (row.renew_problem, row.renew_at, row.open("secret")) == ("no_password", None, before)
    assert AuditEvent.objects.get(action="credential.renew").outcome == "no_password"
    browser = Client()
    browser.force_login(cast.owner)
    assert "does not renew itself any more" in browser.get(f"/w/sales/credentials/{row.pk}/").content.decode()


def test_a_password_that_was_changed_is_sent_once_and_not_again(cast: Cast, practice: Practice) -> None:
    row = signed_in(cast, practice, password=True)
    forgotten(practice, row)
    practice.credentials.password = "another-password-now"
    before = practice.journal.count("POST", "/v1/login/authenticate")
    renewing.renew(row.pk)
    renewing.renew(row.pk)
    assert practice.journal.count("POST", "/v1/login/authenticate") == before + 1
    assert fresh(row).renew_problem == "wrong_sign_in"
    assert renewing.due() == []


def test_an_engine_that_is_down_is_tried_again_later_and_later(cast: Cast, practice: Practice) -> None:
    row = signed_in(cast, practice, password=True)
    before = row.open("secret")
    practice.server.stop()
    waits = []
    for _failure in range(3):
        renewing.renew(due(row).pk)
        row = fresh(row)
        assert row.renew_at is not None
        waits.append(round((row.renew_at - timezone.now()).total_seconds() / 60))
    assert waits == [5, 10, 20]
    assert (row.open("secret"), row.renew_until) == (before, None)
    assert AuditEvent.objects.filter(action="credential.renew").count() == 1


def test_one_worker_renews_and_a_dead_one_is_followed(cast: Cast, practice: Practice) -> None:
    row = signed_in(cast, practice, password=False)
    Credential.objects.filter(pk=row.pk).update(renew_until=timezone.now() + timedelta(minutes=1))
    assert renewing.due() == []
    renewing.renew(row.pk)
    assert fresh(row).secret == row.secret
    Credential.objects.filter(pk=row.pk).update(renew_until=LONG_AGO)
    assert renewing.due() == [row.pk]
    renewing.renew(row.pk)
    assert fresh(row).secret != row.secret


def test_what_a_person_replaced_while_it_was_renewed_stays(
    cast: Cast, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = signed_in(cast, practice, password=False)
    key = practice.credentials.api_key
    truly = signing_in.exchanged

    def meanwhile(*given: Any) -> signing_in.Token:
        draft = Draft("imbrace", Kind.API_KEY, key, address=practice.gateway)
        replacing.take_over(Actor(user=cast.owner), fresh(row), draft, credentials.test(draft))
        return truly(*given)

    monkeypatch.setattr(signing_in, "exchanged", meanwhile)
    renewing.renew(row.pk)
    row = fresh(row)
    assert (row.open("secret"), row.kind, row.renew_at, row.renew_until) == (key, Kind.API_KEY, None, None)


@pytest.mark.parametrize("password", [True, False])
def test_an_activepieces_token_is_renewed_with_its_password_only(
    plain: Cast, practice: Practice, *, password: bool
) -> None:
    row = at_activepieces(plain, practice, password=password)
    renewing.renew(row.pk)
    assert (fresh(row).secret != row.secret) is password
    assert fresh(row).renew_problem == ("" if password else "no_password")


def test_nothing_else_is_renewed_and_a_vanished_credential_hurts_nobody(cast: Cast, practice: Practice) -> None:
    assert renewing.when(Kind.API_KEY, LONG_AGO, LONG_AGO + timedelta(days=9)) is None
    assert renewing.when(Kind.SIGN_IN, LONG_AGO, None) is None
    assert renewing.when(Kind.SIGN_IN, LONG_AGO, LONG_AGO + timedelta(hours=5)) == LONG_AGO + timedelta(hours=4)
    assert renewing.when(Kind.SIGN_IN, LONG_AGO, LONG_AGO + timedelta(days=30)) == LONG_AGO + timedelta(days=27)
    renewing.renew(uuid.uuid4())


def test_a_secret_that_no_key_opens_is_not_renewed(cast: Cast, practice: Practice) -> None:
    row = signed_in(cast, practice, password=False)
    Credential.objects.filter(pk=row.pk).update(secret="gAAAA-damaged")
    renewing.renew(row.pk)
    assert fresh(row).renew_problem == "cannot_open"


@pytest.mark.once
@pytest.mark.parametrize(
    "secret", ["", "a.b.c", "eyJ.e30.x", "eyJ.bnVsbA.x", "eyJ.eyJleHAiOiJ4In0.x", "eyJ.eyJleHAiOjFlMzB9.x", "eyJ.W10.x"]
)
def test_a_token_that_tells_no_end_or_a_mad_one_has_none(secret: str) -> None:
    assert signing_in.end_of(secret) is None
