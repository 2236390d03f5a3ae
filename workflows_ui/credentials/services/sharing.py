"""Sharing a credential with teams, the consent of its owner, and changing the owner.

Only the owner shares a credential. A request of somebody else waits for the owner's consent, without effect; the owner can end each share
at any time.

A share has a mark over credential and team: a row that was written to the database directly has no effect. Team membership and roles
are not marked: see SECURITY.md.
"""

import uuid
from collections.abc import Collection, Iterable

from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, crypto, masking
from workflows_ui.core.collation import by_name
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import Credential, CredentialSecret, CredentialShare
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind


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
    """Write one share, which the owner agrees to; replaces a row without a valid mark. Audited by the caller."""
    now = clock.now()
    CredentialShare.objects.update_or_create(
        credential=credential,
        team=team,
        defaults={
            "shared_by": user,
            "shared_at": now,
            "consented_at": now,
            "mark": crypto.mark(CredentialShare.place_of(credential.pk, team.pk)),
        },
    )


def waiting(**conditions: object) -> list[CredentialShare]:
    """The requests that match these conditions and wait for the owner's consent, with their teams and who asked. One query."""
    rows = CredentialShare.objects.filter(mark="", consented_at=None, shared_by__isnull=False, **conditions)
    return list(rows.select_related("team", "shared_by").order_by(*by_name("team__name"), "pk"))


def share(actor: Actor, credential: Credential, wanted: Collection[Group], *, consents: bool | None = None) -> bool:
    """Share a credential with exactly these teams; returns whether anything changed. Rows that mean nothing are deleted.

    The owner is asked for teams that are new, unless the actor `consents`, by default because they are the owner.
    """
    owned = credential.owner_id == (actor.user.pk if actor.user else None) if consents is None else consents
    with transaction.atomic():
        Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
        before, asked = teams(credential), [row.team for row in waiting(credential=credential)]
        remaining = [team for team in before + ([] if owned else asked) if team in wanted]
        CredentialShare.objects.filter(credential=credential).exclude(team__in=remaining).delete()
        new = [team for team in wanted if team not in remaining]
        for team in new:
            if owned:
                write(credential, team, actor.user)
            else:
                _ask(actor, credential, team)
        after = teams(credential)
        if not owned and new:
            names = [team.name for team in new]
            audit_log.record(actor, "credential.ask_share", credential, teams=names, owner=credential.owner.label)
        if before != after:
            action = "credential.share" if set(after) - set(before) else "credential.unshare"
            names = [team.name for team in before]
            audit_log.record(actor, action, credential, before=names, after=[team.name for team in after])
        return before != after or asked != [row.team for row in waiting(credential=credential)]


def _ask(actor: Actor, credential: Credential, team: Group) -> None:
    """Ask the owner whether a credential may be shared with a team, by a notification."""
    row, _created = CredentialShare.objects.update_or_create(
        credential=credential,
        team=team,
        defaults={"shared_by": actor.user, "shared_at": clock.now(), "consented_at": None, "mark": ""},
    )
    notifications.notify(
        credential.owner,
        NoticeKind.CONSENT_ASKED,
        f"credential_share:{row.pk}:asked",
        url=consent_url(credential),
        workspace=credential.workspace,
        name=credential.name,
        team=team.name,
        by=actor.user.label if actor.user else "",
    )


def consent_url(credential: Credential) -> str:
    """The page on which the owner decides, whatever their role in the workspace."""
    return reverse("credential_consent", args=[credential.pk])


def decide(actor: Actor, row: CredentialShare, *, agrees: bool) -> bool:
    """The owner agrees to a request, refuses it or ends a share; who asked is notified. Return whether that was still possible."""
    with transaction.atomic():
        credential = Credential.objects.select_for_update(of=("self",)).select_related("workspace", "owner")
        owned = credential.filter(pk=row.credential_id, owner=actor.user).first()
        if owned is None:
            return False
        asked = {found.pk for found in waiting(credential=owned)}
        shared = {found.pk for found in genuine(credential=owned)}
        if row.pk not in asked | shared or (agrees and row.pk not in asked):
            return False
        if agrees:
            write(owned, row.team, row.shared_by)
        else:
            CredentialShare.objects.filter(pk=row.pk).delete()
        action = "credential.consent" if agrees else "credential.refuse" if row.pk in asked else "credential.withdraw"
        audit_log.record(actor, action, owned, team=row.team.name, by=row.shared_by.label if row.shared_by else "")
        if row.shared_by is not None and row.shared_by_id != owned.owner_id:
            _notify_asker(row, row.shared_by, owned, action.partition(".")[2])
    return True


def _notify_asker(row: CredentialShare, asker: User, credential: Credential, decision: str) -> None:
    notifications.notify(
        asker,
        NoticeKind.CONSENT_DECIDED,
        f"credential_share:{row.pk}:{decision}",
        url=reverse("credential", args=[credential.workspace.slug, credential.pk]),
        workspace=credential.workspace,
        name=credential.name,
        team=row.team.name,
        owner=credential.owner.label,
        decision=decision,
    )


def pass_on(actor: Actor, credential: Credential, to: User) -> bool:
    """Change the owner: the secrets are re-sealed, since they are bound to the owner. The shares stay, requests for others end.

    From now on it acts for those teams only, not for its new owner (Credential.taken_over). Returns False if a secret does not
    open. Within a transaction.
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
    credential.taken_over = True
    credential.save(update_fields=["owner", "taken_over", *credential.sealed_fields])
    CredentialShare.objects.filter(pk__in=[row.pk for row in waiting(credential=credential)]).delete()
    for aside in asides:
        aside.taken_over = True
        aside.save(update_fields=["taken_over", *aside.sealed_fields])
    masking.secrets_changed(credential.workspace)
    audit_log.record(actor, "credential.pass_on", credential, before=before, after=to.label)
    return True


def last_pass_on(credential: Credential) -> AuditEvent | None:
    """The audit row of the last change of owner, with the earlier owner as `before`; None if it was never passed on, or long ago."""
    rows = AuditEvent.objects.filter(
        object_type="credential", object_id=str(credential.pk), action="credential.pass_on"
    )
    return rows.filter(workspace=credential.workspace_id).order_by("-pk").first()


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
