"""Sharing a credential with teams, and changing its owner.

A share has a mark over credential and team: a row that was written to the database directly has no effect. Team membership and roles
are not marked: see SECURITY.md.
"""

import uuid
from collections.abc import Collection, Iterable

from django.contrib.auth.models import Group
from django.db import transaction

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, crypto
from workflows_ui.core.collation import by_name
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import masking
from workflows_ui.credentials.models import Credential, CredentialSecret, CredentialShare


def genuine(**conditions: object) -> list[CredentialShare]:
    """The shares with a valid mark that match these conditions, with their teams. One query."""
    rows = CredentialShare.objects.filter(**conditions).select_related("team").order_by(*by_name("team__name"), "pk")
    return [row for row in rows if row.genuine]


def teams(credential: Credential) -> list[Group]:
    """The teams that a credential is shared with, by name. One query."""
    return [row.team for row in genuine(credential=credential)]


def teams_of(credentials: Iterable[Credential]) -> dict[uuid.UUID, list[Group]]:
    """As `teams`, for several credentials, by their ids. One query."""
    result: dict[uuid.UUID, list[Group]] = {}
    for row in genuine(credential__in=[credential.pk for credential in credentials]):
        result.setdefault(row.credential_id, []).append(row.team)
    return result


def write(credential: Credential, team: Group, user: User | None) -> None:
    """Write one share; replaces a row without a valid mark. Audited by the caller."""
    CredentialShare.objects.update_or_create(
        credential=credential,
        team=team,
        defaults={
            "shared_by": user,
            "shared_at": clock.now(),
            "mark": crypto.mark(CredentialShare.place_of(credential.pk, team.pk)),
        },
    )


def share(actor: Actor, credential: Credential, wanted: Collection[Group]) -> bool:
    """Share a credential with exactly these teams; returns whether anything changed. Rows without a valid mark are deleted."""
    with transaction.atomic():
        Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
        before = teams(credential)
        kept = [team for team in before if team in wanted]
        CredentialShare.objects.filter(credential=credential).exclude(team__in=kept).delete()
        for team in wanted:
            if team not in kept:
                write(credential, team, actor.user)
        after = teams(credential)
        if before == after:
            return False
        names = [team.name for team in before], [team.name for team in after]
        audit_log.record(actor, "credential.share", credential, before=names[0], after=names[1])
    return True


def pass_on(actor: Actor, credential: Credential, to: User) -> bool:
    """Change the owner: the secrets are re-sealed, since they are bound to the owner. The shares stay.

    Returns False if a secret does not open. Within a transaction.
    """
    asides = list(CredentialSecret.objects.filter(credential=credential, destroyed_at=None))
    for aside in asides:
        aside.credential = credential
    rows: list[Credential | CredentialSecret] = [credential, *asides]
    try:
        opened = [{name: row.open(name) for name in row.sealed_fields} for row in rows]
    except CannotOpen:
        return False
    before, credential.owner = credential.owner.label, to
    for row, values in zip(rows, opened, strict=True):
        for name, value in values.items():
            setattr(row, name, row.seal(name, value))
    credential.save(update_fields=["owner", *credential.sealed_fields])
    for aside in asides:
        aside.save(update_fields=aside.sealed_fields)
    masking.secrets_changed(credential.workspace)
    audit_log.record(actor, "credential.pass_on", credential, before=before, after=to.label)
    return True


def leave(actor: Actor, credentials: Iterable[Credential], heirs: Collection[User]) -> int:
    """Called when the owner leaves. Credentials shared with teams go to the first heir, the others are destroyed; returns how many.

    Within a transaction.
    """
    rows = list(credentials)
    shared = teams_of(rows)
    heir = next(iter(heirs), None)
    destroyed = 0
    for row in rows:
        if not shared.get(row.pk) or heir is None or not pass_on(actor, row, heir):
            row.delete()
            destroyed += 1
    return destroyed
