"""Failures of a run index, folded by cause, and people's work on them.

Callers look the index up with indexes.for_access, and check the role.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, database, masking
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.failures.models import FailurePattern, NoteVote, PatternState
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access as member_access
from workflows_ui.members.services.access import Access
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind
from workflows_ui.run_index.models import LISTED, IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes

#: Days of the list, the most patterns in it, the runs on the page of one, and the longest note.
DAYS, MOST, RUNS, LONGEST = 30, 500, 20, 10_000
#: The latest runs whose launches are counted, the most people that are named, and the latest runs that are retried at once.
COUNTED, NAMED, RETRIED = 1000, 20, 1000
#: The end of a snooze that somebody has to end.
ENDLESS = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Pattern:
    """Failures of the same flow, at the same step, with messages that differ only in values.

    Attributes:
        newest: the latest of these runs, with its message sealed.
        number: how many there are.
        first, last: when the first and the last of them were created.
        ended: the last known end of one of them; a retry or a long run fails later than it was created.
        succeeded: whether the flow has succeeded since.
        row: people's work on it.
        error: the first line of the newest message as the reader may see it, if it was read.
    """

    fingerprint: int
    newest: IndexedRun
    number: int
    first: datetime
    last: datetime
    ended: datetime | None
    succeeded: bool
    row: FailurePattern | None = None
    error: str = ""

    @property
    def key(self) -> str:
        """The fingerprint as addresses and notes have it."""
        return str(self.fingerprint)

    @property
    def failed_at(self) -> datetime:
        """When it last happened, as far as known."""
        return max(self.last, self.ended or self.last)

    @property
    def state(self) -> PatternState:
        """People's decisions take precedence over later successes of the flow; a failure after it was handled reopens it."""
        row = self.row
        if row and row.handled_at and row.handled_at >= self.failed_at:
            return PatternState.HANDLED
        if row and row.snoozed_until and row.snoozed_until > clock.now():
            return PatternState.SNOOZED
        return PatternState.SUCCEEDED if self.succeeded else PatternState.OPEN


def _failed(workspace_id: int | OuterRef) -> QuerySet[IndexedRun]:
    """The failed runs of a workspace, which the partial index `listed_runs_failed_alike` holds.

    Without the second condition on the fingerprint, SQLite reads the index by time.
    """
    return IndexedRun.objects.filter(LISTED, ~Q(fingerprint=0), workspace_id=workspace_id, fingerprint__gt=0)


def since() -> datetime:
    """When the days of the list begin."""
    return clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)


def patterns(index: RunIndex) -> tuple[list[Pattern], bool]:
    """The patterns of the last days, the latest failure first, and whether there are more than MOST."""
    begin = since()
    failed = _failed(index.pk).filter(created__gte=begin)
    found = indexes.remember(index, f"failures since {begin:%Y-%m-%d}", lambda: _fold(index, failed, MOST + 1))
    return _with_rows(index, found[:MOST]), len(found) > MOST


