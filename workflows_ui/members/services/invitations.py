"""Invitations of colleagues: single-use links with an expiry, a role and teams.

Tokens exist in plain text only in the response that shows the link once, and in the mail; the database has digests. Opening a link
changes nothing (mail scanners open every link): only a submitted form accepts it, by one conditional UPDATE, which one of two concurrent
requests wins.

An invitation is for one address. A person with another address gets no access until a manager confirms.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services.people import NameTaken
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import ColleagueInvitation, InvitationRequest, LaunchRight, Member, Role, Workspace
from workflows_ui.members.services import launch_rights, members, teams
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind


class NotOpen(Exception):
    """The invitation was accepted, revoked or is over, or the inviter no longer has the right to give it."""


class OtherAddress(Exception):
    """The person has not proven to own the invited address: a manager must confirm first."""


class AddressTaken(Exception):
    """The invited address has an account, whose owner must sign in instead."""


@dataclass(frozen=True)
class Tokens:
    """The two secrets of an invitation: one for the link that is copied, one for the link in the mail."""

    link: str
    mail: str


@dataclass(frozen=True)
class TokenMatch:
    """The invitation of a token; `proven` if the token was mailed to the invited address."""

    invitation: ColleagueInvitation
    proven: bool


def invite(
    actor: Actor, workspace: Workspace, *, email: str, role: Role | None, given: Iterable[Group], days: int
) -> tuple[ColleagueInvitation, Tokens]:
    """Create an invitation; return it with its tokens, which are not stored. Revoke open ones to the same address in the workspace.

    Without a role, the person joins only the teams, with their access to the workspace. Launch rights of the revoked invitations are kept
    for this one, with those of their teams that the actor may give, since a team's credential acts for the person.

    Raise PermissionError if the actor may not give this invitation, members.AlreadyMember if a member has the address.
    """
    given_teams = list(given)
    giveable = _require_may_give(actor.user, workspace, given_teams)
    email = email.strip().lower()
    if Member.objects.filter(workspace=workspace, user__email__iexact=email).exists():
        raise members.AlreadyMember
    tokens, link = _new_link(actor, days)
    with transaction.atomic():
        invitation = ColleagueInvitation.objects.create(workspace=workspace, email=email, role=role or "", **link)
        for earlier in _open_rows(workspace=workspace, email=email).exclude(pk=invitation.pk):
            # After the revocation, so that the rights of one that is accepted meanwhile stay with that person.
            if _close(actor, earlier) and launch_rights.pending(earlier).update(invitation=invitation):
                given_teams += [team for team in earlier.teams.all() if team in giveable and team not in given_teams]
        invitation.teams.set(given_teams)
        _record(actor, "invitation.create", invitation, teams=[team.name for team in given_teams], days=days)
    return invitation, tokens


def invite_to_launch(
    actor: Actor,
    workspace: Workspace,
    *,
    email: str,
    team: Group,
    credential: Credential | None,
    days: int,
    flow_id: str,
    flow_name: str,
    until: datetime | None,
    most_launches: int | None,
) -> tuple[ColleagueInvitation, Tokens]:
    """Invite somebody to launch one flow: without a role, into a team whose credential acts for them, with the launch right.

    A `credential` is shared with the team as by launch_rights.give. Return the invitation with its tokens. Raise PermissionError and
    members.AlreadyMember as `invite`, launch_rights.NothingActs if the team uses no credential.
    """
    with transaction.atomic():
        invitation, tokens = invite(actor, workspace, email=email, role=None, given=[team], days=days)
        if credential is not None:
            sharing.share(actor, credential, [*sharing.teams(credential), team])
        launch_rights.give(
            actor,
            workspace,
            flow_id=flow_id,
            flow_name=flow_name,
            holder=invitation,
            until=until,
            most_launches=most_launches,
        )
    return invitation, tokens


def renew(actor: Actor, invitation: ColleagueInvitation, days: int) -> Tokens:
    """Create new links for an open or expired invitation; the old links become invalid. Raises NotOpen.

    The actor becomes the inviter. Raises PermissionError if they may not give it.
    """
    _require_may_give(actor.user, invitation.workspace, list(invitation.teams.all()))
    tokens, link = _new_link(actor, days)
    with transaction.atomic():
        if not _open_rows(pk=invitation.pk).update(mailed_at=None, **link):
            raise NotOpen
        invitation.refresh_from_db()
        _record(actor, "invitation.renew", invitation, days=days)
        _notify_of_requests(invitation)
    return tokens


def revoke(actor: Actor, invitation: ColleagueInvitation) -> bool:
    """Revoke an invitation, and the launch rights that it gives; return whether it was open."""
    with transaction.atomic():
        revoked = _close(actor, invitation)
        if revoked:
            launch_rights.revoke_of_invitation(actor, invitation)
    return revoked


def revoke_right(actor: Actor, right: LaunchRight) -> bool:
    """Revoke a launch right; return whether it was in force.

    With the last right of an invitation without a role, revoke that too: its link would still add somebody to a team.
    """
    with transaction.atomic():
        # Locked before the right, as by those who accept: otherwise the two could wait for each other.
        rows = ColleagueInvitation.objects.select_for_update()
        invitation = rows.get(pk=right.invitation_id) if right.invitation_id else None
        right.refresh_from_db()
        revoked = launch_rights.revoke(actor, right)
        if revoked and invitation and not invitation.role and not launch_rights.pending(invitation).exists():
            _close(actor, invitation)
    return revoked


def pass_on(actor: Actor, invitation: ColleagueInvitation, to: User) -> bool:
    """Make a colleague the inviter; the link stays. Return whether it was open and had the same inviter.

    Raise PermissionError if the colleague may not give this invitation.
    """
    _require_may_give(to, invitation.workspace, list(invitation.teams.all()))
    with transaction.atomic():
        changed = _open_rows(pk=invitation.pk, invited_by=invitation.invited_by_id).update(invited_by=to)
        if changed:
            _record(actor, "invitation.pass_on", invitation, to=to.label)
            invitation.invited_by = to
            _notify_of_requests(invitation)
    return bool(changed)


def revoke_by_inviter(actor: Actor, giver: User) -> int:
    """Revoke the open invitations of a leaving person; return their number."""
    return sum(revoke(actor, row) for row in _open_rows(invited_by=giver).select_related("workspace"))


def record_mailed(invitation: ColleagueInvitation) -> None:
    ColleagueInvitation.objects.filter(pk=invitation.pk).update(mailed_at=timezone.now())


def recent_invitations(workspace: Workspace) -> QuerySet[ColleagueInvitation]:
    """A workspace's invitations, newest first, without those revoked more than 30 days ago."""
    recent = timezone.now() - timedelta(days=30)
    rows = ColleagueInvitation.objects.filter(workspace=workspace).exclude(revoked_at__lt=recent)
    rows = rows.select_related("invited_by", "accepted_by", "workspace").prefetch_related("teams", "launch_rights")
    return rows.order_by("-created_at")


