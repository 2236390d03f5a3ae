"""One alarm for many flows that are quiet or late at the same time: on a holiday, or while the system that starts them is down.

At least MANY flows must have become quiet within SPREAD, and be at least the SHARE of them and of the flows that have run since. Then each
flow that becomes quiet belongs to that alarm, until half of them have run again; later ones have their own alarms. It ends when fewer than
MANY of its flows are quiet, which then get their own alarms.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet

from workflows_ui.alarms.models import Alarm, AlarmKind, AlarmMute, FlowRhythm
from workflows_ui.alarms.work import Work
from workflows_ui.core import formats

MANY, SHARE, SPREAD = 3, 1 / 3, timedelta(hours=12)
#: Names in the facts.
NAMES = 5


#: Ids of flows that share one alarm, and its facts; no flows without such an alarm.
Fold = tuple[frozenset[str], dict[str, object]]
_NONE: Fold = frozenset(), {}


def fold(work: Work, silent: Sequence[FlowRhythm], alarm: Alarm | None) -> Fold:
    """The flows that share one alarm, out of those that are quiet or late. `alarm` is the one that is open."""
    since, until = _span(alarm) if alarm is not None else (None, None)
    if alarm is None or since is None:
        since = work.now - SPREAD
        members = between(silent, since, None)
        return _fold(members, since, None, len(members)) if _are_many(work, members) else _NONE
    later = between(silent, until, None) if until else []
    if _are_many(work, later):
        until = None
    members = between(silent, since, until)
    most = alarm.facts.get("most")
    most = max(most if isinstance(most, int) else 0, len(members))
    if until is None and 2 * len(members) <= most:
        until = work.now
    return _fold(members, since, until, most) if len(members) >= MANY else _NONE


def flows_of(alarm: Alarm, now: datetime) -> QuerySet[FlowRhythm]:
    """The flows that are quiet or late now, of an alarm about many, without those whose alarms are muted."""
    since, until = _span(alarm)
    muted = AlarmMute.objects.filter(index=alarm.index_id)
    rows = FlowRhythm.objects.filter(index=alarm.index_id, alarm_at__gt=since or alarm.opened_at)
    for kind, condition in ((AlarmKind.QUIET, Q(cron="")), (AlarmKind.MISSED, ~Q(cron=""))):
        rows = rows.exclude(condition, flow_id__in=muted.filter(kind=kind).values("flow_id"))
    return rows.filter(alarm_at__lte=min(filter(None, (until, now)))).order_by("alarm_at", "pk")


def _span(alarm: Alarm) -> tuple[datetime | None, datetime | None]:
    """The times between which a flow that became quiet belongs to the alarm."""
    facts = alarm.facts if isinstance(alarm.facts, dict) else {}
    return formats.moment(facts.get("since")), formats.moment(facts.get("until"))


def between(silent: Sequence[FlowRhythm], since: datetime, until: datetime | None) -> list[FlowRhythm]:
    """The flows that became quiet or late after a time, and not after the other."""
    end = until or datetime.max.replace(tzinfo=UTC)
    return [row for row in silent if row.alarm_at and since < row.alarm_at <= end]


def _are_many(work: Work, members: Sequence[FlowRhythm]) -> bool:
    if len(members) < MANY or not work.flows_known:
        return False
    last = sorted(row.last_run_at for row in members if row.last_run_at)
    if not last:
        return False
    running = work.rhythms.filter(last_run_at__gt=last[len(last) // 2], alarm_at__gt=work.now).count()
    return len(members) >= SHARE * (len(members) + running)


def _fold(members: Sequence[FlowRhythm], since: datetime, until: datetime | None, most: int) -> Fold:
    facts = {
        "number": len(members),
        "most": most,
        "names": [formats.cut(name) for name in sorted(row.name or row.flow_id for row in members)[:NAMES]],
        "since": since.isoformat(),
        "until": until.isoformat() if until else None,
    }
    return frozenset(row.flow_id for row in members), facts
