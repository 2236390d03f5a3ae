"""Rights to launch one flow: given by managers, consumed by launches, ended by date, number or withdrawal.

A launch is counted in the transaction that creates it (`take`), and given back only if nothing was sent, or the engine's run lists prove
that no run exists (`give_back`): a launch that the engine refused, or whose result is unclear, stays counted.

A right of an invitation is pending: it becomes the person's who accepts (`transfer`), and gives access to nobody until then.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Workspace
from workflows_ui.members.services import access
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind


def active_rights(user: User, workspace: Workspace) -> QuerySet[LaunchRight]:
    """The usable rights of a person and their teams in a workspace, ordered by their end."""
    rows = LaunchRight.objects.usable(timezone.now()).filter(access.held_by(user), workspace=workspace)
    return rows.select_related("team").order_by(F("until").asc(nulls_last=True), "pk")


def flows(person_access: access.Access) -> list[LaunchRight]:
    """One right for each launchable flow, the one used next, ordered by the name of the flow."""
    by_flow: dict[str, LaunchRight] = {}
    for right in active_rights(person_access.user, person_access.workspace):
        by_flow.setdefault(right.flow_id, right)
    return sorted(by_flow.values(), key=lambda right: (sort_key(right.flow_name), right.pk))


def flow_rights(person_access: access.Access, flow_id: str) -> list[LaunchRight]:
    """The usable rights on a flow in the order of use; none for a role that includes launching."""
    if not person_access.had_right(flow_id):
        return []
    return list(active_rights(person_access.user, person_access.workspace).filter(flow_id=flow_id))


def take(person_access: access.Access, flow_id: str, now: datetime) -> LaunchRight:
    """Consume one launch of a right on the flow, in the caller's transaction. Raise access.RightEnded if none is left.

    A conditional UPDATE prevents overuse by concurrent launches.
    """
    usable = LaunchRight.objects.usable(now)
    for right in active_rights(person_access.user, person_access.workspace).filter(flow_id=flow_id):
        if usable.filter(pk=right.pk).update(used=F("used") + 1, last_used_at=now):
            return right
    raise access.RightEnded


def still_holds(user: User, right: LaunchRight) -> bool:
    """Whether a launch requested by this right may be sent: the right is not withdrawn, not over, and still the person's.

    `user` has access to the workspace (`access_for`). The launch was counted when it was requested, so the number is not checked again.
    """
    now = timezone.now()
    rows = LaunchRight.objects.filter(Q(until__isnull=True) | Q(until__gt=now), pk=right.pk, revoked_at__isnull=True)
    return rows.filter(access.held_by(user)).exists()


def give_back(right_id: int | None) -> None:
    """Give back a launch that was not sent. The caller has just ended it, by a change that succeeds once."""
    if right_id is not None:
        LaunchRight.objects.filter(pk=right_id, used__gt=0).update(used=Greatest(F("used") - 1, 0))


def take_again(right_id: int | None) -> None:
    """Count a launch again whose run was found after it was given back. The caller has just changed it, by a change that succeeds once."""
    if right_id is not None:
        LaunchRight.objects.filter(pk=right_id).update(used=F("used") + 1)


class NothingActs(Exception):
    """No credential would act for the holder, or for these people of the team: they could launch nothing."""

    def __init__(self, people: Sequence[User]) -> None:
        super().__init__([person.pk for person in people])
        self.people = people


def require_credential(
    holder: User | Group | ColleagueInvitation, workspace: Workspace, credential: Credential | None = None
) -> None:
    """Raise NothingActs unless a credential acts for the person or for everybody in the team, by the rule of access.acting.

    `credential` is shared with the team as well, so it acts for all of them. An invited person needs a team that uses one.
    """
    if isinstance(holder, ColleagueInvitation):
        if not sharing.genuine(credential__workspace=workspace, team__in=holder.teams.all()):
            raise NothingActs([])
        return
    if isinstance(holder, Group):
        if credential is not None or sharing.genuine(credential__workspace=workspace, team=holder):
            return
        people = list(
            User.objects.filter(groups=holder, is_active=True).order_by("first_name", "last_name", "username")
        )
    else:
        people = [holder]
    acted_for = _acted_for({workspace.pk}, {person.pk for person in people})
    lacking = [person for person in people if person.pk not in acted_for]
    if lacking or not people:
        raise NothingActs(lacking)


def give(
    actor: Actor,
    workspace: Workspace,
    *,
    flow_id: str,
    flow_name: str,
    holder: User | Group | ColleagueInvitation,
    until: datetime | None,
    most_launches: int | None,
    credential: Credential | None = None,
) -> LaunchRight:
    """Give a person, a team or the person who will accept an invitation the right to launch a flow, with an optional end and number.

    A `credential` of the workspace, which the actor owns or which the team uses already, is shared with the team, too. Raises NothingActs
    if the holder could not launch with any credential.
    """
    require_credential(holder, workspace, credential)
    with transaction.atomic():
        right = LaunchRight.objects.create(
            workspace=workspace,
            flow_id=flow_id,
            flow_name=flow_name.replace("\0", ""),
            user=holder if isinstance(holder, User) else None,
            team=holder if isinstance(holder, Group) else None,
            invitation=holder if isinstance(holder, ColleagueInvitation) else None,
            until=until,
            most_launches=most_launches,
            created_by=actor.user,
        )
        limits = _limits(until, most_launches)
        audit_log.record(actor, "launch_right.give", right, detail=_detail(right) | limits)
        if credential is not None and isinstance(holder, Group):
            sharing.share(actor, credential, [*sharing.teams(credential), holder])
        _notify_holder(right)
    return right


def change(actor: Actor, right: LaunchRight, *, until: datetime | None, most_launches: int | None) -> bool:
    """Change the limits of a right that is not withdrawn, even if it has ended; return whether that was possible.

    A conditional UPDATE includes concurrent launches, which never exceed the number.
    """
    not_exceeded = Q() if most_launches is None else Q(used__lte=most_launches)
    with transaction.atomic():
        changed = LaunchRight.objects.filter(not_exceeded, pk=right.pk, revoked_at__isnull=True).update(
            until=until, most_launches=most_launches
        )
        if changed:
            before, after = _limits(right.until, right.most_launches), _limits(until, most_launches)
            audit_log.record(
                actor, "launch_right.change", right, detail=_detail(right) | {"before": before, "after": after}
            )
    return bool(changed)


def _limits(until: datetime | None, most_launches: int | None) -> dict[str, object]:
    return {"until": until.isoformat() if until else None, "most_launches": most_launches}


def _detail(right: LaunchRight) -> dict[str, object]:
    kind = "person" if right.user_id else "team" if right.team_id else "invited"
    return {"flow": right.flow_id, "holder": right.holder, "holder_kind": kind}


def _notify_holder(right: LaunchRight) -> None:
    """Notify the holder of the right; for a team, its current people; for an invitation, nobody yet."""
    if right.invitation_id:
        return
    people = [right.user] if right.user else User.objects.filter(groups=right.team_id, is_active=True)
    address = reverse("flow_launch", args=[right.workspace.slug, right.flow_id])
    for person in people:
        notifications.notify(
            person,
            NoticeKind.RIGHT_GIVEN,
            f"launch_right:{right.pk}",
            url=address,
            workspace=right.workspace,
            flow=right.flow_name or right.flow_id,
            until=right.until.isoformat() if right.until else None,
            most=right.most_launches,
        )


def revoke(actor: Actor, right: LaunchRight) -> bool:
    """Withdraw a right; return whether it was in force. Launches requested by it that are not sent yet are not sent."""
    with transaction.atomic():
        changed = LaunchRight.objects.filter(pk=right.pk, revoked_at__isnull=True).update(
            revoked_at=timezone.now(), revoked_by=actor.user
        )
        if changed:
            audit_log.record(actor, "launch_right.revoke", right, detail=_detail(right) | {"used": right.used})
    return bool(changed)


def pending(invitation: ColleagueInvitation) -> QuerySet[LaunchRight]:
    """The rights that the person gets who accepts the invitation."""
    rows = LaunchRight.objects.filter(invitation=invitation, revoked_at__isnull=True)
    return rows.select_related("workspace", "invitation").order_by("pk")


def transfer(actor: Actor, invitation: ColleagueInvitation, person: User) -> None:
    """Make the rights of an invitation those of the person who accepts it, in the caller's transaction; notify them of usable ones."""
    now = timezone.now()
    for right in pending(invitation):
        if not pending(invitation).filter(pk=right.pk).update(user=person, invitation=None):
            continue
        right.user, right.invitation = person, None
        audit_log.record(actor, "launch_right.accept", right, detail=_detail(right))
        if right.usable(now):
            _notify_holder(right)


