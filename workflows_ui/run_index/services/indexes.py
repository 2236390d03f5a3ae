"""Run indexes: starting and stopping, who may see one, its size, and what is kept for how long."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar, cast

from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import Count, F, Min, Q

from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.core.caching import answers
from workflows_ui.core.prepared import Prepared
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import engine_session, sharing
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotSent, Timeouts, Unavailable, Unreachable
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.notes.models import Note, Subject
from workflows_ui.run_index.models import IndexedObject, IndexedRun, Kept, RunIndex, RunText, RunValues, RunWord, Search
from workflows_ui.run_index.services import (
    launch_words,
    reading,
    retention,
    rewriting,
    rows as indexed_rows,
    spans,
    values,
    words,
)

T = TypeVar("T")

#: How long the runs are read every few seconds after somebody looked, and how old that note may be before it is written again.
WATCHED, NOTED = timedelta(seconds=40), timedelta(seconds=15)
#: The longest wait for the next attempt, while the engine does not answer and somebody looks.
RETRIED = timedelta(seconds=15)
#: The columns that a manager sets, besides the credential.
SETTINGS = ("keep_days", "keep_runs", "kept", "values_days", "values_kb", "search", "days_off")
#: Seconds that a count is kept.
KEPT = 3600
#: The size of an index with more runs than this is determined only once in so many seconds.
FEW, SIZE_KEPT = 10_000, 60
#: How long a page waits for the engine before it shows what the index knows.
PATIENCE = Timeouts(connect=3.0, read=8.0, total=8.0, pause=1.0)
#: Where an access and a session remember their index.
_ONCE = "run index"
#: The errors of a reading that mean that the engine did not answer.
UNANSWERED = (NotSent, Unavailable, Unreachable)
NO_ANSWER = sorted(error.__name__ for error in UNANSWERED)

_readable = Prepared(
    lambda workspace, user: (
        RunIndex.objects.filter(workspace=workspace, moves=F("workspace__moves"))
        .filter(Q(credential__owner=user, credential__taken_over=False) | Q(credential__shares__team__user=user))
        .select_related("credential")
        .distinct()
    ),
    int,
    int,
)


def index_of(workspace: Workspace) -> RunIndex | None:
    """The workspace's index, without a check of who may see it; None if it has none."""
    return RunIndex.objects.filter(workspace=workspace).select_related("credential", "started_by").first()


def readable(workspace: Workspace, user_id: int) -> RunIndex | None:
    """The index, if the person may see it: everyone who may use the credential that reads it.

    None before its first reading: the engine's own lists are used then.
    """
    index = _readable.first(workspace.pk, user_id)
    if index is None or index.read_at is None or index.credential is None:
        return None
    if not index.credential.is_own(user_id):
        shared = sharing.genuine(credential=index.credential_id, team__user=user_id)
        if not shared:
            return None
    return index


def for_access(access: Access) -> RunIndex | None:
    """The index of the workspace, if this person is a member who may see it; None: the engine's own lists are used."""
    if _ONCE not in access.found:
        access.found[_ONCE] = _for_person(access, access.user.pk)
    return cast("RunIndex | None", access.found[_ONCE])


def for_session(session: EngineSession) -> RunIndex | None:
    """As `for_access`, for the person of a session."""
    return session.once(_ONCE, lambda: _for_person(session, session.user_id))


def _for_person(person: Access | EngineSession, user_id: int) -> RunIndex | None:
    # Pages have read with the workspace whether it has one.
    if not person.allows(Role.VIEWER) or not hasattr(person.workspace, "run_index"):
        return None
    return readable(person.workspace, user_id)


def open_session(access: Access, *, quick: bool = False) -> EngineSession:
    """A session for a page that the index can replace: with an index, it waits less long for the engine."""
    index = for_access(access)
    session = engine_session.open_session(access, quick=quick, timeouts=PATIENCE if index else None)
    session.once(_ONCE, lambda: index)
    return session


_silent = Prepared(
    lambda workspace: RunIndex.objects.filter(
        workspace=workspace, moves=F("workspace__moves"), failures__gt=0, trouble__in=NO_ANSWER
    ).values_list("read_at", flat=True),
    int,
)


def silent_since(workspace: Workspace) -> datetime | None:
    """When an engine that did not answer the last reading last answered; None if it does answer, or nothing is known.

    For everybody, since it reveals nothing of the runs.
    """
    return _silent.first(workspace.pk)


def latest_run(workspace_id: int, flow_id: str) -> IndexedRun | None:
    """The flow's latest run in the index, which has no runs of drafts: its `version_id` and `flow_name` are read."""
    rows = retention.stored_runs(workspace_id).filter(flow_id=flow_id).order_by("-created", "-pk")
    return rows.only("version_id", "flow_name").first()


def is_silent(index: RunIndex | None) -> bool:
    """Whether the engine did not answer the last reading, so that a page need not wait for it."""
    return index is not None and bool(index.failures) and index.trouble in NO_ANSWER


