"""Announcing alarms: notifications for people, and messages to the channels of the workspace.

Both are rows, written in the transaction that opens or ends the alarms, so that none is lost. What a check finds is one notification for
each person, whatever the number of alarms; each channel gets a message for each alarm.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.alarms import subscriptions
from workflows_ui.alarms.models import Alarm, AlarmChannel, AlarmDelivery, AlarmEnd, AlarmKind
from workflows_ui.core import clock
from workflows_ui.notifications import mutes, services as notifications
from workflows_ui.notifications.models import Notice, NoticeKind
from workflows_ui.run_index.models import RunIndex

#: What happens to an alarm within this time after its last notification is the same notification, until that is read.
SAME = timedelta(hours=1)
#: Alarms in a notification; others are counted.
MOST = 20
#: Ends that people are notified of: a flow that became part of an alarm about many is in that alarm's notification.
_NEWS = {AlarmEnd.OVER, AlarmEnd.OFF, AlarmEnd.MUTED, AlarmEnd.FALSE}


@dataclass
class Report:
    """The alarms of an index that began or ended together.

    Attributes:
        by: the person who ended them, who needs no notification of it.
    """

    index: RunIndex
    by: User | None = None
    alarms: list[Alarm] = field(default_factory=list)

    def add(self, alarm: Alarm) -> None:
        """Add an alarm that began, or one that ended."""
        self.alarms.append(alarm)

    def send(self) -> None:
        """Notify people and channels. Call it in the transaction in which the alarms began and ended."""
        news: dict[User, list[Alarm]] = defaultdict(list)
        for alarm in sorted(self.alarms, key=lambda row: row.ended_at is not None):
            if alarm.ended_at is None or alarm.end in _NEWS:
                for person in subscriptions.recipients(self.index, alarm.flow_id):
                    if person != self.by:
                        news[person].append(alarm)
            _enqueue(self.index, alarm)
        for person, alarms in news.items():
            for group in self._groups(person, alarms):
                _notify(self.index, person, group)

    def _groups(self, person: User, alarms: Sequence[Alarm]) -> list[list[Alarm]]:
        """The alarms in one group, but for those of flows that are muted for the person: each has its own, which rings no bell."""
        heard: list[Alarm] = []
        muted: list[list[Alarm]] = []
        for alarm in alarms:
            mute = mutes.covering(person, NoticeKind.ALARM, self.index.workspace, alarm.flow_id, clock.now())
            if alarm.flow_id and mute.everything:
                muted.append([alarm])
            else:
                heard.append(alarm)
        return [*([heard] if heard else []), *muted]


def _key(alarm: Alarm) -> str:
    return f"alarm:{alarm.pk}:{alarm.times}" + (":ended" if alarm.ended_at else "")


def _earlier_keys(alarm: Alarm) -> Sequence[str]:
    """The keys of what people were last notified of about an alarm."""
    if alarm.ended_at:
        return (f"alarm:{alarm.pk}:{alarm.times}",)
    return (f"alarm:{alarm.pk}:{alarm.times - 1}", f"alarm:{alarm.pk}:{alarm.times - 1}:ended")


def _notify(index: RunIndex, person: User, alarms: Sequence[Alarm]) -> None:
    """Notify a person of alarms: in one notification, but for those that they were notified of a short time ago, which are added to it."""
    now = clock.now()
    earlier: dict[int, Notice] = {}
    keys: dict[str, int] = {key: alarm.pk for alarm in alarms for key in _earlier_keys(alarm)}
    for row in Notice.objects.filter(user=person, key__in=keys).select_related("head").order_by("pk"):
        notice = row.head or row
        if notice.last_at > now - SAME and notice.subject:
            earlier[keys[row.key]] = notice
    groups: dict[str, list[Alarm]] = defaultdict(list)
    for alarm in alarms:
        known = earlier.get(alarm.pk)
        groups[known.subject if known else ""].append(alarm)
    for subject, group in groups.items():
        notices = (row for row in earlier.values() if subject and row.subject == subject and not row.read_at)
        unread = next(notices, None)
        said = unread.about.get("alarms") if unread else None
        _fold(index, person, subject or f"alarms:{index.pk}:{_key(group[0])}", group, said, now)


def _fold(index: RunIndex, person: User, subject: str, alarms: Sequence[Alarm], said: object, now: datetime) -> None:
    """Write the notification of alarms, together with those that an unread one of the same subject has `said`."""
    slug, about = index.workspace.slug, {alarm.pk: _about(alarm) for alarm in alarms}
    kept = [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []
    rows = [*about.values(), *(row for row in kept if row.get("id") not in about)]
    url = reverse("alarm", args=[slug, alarms[0].pk]) if len(rows) == 1 else reverse("alarms", args=[slug])
    keys, flows = [_key(alarm) for alarm in alarms], {alarm.flow_id for alarm in alarms}
    notifications.notify(
        person,
        NoticeKind.ALARM,
        keys[0],
        url=url,
        workspace=index.workspace,
        flow_id=flows.pop() if len(flows) == 1 else "",
        fold=notifications.Fold(subject, now, url),
        alarms=rows[:MOST],
        more=max(0, len(rows) - MOST),
    )
    # Their keys tell later what the person was notified of.
    first = Notice.objects.filter(user=person, key=keys[0]).first()
    if first is None:
        return
    shared = {"user": person, "workspace": index.workspace, "kind": NoticeKind.ALARM, "url": url, "read_at": now}
    shared |= {"head": first.head or first, "created_at": now, "last_at": now}
    Notice.objects.bulk_create([Notice(key=key, **shared) for key in keys[1:]], ignore_conflicts=True)


def _about(alarm: Alarm) -> Mapping[str, object]:
    """An alarm as a notification keeps it (notice_texts.py)."""
    return {
        "id": alarm.pk,
        "kind": alarm.kind,
        "flow": (alarm.flow_name or alarm.flow_id)[:200],
        "facts": alarm.facts,
        "times": alarm.times,
        "since": alarm.since.isoformat(),
        "end": alarm.end,
        "ended": alarm.ended_at.isoformat() if alarm.ended_at else "",
    }


def _enqueue(index: RunIndex, alarm: Alarm) -> None:
    """Write a message for each channel with this kind of alarm; an alarm about many flows stands for two kinds."""
    kinds = {AlarmKind.QUIET, AlarmKind.MISSED} if alarm.kind == AlarmKind.MANY else {alarm.kind}
    workspace = index.workspace
    now = clock.now()
    content = {
        "kind": alarm.kind,
        "flow": alarm.flow_id,
        "name": alarm.flow_name,
        "facts": alarm.facts,
        "since": alarm.since.isoformat(),
        "end": alarm.end,
    }
    event = f"{'ended' if alarm.ended_at else 'opened'}:{alarm.times}"
    for channel in AlarmChannel.objects.filter(workspace=workspace, moves=workspace.moves, paused=False):
        if kinds & set(channel.kinds):
            AlarmDelivery.objects.get_or_create(
                channel=channel,
                alarm=alarm,
                event=event,
                defaults={"content": content, "created_at": now, "due_at": now},
            )