def revoke_of_invitation(actor: Actor, invitation: ColleagueInvitation) -> int:
    """Withdraw the rights that nobody can accept any more; return their number."""
    return sum(revoke(actor, right) for right in pending(invitation))


def give_rest(actor: Actor, right: LaunchRight, to: User) -> bool:
    """Give the rest of a person's right to a colleague: the same end, and the unused launches; return whether it was in force.

    Raises NothingActs.
    """
    if not revoke(actor, right):
        return False
    give(
        actor,
        right.workspace,
        flow_id=right.flow_id,
        flow_name=right.flow_name,
        holder=to,
        until=right.until,
        most_launches=None if right.most_launches is None else right.most_launches - right.used,
    )
    return True


def hand_over(actor: Actor, right: LaunchRight, to: User) -> bool:
    """Name another manager as the one who gave the right; return whether it was in force and given by the same person."""
    rows = LaunchRight.objects.filter(pk=right.pk, created_by=right.created_by_id, revoked_at=None)
    with transaction.atomic():
        changed = rows.update(created_by=to)
        if changed:
            audit_log.record(actor, "launch_right.hand_over", right, holder=right.holder, to=to.label)
    return bool(changed)


def revoke_by_holder(actor: Actor, person: User, workspace: Workspace | None = None) -> int:
    """Withdraw a person's own rights (not their teams'), in one workspace or everywhere; return their number."""
    rows = LaunchRight.objects.usable(timezone.now()).filter(user=person).select_related("workspace", "user")
    if workspace is not None:
        rows = rows.filter(workspace=workspace)
    return sum(revoke(actor, right) for right in rows)


