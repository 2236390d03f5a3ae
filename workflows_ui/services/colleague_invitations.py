"""Inviting colleagues: a link that works once and for a while, with the role and the teams that it brings.

Tokens exist in clear only in the answer that shows the link once, and in the mail; the database has digests. Reading a link changes
nothing (mail scanners read every link): only a form that is sent accepts it, by one conditional UPDATE that one of two rivals wins.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from workflows_ui.models import ColleagueInvitation, Member, NoticeKind, Role, User, Workspace
from workflows_ui.services import audit, members, notices, teams
from workflows_ui.services.audit import Actor

#: For how many days a link may work.
DAYS = (1, 7, 30)


class NotOpen(Exception):
    """The invitation was accepted, taken back or is over, or whoever gave it may not give it any more."""


class NameTaken(Exception):
    """Somebody has this user name, in any case."""


class AddressTaken(Exception):
    """The invited address has an account already: its owner signs in instead."""


@dataclass(frozen=True)
class Tokens:
    """The two secrets of an invitation: one for the link that is copied, one for the link in the mail."""

    link: str
    mail: str


@dataclass(frozen=True)
class Found:
    """An invitation by the token that was brought; `proven` where the token came by mail to the invited address."""

    invitation: ColleagueInvitation
    proven: bool


def invite(
    actor: Actor, workspace: Workspace, *, email: str, role: Role | None, given: Iterable[Group], days: int
) -> tuple[ColleagueInvitation, Tokens]:
    """A new invitation, and its tokens, which are kept nowhere. Open ones to the same address in the workspace are taken back.

    Without a role the person joins the teams only, and sees of the workspace what these open.

    Raises PermissionError for a role or a team that the actor may not give, members.AlreadyMember where the address is a member's.
    """
    wanted = list(given)
    if actor.user is None or not _may_give(actor.user, workspace, wanted):
        raise PermissionError
    email = email.strip().lower()
    if Member.objects.filter(workspace=workspace, user__email__iexact=email).exists():
        raise members.AlreadyMember
    tokens = _tokens()
    with transaction.atomic():
        for earlier in _open(workspace).filter(email=email):
            revoke(actor, earlier)
        invitation = ColleagueInvitation.objects.create(
            workspace=workspace,
            email=email,
            role=role or "",
            link_digest=_digest(tokens.link),
            mail_digest=_digest(tokens.mail),
            invited_by=actor.user,
            expires_at=timezone.now() + timedelta(days=days),
        )
        invitation.teams.set(wanted)
        _record(actor, "invitation.create", invitation, teams=[team.name for team in wanted], days=days)
    return invitation, tokens


def renew(actor: Actor, invitation: ColleagueInvitation, days: int) -> Tokens:
    """New links for an invitation that nobody accepted yet, also for one that is over; the old links die. Raises NotOpen.

    From then on it is given by the actor, who must be allowed to. Raises PermissionError.
    """
    if actor.user is None or not _may_give(actor.user, invitation.workspace, list(invitation.teams.all())):
        raise PermissionError
    tokens = _tokens()
    with transaction.atomic():
        done = ColleagueInvitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(
            link_digest=_digest(tokens.link),
            mail_digest=_digest(tokens.mail),
            invited_by=actor.user,
            expires_at=timezone.now() + timedelta(days=days),
            mailed_at=None,
        )
        if not done:
            raise NotOpen
        invitation.refresh_from_db()
        _record(actor, "invitation.renew", invitation, days=days)
    return tokens


def revoke(actor: Actor, invitation: ColleagueInvitation) -> bool:
    """Takes an invitation back; says whether there was still something to take back."""
    with transaction.atomic():
        done = ColleagueInvitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(
            revoked_at=timezone.now(), revoked_by=actor.user
        )
        if done:
            _record(actor, "invitation.revoke", invitation)
    return bool(done)


def revoke_of(actor: Actor, giver: User, workspace: Workspace | None = None) -> int:
    """Takes back whatever a person who goes has open, in one workspace or everywhere; says how many."""
    rows = ColleagueInvitation.objects.filter(invited_by=giver, accepted_at=None, revoked_at=None)
    if workspace is not None:
        rows = rows.filter(workspace=workspace)
    return sum(revoke(actor, row) for row in rows.select_related("workspace"))


def mailed(invitation: ColleagueInvitation) -> None:
    """Notes that the mail left the console."""
    ColleagueInvitation.objects.filter(pk=invitation.pk).update(mailed_at=timezone.now())


def listed(workspace: Workspace) -> QuerySet[ColleagueInvitation]:
    """A workspace's invitations, newest first; those taken back more than a month ago are left out."""
    recent = timezone.now() - timedelta(days=30)
    rows = ColleagueInvitation.objects.filter(workspace=workspace).exclude(revoked_at__lt=recent)
    return (
        rows.select_related("invited_by", "accepted_by", "workspace").prefetch_related("teams").order_by("-created_at")
    )


def by_token(token: str) -> Found | None:
    """The invitation with this token, in whatever state; None for a token that nobody made."""
    digest = _digest(token)
    row = (
        ColleagueInvitation.objects.filter(Q(link_digest=digest) | Q(mail_digest=digest))
        .select_related("workspace", "invited_by", "accepted_by")
        .first()
    )
    return Found(row, proven=row.mail_digest == digest) if row is not None else None


