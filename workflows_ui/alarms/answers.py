"""What people answered to alarms: after a false one, the next alarm of its kind about the flow takes more, for PATIENT days.

- A quiet flow is listed at once, but people are notified only after a longer pause (detection.py).
- A flow with a schedule is announced only when a second time in a row is missed.
- A flow that fails as often as it did then is not reported, unless nearly all of its runs fail.
- A flow whose runs take as long as they did then is not reported.

While the problem that was called a false alarm lasts, only what is new counts: another silence, or runs that began later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from workflows_ui.alarms import detection, services
from workflows_ui.alarms.detection import Rhythm
from workflows_ui.alarms.models import Alarm, AlarmEnd, AlarmKind, FlowRhythm
from workflows_ui.alarms.services import Problem
from workflows_ui.alarms.work import Work, late_times

#: The greatest share of failures that an answer makes usual: of a flow that always fails then, an alarm still begins.
_SHARE = 0.5
Normal = Mapping[Problem, Alarm]


def find_normal(work: Work) -> Normal:
    """The latest false alarm of each problem within the last days."""
    rows = services.of_index(work.index).filter(
        Q(ended_at=None) | Q(ended_at__gt=work.now - detection.PATIENT), false_alarm=True
    )
    return {(row.kind, row.flow_id): row for row in rows.order_by("opened_at", "pk")}


def ended_at(normal: Normal, problem: Problem) -> datetime | None:
    """When a problem was called a false alarm while it lasted; None if it was not."""
    alarm = normal.get(problem)
    return alarm.ended_at if alarm is not None and alarm.end == AlarmEnd.FALSE else None


def announce_times(work: Work, normal: Normal, rows: Mapping[Problem, FlowRhythm]) -> Mapping[Problem, datetime | None]:
    """When people are notified of flows that are quiet or late, of those that had a false alarm lately. Reads their rhythms.

    A silence that was called a false alarm counts from then on.
    """
    patient = {
        row.flow_id: ended_at(normal, problem) if is_answered(normal, problem, row) else None
        for problem, row in rows.items()
        if problem in normal
    }
    times = late_times(work, patient) if patient else {}
    return {problem: times.get(row.flow_id) for problem, row in rows.items() if problem in normal}


def is_answered(normal: Normal, problem: Problem, row: FlowRhythm) -> bool:
    """Whether the silence of a flow is the one that was called a false alarm."""
    answered, began = ended_at(normal, problem), row.silent_since
    return answered is not None and (began is None or began <= answered)


def usual(normal: Normal, flow_id: str, rhythm: Rhythm) -> Rhythm:
    """The rhythm of a flow with the failures and durations that were called normal."""
    failing, longer = (normal.get((str(kind), flow_id)) for kind in (AlarmKind.FAILING, AlarmKind.LONGER))
    if failing is not None and rhythm.failing >= 0:
        share = _number(failing, "failed") / max(1.0, _number(failing, "number"))
        rhythm = replace(rhythm, failing=max(rhythm.failing, min(share, _SHARE)))
    if longer is not None and rhythm.longest:
        rhythm = replace(rhythm, longest=max(rhythm.longest, _number(longer, "seconds")))
    return rhythm


def _number(alarm: Alarm, key: str) -> float:
    value = alarm.facts.get(key) if isinstance(alarm.facts, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def new_runs(
    normal: Normal, problem: Problem, latest: Sequence[detection.Latest], created: Mapping[str, datetime]
) -> Sequence[detection.Latest]:
    """The runs that count: all, or those that began after their problem was called a false alarm."""
    answered = ended_at(normal, problem)
    return latest if answered is None else [run for run in latest if created[run.run_id] > answered]
