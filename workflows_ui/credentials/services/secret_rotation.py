"""Replacement of a credential's secret by a tested one, in one conditional UPDATE, and its reversal with one click.

The old secret is kept, sealed, for a limited time, and then destroyed. Running launches are not affected: they use the credential as it
is when they are sent, and a request in flight has its header already.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import clock, masking
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret, Health
from workflows_ui.credentials.services import credential_tests, engine_facts
from workflows_ui.credentials.services.credential_tests import Code, Draft, Findings, Problem

#: The columns of a secret in each model, besides the sealed ones, whose ciphertexts are bound to their row.
PLAIN = ("kind", "organization_id", "email", "ends_at")
_TRIES = 5
#: The latest renewal before the end; a short-lived token is renewed when a fifth of its life is left.
AHEAD = timedelta(days=3)
#: The columns that a replacement changes.
_REPLACED = (
    *(*PLAIN, *Credential.sealed_fields, "replaced_at", "health", "findings", "tested_at"),
    *("renew_at", "renew_until", "renew_failures", "renew_problem", "taken_over"),
)


class Changed(Exception):
    """The secret was changed meanwhile; nothing was done."""


def swap(credential: Credential, values: Mapping[str, object]) -> None:
    """Write columns of a credential if its secret was not changed since it was read. Within a transaction. Raises Changed.

    A ciphertext that was only re-sealed with another key (credentials.services.key_rotation) counts as unchanged.
    """
    ciphertext = credential.secret
    for _try in range(_TRIES):
        if Credential.objects.filter(pk=credential.pk, secret=ciphertext).update(**values):
            masking.secrets_changed(credential.workspace)
            return
        current = Credential.objects.filter(pk=credential.pk).first()
        before = open_or_empty(credential, "secret")
        if current is None or not before or open_or_empty(current, "secret") != before:
            break
        ciphertext = current.secret
    raise Changed


def put_aside(actor: Actor, credential: Credential, now: datetime) -> CredentialSecret:
    """Store the secret that a credential was read with, before its replacement. Within a transaction."""
    aside = CredentialSecret(
        credential=credential,
        replaced_at=now,
        replaced_by=actor.user,
        keep_until=now + settings.CREDENTIAL_KEEP_OLD,
        taken_over=credential.taken_over,
        **{name: getattr(credential, name) for name in PLAIN},
    )
    for name in CredentialSecret.sealed_fields:
        setattr(aside, name, aside.seal(name, open_or_empty(credential, name)))
    if not aside.secret:
        # No key opens it: there is nothing to restore.
        aside.destroyed_at = now
    aside.save(force_insert=True)
    return aside


def latest(credential: Credential) -> CredentialSecret | None:
    """The secret that a person replaced last, even if it is destroyed now."""
    return _replaced(credential).first()


def _replaced(credential: Credential) -> QuerySet[CredentialSecret]:
    rows = CredentialSecret.objects.filter(credential=credential, replaced_by__isnull=False)
    return rows.select_related("replaced_by").order_by("-replaced_at", "-pk")


def last(credential: Credential) -> CredentialSecret | None:
    """The replaced secret that one click restores: the newest that a person replaced and that is still kept.

    A renewed token is kept for masking, not for restoring.
    """
    return _replaced(credential).filter(destroyed_at__isnull=True, keep_until__gt=clock.now()).first()


def destroy(rows: QuerySet[CredentialSecret], now: datetime) -> int:
    """Empty replaced secrets; the rows remain as a record. Return their number."""
    return rows.filter(destroyed_at__isnull=True).update(secret="", password="", destroyed_at=now)


def purge() -> int:
    """Destroy the replaced secrets whose time is over; returns their number."""
    now = clock.now()
    expired = CredentialSecret.objects.filter(destroyed_at__isnull=True, keep_until__lte=now)
    destroyed = 0
    for aside in expired.select_related("credential__workspace"):
        with transaction.atomic():
            if destroy(expired.filter(pk=aside.pk), now):
                destroyed += 1
                masking.secrets_changed(aside.credential.workspace)
                audit_log.record(CONSOLE, "credential.destroy_old", aside.credential)
    return destroyed


def open_or_empty(credential: Credential, name: str) -> str:
    """The text of a sealed column; "" if it cannot be opened."""
    try:
        return credential.open(name)
    except CannotOpen:
        return ""


def test(credential: Credential, draft: Draft) -> Findings:
    """Test a new secret of a credential, which must open the project of its workspace. Raises Problem, crypto.PlaceChanged."""
    credential.workspace.require_genuine()
    try:
        findings = credential_tests.test(replace(draft, project_id=credential.workspace.project_id))
    except Problem as problem:
        if problem.code is Code.OTHER_PROJECT:
            raise Problem(Code.NOT_OF_THIS_PROJECT, error=problem.error, found=problem.found) from None
        raise
    check(credential, findings)
    return findings


def check(credential: Credential, findings: Findings) -> None:
    """Raises Problem if a tested secret opens another project than the credential's workspace."""
    if findings.project_id != credential.workspace.project_id:
        raise Problem(Code.NOT_OF_THIS_PROJECT, found=findings.project_name or findings.project_id)