def _fold(index: RunIndex, failed: QuerySet[IndexedRun], most: int) -> list[Pattern]:
    """One query that the partial index alone answers, and one for the newest run of each pattern."""
    groups = failed.order_by().values("fingerprint")
    groups = groups.annotate(number=Count("created"), first=Min("created"), last=Max("created"), ended=Max("finished"))
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
    rows = _failed(index.pk).filter(Q(*newest, _connector=Q.OR)).annotate(succeeded=Exists(later))
    by_fingerprint = {row.fingerprint: row for row in rows}
    return [
        Pattern(newest=row, succeeded=row.succeeded, **group)
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
    """Whether the workspace has failures of this pattern, or has had some that people worked on."""
    runs = _failed(workspace.pk).filter(fingerprint=fingerprint)
    return runs.exists() or FailurePattern.objects.filter(index=workspace.pk, fingerprint=fingerprint).exists()


def title(workspace: Workspace, fingerprint: int) -> str:
    """The flow and the step of a pattern, as its latest run names them; "" without one."""
    run = _failed(workspace.pk).filter(fingerprint=fingerprint).order_by("-created").first()
    return _title(run.flow_name or run.flow_id, run.failed_step_title) if run else ""


def find_pattern(index: RunIndex, fingerprint: int) -> Pattern | None:
    """One pattern with all its failures that the index keeps; None if it keeps none."""
    found = _fold(index, _failed(index.pk).filter(fingerprint=fingerprint), 1)
    row = _stored(index).filter(fingerprint=fingerprint).first()
    return replace(found[0], row=row) if found else None


def latest_runs(index: RunIndex, fingerprint: int) -> list[IndexedRun]:
    return list(_failed(index.pk).filter(fingerprint=fingerprint).order_by("-created", "-pk")[:RUNS])


def runs_to_retry(index: RunIndex, fingerprint: int) -> list[str]:
    """The ids of the latest runs of a pattern, the newest first, as many as a bulk action takes."""
    runs = _failed(index.pk).filter(fingerprint=fingerprint).order_by("-created", "-pk")
    return list(runs.values_list("run_id", flat=True)[:RETRIED])


def affected(access: Access, index: RunIndex, pattern: Pattern) -> dict[str, object]:
    """The `people` whose launches failed like this, of the launches that the person may open, with the number of their runs, those with
    the most first; how many `more` are not named; and how many of the latest runs were launched `otherwise`, for those who see them all.
    """
    latest = _failed(index.pk).filter(fingerprint=pattern.fingerprint).order_by("-created")[:COUNTED]
    rows = launches.visible_launches(access).filter(run_id__in=latest.values("run_id"))
    numbers = dict(rows.order_by().values_list("user").annotate(number=Count("run_id", distinct=True)))
    keys = sorted(numbers, key=lambda key: (-numbers[key], key))
    people = User.objects.in_bulk(keys[:NAMED])
    otherwise = max(0, min(pattern.number, COUNTED) - sum(numbers.values())) if access.allows(Role.BUILDER) else None
    named = [(people[key], numbers[key]) for key in keys[:NAMED]]
    return {"people": named, "more": max(0, len(keys) - NAMED), "otherwise": otherwise}


def note(row: FailurePattern | None, workspace: Workspace) -> str | None:
    """The note with known secrets masked; "" without one, None if it does not open."""
    if row is None:
        return ""
    try:
        return masking.workspace_mask(workspace).text(row.open("note"))
    except CannotOpen:
        return None


def fingerprint_of(index: RunIndex, run_id: str) -> int:
    """The fingerprint of a failed run; 0 if the index does not have it."""
    return _failed(index.pk).filter(run_id=run_id).values_list("fingerprint", flat=True).first() or 0


def known(index: RunIndex, fingerprint: int, workspace: Workspace, user: User) -> dict[str, object] | None:
    """The `note_context` of failures of this cause, for a person; None if the index has none."""
    if not fingerprint or not _failed(index.pk).filter(fingerprint=fingerprint).exists():
        return None
    return note_context(_stored(index).filter(fingerprint=fingerprint).first(), workspace, user)


def note_context(row: FailurePattern | None, workspace: Workspace, user: User) -> dict[str, object]:
    """The context of templates/failures/note.html: whether it helped is only asked about a note that can be read."""
    text = note(row, workspace)
    return {"row": row, "note": text, "votes": votes(row, user) if row and text else None}


def assign(actor: Actor, index: RunIndex, pattern: Pattern, person: User | None) -> bool:
    """Make somebody responsible, who is notified, or nobody. Audited. False if the person does not see failures, and was not notified."""
    run, row = pattern.newest, pattern.row
    with transaction.atomic():
        _change(actor, index, pattern, "failure.assign", {"person": person.label if person else ""}, assigned_to=person)
        if person is None or (row and row.assigned_to_id == person.pk):
            return True
        name = _title(run.flow_name or run.flow_id, run.failed_step_title)
        return _notify_assigned(actor, index.workspace, pattern.fingerprint, person, name)


def _notify_assigned(actor: Actor, workspace: Workspace, fingerprint: int, person: User, name: str) -> bool:
    """Notify a person of a failure that somebody else assigned to them; False if they may not open its page."""
    if actor.user is not None and actor.user.pk == person.pk:
        return True
    try:
        access = member_access.access_for(person, workspace.slug)
    except member_access.NoAccess:
        return False
    if not access.sees("failures") or indexes.for_access(access) is None:
        return False
    notifications.notify(
        person,
        NoticeKind.FAILURE_ASSIGNED,
        f"failure:{workspace.pk}:{fingerprint}:{clock.now().isoformat()}",
        url=reverse("failure", args=[workspace.slug, fingerprint]),
        workspace=workspace,
        by=actor.user.label if actor.user else "",
        name=name,
    )
    return True


def hand_over(actor: Actor, row: FailurePattern, person: User | None, name: str) -> bool:
    """Give a failure that is assigned to somebody to another person, who is notified, or to nobody. Audited. False if it was assigned
    otherwise meanwhile.

    Args:
        row: with its index and workspace.
        name: of the failure, for the audit log.
    """
    rows = FailurePattern.objects.filter(pk=row.pk, assigned_to=row.assigned_to_id)
    with transaction.atomic():
        if not rows.update(assigned_to=person):
            return False
        audit_log.record(
            actor,
            "failure.hand_over",
            workspace=row.index.workspace,
            object_type="failure",
            object_id=str(row.fingerprint),
            object_name=name,
            belongs_to=("flows", row.flow_id),
            to=person.label if person else "",
        )
        if person is not None:
            _notify_assigned(actor, row.index.workspace, row.fingerprint, person, name)
    return True


def assigned(person: User, workspaces: Collection[int]) -> list[tuple[FailurePattern, str]]:
    """What is assigned to a person in these workspaces, with its name as of its newest failure."""
    newest = _failed(OuterRef("index_id")).filter(fingerprint=OuterRef("fingerprint")).order_by("-created")
    rows = FailurePattern.objects.filter(index__in=workspaces, assigned_to=person).order_by("pk").defer("note")
    names = rows.values_list(
        "pk", Subquery(newest.values("flow_name")[:1]), Subquery(newest.values("failed_step_title")[:1])
    )
    found = {pk: (flow, step) for pk, flow, step in names}
    return [
        (row, _title(flow or row.flow_id, step or row.step))
        for row in rows.select_related("index__workspace")
        for flow, step in [found.get(row.pk, ("", ""))]
    ]


def snooze(actor: Actor, index: RunIndex, pattern: Pattern, until: datetime) -> None:
    """Close it until then, even if it happens again. Audited."""
    _change(actor, index, pattern, "failure.snooze", {"until": until.isoformat()}, snoozed_until=until)


def mark_handled(actor: Actor, index: RunIndex, pattern: Pattern) -> None:
    """Close it until it happens again. Audited."""
    # All failures that the person saw are handled, even if the engine's clock is ahead.
    now = max(clock.now(), pattern.failed_at)
    _change(actor, index, pattern, "failure.handle", {}, handled_at=now, handled_by=actor.user)


def reopen(actor: Actor, index: RunIndex, pattern: Pattern) -> None:
    """Undo `snooze` and `mark_handled`. Audited."""
    _change(actor, index, pattern, "failure.reopen", {}, handled_at=None, handled_by=None, snoozed_until=None)


def save_note(actor: Actor, index: RunIndex, pattern: Pattern, text: str) -> None:
    """Replace the note; an empty text removes it. The votes on the former one are deleted. Audited without the text."""
    row = FailurePattern(index=index, fingerprint=pattern.fingerprint)
    sealed = row.seal("note", database.storable(text)[:LONGEST])
    with transaction.atomic():
        _change(actor, index, pattern, "failure.note", {}, note=sealed, noted_at=clock.now(), noted_by=actor.user)
        NoteVote.objects.filter(pattern__index=index, pattern__fingerprint=pattern.fingerprint).delete()


def votes(row: FailurePattern, user: User) -> dict[str, object]:
    """How many people the note helped and how many it did not, and the person's `own` answer; None without one."""
    found = dict(NoteVote.objects.filter(pattern=row).values_list("user", "helped"))
    yes = sum(found.values())
    return {"yes": yes, "no": len(found) - yes, "own": found.get(user.pk)}


def vote(actor: Actor, index: RunIndex, pattern: Pattern, user: User, *, helped: bool) -> bool:
    """Save whether the note helped this person, who may change the answer. Audited. False if there is no note."""
    with transaction.atomic():
        row = _stored(index).select_for_update(of=("self",)).filter(fingerprint=pattern.fingerprint).first()
        if row is None or not row.note:
            return False
        NoteVote.objects.update_or_create(pattern=row, user=user, defaults={"helped": helped})
        _record(actor, index.workspace, pattern, "failure.vote", {"helped": helped})
    return True


def _change(
    actor: Actor, index: RunIndex, pattern: Pattern, action: str, detail: Mapping[str, object], **values: object
) -> None:
    run = pattern.newest
    with transaction.atomic():
        FailurePattern.objects.update_or_create(
            index=index,
            fingerprint=pattern.fingerprint,
            defaults=values,
            create_defaults={"flow_id": run.flow_id, "step": run.failed_step, **values},
        )
        _record(actor, index.workspace, pattern, action, detail)


def _record(actor: Actor, workspace: Workspace, pattern: Pattern, action: str, detail: Mapping[str, object]) -> None:
    audit_log.record(
        actor,
        action,
        workspace=workspace,
        object_type="failure",
        object_id=str(pattern.fingerprint),
        object_name=_title(pattern.newest.flow_name or pattern.newest.flow_id, pattern.newest.failed_step_title),
        belongs_to=("flows", pattern.newest.flow_id),
        detail=detail,
    )


def _title(flow: str, step: str) -> str:
    return " › ".join(filter(None, (flow, step)))