def find_by_token(token: str) -> TokenMatch | None:
    """The invitation with this token, in any state; None for an unknown token."""
    digest = _digest(token)
    rows = ColleagueInvitation.objects.filter(Q(link_digest=digest) | Q(mail_digest=digest))
    row = rows.select_related("workspace", "invited_by", "accepted_by").first()
    return TokenMatch(row, proven=row.mail_digest == digest) if row is not None else None


def works(invitation: ColleagueInvitation) -> bool:
    """Whether the link can be used: it is open, and the inviter still manages the workspace."""
    return invitation.pk in working_invitations([invitation])


def working_invitations(invitations: Iterable[ColleagueInvitation]) -> set[int]:
    """The primary keys of invitations whose links can be used. One query for each workspace."""
    now = timezone.now()
    keys: set[int] = set()
    managers: dict[int, set[int]] = {}
    for row in invitations:
        if row.invited_by_id is None or not row.open(now):
            continue
        if row.workspace_id not in managers:
            managers[row.workspace_id] = set(members.managers(row.workspace).values_list("pk", flat=True))
        if row.invited_by_id in managers[row.workspace_id]:
            keys.add(row.pk)
    return keys


def accept(actor: Actor, match: TokenMatch, person: User) -> Member | None:
    """Accept the invitation for a person with an account: make them a member with its role (never a lesser one), and add its teams.

    Return None if the invitation has no role.

    Raise NotOpen, OtherAddress.
    """
    invitation = match.invitation
    if not meant_for(match, person):
        raise OtherAddress
    with transaction.atomic():
        _claim(invitation, person)
        return _apply(actor, invitation, person)