def take_over(actor: Actor, credential: Credential, draft: Draft, findings: Findings) -> CredentialSecret:
    """Replace the secret that `credential` was read with by a tested one; returns the stored old one.

    Of two concurrent replacements, the second raises Changed. Raises Problem (see `check`), Changed.
    """
    check(credential, findings)
    now = clock.now()
    new = Credential(id=credential.pk, workspace=credential.workspace, owner=credential.owner, replaced_at=now)
    fill(new, draft, findings, now)
    # A secret that the owner enters is their own.
    new.taken_over = credential.taken_over and not (actor.user and actor.user.pk == credential.owner_id)
    with transaction.atomic():
        aside = put_aside(actor, credential, now)
        _swap(credential, new)
        keep_until = aside.keep_until.isoformat()
        engine_facts.keep(credential.workspace, findings.facts)
        audit_log.record(actor, "credential.replace", credential, kind=str(new.kind), old_kept_until=keep_until)
    return aside


def put_back(actor: Actor, credential: Credential, aside: CredentialSecret) -> None:
    """Restore a replaced secret; the current one is stored as replaced. Raises Changed, crypto.CannotOpen."""
    plain = {name: getattr(aside, name) for name in PLAIN}
    new = Credential(id=credential.pk, workspace=credential.workspace, owner=credential.owner, **plain)
    aside.credential = credential
    for name in CredentialSecret.sealed_fields:
        setattr(new, name, new.seal(name, aside.open(name)))
    now = clock.now()
    new.taken_over = aside.taken_over
    new.replaced_at, new.renew_at = now, renewal_time(new, now, new.ends_at)
    with transaction.atomic():
        put_aside(actor, credential, now)
        if not destroy(CredentialSecret.objects.filter(pk=aside.pk), now):
            raise Changed
        _swap(credential, new)
        audit_log.record(actor, "credential.put_back", credential, kind=str(new.kind))


def fill(row: Credential, draft: Draft, findings: Findings, now: datetime) -> None:
    """Set the columns of a row to a tested secret, with its findings and the time of its renewal; does not save it."""
    for name in PLAIN:
        setattr(row, name, getattr(draft, name))
    row.secret, row.password = row.seal("secret", draft.secret.strip()), row.seal("password", draft.password)
    row.health, row.findings, row.tested_at = Health.WORKS, findings.plain(), now
    row.renew_at, row.renew_until = renewal_time(row, now, row.ends_at), None
    row.renew_failures, row.renew_problem = 0, ""


def _swap(credential: Credential, new: Credential) -> None:
    values = {name: getattr(new, name) for name in _REPLACED}
    swap(credential, values)
    for name, value in values.items():
        setattr(credential, name, value)


def renewal_time(row: Credential, now: datetime, ends_at: datetime | None) -> datetime | None:
    """The time to renew a token that was issued now; None if it has no known end or cannot be renewed.

    An Activepieces gives a new token for the password only; Imbrace for a valid token, too (api.md 2.4).
    """
    renewable = row.kind == CredentialKind.SIGN_IN or (row.kind == CredentialKind.BEARER_SIGN_IN and bool(row.password))
    if not renewable or ends_at is None or ends_at <= now:
        return None
    return ends_at - min(AHEAD, (ends_at - now) / 5)
