"""Mutes of notifications: for a person, or for everyone in a workspace; of everything, or of mails only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, database
from workflows_ui.core.prepared import Prepared
from workflows_ui.notifications.models import (
    KINDS_OF_TOPIC,
    OF_WORKSPACES,
    Mute,
    Notice,
    NoticeKind,
    Topic,
    Watch,
    WatchKind,
)

#: How long something is muted if nothing else was chosen.
WEEK = timedelta(days=7)
#: The longest name that is kept.
_NAME = 10_000


@dataclass(frozen=True)
class Scope:
    """What is followed or muted: a topic, for OF_WORKSPACES in one workspace (its primary key) and of one flow, or all flows."""

    topic: Topic
    workspace: int | None = None
    flow_id: str = ""


@dataclass(frozen=True)
class Muted:
    """The mutes that apply to a notification: of everything, and of its mail."""

    everything: Mute | None = None
    mail: Mute | None = None


def scope_of(notice: Notice) -> Scope | None:
    """The scope that a notice came by: for alarms the flow if the person follows it, else all alarms of the workspace. None for a kind that
    no topic has. One query for an alarm.
    """
    if notice.kind == NoticeKind.ALARM:
        followed = Watch.objects.filter(
            user=notice.user_id, workspace=notice.workspace_id, kind=WatchKind.FLOW, object_id=notice.flow_id
        )
        if not notice.flow_id or not followed.exists():
            return Scope(Topic.ALARMS, notice.workspace_id)
    topic = next((topic for topic, kinds in KINDS_OF_TOPIC.items() if notice.kind in kinds), None)
    if topic is None:
        return None
    return Scope(topic, notice.workspace_id, notice.flow_id) if topic in OF_WORKSPACES else Scope(topic)


def in_force(now: datetime) -> QuerySet[Mute]:
    return Mute.objects.filter(Q(until=None) | Q(until__gt=now))


def covering(user: User, kind: NoticeKind, workspace: Model | None, flow_id: str, now: datetime) -> Muted:
    """The mutes in force of a notification for a person. One query."""
    whose = Q(user=user) | Q(user=None, workspace=workspace) if workspace else Q(user=user)
    where = Q(workspace=None) | Q(workspace=workspace) if workspace else Q(workspace=None)
    topics = [topic for topic, kinds in KINDS_OF_TOPIC.items() if kind in kinds]
    rows = in_force(now).filter(whose, where, topic__in=topics, flow_id__in={"", flow_id})
    by_mail_only: dict[bool, Mute] = {row.mail_only: row for row in rows.order_by("-pk")}
    return Muted(by_mail_only.get(False), by_mail_only.get(False) or by_mail_only.get(True))


def of_person(user: User, workspaces: Iterable[int]) -> list[Mute]:
    """The mutes in force that a person set, and those for everyone in some workspaces (primary keys), the latest first."""
    rows = in_force(clock.now()).filter(Q(user=user) | Q(user=None, workspace__in=list(workspaces)))
    return list(rows.select_related("workspace", "muted_by").order_by("-muted_at", "-pk"))


def any_for(user: User, workspaces: QuerySet[Model]) -> bool:
    """Whether anything is muted for a person who may open these workspaces. One query."""
    whose = Q(user=user) | Q(user=None, workspace__in=workspaces.order_by().values("pk"))
    return in_force(timezone.now()).filter(whose).exists()


_of_flow = Prepared(
    lambda user, workspace, flow_id, now: (
        in_force(now)
        .filter(
            Q(user=user) | Q(user=None),
            Q(flow_id="") | Q(flow_id=flow_id),
            workspace=workspace,
            topic=Topic.FLOWS,
            mail_only=False,
        )
        .select_related("muted_by")
        .order_by("-pk")
    ),
    int,
    int,
    str,
    datetime,
)


def of_flow(user: User, workspace: Model, flow_id: str) -> list[Mute]:
    """What mutes failures and alarms of a flow for a person now, the latest first."""
    return _of_flow(user.pk, workspace.pk, flow_id, timezone.now())


def mute(
    actor: Actor,
    scope: Scope,
    user: User | None,
    *,
    until: datetime | None,
    name: str = "",
    mail_only: bool = False,
) -> Mute:
    """Mute for a person until a moment, or without an end; for everyone in the scope's workspace without `user`, which is audited.

    Mails that wait are not sent any more. Callers looked the workspace up, and with it the right to mute for everyone.
    """
    by = actor.user if isinstance(actor.user, User) else None
    values = {"until": until, "muted_by": by, "muted_at": clock.now(), "name": database.storable(name)[:_NAME]}
    with transaction.atomic():
        row, _created = Mute.objects.update_or_create(
            user=user,
            workspace_id=scope.workspace,  # type: ignore[misc]  # may be None
            topic=scope.topic,
            flow_id=scope.flow_id[:64],
            mail_only=mail_only,
            defaults=values,
        )
        waiting = Notice.objects.filter(kind__in=KINDS_OF_TOPIC[scope.topic], mail_at__isnull=False)
        if user is not None:
            waiting = waiting.filter(user=user)
        if scope.workspace is not None:
            waiting = waiting.filter(workspace=scope.workspace)
        if scope.flow_id:
            waiting = waiting.filter(flow_id=scope.flow_id)
        waiting.update(mail_at=None)
        _record(actor, "mute.add", row, until=until.isoformat() if until else "")
    return row


def unmute(actor: Actor, row: Mute) -> bool:
    """End a mute; False if it was ended meanwhile. That of one for everyone is audited."""
    with transaction.atomic():
        if not Mute.objects.filter(pk=row.pk).delete()[0]:
            return False
        _record(actor, "mute.end", row)
    return True


def _record(actor: Actor, action: str, row: Mute, **detail: object) -> None:
    if row.user_id is not None:
        return
    audit_log.record(
        actor,
        action,
        workspace=row.workspace,
        object_type="mute",
        object_id=f"{row.topic}:{row.flow_id}",
        object_name=(row.name or row.flow_id)[:1000],
        belongs_to=("flows", row.flow_id) if row.flow_id else None,
        detail={"topic": row.topic} | detail,
    )


def purge() -> None:
    """Delete mutes that are over."""
    Mute.objects.filter(until__lt=clock.now()).delete()
