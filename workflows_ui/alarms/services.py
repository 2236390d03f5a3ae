"""Alarms of a run index: opening, updating and ending them, muting a kind for a flow, and finding them.

Callers look the index up with indexes.for_access, except for the worker that checks its flows (checking.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.alarms.announcing import Report
from workflows_ui.alarms.models import Alarm, AlarmEnd, AlarmKind, AlarmMute, FlowRhythm, FlowState
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.core.prepared import Prepared
from workflows_ui.run_index.models import RunIndex

#: A problem that returns within this time after its end is the same.
SAME = timedelta(hours=1)
#: How long ended alarms are kept, and the most of them in the list.
KEPT, MOST = timedelta(days=90), 500

#: A kind of problem and a flow's id.
Problem = tuple[str, str]
Facts = Mapping[str, object]


def of_index(index: RunIndex) -> QuerySet[Alarm]:
    return Alarm.objects.filter(index=index)


def listed(index: RunIndex) -> list[Alarm]:
    """The open alarms, then those that ended last."""
    rows = of_index(index).order_by("-opened_at", "-pk")
    return [*rows.filter(ended_at=None)[:MOST], *rows.filter(ended_at__isnull=False)[:MOST]]


_opened = Prepared(
    lambda index: Alarm.objects.filter(index=index, ended_at=None).order_by("-opened_at", "-pk")[:MOST], int
)


def opened(index: RunIndex) -> Sequence[Alarm]:
    """The open alarms, the latest first."""
    return _opened(index.pk)


def begin(
    index: RunIndex,
    problem: Problem,
    flow_name: str,
    facts: Facts,
    *,
    announce_at: datetime | None = None,
    began_at: datetime | None = None,
    report: Report | None = None,
) -> Alarm | None:
    """Open an alarm, or reopen one that has just ended, and announce it; with `announce_at`, `announce_due` does.

    None if it is open, or such alarms are muted for the flow. `began_at`: when the problem began. With `report`, the alarm is added to it,
    and the caller sends it in the same transaction.
    """
    kind, flow_id = problem
    now = clock.now()
    values = {"updated_at": now, "facts": dict(facts), "announce_at": announce_at, "began_at": began_at}
    rows = of_index(index).filter(kind=kind, flow_id=flow_id)
    try:
        with transaction.atomic():
            if is_muted(index, problem):
                return None
            ended = rows.filter(ended_at__gt=now - SAME).order_by("-ended_at").first()
            if ended is None or ended.end != AlarmEnd.OVER:
                alarm = Alarm.objects.create(
                    index=index, kind=kind, flow_id=flow_id, flow_name=flow_name[:200], opened_at=now, **values
                )
            else:
                again = rows.filter(pk=ended.pk, ended_at=ended.ended_at)
                if not again.update(ended_at=None, end="", false_alarm=None, times=F("times") + 1, **values):
                    return None
                alarm = rows.get(pk=ended.pk)
            if announce_at is None:
                _announce(index, alarm, report)
            return alarm
    except IntegrityError:
        return None


def _announce(index: RunIndex, alarm: Alarm, report: Report | None, by: User | None = None) -> None:
    """Add an alarm to the report; without one, send one about it alone."""
    if report is not None:
        report.add(alarm)
    else:
        Report(index, by, [alarm]).send()


def announce_due(index: RunIndex, report: Report) -> None:
    """Add the open alarms whose `announce_at` has come to a report, which the caller sends in the same transaction."""
    now = clock.now()
    for alarm in of_index(index).filter(ended_at=None, announce_at__lte=now):
        if of_index(index).filter(pk=alarm.pk, ended_at=None, announce_at__lte=now).update(announce_at=None):
            report.add(alarm)


def update(alarm: Alarm, facts: Facts) -> None:
    """Write the current facts of an open alarm."""
    if alarm.facts != facts:
        rows = Alarm.objects.filter(pk=alarm.pk, ended_at=None)
        rows.update(facts=dict(facts), updated_at=clock.now())


def end(alarm: Alarm, reason: AlarmEnd, report: Report | None = None, *, by: User | None = None) -> bool:
    """End an open alarm and announce that to those who were notified of it; False if it has ended meanwhile.

    With `report`, the alarm is added to it, and the caller sends it in the same transaction. `by`: the person who ends it.
    """
    now = clock.now()
    with transaction.atomic():
        if not Alarm.objects.filter(pk=alarm.pk, ended_at=None).update(ended_at=now, updated_at=now, end=reason):
            return False
        alarm.ended_at, alarm.end = now, reason
        if alarm.announce_at is None:
            _announce(alarm.index, alarm, report, by)
    return True


def is_muted(index: RunIndex, problem: Problem) -> bool:
    kind, flow_id = problem
    return AlarmMute.objects.filter(index=index, kind=kind, flow_id=flow_id).exists()


def muted(index: RunIndex) -> QuerySet[AlarmMute]:
    """The mutes, the latest first."""
    return AlarmMute.objects.filter(index=index).select_related("muted_by").order_by("-muted_at", "-pk")


def mute(actor: Actor, index: RunIndex, alarm: Alarm) -> None:
    """Mute this kind of alarm for the flow, and end an open one. Audited."""
    with transaction.atomic():
        AlarmMute.objects.get_or_create(
            index=index,
            kind=alarm.kind,
            flow_id=alarm.flow_id,
            defaults={"flow_name": alarm.flow_name, "muted_by": actor.user, "muted_at": clock.now()},
        )
        for row in of_index(index).filter(kind=alarm.kind, flow_id=alarm.flow_id, ended_at=None):
            end(row, AlarmEnd.MUTED, by=actor.user)
        _record(actor, "alarm.mute", index, alarm)


def unmute(actor: Actor, index: RunIndex, row: AlarmMute) -> bool:
    """Undo `mute`. Audited. False if it was undone meanwhile."""
    with transaction.atomic():
        if not AlarmMute.objects.filter(index=index, pk=row.pk).delete()[0]:
            return False
        _record(actor, "alarm.unmute", index, row)
    return True


def answer(actor: Actor, index: RunIndex, alarm: Alarm, false_alarm: bool) -> bool:
    """Note whether an alarm that `asks` was a false one, which decides about later ones (answers.py). Audited.

    A false one that lasts ends; whoever takes that back soon opens it again. False if it does not ask any more.
    """
    try:
        with transaction.atomic():
            rows = of_index(index).filter(pk=alarm.pk, ended_at=alarm.ended_at, announce_at=None)
            if not alarm.asks or not rows.update(false_alarm=false_alarm, **_taken_back(alarm, false_alarm)):
                return False
            _record(actor, "alarm.answer", index, alarm, false_alarm=false_alarm)
            if false_alarm and alarm.ended_at is None:
                end(alarm, AlarmEnd.FALSE, by=actor.user)
    except IntegrityError:
        return False
    return True


def _taken_back(alarm: Alarm, false_alarm: bool) -> dict[str, object]:
    """The columns that open an alarm again which an answer has just ended."""
    again = not false_alarm and alarm.end == AlarmEnd.FALSE and alarm.ended_at and alarm.ended_at > clock.now() - SAME
    return {"ended_at": None, "end": ""} if again else {}


def _record(actor: Actor, action: str, index: RunIndex, row: Alarm | AlarmMute, **detail: object) -> None:
    audit_log.record(
        actor,
        action,
        workspace=index.workspace,
        object_type="alarm",
        object_id=f"{row.kind}:{row.flow_id}",
        object_name=row.flow_name or row.flow_id,
        belongs_to=("flows", row.flow_id),
        kind=str(AlarmKind(row.kind)),
        detail=detail,
    )


def purge() -> None:
    """Delete alarms that ended long ago, and the rhythms of flows that are off and have not run for as long."""
    before = clock.now() - KEPT
    Alarm.objects.filter(ended_at__lt=before).delete()
    FlowRhythm.objects.filter(state=FlowState.OFF, last_run_at__lt=before).delete()
