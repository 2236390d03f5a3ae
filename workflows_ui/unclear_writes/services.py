"""Writes without a proof: stored after their first look, looked for by workers, and ended (write_looks).

"Not done" is concluded only from a look at the end of the search time that launches use: engines acted minutes after a call.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import not_paused
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import Unknown
from workflows_ui.engine.errors import Write
from workflows_ui.members.models import Workspace
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState

#: A look of a worker, and the pauses between looks.
LEASE, PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(seconds=5), timedelta(seconds=60)
#: An engine that cannot be read is asked for so long after the search time; then nobody can say.
UNREADABLE_FOR = timedelta(hours=1)
#: For so long a press that repeats a write which was done or is unclear leads to a question.
REPEATED_WITHIN = timedelta(hours=1)
#: Among the content: what was typed into the form. And the parameter that opens the form with it.
VALUES, AGAIN = "values", "again"
#: Writes that one turn of the periodic task enqueues.
BATCH = 200


def begin(
    session: EngineSession,
    error: Unknown,
    *,
    pending: Write | None = None,
    event: AuditEvent | None,
    resource: str,
    action: str,
    object_id: str = "",
    name: str = "",
    path: str = "",
    values_digest: str = "",
    values: Mapping[str, Sequence[str]] | None = None,
) -> UnclearWrite | None:
    """Store a write whose answer and first look proved nothing; None for a call without a look.

    Args:
        pending: the part of the error's write that is stored, such as one object of many.
        values: what was typed into the form, without secrets: if nothing was done, the form opens with it (`values_of`).
    """
    pending = pending or error.write
    if pending is None:
        return None
    now = clock.now()
    row = UnclearWrite(
        workspace=session.workspace,
        moves=session.workspace.moves,
        user_id=session.user_id,
        resource=resource[:40],
        action=action[:60],
        object_id=database.storable(object_id)[:120],
        name=database.storable(name)[:1000],
        path=path[:500],
        values_digest=values_digest,
        partial=bool(error.about.get("partial")),
        edit_id=error.about.get("edit", ""),
        copy_id=error.about.get("copy", ""),
        found_id=str(error.about.get("created", ""))[:120],
        event=event,
        answered={"status": error.status, "code": error.code[:60], "message": error.message[:500]},
        asked_at=now,
        not_before=now + PAUSE,
    )
    content = asdict(pending) | ({} if values is None else {VALUES: values})
    row.content = row.seal("content", json.dumps(content, ensure_ascii=True, default=str))
    with database.turn():
        row.save(force_insert=True)
    return row


def content_without_write(row: UnclearWrite) -> str:
    """The content that stays of a write that was not done: the sealed values of its form; "" without any."""
    try:
        values = json.loads(row.open("content") or "{}").get(VALUES)
    except CannotOpen:
        return ""
    return "" if values is None else row.seal("content", json.dumps({VALUES: values}, ensure_ascii=True))


def values_of(workspace: Workspace, user_id: int, path: str, pk: str) -> dict[str, list[str]] | None:
    """What a person typed, without secrets, into the form at `path` for a write that was not done; None if there is no such write."""
    rows = UnclearWrite.objects.filter(workspace=workspace, user=user_id, path=path[:500], state=WriteState.NOT_DONE)
    row = rows.exclude(content="").filter(pk=pk[:40]).select_related("workspace").first()
    if row is None:
        return None
    try:
        values: dict[str, list[str]] = json.loads(row.open("content"))[VALUES]
    except CannotOpen:
        return None
    return values


def writes_of(workspace: Workspace) -> QuerySet[UnclearWrite]:
    """The unclear writes of a workspace, without their content, the latest first."""
    rows = UnclearWrite.objects.filter(workspace=workspace).select_related("workspace", "user").defer("content")
    return rows.order_by("-asked_at")


def digest_of(values: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A keyed digest of submitted values, by which a repeated press is known."""
    text = json.dumps(sorted((name, list(listed)) for name, listed in values), ensure_ascii=True)
    return salted_hmac("workflows_ui.unclear_writes", text, algorithm="sha256").hexdigest()


def repeated(workspace: Workspace, path: str, values_digest: str, *, any_values: bool) -> UnclearWrite | None:
    """The earlier write that a press on this page may repeat: one of the same values, or with `any_values` one that is being checked."""
    checking = Q(state=WriteState.CHECKING)
    recent = Q(asked_at__gt=clock.now() - REPEATED_WITHIN) & ~Q(state=WriteState.NOT_DONE)
    same = Q(values_digest=values_digest) & (checking | recent)
    rows = writes_of(workspace).filter(moves=workspace.moves, path=path[:500])
    return rows.filter(same | checking if any_values else same).first()


def of_page(workspace: Workspace, path: str) -> UnclearWrite | None:
    """The write of this page that is being checked."""
    return writes_of(workspace).filter(path=path[:500], state=WriteState.CHECKING).first()


def checked_objects(workspace: Workspace, path: str) -> set[str]:
    """The ids of the objects for which writes of this page, such as those of a job, are being checked."""
    rows = UnclearWrite.objects.filter(workspace=workspace, path=path[:500], state=WriteState.CHECKING)
    return set(rows.values_list("object_id", flat=True))


def to_enqueue() -> list[str]:
    """Mark as enqueued and return the ids of the writes to look for now."""
    now = clock.now()
    return UnclearWrite.to_enqueue(UnclearWrite.objects.filter(not_paused(now), state=WriteState.CHECKING), now, BATCH)


def purge() -> None:
    """Remove ended writes after the time that launches are kept."""
    before = clock.now() - settings.LAUNCH_RETENTION
    UnclearWrite.objects.exclude(state=WriteState.CHECKING).filter(asked_at__lt=before).delete()
