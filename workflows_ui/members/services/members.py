"""Members of a workspace: access requests, roles, and the rule that there is always a manager; and the workspace's settings.

Every change is audited and locks the workspace, so that concurrent changes cannot remove the last manager.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import AccessRequest, Member, Role, Workspace
from workflows_ui.members.services import launch_rights
from workflows_ui.members.services.access import belongs, held_by
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind

#: The most names of caretakers that are listed, and the most people who are asked at once.
_CARETAKERS, _ASKED = 5, 20


class LeavesNoManager(Exception):
    """Some workspaces would have no manager; `names` are their names."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class AlreadyMember(Exception):
    """The person belongs to the workspace already."""


def managers(workspace: Workspace) -> QuerySet[User]:
    """The active managers of a workspace, direct or through a team."""
    return active_members(workspace, Role.MANAGER)


def caretakers(workspace: Workspace) -> list[User]:
    """The active builders of a workspace, direct or through a team, by name; without any, its managers."""
    return list(active_members(workspace, Role.BUILDER)[:_ASKED]) or list(managers(workspace)[:_ASKED])


def active_members(workspace: Workspace, *roles: Role) -> QuerySet[User]:
    """The active members of a workspace, direct or through a team, by name; of these roles, if any are given."""
    rows = Member.objects.filter(workspace=workspace, **({"role__in": roles} if roles else {}))
    people, teams = (rows.exclude(**{field: None}).values(field) for field in ("user", "team"))
    found = User.objects.filter(Q(pk__in=people) | Q(groups__in=teams), is_active=True)
    return found.distinct().order_by("first_name", "last_name", "username")


def find_by_email(workspace: Workspace, email: str) -> User | None:
    """The active member who has confirmed this address; None without one."""
    owners = EmailAddress.objects.filter(email__iexact=email, verified=True).values("user")
    found = User.objects.filter(pk__in=owners, is_active=True).order_by("pk").first()
    return found if found is not None and belongs(found, workspace) else None


def has_role(workspace: Workspace, person: User, role: Role) -> bool:
    """Whether a person has this role or a higher one in a workspace, directly or through a team."""
    rows = Member.objects.filter(held_by(person), workspace=workspace)
    return any(Role(row.role).includes(role) for row in rows)


def find_caretakers(workspace: Workspace, flow_id: str) -> dict[str, object]:
    """The `names` of the builders of a flow's workspace, else its managers, people before teams; how many `more` there are; and the person
    who last changed it in the console: `changed_by`, "" if nobody did, and `changed_at`. The engine's editor records no names."""
    memberships = Member.objects.filter(workspace=workspace, role__in=(Role.BUILDER, Role.MANAGER))
    rows = [row for row in memberships.select_related("user", "team") if row.user is None or row.user.is_active]
    builders = [row for row in rows if row.role == Role.BUILDER] or rows
    people = sorted({row.user.label for row in builders if row.user is not None}, key=sort_key)
    teams = sorted({row.team.name for row in builders if row.team is not None}, key=sort_key)
    names = [*people, *teams]
    change = (
        AuditEvent.objects.filter(
            workspace=workspace, object_type="flows", object_id=flow_id, action__startswith="flows.", outcome="done"
        )
        .exclude(action="flows.export")
        .select_related("user")
        .order_by("-at")
        .first()
    )
    return {
        "names": names[:_CARETAKERS],
        "more": max(0, len(names) - _CARETAKERS),
        "changed_by": change.user.label if change and change.user else "",
        "changed_at": change.at if change else None,
    }


def ask(actor: Actor, workspace: Workspace, person: User, link: str = "") -> AccessRequest:
    """The person's open access request; created, and the managers notified, if necessary.

    `link` is the path that the person wanted to open, empty if they added a credential, which then comes with an open request, too.
    """
    request, created = AccessRequest.objects.get_or_create(
        workspace=workspace, user=person, decided_at=None, defaults={"link": link[:300]}
    )
    if created:
        _record(actor, "access_request.ask", workspace, person, **({"link": link[:300]} if link else {}))
        for manager in managers(workspace):
            notifications.notify(
                manager,
                NoticeKind.ACCESS_ASKED,
                f"access_request:{request.pk}",
                url=reverse("members", args=[workspace.slug]),
                workspace=workspace,
                name=person.label,
            )
    elif request.link and not link:
        request.link = ""
        request.save(update_fields=["link"])
    return request


def ensure_member(workspace: Workspace, person: User, role: Role) -> Member:
    """The person's own membership, with this role or a higher one that they have. Requires a transaction."""
    member, created = Member.objects.get_or_create(workspace=workspace, user=person, defaults={"role": role})
    if not created and not Role(member.role).includes(role):
        member.role = role
        member.save(update_fields=["role"])
    return member


def grant(actor: Actor, request: AccessRequest, role: Role) -> Member | None:
    """Grant the request with this role; a member keeps a higher one. Return None if it was decided already."""
    with _locked(request.workspace):
        if not _decide(actor, request, granted=True):
            return None
        member = ensure_member(request.workspace, request.user, role)
        _record(actor, "access_request.grant", request.workspace, request.user, role=member.role)
    return member


def refuse(actor: Actor, request: AccessRequest, action: str = "access_request.refuse") -> bool:
    """Refuse the request, and destroy the credentials added with it, which nobody may use. Return whether it was undecided."""
    with _locked(request.workspace):
        if not _decide(actor, request, granted=False):
            return False
        destroyed = 0 if request.link else _destroy_credentials(actor, request.workspace, request.user)
        _record(actor, action, request.workspace, request.user, credentials_destroyed=destroyed)
    return True


