"""Teams: created and deleted by superusers; superusers and owners add and remove people. Changes apply from the next request."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.collation import by_name
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import LaunchRight, Member, Role, TeamOwner, TeamProfile, Workspace
from workflows_ui.members.services import access, launch_rights, members


class NameTaken(Exception):
    """A team with this name exists, ignoring case."""


class AlreadyIn(Exception):
    """The person is in the team already, or owns it already."""


@dataclass(frozen=True)
class Affected:
    """Everything affected by the deletion of a team."""

    people: int
    memberships: list[Member]
    credentials: list[Credential]
    rights: list[LaunchRight]


def visible(person: User) -> QuerySet[Group]:
    """The teams whose page a person may open: all for a superuser, else those they are in or own."""
    rows = Group.objects.order_by(*by_name("name"), "pk")
    if person.is_superuser:
        return rows
    return rows.filter(Q(pk__in=person.groups.values("pk")) | Q(owners__user=person)).distinct()


def teams_within(workspaces: Collection[Workspace | int]) -> QuerySet[Group]:
    """The teams that are members of one of these workspaces, or have a usable launch right in one."""
    rights = LaunchRight.objects.usable(timezone.now()).filter(workspace__in=workspaces)
    groups = Group.objects.filter(Q(memberships__workspace__in=workspaces) | Q(launch_rights__in=rights))
    return Group.objects.filter(pk__in=groups.values("pk")).order_by(*by_name("name"), "pk")


def may_edit(person: User, team: Group) -> bool:
    return person.is_superuser or TeamOwner.objects.filter(team=team, user=person).exists()


def giveable(person: User, workspace: Workspace) -> QuerySet[Group]:
    """The teams that a manager of a workspace may include in an invitation: those they own, and those of the workspace that open no
    workspace which this person does not manage. Otherwise an invitation could open the workspaces of others.
    """
    if person.is_superuser:
        return Group.objects.order_by(*by_name("name"), "pk")
    spaces = Member.objects.filter(access.held_by(person), role=Role.MANAGER).values("workspace")
    in_workspace = (
        Q(memberships__workspace=workspace)
        | Q(credential_shares__credential__workspace=workspace)
        | Q(launch_rights__workspace=workspace)
    )
    has_team = {"team__isnull": False}
    contained = (
        Group.objects.filter(in_workspace)
        .exclude(pk__in=Member.objects.filter(**has_team).exclude(workspace__in=spaces).values("team"))
        .exclude(pk__in=CredentialShare.objects.exclude(credential__workspace__in=spaces).values("team"))
        .exclude(pk__in=LaunchRight.objects.filter(**has_team).exclude(workspace__in=spaces).values("team"))
    )
    groups = Group.objects.filter(Q(owners__user=person) | Q(pk__in=contained.values("pk")))
    return groups.distinct().order_by("name", "pk")


def affected(team: Group) -> Affected:
    shared = Credential.objects.filter(pk__in=[row.credential_id for row in sharing.genuine(team=team)])
    rights = LaunchRight.objects.usable(timezone.now()).filter(team=team)
    return Affected(
        people=User.objects.filter(groups=team).count(),
        memberships=list(Member.objects.filter(team=team).select_related("workspace").order_by("workspace__name")),
        credentials=list(shared.select_related("workspace").order_by("name")),
        rights=list(rights.select_related("workspace", "team").order_by("flow_name")),
    )


def create(actor: Actor, name: str, description: str) -> Group:
    """Create a team. Raises NameTaken."""
    with transaction.atomic():
        team = Group()
        _save(team, name)
        TeamProfile.objects.create(team=team, description=description)
        audit_log.record(actor, "team.create", team)
    return team


def change(actor: Actor, team: Group, name: str, description: str) -> None:
    """Change name and description. Raises NameTaken."""
    with transaction.atomic():
        profile, _made = TeamProfile.objects.get_or_create(team=team)
        before = {"name": team.name, "description": profile.description}
        after = {"name": name, "description": description}
        if before == after:
            return
        profile.description = description
        _save(team, name)
        profile.save()
        audit_log.record(actor, "team.change", team, before=before, after=after)


def delete(actor: Actor, team: Group) -> Affected:
    """Delete a team with its memberships and rights; credentials shared with it stay with their owners. The audit log of each workspace
    has its rights that ended.

    Raise members.LeavesNoManager without deleting anything.
    """
    with transaction.atomic():
        affected_objects = affected(team)
        _lock_workspaces([row.workspace for row in affected_objects.memberships])
        audit_log.record(
            actor,
            "team.delete",
            team,
            people=affected_objects.people,
            workspaces=[row.workspace.slug for row in affected_objects.memberships],
            credentials_shared=len(affected_objects.credentials),
            launch_rights=len(affected_objects.rights),
        )
        for right in affected_objects.rights:
            launch_rights.revoke(actor, right)
        Group.objects.filter(pk=team.pk).delete()
        members.require_managers([row.workspace for row in affected_objects.memberships])
    return affected_objects


def add(actor: Actor, team: Group, person: User) -> None:
    """Add a person to a team. Raises AlreadyIn."""
    with transaction.atomic():
        Group.objects.select_for_update().get(pk=team.pk)
        if person.groups.filter(pk=team.pk).exists():
            raise AlreadyIn
        person.groups.add(team)
        audit_log.record(actor, "team.add", team, detail=_person_detail(person))


def take_out(actor: Actor, team: Group, person: User) -> bool:
    """Remove a person from a team; return whether they were in it. Raise members.LeavesNoManager without removing them."""
    with transaction.atomic():
        spaces = [
            row.workspace for row in Member.objects.filter(team=team, role=Role.MANAGER).select_related("workspace")
        ]
        _lock_workspaces(spaces)
        if not person.groups.filter(pk=team.pk).exists():
            return False
        person.groups.remove(team)
        members.require_managers(spaces)
        audit_log.record(actor, "team.remove", team, detail=_person_detail(person))
    return True


def make_owner(actor: Actor, team: Group, person: User) -> None:
    """Make a person an owner of a team. Raises AlreadyIn."""
    with transaction.atomic():
        _row, created = TeamOwner.objects.get_or_create(team=team, user=person)
        if not created:
            raise AlreadyIn
        audit_log.record(actor, "team.make_owner", team, detail=_person_detail(person))


def end_owner(actor: Actor, team: Group, person: User) -> bool:
    """Remove an owner of a team; return whether they were one. Superusers manage teams without an owner."""
    with transaction.atomic():
        deleted, _rows = TeamOwner.objects.filter(team=team, user=person).delete()
        if deleted:
            audit_log.record(actor, "team.end_owner", team, detail=_person_detail(person))
    return bool(deleted)


def _save(team: Group, name: str) -> None:
    if Group.objects.filter(name__iexact=name).exclude(pk=team.pk).exists():
        raise NameTaken
    team.name = name
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise NameTaken from None


def _lock_workspaces(spaces: list[Workspace]) -> None:
    """Lock workspaces in a fixed order, so that concurrent changes cannot leave one of them without a manager."""
    list(Workspace.objects.select_for_update().filter(pk__in=[space.pk for space in spaces]).order_by("pk"))


def _person_detail(person: User) -> dict[str, object]:
    return {"person": person.label, "person_id": person.pk}