def keyless(rights: Iterable[LaunchRight]) -> set[int]:
    """The primary keys of usable rights among these (of one workspace) whose holder has no credential there, own or of a team.

    For an invited person, a credential of a team that they join.
    """
    now = timezone.now()
    usable = [right for right in rights if right.usable(now)]
    spaces = {right.workspace_id for right in usable}
    users = {right.user_id for right in usable if right.user_id is not None}
    teams = {row.team_id for row in sharing.genuine(credential__workspace__in=spaces)}
    with_key = _acted_for(spaces, users)
    invited = {right.invitation_id for right in usable if right.invitation_id is not None}
    joined = ColleagueInvitation.objects.filter(pk__in=invited, teams__in=teams).values_list("pk", flat=True)
    with_team = set(joined) if invited else set()
    return {
        right.pk
        for right in usable
        if right.user_id not in with_key and right.team_id not in teams and right.invitation_id not in with_team
    }


def _acted_for(workspaces: Collection[int], users: Collection[int]) -> set[int]:
    """Those of these users who have a credential in one of the workspaces, their own or one of a team."""
    rows = Credential.objects.filter(workspace__in=workspaces, owner__in=users, taken_over=False)
    teams = {row.team_id for row in sharing.genuine(credential__workspace__in=workspaces)}
    members = User.objects.filter(pk__in=users, groups__in=teams)
    return set(rows.values_list("owner", flat=True)) | set(members.values_list("pk", flat=True))
