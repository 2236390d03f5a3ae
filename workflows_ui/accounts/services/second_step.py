"""The second step of signing in: its state, and the encrypted secrets of authenticator apps.

A second step is an authenticator app (TOTP) or a passkey. Recovery codes supplement either, but are not a second step on their own.
"""

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from workflows_ui.accounts.models import PasskeyCounter, User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, crypto

_STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
#: The binding of each sealed secret; without the row, since allauth encrypts before it creates the row.
_BINDING = "second_step"


class CopiedPasskey(Exception):
    """A passkey was used with a signature counter that is not above the one of its last use, `last`: there may be a copy of it."""

    def __init__(self, last: int) -> None:
        super().__init__(f"the last counter was {last}")
        self.last = last


def has(user: User) -> bool:
    """Whether the person has a second step, which every sign-in with a password then requires."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=_STEPS).exists())


def users_with_step(users: Iterable[int]) -> set[int]:
    """The primary keys among these of people with a second step."""
    rows = Authenticator.objects.filter(user_id__in=list(users), type__in=_STEPS)
    return set(rows.values_list("user_id", flat=True))


def lacking() -> Q:
    """The condition that a person has no second step."""
    return Q(~Exists(Authenticator.objects.filter(user_id=OuterRef("pk"), type__in=_STEPS)))


def seal(secret: str) -> str:
    """Encrypt the secret of an app or the seed of recovery codes."""
    return crypto.seal(secret, _BINDING)


def unseal(ciphertext: str) -> str:
    """Decrypt the result of `seal`. Raise crypto.CannotOpen."""
    return crypto.unseal(ciphertext, _BINDING)


def reseal(authenticator: Authenticator) -> bool:
    """Encrypt the secrets of one row with the first of CREDENTIAL_KEYS. Return False if it has none or was changed meanwhile.

    Raise crypto.CannotOpen.
    """
    fields, before = sealed_fields(authenticator), authenticator.data
    if not fields:
        return False
    after = before | {field: crypto.reseal(before[field]) for field in fields}
    rows = Authenticator.objects.filter(pk=authenticator.pk, **{f"data__{field}": before[field] for field in fields})
    # The same value records the used recovery codes, which must not be reset.
    if "used_mask" in before:
        rows = rows.filter(data__used_mask=before["used_mask"])
    return bool(rows.update(data=after))


def sealed_fields(authenticator: Authenticator) -> list[str]:
    """The names of the values with secrets; passkeys contain none."""
    return [field for field in ("secret", "seed") if authenticator.data.get(field)]


def count_use(passkey: Authenticator, counter: int) -> None:
    """Store the signature counter of an assertion whose signature was verified. Raises CopiedPasskey.

    A counter goes up with each use (WebAuthn, 6.1.1), or is always 0. Of two uses with the same counter at the same moment one is refused.
    """
    registered = passkey.wrap().authenticator_data.counter
    PasskeyCounter.objects.get_or_create(authenticator=passkey, defaults={"counter": registered})
    row = PasskeyCounter.objects.filter(authenticator=passkey)
    if not row.filter(Q(counter__lt=counter) if counter else Q(counter=0)).update(counter=counter):
        raise CopiedPasskey(row.values_list("counter", flat=True).get())


def record_codes_viewed(user_id: int | None) -> None:
    """Record that the recovery codes are shown, before allauth would: it writes the whole value, with the used codes as it read them."""
    rows = Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.RECOVERY_CODES)
    while (row := rows.first()) is not None and not row.wrap().did_view:
        # Repeated if a code was used since the row was read.
        unchanged = rows.filter(pk=row.pk, data__used_mask=row.data["used_mask"])
        unchanged.update(data=row.data | {"viewed_at": clock.now().timestamp()})


def remove_all(actor: Actor, person: User) -> int:
    """Remove all parts of a person's second step after a loss; return their number.

    The actor is responsible for verifying the requester: from then on the password alone is enough.
    """
    with transaction.atomic():
        rows = Authenticator.objects.filter(user_id=person.pk)
        kinds = sorted(rows.values_list("type", flat=True))
        rows.delete()
        if kinds:
            audit_log.record(actor, "person.second_step_reset", person, kinds=kinds)
    return len(kinds)
