"""Announcing alarms: notifications for people, and messages to the channels of the workspace.

Both are rows, written in the transaction that opens or ends the alarm, so that none is lost.
"""

from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.alarms.models import Alarm, AlarmChannel, AlarmDelivery, AlarmKind
from workflows_ui.core import clock
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import access as member_access
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind, Watch, WatchKind
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes

#: The most people who are notified of an alarm.
PEOPLE = 500


def opened(index: RunIndex, alarm: Alarm) -> None:
    """Notify people and channels of an alarm that begins. Call it in the transaction that opens it."""
    url = reverse("alarm", args=[index.workspace.slug, alarm.pk])
    subject = f"alarm:{index.pk}:{alarm.kind}:{alarm.flow_id}"
    for person in _people(index, alarm.flow_id):
        notifications.notify(
            person,
            NoticeKind.ALARM,
            f"alarm:{alarm.pk}:{alarm.times}",
            url=url,
            workspace=index.workspace,
            flow_id=alarm.flow_id,
            fold=notifications.Fold(subject, alarm.updated_at, url),
            alarm=alarm.kind,
            flow=alarm.title[:200],
            facts=alarm.facts,
        )
    _enqueue(alarm, f"opened:{alarm.times}")


def ended(alarm: Alarm) -> None:
    """Notify the channels of an alarm that ended. Call it in the transaction that ends it."""
    _enqueue(alarm, f"ended:{alarm.times}")


def _people(index: RunIndex, flow_id: str) -> Iterator[User]:
    """The people who watch all alarms or this flow (any flow, for an alarm about many), and may see the index."""
    wanted = Q(kind=WatchKind.ALARMS) | Q(kind=WatchKind.FLOW, **({"object_id": flow_id} if flow_id else {}))
    watches = Watch.objects.filter(wanted, workspace=index.workspace)
    # A subquery, since a person may watch very many flows.
    for person in User.objects.filter(pk__in=watches.values("user")).order_by("pk")[:PEOPLE]:
        if _may_see(person, index.workspace):
            yield person


def _may_see(person: User, workspace: Workspace) -> bool:
    try:
        return indexes.for_access(member_access.access_for(person, workspace.slug)) is not None
    except member_access.NoAccess:
        return False


def _enqueue(alarm: Alarm, event: str) -> None:
    """Write a message for each channel with this kind of alarm; an alarm about many flows stands for two kinds."""
    kinds = {AlarmKind.QUIET, AlarmKind.MISSED} if alarm.kind == AlarmKind.MANY else {alarm.kind}
    workspace = alarm.index.workspace
    now = clock.now()
    content = {
        "kind": alarm.kind,
        "flow": alarm.flow_id,
        "name": alarm.flow_name,
        "facts": alarm.facts,
        "since": alarm.opened_at.isoformat(),
        "end": alarm.end,
    }
    for channel in AlarmChannel.objects.filter(workspace=workspace, moves=workspace.moves, paused=False):
        if kinds & set(channel.kinds):
            AlarmDelivery.objects.get_or_create(
                channel=channel,
                alarm=alarm,
                event=event,
                defaults={"content": content, "created_at": now, "due_at": now},
            )
