"""Copies of deleted objects: stored before the engine is asked to delete, restored once, removed when they expire."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from workflows_ui.core import clock, database
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects.models import RESTORABLE, CopyState, DeletedObject
from workflows_ui.engine import EngineError, NotFound, Unknown
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import Workspace

#: Maximum size of a copy's JSON in bytes.
MOST_BYTES = 10_000_000
#: A restore without an end counts as interrupted after this time.
CUT_OFF = timedelta(minutes=10)


class TooLargeToKeep(Exception):
    """The copy would be larger than MOST_BYTES."""


@dataclass(frozen=True)
class Content:
    """What is kept of an object: its name, JSON, and numbers about it."""

    name: str
    data: Mapping[str, object]
    facts: Mapping[str, object] = field(default_factory=dict)


@contextmanager
def copy_stored(session: EngineSession, kind: str, object_id: str, read: Callable[[], Content]) -> Iterator[None]:
    """Store a copy, delete the object in the block, and keep the copy unless the engine certainly did not delete it.

    Raises EngineError if the copy cannot be read, and TooLargeToKeep; nothing is deleted then.
    """
    content = read()
    text = json.dumps(content.data, ensure_ascii=True, separators=(",", ":"))
    if len(text) > MOST_BYTES:
        raise TooLargeToKeep(object_id)
    now = clock.now()
    copy = DeletedObject(
        workspace=session.workspace,
        moves=session.workspace.moves,
        kind=kind,
        object_id=object_id,
        name=database.storable(content.name)[:1000],
        facts=dict(content.facts),
        deleted_by_id=session.user_id,
        deleted_at=now,
        expires_at=now + settings.DELETED_RETENTION,
    )
    copy.content = copy.seal("content", text)
    with database.turn():
        copy.save(force_insert=True)
    try:
        yield
    except EngineError as problem:
        # After NotFound, somebody else deleted it: the copy is the last one.
        if isinstance(problem, Unknown):
            problem.about["copy"] = copy.pk
        elif not isinstance(problem, NotFound):
            with database.turn():
                copy.delete()
        raise
    with database.turn():
        DeletedObject.objects.filter(pk=copy.pk).update(state=CopyState.DELETED)


def days() -> int:
    """How long a copy is kept."""
    return settings.DELETED_RETENTION.days


def copies(workspace: Workspace) -> QuerySet[DeletedObject]:
    """The workspace's copies that have not expired, the latest first, without their contents."""
    rows = DeletedObject.objects.filter(workspace=workspace, expires_at__gt=clock.now())
    rows = rows.select_related("workspace", "deleted_by", "restored_by").defer("content")
    return rows.order_by("-deleted_at", "-pk")


def begin_restore(copy: DeletedObject, user_id: int) -> bool:
    """Claim a copy for its restore. Return whether this was possible; `copy` then has the claim, and the id that an earlier one created."""
    now = clock.now()
    claimable = DeletedObject.objects.filter(
        pk=copy.pk, state__in=RESTORABLE, expires_at__gt=now, moves=F("workspace__moves")
    )
    if not claimable.update(state=CopyState.RESTORING, restored_by=user_id, restored_at=now):
        return False
    copy.refresh_from_db(fields=["state", "restored_at", "restored_id"])
    return True


def record_created(copy: DeletedObject, restored_id: str) -> None:
    """The object exists again, without its content: should the process die, the next restore continues with it."""
    copy.restored_id = restored_id
    _claimed(copy).update(restored_id=restored_id)


def end_restore(copy: DeletedObject) -> None:
    """The object is complete. Its copy is emptied; what the console holds of a flow belongs to the new one, with the same commit."""
    with transaction.atomic():
        if _claimed(copy).update(state=CopyState.RESTORED, content="") and copy.kind == "flows":
            launch_forms.move_to_flow(copy.workspace, copy.object_id, copy.restored_id)


def give_back(copy: DeletedObject, problem: Exception) -> None:
    """The restore failed: it may be tried again, with the object that was created, if it is still there."""
    values: dict[str, object] = {"state": CopyState.UNCLEAR if isinstance(problem, Unknown) else CopyState.DELETED}
    if isinstance(problem, NotFound):
        values["restored_id"] = ""
    _claimed(copy).update(**values, restored_by=None, restored_at=None)


def settle(key: str, outcome: str, restored_id: str) -> None:
    """What was found out about the deletion or the restore of a copy's object: `done`, `not_done`; else it stays unclear.

    A restore that turns out to have created the object (`restored_id`) continues with it.
    """
    rows = DeletedObject.objects.filter(pk=key)
    if outcome == "done":
        rows.filter(state=CopyState.DELETING).update(state=CopyState.DELETED)
        found = {"restored_id": restored_id} if restored_id else {}
        rows.filter(state=CopyState.UNCLEAR).update(state=CopyState.DELETED, **found)
    elif outcome == "not_done":
        rows.filter(state=CopyState.DELETING).delete()
        rows.filter(state=CopyState.UNCLEAR).update(state=CopyState.DELETED)


def purge() -> None:
    """Remove expired copies; a restore that was interrupted may be tried again."""
    now = clock.now()
    DeletedObject.objects.filter(expires_at__lt=now).delete()
    DeletedObject.objects.filter(state=CopyState.RESTORING, restored_at__lt=now - CUT_OFF).update(
        state=CopyState.UNCLEAR, restored_by=None, restored_at=None
    )


def _claimed(copy: DeletedObject) -> QuerySet[DeletedObject]:
    # By the time of the claim: a restore that outlived its time does not end the next one.
    return DeletedObject.objects.filter(pk=copy.pk, state=CopyState.RESTORING, restored_at=copy.restored_at)