def meant_for(match: TokenMatch, person: User) -> bool:
    """Whether the person has proven to own the invited address: it is their confirmed address, or it is their address and the link
    came by mail. True for an invitation without an address."""
    email = match.invitation.email.lower()
    if not email:
        return True
    own = EmailAddress.objects.filter(user=person, email__iexact=email)
    if own.filter(verified=True).exists():
        return True
    return match.proven and (person.email.lower() == email or own.exists())


def ask(actor: Actor, match: TokenMatch, person: User) -> InvitationRequest:
    """Request to use the link with another address, and notify the inviter. A repeated request returns the first. Raises NotOpen."""
    invitation = match.invitation
    if not works(invitation):
        raise NotOpen
    with transaction.atomic():
        row, created = InvitationRequest.objects.get_or_create(invitation=invitation, user=person)
        if created:
            _record(actor, "invitation.ask", invitation, person=person.label, person_id=person.pk, address=person.email)
            _notify_of_requests(invitation)
    return row


def undecided_requests(invitations: Iterable[ColleagueInvitation]) -> list[InvitationRequest]:
    """Undecided requests, oldest first. One query."""
    rows = InvitationRequest.objects.filter(
        invitation__in=[row.pk for row in invitations],
        invitation__accepted_at=None,
        invitation__revoked_at=None,
        decided_at=None,
        user__is_active=True,
    )
    return list(rows.select_related("user").order_by("created_at", "pk"))


def confirm(actor: Actor, invitation: ColleagueInvitation, request: InvitationRequest) -> Member | None:
    """Confirm that the invitation is for this person, with the effect of `accept`.

    Raise NotOpen, also if it was decided in the meantime.
    """
    person = request.user
    with transaction.atomic():
        _decide(actor, request, granted=True)
        _claim(invitation, person)
        _record(actor, "invitation.confirm", invitation, person=person.label, person_id=person.pk)
        member = _apply(actor, invitation, person)
        _notify_of_decision(invitation, person, granted=True)
    return member


def refuse(actor: Actor, invitation: ColleagueInvitation, request: InvitationRequest) -> None:
    """Refuse the request. The invitation stays open for its address. Raises NotOpen if it was decided already."""
    person = request.user
    with transaction.atomic():
        _decide(actor, request, granted=False)
        _record(actor, "invitation.refuse", invitation, person=person.label, person_id=person.pk)
        _notify_of_decision(invitation, person, granted=False)


def join(actor: Actor, match: TokenMatch, *, username: str, password: str, **names: str) -> tuple[User, Member | None]:
    """Create an account for the invited address and accept the invitation. Raises NotOpen, NameTaken or AddressTaken without an account.

    The address counts as proven only if the link came by mail; a copied link proves nothing.
    """
    invitation = match.invitation
    if has_account(invitation):
        raise AddressTaken
    try:
        with transaction.atomic():
            _claim(invitation, None)
            if User.objects.filter(username__iexact=username).exists():
                raise NameTaken
            person = User.objects.create_user(username, invitation.email, password, **names)
            EmailAddress.objects.create(user=person, email=invitation.email, primary=True, verified=match.proven)
            ColleagueInvitation.objects.filter(pk=invitation.pk).update(accepted_by=person)
            own = replace(actor, user=person)
            audit_log.record(own, "person.join", person, email_proven=match.proven)
            return person, _apply(own, invitation, person)
    except IntegrityError:
        raise NameTaken from None


def has_account(invitation: ColleagueInvitation) -> bool:
    models = (User, EmailAddress)
    return any(model.objects.filter(email__iexact=invitation.email).exists() for model in models)


def _claim(invitation: ColleagueInvitation, person: User | None) -> None:
    """Claim the invitation in the caller's transaction. Raises NotOpen, also for the second of two concurrent requests."""
    now = timezone.now()
    if not works(invitation):
        raise NotOpen
    rows = _open_rows(pk=invitation.pk, expires_at__gt=now, link_digest=invitation.link_digest)
    if not rows.update(accepted_at=now, accepted_by=person):
        raise NotOpen


