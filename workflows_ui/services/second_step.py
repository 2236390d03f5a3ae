"""The second step of signing in: who has one, and the secrets of authenticator apps at rest.

A second step is an authenticator app (TOTP) or a passkey. Recovery codes come with either and are none by themselves.
"""

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.db import transaction

from workflows_ui import crypto
from workflows_ui.models import User, Workspace
from workflows_ui.services import audit
from workflows_ui.services.audit import Actor

_STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
#: The place that is sealed into each secret; allauth asks for sealing before it knows the row.
_PLACE = "second_step"


def has(user: User) -> bool:
    """Whether the person has set up a second step, which is then asked for at every sign-in with a password."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=_STEPS).exists())


def among(users: Iterable[int]) -> set[int]:
    """Those of these people (primary keys) who have a second step."""
    found = Authenticator.objects.filter(user_id__in=list(users), type__in=_STEPS)
    return set(found.values_list("user_id", flat=True))


def demanded_somewhere() -> bool:
    """Whether any workspace demands a second step: then whoever sees all workspaces needs one, too."""
    return Workspace.objects.filter(second_factor_required=True).exists()


def seal(secret: str) -> str:
    """The ciphertext of an app's secret or of the seed of recovery codes."""
    return crypto.seal(secret, _PLACE)


def unseal(ciphertext: str) -> str:
    """What `seal` has sealed. Raises crypto.CannotOpen."""
    return crypto.unseal(ciphertext, _PLACE)


def sealed(authenticator: Authenticator) -> bool:
    """Whether a row holds secrets; passkeys hold none."""
    return bool(_fields(authenticator))


def stale(authenticator: Authenticator) -> bool:
    """Whether a secret of this row needs another key than the first of CREDENTIAL_KEYS."""
    return any(not crypto.current(authenticator.data[field]) for field in _fields(authenticator))


def reseal(authenticator: Authenticator) -> bool:
    """Seals the secrets of one row again, under the first of CREDENTIAL_KEYS. False where it has none or was changed meanwhile.

    Raises crypto.CannotOpen.
    """
    fields, before = _fields(authenticator), authenticator.data
    if not fields:
        return False
    after = before | {field: crypto.resealed(before[field]) for field in fields}
    rows = Authenticator.objects.filter(pk=authenticator.pk, **{f"data__{field}": before[field] for field in fields})
    # Which recovery codes are used lies in the same value: it must not be set back.
    if "used_mask" in before:
        rows = rows.filter(data__used_mask=before["used_mask"])
    return bool(rows.update(data=after))


def _fields(authenticator: Authenticator) -> list[str]:
    return [field for field in ("secret", "seed") if authenticator.data.get(field)]


def take_away(actor: Actor, person: User) -> int:
    """Removes everything of a person's second step, for somebody who has lost it; how many parts there were.

    Whoever did it answers for having made sure who asked: from then on the password alone is enough.
    """
    with transaction.atomic():
        rows = Authenticator.objects.filter(user_id=person.pk)
        kinds = sorted(rows.values_list("type", flat=True))
        rows.delete()
        if kinds:
            audit.record(
                actor,
                "person.second_step_reset",
                object_type="person",
                object_id=str(person.pk),
                object_name=person.label,
                kinds=kinds,
            )
    return len(kinds)
