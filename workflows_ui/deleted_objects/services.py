"""Copies of deleted objects: stored before the engine is asked to delete, restored once, removed when they expire."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet

from workflows_ui.core import clock, database
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects.models import RESTORABLE, CopyState, DeletedObject
from workflows_ui.engine import EngineError, NotFound, Unknown
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
    data: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def kept(session: EngineSession, kind: str, object_id: str, read: Callable[[], Content]) -> Iterator[None]:
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
        if not isinstance(problem, Unknown | NotFound):
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
    """Claim a copy for its only restore. Return whether this was possible."""
    now = clock.now()
    claimable = DeletedObject.objects.filter(
        pk=copy.pk, state__in=RESTORABLE, expires_at__gt=now, moves=F("workspace__moves")
    )
    return bool(claimable.update(state=CopyState.RESTORING, restored_by=user_id, restored_at=now))


def end_restore(copy: DeletedObject, restored_id: str) -> None:
    """The object exists again under this id. Its copy is emptied."""
    _claimed(copy).update(state=CopyState.RESTORED, restored_id=restored_id, content="")


def give_back(copy: DeletedObject, *, unclear: bool) -> None:
    """The restore failed: it may be tried again. `unclear` if something may have been created."""
    _claimed(copy).update(state=CopyState.UNCLEAR if unclear else CopyState.DELETED, restored_by=None, restored_at=None)


def purge() -> None:
    """Remove expired copies; a restore that was interrupted may be tried again."""
    now = clock.now()
    DeletedObject.objects.filter(expires_at__lt=now).delete()
    DeletedObject.objects.filter(state=CopyState.RESTORING, restored_at__lt=now - CUT_OFF).update(
        state=CopyState.UNCLEAR, restored_by=None, restored_at=None
    )


def _claimed(copy: DeletedObject) -> QuerySet[DeletedObject]:
    return DeletedObject.objects.filter(pk=copy.pk, state=CopyState.RESTORING)
