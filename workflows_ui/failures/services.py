"""Failures of a run index, folded by cause, and what people do about them.

Callers have looked the index up with indexes.readable, and check the role.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import masking
from workflows_ui.failures.models import FailurePattern, PatternState
from workflows_ui.members.models import Member, Workspace
from workflows_ui.run_index.models import LISTED, IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes

#: Days of the list, the most patterns in it, the runs on the page of one, and the longest note.
DAYS, MOST, RUNS, LONGEST = 30, 500, 20, 10_000
#: The end of a snooze that somebody has to end.
ENDLESS = datetime(9000, 1, 1, tzinfo=UTC)
#: Larger numbers fit no fingerprint, nor the column.
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Pattern:
    """Failures of the same flow, at the same step, with messages that differ only in values.

    Attributes:
        newest: the latest of these runs, with its message sealed.
        number: how many there are.
        first, last: when the first and the last of them were created.
        succeeded: whether the flow has succeeded since.
        row: what people have done about it.
        error: the first line of the newest message as the reader may see it, if it was read.
    """

    fingerprint: int
    newest: IndexedRun
    number: int
    first: datetime
    last: datetime
    succeeded: bool
    row: FailurePattern | None = None
    error: str = ""

    @property
    def state(self) -> PatternState:
        """What people did counts before what the flow did; a failure after it was handled makes it open again."""
        row = self.row
        if row and row.handled_at and row.handled_at >= self.last:
            return PatternState.HANDLED
        if row and row.snoozed_until and row.snoozed_until > clock.now():
            return PatternState.SNOOZED
        return PatternState.SUCCEEDED if self.succeeded else PatternState.OPEN


def _failed(index: RunIndex) -> QuerySet[IndexedRun]:
    """The runs that the partial index `listed_runs_failed_alike` holds.

    Without the second condition on the fingerprint, SQLite reads the index by time.
    """
    return IndexedRun.objects.filter(LISTED, ~Q(fingerprint=0), workspace_id=index.pk, fingerprint__gt=0)


def patterns(index: RunIndex) -> tuple[list[Pattern], bool]:
    """The patterns of the last days, the latest failure first, and whether there are more than MOST."""
    since = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    failed = _failed(index).filter(created__gte=since)
    found = indexes.remember(index, f"failures since {since:%Y-%m-%d}", lambda: _fold(index, failed, MOST + 1))
    return _with_rows(index, found[:MOST]), len(found) > MOST


def _fold(index: RunIndex, failed: QuerySet[IndexedRun], most: int) -> list[Pattern]:
    """One query that the partial index alone answers, and one for the newest run of each pattern."""
    groups = failed.order_by().values("fingerprint")
    groups = groups.annotate(number=Count("created"), first=Min("created"), last=Max("created"))
    found = list(groups.order_by("-last", "fingerprint")[:most])
    if not found:
        return []
    later = IndexedRun.objects.filter(
        LISTED,
        workspace_id=OuterRef("workspace_id"),
        flow_id=OuterRef("flow_id"),
        status="SUCCEEDED",
        created__gt=OuterRef("created"),
    )
    newest = (Q(fingerprint=group["fingerprint"], created=group["last"]) for group in found)
    rows = _failed(index).filter(Q(*newest, _connector=Q.OR)).annotate(succeeded=Exists(later))
    by_fingerprint = {row.fingerprint: row for row in rows}
    return [
        Pattern(row.fingerprint, row, group["number"], group["first"], group["last"], succeeded=row.succeeded)
        for group in found
        if (row := by_fingerprint.get(group["fingerprint"]))
    ]


def _with_rows(index: RunIndex, found: Sequence[Pattern]) -> list[Pattern]:
    stored = _stored(index).filter(fingerprint__in=[pattern.fingerprint for pattern in found])
    rows = {row.fingerprint: row for row in stored.defer("note")}
    return [replace(pattern, row=rows.get(pattern.fingerprint)) for pattern in found]


def _stored(index: RunIndex) -> QuerySet[FailurePattern]:
    return FailurePattern.objects.filter(index=index).select_related("assigned_to", "handled_by", "noted_by")


def exists(workspace: Workspace, fingerprint: int) -> bool:
    """Whether the workspace has failures of this pattern, or has had some that somebody did something about."""
    if not 0 < fingerprint <= LARGEST:
        return False
    runs = IndexedRun.objects.filter(LISTED, ~Q(fingerprint=0), workspace=workspace, fingerprint=fingerprint)
    return runs.exists() or FailurePattern.objects.filter(index=workspace.pk, fingerprint=fingerprint).exists()


def find(index: RunIndex, fingerprint: int) -> Pattern | None:
    """One pattern with all its failures that the index keeps; None if it keeps none."""
    found = _fold(index, _failed(index).filter(fingerprint=fingerprint), 1)
    row = _stored(index).filter(fingerprint=fingerprint).first()
    return replace(found[0], row=row) if found else None


def latest_runs(index: RunIndex, fingerprint: int) -> list[IndexedRun]:
    """The latest runs of a pattern."""
    return list(_failed(index).filter(fingerprint=fingerprint).order_by("-created", "-pk")[:RUNS])


def note(row: FailurePattern | None, workspace: Workspace) -> str | None:
    """The note with known secrets masked; "" without one, None if it does not open."""
    if row is None:
        return ""
    try:
        return masking.workspace_mask(workspace).text(row.open("note"))
    except CannotOpen:
        return None


def noted(index: RunIndex, run_id: str) -> FailurePattern | None:
    """The pattern of a failed run, if it has a note."""
    runs = _failed(index).filter(run_id=run_id)
    return _stored(index).exclude(note="").filter(fingerprint__in=runs.values("fingerprint")).first()


def assignable(workspace: Workspace) -> QuerySet[User]:
    """The active members of the workspace, also those through a team, by name."""
    rows = Member.objects.filter(workspace=workspace)
    people = Q(pk__in=rows.filter(user__isnull=False).values("user"))
    teams = Q(groups__in=rows.filter(team__isnull=False).values("team"))
    found = User.objects.filter(people | teams, is_active=True)
    return found.distinct().order_by("first_name", "last_name", "username")


def assign(actor: Actor, index: RunIndex, pattern: Pattern, person: User | None) -> None:
    """Make somebody responsible, or nobody. Audited."""
    _change(actor, index, pattern, "failure.assign", {"person": person.label if person else ""}, assigned_to=person)


def snooze(actor: Actor, index: RunIndex, pattern: Pattern, until: datetime) -> None:
    """Leave it out of the open ones until then, also if it happens again. Audited."""
    _change(actor, index, pattern, "failure.snooze", {"until": until.isoformat()}, snoozed_until=until)


def mark_handled(actor: Actor, index: RunIndex, pattern: Pattern) -> None:
    """Leave it out of the open ones until it happens again. Audited."""
    _change(actor, index, pattern, "failure.handle", {}, handled_at=clock.now(), handled_by=actor.user)


def reopen(actor: Actor, index: RunIndex, pattern: Pattern) -> None:
    """Undo `snooze` and `mark_handled`. Audited."""
    _change(actor, index, pattern, "failure.reopen", {}, handled_at=None, handled_by=None, snoozed_until=None)


def save_note(actor: Actor, index: RunIndex, pattern: Pattern, text: str) -> None:
    """Replace the note; an empty text removes it. Audited without the text."""
    row = FailurePattern(index=index, fingerprint=pattern.fingerprint)
    sealed = row.seal("note", database.storable(text)[:LONGEST])
    _change(actor, index, pattern, "failure.note", {}, note=sealed, noted_at=clock.now(), noted_by=actor.user)


def _change(
    actor: Actor, index: RunIndex, pattern: Pattern, action: str, detail: Mapping[str, Any], **values: Any
) -> None:
    run = pattern.newest
    with transaction.atomic():
        FailurePattern.objects.update_or_create(
            index=index,
            fingerprint=pattern.fingerprint,
            defaults=values,
            create_defaults={"flow_id": run.flow_id, "step": run.failed_step, **values},
        )
        audit_log.record(
            actor,
            action,
            workspace=index.workspace,
            object_type="failure",
            object_id=str(pattern.fingerprint),
            object_name=" › ".join(filter(None, (run.flow_name or run.flow_id, run.failed_step_title))),
            belongs_to=("flows", run.flow_id),
            **detail,
        )