def withdraw(actor: Actor, request: AccessRequest) -> bool:
    """As `refuse`, by the person."""
    return refuse(actor, request, "access_request.withdraw")


def add(actor: Actor, workspace: Workspace, holder: User | Group, role: Role) -> Member:
    """Make a person a member, and grant their open request; or a team, with all of its current and future people. Raises AlreadyMember."""
    person, team = (holder, None) if isinstance(holder, User) else (None, holder)
    with _locked(workspace):
        member, created = Member.objects.get_or_create(
            workspace=workspace, user=person, team=team, defaults={"role": role}
        )
        if not created:
            raise AlreadyMember
        if request := AccessRequest.objects.filter(workspace=workspace, user=person, decided_at=None).first():
            _decide(actor, request, granted=True)
        _record(actor, "member.add", workspace, person, name=team.name if team else "", role=role.value)
    return member


def change_role(actor: Actor, member: Member, role: Role) -> None:
    """Change the role of a member. Raises LeavesNoManager; Member.DoesNotExist if the member is gone."""
    with _locked(member.workspace):
        current = Member.objects.get(pk=member.pk)
        before = current.role
        if before == role:
            return
        current.role = role
        current.save(update_fields=["role"])
        require_managers([member.workspace])
        _record(actor, "member.change_role", member.workspace, member.user, before=before, after=role.value)


def remove(actor: Actor, member: Member) -> int:
    """End a membership, destroy the person's own credentials in the workspace and withdraw their own launch rights there.

    Credentials shared with teams get a manager as their owner instead. Return the number destroyed.

    Launches stay in the record. Raises LeavesNoManager; Member.DoesNotExist if the member is gone.
    """
    with _locked(member.workspace):
        Member.objects.get(pk=member.pk).delete()
        require_managers([member.workspace])
        destroyed = _destroy_credentials(actor, member.workspace, member.user) if member.user else 0
        if member.user:
            launch_rights.revoke_by_holder(actor, member.user, member.workspace)
        _record(
            actor,
            "member.remove",
            member.workspace,
            member.user,
            team=member.team.name if member.team else "",
            role=member.role,
            credentials_destroyed=destroyed,
        )
    return destroyed


def change_settings(actor: Actor, workspace: Workspace, **values: object) -> list[str]:
    """Set these fields of a workspace; return and audit the names of the changed ones."""
    with transaction.atomic():
        current = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        before = {field: getattr(current, field) for field in values}
        changed = [field for field, value in values.items() if before[field] != value]
        if not changed:
            return []
        for field in changed:
            setattr(current, field, values[field])
        current.save(update_fields=changed)
        audit_log.record(
            actor,
            "workspace.change",
            current,
            before={field: before[field] for field in changed},
            after={field: values[field] for field in changed},
        )
    workspace.refresh_from_db()
    return changed


@contextmanager
def _locked(workspace: Workspace) -> Iterator[None]:
    """Open a transaction and lock the row of the workspace (in SQLite, the whole database)."""
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        yield


def require_managers(workspaces: Iterable[Workspace]) -> None:
    """Raise LeavesNoManager if one of these workspaces has no manager."""
    names = [workspace.name for workspace in workspaces if not managers(workspace).exists()]
    if names:
        raise LeavesNoManager(names)


def _decide(actor: Actor, request: AccessRequest, *, granted: bool) -> bool:
    """Decide the request; return whether nobody had."""
    changed = AccessRequest.objects.filter(pk=request.pk, decided_at=None).update(
        decided_at=timezone.now(), decided_by=actor.user, granted=granted
    )
    workspace = request.workspace
    if changed and actor.user != request.user:
        notifications.notify(
            request.user,
            NoticeKind.ACCESS_DECIDED,
            f"access_request:{request.pk}:decided",
            url=(request.link or reverse("workspace", args=[workspace.slug])) if granted else reverse("home"),
            workspace=workspace if granted else None,
            into=workspace.name if granted else request.link or workspace.project_name or workspace.project_id,
            granted=granted,
        )
    return bool(changed)


def _destroy_credentials(actor: Actor, workspace: Workspace, person: User) -> int:
    rows = Credential.objects.filter(workspace=workspace, owner=person).select_related("workspace", "owner")
    return sharing.leave(actor, rows, possible_owners(workspace, person, actor.user))


def hand_over(actor: Actor, workspace: Workspace, to: User) -> None:
    """Make a colleague a manager of the workspace, for a manager who leaves. Requires a transaction."""
    Member.objects.update_or_create(workspace=workspace, user=to, defaults={"role": Role.MANAGER})
    _record(actor, "member.hand_over", workspace, to, role=Role.MANAGER.value)


def possible_owners(workspace: Workspace, person: User, first: User | None = None) -> list[User]:
    """The possible owners of a leaving person's belongings: the other managers, with `first` in front if they are one."""
    others = list(managers(workspace).exclude(pk=person.pk))
    return sorted(others, key=lambda user: user != first)


def _record(
    actor: Actor, action: str, workspace: Workspace, person: User | None, name: str = "", **detail: object
) -> None:
    audit_log.record(
        actor,
        action,
        workspace=workspace,
        object_type="member",
        object_id=str(person.pk) if person else "",
        object_name=person.label if person else name,
        detail=detail,
    )
