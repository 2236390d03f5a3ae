"""Who belongs to a workspace: requests to be let in, roles, and the rule that somebody always manages it.

Every change leaves an audit row and is made with the workspace's row held, so that two managers at once cannot leave none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from workflows_ui.models import AccessRequest, Credential, Member, Role, User, Workspace
from workflows_ui.services import audit, launch_rights, people
from workflows_ui.services.audit import Actor


class LastManager(Exception):
    """The change would leave the workspace without a manager."""


class NobodyFound(Exception):
    """No active account has this user name or e-mail address."""


class AlreadyMember(Exception):
    """The person belongs to the workspace already."""


class AlreadyDecided(Exception):
    """Another manager decided the request first."""


def managers(workspace: Workspace) -> QuerySet[User]:
    """The active people who manage a workspace, by themselves or through a team."""
    rows = Member.objects.filter(workspace=workspace, role=Role.MANAGER)
    teams = rows.filter(team__isnull=False).values("team")
    people = rows.filter(user__isnull=False).values("user")
    found = User.objects.filter(Q(pk__in=people) | Q(groups__in=teams), is_active=True)
    return found.distinct().order_by("first_name", "last_name", "username")


def ask(actor: Actor, workspace: Workspace, person: User) -> AccessRequest:
    """The person's open request to be let in; one is made where there is none."""
    request, made = AccessRequest.objects.get_or_create(workspace=workspace, user=person, decided_at=None)
    if made:
        _record(actor, "access_request.ask", workspace, person)
    return request


def grant(actor: Actor, request: AccessRequest, role: Role) -> Member:
    """Lets the person in with this role. Raises AlreadyDecided."""
    with _held(request.workspace):
        _decide(actor, request, granted=True)
        member = Member.objects.filter(workspace=request.workspace, user=request.user).first()
        if member is None:
            member = Member.objects.create(workspace=request.workspace, user=request.user, role=role)
        _record(actor, "access_request.grant", request.workspace, request.user, role=member.role)
    return member


def refuse(actor: Actor, request: AccessRequest) -> None:
    """Turns the request down, and destroys the credentials that came with it: nobody may use them. Raises AlreadyDecided."""
    with _held(request.workspace):
        _decide(actor, request, granted=False)
        gone = _destroy_credentials(request.workspace, request.user)
        _record(actor, "access_request.refuse", request.workspace, request.user, credentials_destroyed=gone)


def withdraw(actor: Actor, request: AccessRequest) -> None:
    """The person takes back the request; the credentials that came with it are destroyed. Raises AlreadyDecided."""
    with _held(request.workspace):
        _decide(actor, request, granted=False)
        gone = _destroy_credentials(request.workspace, request.user)
        _record(actor, "access_request.withdraw", request.workspace, request.user, credentials_destroyed=gone)


def add(actor: Actor, workspace: Workspace, who: str, role: Role) -> Member:
    """Makes the active person with this user name or e-mail address (in any case) a member; an open request is granted by it.

    Raises NobodyFound, AlreadyMember.
    """
    person = people.named(who)
    if person is None:
        raise NobodyFound
    with _held(workspace):
        member, made = Member.objects.get_or_create(workspace=workspace, user=person, defaults={"role": role})
        if not made:
            raise AlreadyMember
        request = AccessRequest.objects.filter(workspace=workspace, user=person, decided_at=None).first()
        if request is not None:
            _decide(actor, request, granted=True)
        _record(actor, "member.add", workspace, person, role=role.value)
    return member


def add_team(actor: Actor, workspace: Workspace, team: Group, role: Role) -> Member:
    """Makes everybody in a team a member, as long as they are in it. Raises AlreadyMember."""
    with _held(workspace):
        member, made = Member.objects.get_or_create(workspace=workspace, team=team, defaults={"role": role})
        if not made:
            raise AlreadyMember
        _record(actor, "member.add", workspace, None, team=team.name, role=role.value)
    return member


def change_role(actor: Actor, member: Member, role: Role) -> None:
    """Gives a member another role. Raises LastManager; Member.DoesNotExist where the member is gone."""
    with _held(member.workspace):
        current = Member.objects.get(pk=member.pk)
        before = current.role
        if before == role:
            return
        current.role = role
        current.save(update_fields=["role"])
        _require_a_manager(member.workspace)
        _record(actor, "member.change_role", member.workspace, member.user, before=before, after=role.value)


def remove(actor: Actor, member: Member) -> int:
    """Ends a membership, destroys the person's own credentials in the workspace and withdraws their own launch rights there.

    How many credentials were destroyed is returned.

    Launches stay in the record. Raises LastManager; Member.DoesNotExist where the member is gone.
    """
    with _held(member.workspace):
        Member.objects.get(pk=member.pk).delete()
        _require_a_manager(member.workspace)
        gone = _destroy_credentials(member.workspace, member.user) if member.user else 0
        if member.user:
            launch_rights.revoke_of(actor, member.user, member.workspace)
        _record(
            actor,
            "member.remove",
            member.workspace,
            member.user,
            team=member.team.name if member.team else "",
            role=member.role,
            credentials_destroyed=gone,
        )
    return gone


@contextmanager
def _held(workspace: Workspace) -> Iterator[None]:
    """One transaction with the workspace's row locked (SQLite: with the whole database locked)."""
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        yield


def _require_a_manager(workspace: Workspace) -> None:
    if not managers(workspace).exists():
        raise LastManager


def _decide(actor: Actor, request: AccessRequest, *, granted: bool) -> None:
    changed = AccessRequest.objects.filter(pk=request.pk, decided_at=None).update(
        decided_at=timezone.now(), decided_by=actor.user, granted=granted
    )
    if not changed:
        raise AlreadyDecided


def _destroy_credentials(workspace: Workspace, person: User) -> int:
    doomed = Credential.objects.filter(workspace=workspace, owner=person)
    count = doomed.count()
    doomed.delete()
    return count


def _record(actor: Actor, action: str, workspace: Workspace, person: User | None, **detail: Any) -> None:
    audit.record(
        actor,
        action,
        workspace=workspace,
        object_type="member",
        object_id=str(person.pk) if person else "",
        object_name=person.label if person else "",
        **detail,
    )
