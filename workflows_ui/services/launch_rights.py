"""Rights to launch one flow: given by managers, used up one launch at a time, ended by date, by number or by hand.

A launch takes its use in the transaction that writes it down (`take`), and gives it back only where it is certain that nothing was
sent (`give_back`): a launch that the engine refused, or whose fate is unclear, keeps its use.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone

from workflows_ui.models import Credential, LaunchRight, NoticeKind, User, Workspace
from workflows_ui.services import access, audit, notices
from workflows_ui.services.audit import Actor


def of(user: User, workspace: Workspace) -> QuerySet[LaunchRight]:
    """The rights a person can use in a workspace now, their own and their teams'; those that end first come first."""
    mine = Q(user=user) | Q(team__in=user.groups.all())
    rows = LaunchRight.objects.usable(timezone.now()).filter(mine, workspace=workspace)
    return rows.select_related("team").order_by(F("until").asc(nulls_last=True), "pk")


def flows(place: access.Access) -> list[LaunchRight]:
    """The flows that a guest may launch: one right for each flow, the one that is used next."""
    found: dict[str, LaunchRight] = {}
    for right in of(place.user, place.workspace):
        found.setdefault(right.flow_id, right)
    return sorted(found.values(), key=lambda right: (right.flow_name.casefold(), right.pk))


def on(place: access.Access, flow_id: str) -> list[LaunchRight]:
    """The rights by which somebody may launch a flow now, the one that is used next first; none for whom their role lets launch."""
    return list(of(place.user, place.workspace).filter(flow_id=flow_id)) if place.had_right(flow_id) else []


def take(place: access.Access, flow_id: str, now: datetime) -> LaunchRight:
    """Uses one launch of a right on the flow, inside the caller's transaction. Raises access.NotAllowed where none is left.

    One conditional UPDATE: however many ask at once, no right is used more often than it may be.
    """
    usable = LaunchRight.objects.usable(now)
    for right in of(place.user, place.workspace).filter(flow_id=flow_id):
        if usable.filter(pk=right.pk).update(used=F("used") + 1, last_used_at=now):
            return right
    raise access.RightEnded


def still_holds(user: User, right: LaunchRight) -> bool:
    """Whether a launch that was asked for by this right may still be sent: not withdrawn, not over, and still the person's.

    Its use was taken when it was asked for, so the number does not matter any more.
    """
    now = timezone.now()
    rows = LaunchRight.objects.filter(Q(until__isnull=True) | Q(until__gt=now), pk=right.pk, revoked_at__isnull=True)
    return user.is_active and rows.filter(Q(user=user) | Q(team__in=user.groups.all())).exists()


def give_back(right_id: int | None) -> None:
    """One launch was not sent after all. The caller has just ended it, by a change that succeeds once."""
    if right_id is not None:
        LaunchRight.objects.filter(pk=right_id, used__gt=0).update(used=Greatest(F("used") - 1, 0))


def give(
    actor: Actor,
    workspace: Workspace,
    *,
    flow_id: str,
    flow_name: str,
    holder: User | Group,
    until: datetime | None,
    most_launches: int | None,
) -> LaunchRight:
    """Gives a person or a team the right to launch a flow, perhaps until a moment and for a number of launches."""
    person = holder if isinstance(holder, User) else None
    with transaction.atomic():
        right = LaunchRight.objects.create(
            workspace=workspace,
            flow_id=flow_id,
            flow_name=flow_name.replace("\0", ""),
            user=person,
            team=None if isinstance(holder, User) else holder,
            until=until,
            most_launches=most_launches,
            created_by=actor.user,
        )
        _record(
            actor,
            "launch_right.give",
            right,
            until=until.isoformat() if until else None,
            most_launches=most_launches,
        )
        _tell(right)
    return right


def change(actor: Actor, right: LaunchRight, *, until: datetime | None, most_launches: int | None) -> bool:
    """Other limits for a right that is not withdrawn, also for one that has ended by itself; says whether that was (still) possible.

    One conditional UPDATE: launches that are asked for meanwhile are counted, and never exceed the number.
    """
    enough = Q() if most_launches is None else Q(used__lte=most_launches)
    with transaction.atomic():
        done = LaunchRight.objects.filter(enough, pk=right.pk, revoked_at__isnull=True).update(
            until=until, most_launches=most_launches
        )
        if done:
            _record(
                actor,
                "launch_right.change",
                right,
                before=_plain(right.until, right.most_launches),
                after=_plain(until, most_launches),
            )
    return bool(done)


def _plain(until: datetime | None, most_launches: int | None) -> dict[str, Any]:
    return {"until": until.isoformat() if until else None, "most_launches": most_launches}


def _tell(right: LaunchRight) -> None:
    """News for whoever has the right now; of a team everybody who is in it today."""
    people = [right.user] if right.user else User.objects.filter(groups=right.team_id, is_active=True)
    address = reverse("flow_launch", args=[right.workspace.slug, right.flow_id])
    for person in people:
        notices.tell(
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
    """Withdraws a right; says whether it was still there to withdraw. Launches asked for by it and not sent yet are not sent."""
    with transaction.atomic():
        done = LaunchRight.objects.filter(pk=right.pk, revoked_at__isnull=True).update(
            revoked_at=timezone.now(), revoked_by=actor.user
        )
        if done:
            _record(actor, "launch_right.revoke", right, used=right.used)
    return bool(done)


def revoke_of(actor: Actor, person: User, workspace: Workspace | None = None) -> int:
    """Withdraws the rights that a person has themselves (not through a team), in one workspace or everywhere; says how many."""
    rows = LaunchRight.objects.usable(timezone.now()).filter(user=person).select_related("workspace", "user")
    if workspace is not None:
        rows = rows.filter(workspace=workspace)
    return sum(revoke(actor, right) for right in rows)


def keyless(rights: Iterable[LaunchRight]) -> set[int]:
    """Those of these usable rights of one workspace for whose holder no credential would act there: neither their own nor a team's."""
    now = timezone.now()
    found = [right for right in rights if right.usable(now)]
    spaces = {right.workspace_id for right in found}
    users = {right.user_id for right in found if right.user_id is not None}
    rows = Credential.objects.filter(workspace__in=spaces)
    teams = set(rows.filter(team__isnull=False).values_list("team", flat=True))
    with_key = set(rows.filter(owner__in=users).values_list("owner", flat=True))
    with_key |= set(User.objects.filter(pk__in=users, groups__in=teams).values_list("pk", flat=True))
    return {
        right.pk for right in found if (right.team_id not in teams if right.team_id else right.user_id not in with_key)
    }


def _record(actor: Actor, action: str, right: LaunchRight, **detail: Any) -> None:
    audit.record(
        actor,
        action,
        workspace=right.workspace,
        object_type="launch_right",
        object_id=str(right.pk),
        object_name=right.flow_name or right.flow_id,
        flow=right.flow_id,
        holder=right.holder,
        holder_kind="person" if right.user_id else "team",
        **detail,
    )
