"""The context that the parts of a check share, and the times at which flows will be quiet or late."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from workflows_ui.alarms import detection
from workflows_ui.alarms.detection import Rhythm
from workflows_ui.alarms.models import AlarmWatch, FlowRhythm, FlowState
from workflows_ui.alarms.profiles import Calendar
from workflows_ui.flows import reading
from workflows_ui.launches.models import Launch
from workflows_ui.run_index.models import LISTED, IndexedRun, RunIndex

#: How late a scheduled run may be, and how early.
LATE, EARLY = timedelta(minutes=10), timedelta(minutes=1)
#: Rows of one statement.
BATCH = 200


@dataclass
class Work:
    """A check: the claimed row, its index, and the time."""

    watch: AlarmWatch
    index: RunIndex
    now: datetime
    calendar: Calendar = field(init=False)

    def __post_init__(self) -> None:
        self.calendar = Calendar(ZoneInfo(settings.TIME_ZONE), map(date.fromisoformat, self.index.days_off))

    @property
    def flows_known(self) -> bool:
        return self.watch.knows_flows(self.now)

    @property
    def rhythms(self) -> QuerySet[FlowRhythm]:
        return FlowRhythm.objects.filter(index=self.index)

    def runs(self, since: datetime) -> QuerySet[IndexedRun]:
        """The runs of the index from then on, without an order."""
        return IndexedRun.objects.filter(LISTED, workspace_id=self.index.pk, created__gte=since).order_by()

    def by_hand(self) -> Q:
        """The condition that people started a run: from this console, or from the engine's own pages."""
        launched = Launch.objects.filter(workspace=self.index.pk, run_id=OuterRef("run_id"))
        return ~Q(triggered_by="") | Q(Exists(launched))

    def note(self, **values: object) -> None:
        """Write columns of the claimed row."""
        for name, value in values.items():
            setattr(self.watch, name, value)
        AlarmWatch.objects.filter(pk=self.watch.pk).update(**values)


def set_alarm_times(work: Work, rows: Iterable[FlowRhythm]) -> list[FlowRhythm]:
    """Compute when these flows will be quiet or late; return those of which it changed. Nothing is written."""
    changed = []
    for row in rows:
        moment = _alarm_at(row, work.calendar)
        if moment != row.alarm_at:
            row.alarm_at = moment
            changed.append(row)
    return changed


def late_times(work: Work, answered: Mapping[str, datetime | None]) -> dict[str, datetime | None]:
    """When people are notified of flows that are quiet or late after a false alarm; by flow. Reads their rhythms.

    `answered`: the flows, with the time from which the silence counts; None: from its beginning.
    """
    rows = work.rhythms.filter(flow_id__in=answered)
    return {row.flow_id: _alarm_at(row, work.calendar, patient=True, since=answered[row.flow_id]) for row in rows}


def save(rows: Iterable[FlowRhythm], *fields: str) -> None:
    """Write these columns of rows, some of which may be new."""
    rows = list(rows)
    FlowRhythm.objects.bulk_update([row for row in rows if row.pk], fields, batch_size=BATCH)
    FlowRhythm.objects.bulk_create([row for row in rows if not row.pk], batch_size=BATCH, ignore_conflicts=True)


def _alarm_at(
    row: FlowRhythm, calendar: Calendar, *, patient: bool = False, since: datetime | None = None
) -> datetime | None:
    last = since or row.silent_since
    if row.state == FlowState.OFF or last is None:
        return None
    if row.cron:
        times = reading.times_of(row.cron, row.zone, last + EARLY)
        return times[1 if patient and len(times) > 1 else 0].astimezone(UTC) + LATE if times else None
    return detection.quiet_at(Rhythm.load(row.rhythm), last, calendar, patient=patient)
