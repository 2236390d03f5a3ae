"""One secret takes another's place: one conditional UPDATE decides. The old one is kept, sealed, for a set time, and then destroyed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from workflows_ui.crypto import CannotOpen
from workflows_ui.models import Credential, CredentialSecret
from workflows_ui.services import audit, clock, masking
from workflows_ui.services.audit import CONSOLE, Actor

#: What a secret consists of, wherever it is kept; and what of it is sealed, each for its own row.
PLAIN = ("kind", "organization_id", "email", "ends_at")
SEALED = ("secret", "password")
_TRIES = 5


class Changed(Exception):
    """Somebody else changed the secret meanwhile: nothing was done."""


def swap(credential: Credential, values: Mapping[str, object]) -> None:
    """Writes columns of a credential whose secret is still the one that it was read with. Within a transaction. Raises Changed.

    A ciphertext that was only sealed anew with another key (services.rotation) holds the same secret, and hinders nothing.
    """
    seen = credential.secret
    for _try in range(_TRIES):
        if Credential.objects.filter(pk=credential.pk, secret=seen).update(**values):
            masking.changed(credential.workspace)
            return
        now_there = Credential.objects.filter(pk=credential.pk).first()
        before = opened(credential, "secret")
        if now_there is None or not before or opened(now_there, "secret") != before:
            break
        seen = now_there.secret
    raise Changed


def put_aside(actor: Actor, credential: Credential, now: datetime) -> CredentialSecret:
    """Keeps the secret that a credential was read with, before another takes its place. Within a transaction."""
    aside = CredentialSecret(
        credential=credential,
        replaced_at=now,
        replaced_by=actor.user,
        keep_until=now + settings.CREDENTIAL_KEEP_OLD,
        **{name: getattr(credential, name) for name in PLAIN},
    )
    for name in SEALED:
        setattr(aside, name, aside.seal(name, opened(credential, name)))
    if not aside.secret:
        # It opens with no key: there is nothing to go back to.
        aside.destroyed_at = now
    aside.save(force_insert=True)
    return aside


def latest(credential: Credential) -> CredentialSecret | None:
    """What was put aside when a person replaced the secret the last time, also where it is destroyed by now."""
    replaced = CredentialSecret.objects.filter(credential=credential, replaced_by__isnull=False)
    return replaced.select_related("replaced_by").order_by("-replaced_at", "-pk").first()


def last(credential: Credential) -> CredentialSecret | None:
    """The replaced secret that one click brings back: the newest that a person replaced and that is still kept.

    A token that was only renewed is kept to be masked, not to be gone back to.
    """
    kept = CredentialSecret.objects.filter(credential=credential, destroyed_at__isnull=True, keep_until__gt=clock.now())
    return kept.filter(replaced_by__isnull=False).order_by("-replaced_at", "-pk").first()


def destroy(rows: QuerySet[CredentialSecret], now: datetime) -> int:
    """Empties replaced secrets; the rows stay as a record. Says how many."""
    return rows.filter(destroyed_at__isnull=True).update(secret="", password="", destroyed_at=now)


def purge() -> int:
    """Destroys the replaced secrets whose time is over. Says how many."""
    now = clock.now()
    over = CredentialSecret.objects.filter(destroyed_at__isnull=True, keep_until__lte=now)
    destroyed = 0
    for aside in over.select_related("credential__workspace"):
        with transaction.atomic():
            if destroy(over.filter(pk=aside.pk), now):
                destroyed += 1
                masking.changed(aside.credential.workspace)
                record(CONSOLE, "credential.destroy_old", aside.credential)
    return destroyed


def opened(credential: Credential, name: str) -> str:
    """What is in a sealed column; "" where it cannot be opened."""
    try:
        return credential.open(name)
    except CannotOpen:
        return ""


def record(actor: Actor, action: str, credential: Credential, *, outcome: str = "done", **detail: Any) -> None:
    """An audit row about a credential. `detail` never holds a secret."""
    audit.record(
        actor,
        action,
        workspace=credential.workspace,
        object_type="credential",
        object_id=str(credential.pk),
        object_name=credential.name,
        outcome=outcome,
        **detail,
    )
