"""Deactivating a person: their sessions end at once, their own keys are destroyed, and what colleagues need is handed over.

Their launches stay in the record under their name; those that run are followed to their end, with another credential of the workspace
if need be. Those that were asked for and not sent are not sent: sending looks at the person again.
"""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from workflows_ui.models import (
    UNSENT,
    AccessRequest,
    ColleagueInvitation,
    Credential,
    Launch,
    LaunchRight,
    Member,
    Role,
    SavedInputs,
    TeamOwner,
    User,
    Workspace,
)
from workflows_ui.services import audit, colleague_invitations, launch_rights, members, sessions
from workflows_ui.services.audit import Actor


class NeedsSuccessor(Exception):
    """Nobody else manages some of the person's workspaces: somebody must be named who does from then on."""


class LastSuperuser(Exception):
    """Nobody would look after the console any more."""


class Oneself(Exception):
    """Nobody deactivates themselves: a colleague who looks after the console does."""


@dataclass(frozen=True)
class Belongings:
    """What hangs on a person: what is destroyed or ended, and what is handed over."""

    credentials: list[Credential]
    rights: list[LaunchRight]
    invitations: list[ColleagueInvitation]
    requests: list[AccessRequest]
    #: Asked for, and nothing sent yet.
    waiting: int
    #: Sent, and followed to their end.
    running: int
    #: Workspaces that nobody else manages.
    spaces: list[Workspace]
    #: Teams that nobody else looks after.
    teams: list[Group]
    #: Inputs that the person saved for colleagues.
    saved: list[SavedInputs]

    @property
    def handed_over(self) -> bool:
        """Whether there is anything that a successor gets."""
        return bool(self.spaces or self.teams or self.saved)


def belongings(person: User) -> Belongings:
    """What deactivating this person would touch."""
    launches = Launch.objects.filter(user=person)
    managed = Workspace.objects.filter(
        pk__in=Member.objects.filter(Q(user=person) | Q(team__in=person.groups.all()), role=Role.MANAGER).values(
            "workspace"
        )
    )
    shared_teams = TeamOwner.objects.filter(user__is_active=True).exclude(user=person).values("team")
    return Belongings(
        credentials=list(Credential.objects.filter(owner=person).select_related("workspace").order_by("name")),
        rights=list(
            LaunchRight.objects.usable(timezone.now()).filter(user=person).select_related("workspace").order_by("pk")
        ),
        invitations=list(
            ColleagueInvitation.objects.filter(invited_by=person, accepted_at=None, revoked_at=None).order_by("email")
        ),
        requests=list(AccessRequest.objects.filter(user=person, decided_at=None).select_related("workspace")),
        waiting=launches.filter(state__in=UNSENT).count(),
        running=launches.filter(look_at__isnull=False).count(),
        spaces=[
            space for space in managed.order_by("name") if not members.managers(space).exclude(pk=person.pk).exists()
        ],
        teams=list(Group.objects.filter(owners__user=person).exclude(pk__in=shared_teams).order_by("name")),
        saved=list(SavedInputs.objects.filter(owner=person, shared=True).order_by("name")),
    )


def deactivate(actor: Actor, person: User, successor: User | None) -> Belongings:
    """Switches the account off and deals with all that hangs on it, in one transaction; what that was is returned.

    Raises NeedsSuccessor, LastSuperuser, Oneself; then nothing was changed.
    """
    if actor.user is not None and actor.user.pk == person.pk:
        raise Oneself
    with transaction.atomic():
        # All accounts of superusers are held, so that two of them cannot switch each other off at the same moment.
        list(User.objects.select_for_update().filter(Q(is_superuser=True) | Q(pk=person.pk)).order_by("pk"))
        others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
        if person.is_superuser and not others.exists():
            raise LastSuperuser
        gone = belongings(person)
        if gone.spaces and (successor is None or successor.pk == person.pk or not successor.is_active):
            raise NeedsSuccessor
        User.objects.filter(pk=person.pk).update(is_active=False, session_generation=F("session_generation") + 1)
        sessions.close(person)
        if successor is not None:
            _hand_over(actor, gone, successor)
        for request in gone.requests:
            members.refuse(actor, request)
        Credential.objects.filter(owner=person).delete()
        launch_rights.revoke_of(actor, person)
        colleague_invitations.revoke_of(actor, person)
        audit.record(
            actor,
            "person.deactivate",
            object_type="person",
            object_id=str(person.pk),
            object_name=person.label,
            credentials_destroyed=len(gone.credentials),
            launch_rights=len(gone.rights),
            successor=successor.label if successor and gone.handed_over else "",
            workspaces=[space.slug for space in gone.spaces],
            teams=[team.name for team in gone.teams],
            saved_inputs=len(gone.saved),
        )
    person.refresh_from_db()
    return gone


def reactivate(actor: Actor, person: User) -> bool:
    """Switches the account on again, with the memberships and teams that it has; says whether it was off.

    Sessions from before stay ended; destroyed keys stay destroyed.
    """
    with transaction.atomic():
        done = User.objects.filter(pk=person.pk, is_active=False).update(is_active=True)
        if done:
            audit.record(
                actor,
                "person.reactivate",
                object_type="person",
                object_id=str(person.pk),
                object_name=person.label,
            )
    return bool(done)


def end_sessions(actor: Actor, person: User) -> None:
    """Ends all sessions of a person; they can sign in again."""
    with transaction.atomic():
        User.objects.filter(pk=person.pk).update(session_generation=F("session_generation") + 1)
        sessions.close(person)
        audit.record(
            actor, "person.end_sessions", object_type="person", object_id=str(person.pk), object_name=person.label
        )


def _hand_over(actor: Actor, gone: Belongings, successor: User) -> None:
    for space in gone.spaces:
        Member.objects.update_or_create(workspace=space, user=successor, defaults={"role": Role.MANAGER})
        audit.record(
            actor,
            "member.hand_over",
            workspace=space,
            object_type="member",
            object_id=str(successor.pk),
            object_name=successor.label,
            role=Role.MANAGER.value,
        )
    for team in gone.teams:
        TeamOwner.objects.get_or_create(team=team, user=successor)
    for saved in gone.saved:
        taken = SavedInputs.objects.filter(workspace=saved.workspace_id, flow_id=saved.flow_id, owner=successor)
        names = set(taken.values_list("name", flat=True))
        SavedInputs.objects.filter(pk=saved.pk).update(owner=successor, name=_unused(saved.name, names))


def _unused(name: str, taken: set[str]) -> str:
    """The name, with a number at its end where the successor has one of that name."""
    number, found = 2, name
    while found in taken:
        found = f"{name[:94]} ({number})"
        number += 1
    return found