def watch(index: RunIndex) -> None:
    """Note that somebody looks at the runs, which are then read every few seconds for a while."""
    now = clock.now()
    if index.watched_until is not None and index.watched_until > now + WATCHED - NOTED:
        return
    RunIndex.objects.filter(pk=index.pk).update(watched_until=now + WATCHED)
    RunIndex.objects.filter(pk=index.pk, failures=0, due_at__gt=now + reading.WATCHED).update(due_at=now)


def try_soon(index: RunIndex) -> None:
    """Note that somebody looks while the engine does not answer: try it again soon, however often it failed."""
    soon = clock.now() + RETRIED
    RunIndex.objects.filter(pk=index.pk, failures__gt=0, due_at__gt=soon).update(due_at=soon)


def remember(index: RunIndex, name: str, call: Callable[[], T], *, past: bool = False) -> T:
    """The result of a count of the index's runs, kept until a run changes. `name` says what is counted, and of which runs.

    `past`: only runs of the past (recent.py) are counted: it is kept until one of these changes.
    """
    digest = hashlib.sha256(name.encode()).hexdigest()[:32]
    version = f"past-{index.past_version}" if past else index.version
    key = f"run-index:{index.pk}:{version}:{digest}"
    value = answers.get(key)
    if value is None:
        value = call()
        answers.set(key, value, KEPT)
    return cast("T", value)


def choices(workspace: Workspace) -> dict[Credential, list[Group]]:
    """The credentials that may read an index, by name: those that are shared with teams, which will see what it sees."""
    found = (
        Credential.objects.filter(workspace=workspace, shares__isnull=False)
        .distinct()
        .select_related("owner")
        .order_by("name", "pk")
    )
    shared = sharing.teams_of(found)
    return {row: shared[row.pk] for row in found if row.pk in shared}


def start(
    actor: Actor, workspace: Workspace, credential: Credential, keep_days: int, **settings: int | Sequence[str]
) -> RunIndex:
    """Begin to read the workspace's runs with a credential, or continue with another one or for another time. Audited.

    `settings` are others of SETTINGS; those that are not given have the defaults of the model. What was kept beyond them is deleted by
    `trim`. After a change of `search`, the words of all runs and launches are written again, by `launch_words.read`. What an earlier
    index has left is deleted by the first reading. With another credential nothing is shown until it has read once.
    """
    wanted = RunIndex(workspace=workspace, credential=credential, keep_days=keep_days, **settings)
    now = clock.now()
    with transaction.atomic():
        # Of two that begin the first index at the same time, the second finds the first one's.
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
        index = RunIndex.objects.select_for_update().filter(workspace=workspace).first()
        if index is not None and index.moves != workspace.moves:
            _end(workspace)
            index = None
        if index is None:
            index = wanted
            index.started_at, index.started_by, index.moves = now, actor.user, workspace.moves
            index.word_key = index.seal("word_key", words.new_key())
            # Later than any version of an earlier index, whose counts may be kept.
            index.version = index.past_version = int(now.timestamp() * 1000)
        elif keep_days > index.keep_days or wanted.keep_runs > index.keep_runs:
            # The time that was beyond the old limits is read again, with what has been deleted, as far as the new ones allow.
            begin, end = now - timedelta(days=keep_days), retention.floor(index, now)
            if index.read_until is not None and begin < end:
                index.spans = [*index.spans, *spans.dump([spans.Span(begin, end)])]
            index.kept_since = None
        if index.credential_id != credential.pk:
            index.read_at = None
        if index.search != wanted.search:
            index.words_cleared = False
            rewriting.begin(index)
        for name in ("credential", *SETTINGS):
            setattr(index, name, getattr(wanted, name))
        index.due_at, index.failures, index.trouble, index.lease_until, index.words_until = now, 0, "", None, None
        index.save()
        _record(
            actor,
            "run_index.start",
            workspace,
            belongs_to=("credential", str(credential.pk)),
            credential=credential.name,
            days=index.keep_days,
            runs=index.keep_runs,
            kept=Kept(index.kept).name.lower(),
            values_days=index.values_days,
            values_kb=index.values_kb,
            search=Search(index.search).name.lower(),
            days_off=" ".join(index.days_off),
        )
    return index


def read_soon(workspace: Workspace) -> None:
    """Make the index due now, even after errors."""
    RunIndex.objects.filter(workspace=workspace).update(due_at=clock.now())


def stop(actor: Actor, workspace: Workspace) -> bool:
    """End the index; `purge` deletes the runs. Audited. Return whether there was one."""
    with transaction.atomic():
        if not _end(workspace):
            return False
        _record(actor, "run_index.stop", workspace)
    return True


def _end(workspace: Workspace) -> bool:
    """Delete the index, and the notes on its failures, whose fingerprints are made with its key. False without an index."""
    deleted, _rows = RunIndex.objects.filter(workspace=workspace).delete()
    Note.objects.filter(workspace=workspace, subject=Subject.FAILURE).delete()
    return bool(deleted)


