"""Teams: made and removed by superusers, filled by superusers and by the team's owners. Who is in one decides with the next request."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from workflows_ui.models import Credential, LaunchRight, Member, Role, TeamOwner, TeamProfile, User, Workspace
from workflows_ui.services import audit, members
from workflows_ui.services.audit import Actor


class NameTaken(Exception):
    """A team with this name, in any case, exists."""


class AlreadyIn(Exception):
    """The person is in the team already, or owns it already."""


class LeavesNoManager(Exception):
    """Nobody would manage these workspaces any more. `names` are theirs."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


@dataclass(frozen=True)
class Affected:
    """What goes with a team when it is deleted."""

    people: int
    memberships: list[Member]
    credentials: list[Credential]
    rights: list[LaunchRight]


def visible(person: User) -> QuerySet[Group]:
    """The teams whose page a person may open: all for a superuser, else those they are in or look after."""
    rows = Group.objects.order_by("name", "pk")
    if person.is_superuser:
        return rows
    return rows.filter(Q(pk__in=person.groups.values("pk")) | Q(owners__user=person)).distinct()


def looks_after(person: User, team: Group) -> bool:
    """Whether a person may add people to a team and take them out."""
    return person.is_superuser or TeamOwner.objects.filter(team=team, user=person).exists()


def giveable(person: User, workspace: Workspace) -> list[Group]:
    """The teams that a manager of a workspace may put somebody into with an invitation: those they look after, and those that belong to
    the workspace and open nothing outside of what this person manages. Else an invitation could open other people's workspaces.
    """
    if person.is_superuser:
        return list(Group.objects.order_by("name", "pk"))
    managed = Member.objects.filter(Q(user=person) | Q(team__in=person.groups.all()), role=Role.MANAGER)
    spaces = managed.values("workspace")
    inside = (
        Q(memberships__workspace=workspace)
        | Q(credentials__workspace=workspace)
        | Q(launch_rights__workspace=workspace)
    )
    outside = {"team__isnull": False}
    contained = (
        Group.objects.filter(inside)
        .exclude(pk__in=Member.objects.filter(**outside).exclude(workspace__in=spaces).values("team"))
        .exclude(pk__in=Credential.objects.filter(**outside).exclude(workspace__in=spaces).values("team"))
        .exclude(pk__in=LaunchRight.objects.filter(**outside).exclude(workspace__in=spaces).values("team"))
    )
    found = Group.objects.filter(Q(owners__user=person) | Q(pk__in=contained.values("pk")))
    return list(found.distinct().order_by("name", "pk"))


def affected(team: Group) -> Affected:
    """What hangs on a team."""
    return Affected(
        people=User.objects.filter(groups=team).count(),
        memberships=list(Member.objects.filter(team=team).select_related("workspace").order_by("workspace__name")),
        credentials=list(Credential.objects.filter(team=team).select_related("workspace").order_by("name")),
        rights=list(
            LaunchRight.objects.usable(timezone.now())
            .filter(team=team)
            .select_related("workspace")
            .order_by("flow_name")
        ),
    )


def create(actor: Actor, name: str, description: str) -> Group:
    """A new team. Raises NameTaken."""
    with transaction.atomic():
        team = Group(name=_free(name))
        try:
            with transaction.atomic():
                team.save(force_insert=True)
        except IntegrityError:
            raise NameTaken from None
        TeamProfile.objects.create(team=team, description=description)
        _record(actor, "team.create", team)
    return team


def change(actor: Actor, team: Group, name: str, description: str) -> None:
    """Another name or description. Raises NameTaken."""
    with transaction.atomic():
        profile, _made = TeamProfile.objects.get_or_create(team=team)
        before = {"name": team.name, "description": profile.description}
        after = {"name": name, "description": description}
        if before == after:
            return
        team.name, profile.description = _free(name, team), description
        try:
            with transaction.atomic():
                team.save()
        except IntegrityError:
            raise NameTaken from None
        profile.save()
        _record(actor, "team.change", team, before=before, after=after)


def delete(actor: Actor, team: Group) -> Affected:
    """Removes a team with its memberships, rights and credentials. Raises LeavesNoManager; then nothing was removed."""
    with transaction.atomic():
        gone = affected(team)
        _hold([row.workspace for row in gone.memberships])
        _record(
            actor,
            "team.delete",
            team,
            people=gone.people,
            workspaces=[row.workspace.slug for row in gone.memberships],
            credentials_destroyed=len(gone.credentials),
            launch_rights=len(gone.rights),
        )
        Group.objects.filter(pk=team.pk).delete()
        _require_managers([row.workspace for row in gone.memberships])
    return gone


def add(actor: Actor, team: Group, person: User) -> None:
    """Puts a person into a team. Raises AlreadyIn."""
    with transaction.atomic():
        Group.objects.select_for_update().get(pk=team.pk)
        if person.groups.filter(pk=team.pk).exists():
            raise AlreadyIn
        person.groups.add(team)
        _record(actor, "team.add", team, **_named(person))


def take_out(actor: Actor, team: Group, person: User) -> bool:
    """Takes a person out of a team; says whether they were in it. Raises LeavesNoManager; then they stay."""
    with transaction.atomic():
        spaces = [
            row.workspace for row in Member.objects.filter(team=team, role=Role.MANAGER).select_related("workspace")
        ]
        _hold(spaces)
        if not person.groups.filter(pk=team.pk).exists():
            return False
        person.groups.remove(team)
        _require_managers(spaces)
        _record(actor, "team.remove", team, **_named(person))
    return True


def make_owner(actor: Actor, team: Group, person: User) -> None:
    """Lets a person look after a team. Raises AlreadyIn."""
    with transaction.atomic():
        _row, made = TeamOwner.objects.get_or_create(team=team, user=person)
        if not made:
            raise AlreadyIn
        _record(actor, "team.make_owner", team, **_named(person))


def end_owner(actor: Actor, team: Group, person: User) -> bool:
    """A person looks after a team no longer; says whether they did. A team without an owner is looked after by superusers."""
    with transaction.atomic():
        gone, _rows = TeamOwner.objects.filter(team=team, user=person).delete()
        if gone:
            _record(actor, "team.end_owner", team, **_named(person))
    return bool(gone)


def _free(name: str, own: Group | None = None) -> str:
    taken = Group.objects.filter(name__iexact=name)
    if (taken.exclude(pk=own.pk) if own is not None else taken).exists():
        raise NameTaken
    return name


def _hold(spaces: list[Workspace]) -> None:
    """Locks workspaces in one order, so that two changes at once cannot leave one of them without a manager."""
    list(Workspace.objects.select_for_update().filter(pk__in=[space.pk for space in spaces]).order_by("pk"))


def _require_managers(spaces: list[Workspace]) -> None:
    bare = [space.name for space in spaces if not members.managers(space).exists()]
    if bare:
        raise LeavesNoManager(bare)


def _named(person: User) -> dict[str, Any]:
    return {"person": person.label, "person_id": person.pk}


def _record(actor: Actor, action: str, team: Group, **detail: Any) -> None:
    audit.record(actor, action, object_type="team", object_id=str(team.pk), object_name=team.name, **detail)