def _decide(actor: Actor, request: InvitationRequest, *, granted: bool) -> None:
    changed = InvitationRequest.objects.filter(pk=request.pk, decided_at=None, user__is_active=True).update(
        decided_at=timezone.now(), decided_by=actor.user, granted=granted
    )
    if not changed:
        raise NotOpen


def _notify_of_requests(invitation: ColleagueInvitation) -> None:
    """Notify the current inviter once of each person who waits for a confirmation."""
    giver = invitation.invited_by
    if giver is None:
        return
    for request in undecided_requests([invitation]):
        notifications.notify(
            giver,
            NoticeKind.INVITATION_ASKED,
            f"invitation:{invitation.pk}:asked:{request.user_id}",
            url=reverse("invitation", args=[invitation.workspace.slug, invitation.pk]),
            workspace=invitation.workspace,
            name=request.user.label,
            address=request.user.email,
            email=invitation.email,
        )


def _notify_of_decision(invitation: ColleagueInvitation, person: User, *, granted: bool) -> None:
    url = reverse("workspace", args=[invitation.workspace.slug]) if granted and invitation.role else reverse("home")
    notifications.notify(
        person,
        NoticeKind.INVITATION_DECIDED,
        f"invitation:{invitation.pk}:decided",
        url=url,
        workspace=invitation.workspace if granted else None,
        into=invitation.workspace.name,
        granted=granted,
    )


def _apply(actor: Actor, invitation: ColleagueInvitation, person: User) -> Member | None:
    role = Role(invitation.role) if invitation.role else None
    member = members.ensure_member(invitation.workspace, person, role) if role else None
    # Teams that the inviter may no longer give are left out, such as those that meanwhile open other workspaces.
    giver = invitation.invited_by
    allowed_teams = {team.pk for team in teams.giveable(giver, invitation.workspace)} if giver else set()
    joined = [team for team in invitation.teams.all() if team.pk in allowed_teams]
    person.groups.add(*joined)
    launch_rights.transfer(actor, invitation, person)
    _record(
        actor,
        "invitation.accept",
        invitation,
        belongs_to=("member", str(person.pk)),
        person=person.label,
        person_id=person.pk,
        teams=[team.name for team in joined],
    )
    if giver is not None and giver != actor.user:
        notifications.notify(
            giver,
            NoticeKind.INVITATION_ACCEPTED,
            f"invitation:{invitation.pk}:accepted",
            url=reverse("members", args=[invitation.workspace.slug]),
            workspace=invitation.workspace,
            name=person.label,
            email=invitation.email,
        )
    return member


def _require_may_give(giver: User | None, workspace: Workspace, given_teams: list[Group]) -> set[Group]:
    """The teams that the person may give. Raises PermissionError unless they manage the workspace and may give these."""
    if giver is None or not members.managers(workspace).filter(pk=giver.pk).exists():
        raise PermissionError
    giveable = set(teams.giveable(giver, workspace))
    if not giveable.issuperset(given_teams):
        raise PermissionError
    return giveable


def _close(actor: Actor, invitation: ColleagueInvitation) -> bool:
    """Revoke an open invitation in the caller's transaction, without its launch rights; return whether it was open."""
    changed = _open_rows(pk=invitation.pk).update(revoked_at=timezone.now(), revoked_by=actor.user)
    if changed:
        _record(actor, "invitation.revoke", invitation)
    return bool(changed)


def _open_rows(**conditions: object) -> QuerySet[ColleagueInvitation]:
    return ColleagueInvitation.objects.filter(accepted_at=None, revoked_at=None, **conditions)


def _new_link(actor: Actor, days: int) -> tuple[Tokens, dict[str, object]]:
    """New tokens, and the columns of an invitation with them."""
    tokens = Tokens(link=secrets.token_urlsafe(32), mail=secrets.token_urlsafe(32))
    digests = {"link_digest": _digest(tokens.link), "mail_digest": _digest(tokens.mail)}
    return tokens, {**digests, "invited_by": actor.user, "expires_at": timezone.now() + timedelta(days=days)}


def _digest(token: str) -> str:
    """The digest. 256 random bits need neither a salt nor a slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _record(
    actor: Actor,
    action: str,
    invitation: ColleagueInvitation,
    belongs_to: tuple[str, str] | None = None,
    **detail: object,
) -> None:
    audit_log.record(actor, action, invitation, belongs_to=belongs_to, role=str(invitation.role), detail=detail)