def erase(actor: Actor, workspace: Workspace, run_id: str) -> bool:
    """Empty what the index keeps of one run, and never read it again. Audited. False if the index does not have it."""
    with transaction.atomic():
        # The index first: then no reader is writing the run, or the words of its launches, and the next one sees that it was erased.
        indexed_rows.count_change(workspace.pk)
        if not indexed_rows.erase(workspace.pk, run_id, clock.now()):
            return False
        launch_words.erase(workspace.pk, run_id)
        _record(actor, "run_index.erase", workspace, ("runs", run_id), run=run_id)
    answers.delete(_size_key(workspace.pk))
    return True


def _record(
    actor: Actor, action: str, workspace: Workspace, belongs_to: tuple[str, str] | None = None, **detail: object
) -> None:
    audit_log.record(
        actor,
        action,
        workspace=workspace,
        object_type="run_index",
        object_id=workspace.slug,
        belongs_to=belongs_to,
        detail=detail,
    )


@dataclass(frozen=True)
class Progress:
    """How much an index holds, and how far it is.

    Attributes:
        runs: their number, which may be a minute old.
        bytes: on disk, about; None if unknown.
        oldest: when the oldest run that is kept was created.
        since: when the limit of runs begins, if it keeps less than the days; None otherwise.
        filled_to: until when the past has been read; None if it is complete.
        share: of the time to be kept, how much has been read, in percent.
    """

    runs: int
    bytes: int | None
    oldest: datetime | None
    since: datetime | None
    filled_to: datetime | None
    share: int


def progress(index: RunIndex) -> Progress:
    """How much the index holds, and how far it is."""
    if index.read_until is None:
        return Progress(0, None, None, None, None, 100 if index.read_at else 0)
    now = clock.now()
    floor = retention.floor(index, now)
    left = [span for span in spans.load(index.spans) if not span.compares and (span.before or now) > floor]
    unread = sum(((span.before or now) - max(span.after or floor, floor) for span in left), timedelta())
    filled = max((span.before for span in left if span.before), default=None)
    share = 100 if not left else max(0, min(99, int(100 * (1 - unread / (now - floor)))))
    return Progress(*_size(index.pk), index.kept_since if index.kept_since == floor else None, filled, share)


def _size_key(workspace_id: int) -> str:
    return f"run-index-size:{workspace_id}"


def _size(workspace_id: int) -> tuple[int, int | None, datetime | None]:
    """Number of runs, bytes on disk, and when the oldest was created. Pages that follow the reading ask every few seconds."""
    known: tuple[int, int | None, datetime | None] | None = answers.get(_size_key(workspace_id))
    if known is None:
        found = retention.stored_runs(workspace_id).aggregate(runs=Count("*"), oldest=Min("created"))
        known = found["runs"], _bytes(found["runs"]), found["oldest"]
        if found["runs"] > FEW:
            answers.set(_size_key(workspace_id), known, SIZE_KEPT)
    return known


def _bytes(runs: int) -> int | None:
    """The size of so many runs on disk with their words and values: their share of the tables, by PostgreSQL's estimate of the rows.

    None if there is no estimate.
    """
    if connection.vendor != "postgresql":
        return None
    tables = [model._meta.db_table for model in (IndexedRun, RunWord, RunText, RunValues)]  # noqa: SLF001
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(oid))::bigint, max(reltuples) FILTER (WHERE oid = %s::regclass) "
            "FROM pg_class WHERE oid = ANY(%s::regclass[])",
            [tables[0], tables],
        )
        size, total = cursor.fetchone()
    return int(size * runs / max(total, runs)) if total > 0 else None


def trim(workspace_id: int) -> None:
    """Delete the runs, the values and the words of values that the workspace's index does not keep any more."""
    for index in RunIndex.objects.filter(pk=workspace_id):
        retention.cut(index, clock.now())
        deleted = _delete_old(index.pk)
        if values.trim(index) or deleted:
            indexed_rows.count_change(index.pk)
            answers.delete(_size_key(index.pk))
        launch_words.trim(index)


def purge() -> None:
    """Delete what the indexes do not keep any more, the runs and values of workspaces without one, and objects that are gone.

    Erased runs stay as empty rows: they would be read again if the index kept them for longer, or was started again.
    """
    now = clock.now()
    for index in RunIndex.objects.all():
        trim(index.pk)
        oldest = now - timedelta(days=index.keep_days)
        IndexedObject.objects.filter(index=index, gone_at__lt=oldest).delete()
    for workspace_id in Workspace.objects.filter(run_index=None).values_list("pk", flat=True):
        while indexed_rows.delete_some(retention.stored_runs(workspace_id)):
            pass
        launch_words.clear(workspace_id)


def _delete_old(workspace_id: int) -> int:
    """Delete the runs before the floor, in short transactions. Each reads the settings again, which a manager may change meanwhile."""
    number = 0
    while index := RunIndex.objects.filter(pk=workspace_id).first():
        old = (
            retention.stored_runs(workspace_id)
            .filter(created__lt=retention.floor(index, clock.now()))
            .order_by("created")
        )
        deleted = indexed_rows.delete_some(old)
        number += deleted
        if not deleted:
            break
    return number