def works(invitation: ColleagueInvitation) -> bool:
    """Whether the link can be used: open, and its giver still manages the workspace."""
    return invitation.pk in working([invitation])


def working(invitations: Iterable[ColleagueInvitation]) -> set[int]:
    """Those whose links can be used. One query for each workspace."""
    now = timezone.now()
    found: set[int] = set()
    managers: dict[int, set[int]] = {}
    for row in invitations:
        if row.invited_by_id is None or not row.open(now):
            continue
        if row.workspace_id not in managers:
            managers[row.workspace_id] = set(members.managers(row.workspace).values_list("pk", flat=True))
        if row.invited_by_id in managers[row.workspace_id]:
            found.add(row.pk)
    return found


def accept(actor: Actor, found: Found, person: User) -> Member | None:
    """A person with an account takes the invitation: they become a member with its role (never a lesser one) and join its teams.

    None where the invitation brings no role.

    Raises NotOpen.
    """
    invitation = found.invitation
    with transaction.atomic():
        _claim(invitation, person)
        return _let_in(actor, invitation, person)


def join(
    actor: Actor, found: Found, *, username: str, first_name: str, last_name: str, password: str
) -> tuple[User, Member | None]:
    """Makes an account for the invited address and lets it in. Raises NotOpen, NameTaken, AddressTaken; then no account was made.

    The address counts as proven only where the link came by mail: whoever copied the link has shown nothing about it.
    """
    invitation = found.invitation
    if has_account(invitation):
        raise AddressTaken
    try:
        with transaction.atomic():
            _claim(invitation, None)
            if User.objects.filter(username__iexact=username).exists():
                raise NameTaken
            person = User.objects.create_user(
                username, email=invitation.email, password=password, first_name=first_name, last_name=last_name
            )
            EmailAddress.objects.create(user=person, email=invitation.email, primary=True, verified=found.proven)
            ColleagueInvitation.objects.filter(pk=invitation.pk).update(accepted_by=person)
            own = replace(actor, user=person)
            audit.record(
                own,
                "person.join",
                object_type="person",
                object_id=str(person.pk),
                object_name=person.label,
                email_proven=found.proven,
            )
            return person, _let_in(own, invitation, person)
    except IntegrityError:
        raise NameTaken from None


def has_account(invitation: ColleagueInvitation) -> bool:
    """Whether somebody has the invited address already."""
    return (
        User.objects.filter(email__iexact=invitation.email).exists()
        or EmailAddress.objects.filter(email__iexact=invitation.email).exists()
    )


def _claim(invitation: ColleagueInvitation, person: User | None) -> None:
    """Takes the invitation for good, inside the caller's transaction. Raises NotOpen, also for whoever comes second."""
    now = timezone.now()
    if not works(invitation):
        raise NotOpen
    taken = ColleagueInvitation.objects.filter(
        pk=invitation.pk,
        accepted_at=None,
        revoked_at=None,
        expires_at__gt=now,
        link_digest=invitation.link_digest,
    ).update(accepted_at=now, accepted_by=person)
    if not taken:
        raise NotOpen


def _let_in(actor: Actor, invitation: ColleagueInvitation, person: User) -> Member | None:
    member = _member(invitation, person, Role(invitation.role)) if invitation.role else None
    # What the giver may not give any more (the team has come to open other workspaces, say) is left out.
    giver = invitation.invited_by
    may = {team.pk for team in teams.giveable(giver, invitation.workspace)} if giver else set()
    joined = [team for team in invitation.teams.all() if team.pk in may]
    person.groups.add(*joined)
    _record(
        actor,
        "invitation.accept",
        invitation,
        person=person.label,
        person_id=person.pk,
        teams=[team.name for team in joined],
    )
    if giver is not None:
        notices.tell(
            giver,
            NoticeKind.INVITATION_ACCEPTED,
            f"invitation:{invitation.pk}:accepted",
            url=reverse("members", args=[invitation.workspace.slug]),
            workspace=invitation.workspace,
            name=person.label,
            email=invitation.email,
        )
    return member


def _member(invitation: ColleagueInvitation, person: User, role: Role) -> Member:
    member, made = Member.objects.get_or_create(workspace=invitation.workspace, user=person, defaults={"role": role})
    if not made and not Role(member.role).includes(role):
        member.role = role
        member.save(update_fields=["role"])
    return member


def _may_give(giver: User, workspace: Workspace, wanted: list[Group]) -> bool:
    if not members.managers(workspace).filter(pk=giver.pk).exists():
        return False
    return {team.pk for team in wanted} <= {team.pk for team in teams.giveable(giver, workspace)}


def _open(workspace: Workspace) -> QuerySet[ColleagueInvitation]:
    return ColleagueInvitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None)


def _tokens() -> Tokens:
    return Tokens(link=secrets.token_urlsafe(32), mail=secrets.token_urlsafe(32))


def _digest(token: str) -> str:
    """256 random bits need neither salt nor slowness."""
    return hashlib.sha256(token.encode()).hexdigest()


def _record(actor: Actor, action: str, invitation: ColleagueInvitation, **detail: Any) -> None:
    audit.record(
        actor,
        action,
        workspace=invitation.workspace,
        object_type="invitation",
        object_id=str(invitation.pk),
        object_name=invitation.email,
        role=str(invitation.role),
        **detail,
    )
