"""Deactivate a person: end their sessions at once, destroy their own credentials, and hand over what colleagues need.

Their launches stay in the record under their name; running ones are followed to their end, with another credential of the workspace if
necessary. Requested launches that are not sent yet are not sent: sending checks the person again.
"""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import sessions
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.launches.models import UNSENT, Launch
from workflows_ui.members.models import (
    AccessRequest,
    ColleagueInvitation,
    LaunchRight,
    Member,
    Role,
    TeamOwner,
    Workspace,
)
from workflows_ui.members.services import access, invitations as member_invitations, launch_rights, members


class NeedsSuccessor(Exception):
    """Some workspaces of the person have no other manager: a successor is required."""


class LastSuperuser(Exception):
    """The console would have no administrator."""


class Oneself(Exception):
    """People cannot deactivate themselves: another administrator must."""


@dataclass(frozen=True)
class Belongings:
    """Everything affected by a deactivation: what is destroyed or ended, and what is handed over."""

    credentials: list[Credential]
    #: Credentials shared with teams; they get another owner.
    shared: list[Credential]
    rights: list[LaunchRight]
    invitations: list[ColleagueInvitation]
    requests: list[AccessRequest]
    #: Launches that are requested but not sent.
    waiting: int
    #: Launches that are sent and followed to their end.
    running: int
    #: Workspaces that nobody else manages.
    spaces: list[Workspace]
    #: Teams without another active owner.
    teams: list[Group]
    #: Inputs saved by the person and shared with colleagues.
    saved: list[SavedInputs]

    @property
    def handed_over(self) -> bool:
        """Whether a successor receives anything."""
        return bool(self.spaces or self.teams or self.saved)


def belongings(person: User) -> Belongings:
    """What a deactivation of this person would affect."""
    launches = Launch.objects.filter(user=person)
    rights = LaunchRight.objects.usable(timezone.now()).filter(user=person)
    invitations = ColleagueInvitation.objects.filter(invited_by=person, accepted_at=None, revoked_at=None)
    managing = Member.objects.filter(access.held_by(person), role=Role.MANAGER)
    managed = Workspace.objects.filter(pk__in=managing.values("workspace"))
    shared_teams = TeamOwner.objects.filter(user__is_active=True).exclude(user=person).values("team")
    credentials = list(Credential.objects.filter(owner=person).select_related("workspace", "owner").order_by("name"))
    shared = sharing.teams_of(credentials)
    return Belongings(
        credentials=[row for row in credentials if row.pk not in shared],
        shared=[row for row in credentials if row.pk in shared],
        rights=list(rights.select_related("workspace").order_by("pk")),
        invitations=list(invitations.order_by("email")),
        requests=list(AccessRequest.objects.filter(user=person, decided_at=None).select_related("workspace")),
        waiting=launches.filter(state__in=UNSENT).count(),
        running=launches.filter(poll_at__isnull=False).count(),
        spaces=[
            space for space in managed.order_by("name") if not members.managers(space).exclude(pk=person.pk).exists()
        ],
        teams=list(Group.objects.filter(owners__user=person).exclude(pk__in=shared_teams).order_by("name")),
        saved=list(SavedInputs.objects.filter(owner=person, shared=True).order_by("name")),
    )


def deactivate(actor: Actor, person: User, successor: User | None) -> Belongings:
    """Deactivate the account with everything that depends on it, in one transaction; return what was affected.

    Raise NeedsSuccessor, LastSuperuser or Oneself without any change.
    """
    if actor.user is not None and actor.user.pk == person.pk:
        raise Oneself
    with transaction.atomic():
        # Lock all superusers, so that two of them cannot deactivate each other concurrently.
        list(User.objects.select_for_update().filter(Q(is_superuser=True) | Q(pk=person.pk)).order_by("pk"))
        others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
        if person.is_superuser and not others.exists():
            raise LastSuperuser
        affected = belongings(person)
        if affected.spaces and (successor is None or successor.pk == person.pk or not successor.is_active):
            raise NeedsSuccessor
        User.objects.filter(pk=person.pk).update(is_active=False, session_generation=F("session_generation") + 1)
        sessions.close(person)
        if successor is not None:
            for space in affected.spaces:
                members.hand_over(actor, space, successor)
            for team in affected.teams:
                TeamOwner.objects.get_or_create(team=team, user=successor)
            for saved in affected.saved:
                saved_inputs.give(saved, successor)
        for request in affected.requests:
            members.refuse(actor, request)
        # Those that are shared with teams get another owner.
        destroyed = sum(
            sharing.leave(actor, [credential], members.possible_owners(credential.workspace, person, successor))
            for credential in [*affected.credentials, *affected.shared]
        )
        launch_rights.revoke_by_holder(actor, person)
        member_invitations.revoke_by_inviter(actor, person)
        audit_log.record(
            actor,
            "person.deactivate",
            person,
            credentials_destroyed=destroyed,
            launch_rights=len(affected.rights),
            successor=successor.label if successor and affected.handed_over else "",
            workspaces=[space.slug for space in affected.spaces],
            teams=[team.name for team in affected.teams],
            saved_inputs=len(affected.saved),
        )
    person.refresh_from_db()
    return affected


def reactivate(actor: Actor, person: User) -> bool:
    """Reactivate the account with its memberships and teams; return whether it was inactive.

    Ended sessions and destroyed credentials are not restored.
    """
    with transaction.atomic():
        changed = User.objects.filter(pk=person.pk, is_active=False).update(is_active=True)
        if changed:
            audit_log.record(actor, "person.reactivate", person)
    return bool(changed)
