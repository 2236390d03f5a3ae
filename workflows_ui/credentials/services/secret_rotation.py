"""Replacing a secret by one conditional UPDATE. The old one is kept, sealed, for a limited time, and then destroyed."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import clock
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import masking
from workflows_ui.credentials.models import Credential, CredentialSecret

#: The columns of a secret in each model, and the sealed columns, whose ciphertexts are bound to their row.
PLAIN = ("kind", "organization_id", "email", "ends_at")
SEALED = ("secret", "password")
_TRIES = 5


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
        **{name: getattr(credential, name) for name in PLAIN},
    )
    for name in SEALED:
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
    """Empty replaced secrets; the rows remain as a record. Returns their number."""
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
