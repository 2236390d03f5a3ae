"""The looks of workers for writes without a proof, and what follows once one turns out to be done."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import structlog
from django.conf import settings
from django.db import transaction

from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.lease import backoff, not_paused
from workflows_ui.core.readers import as_text, mapping_of
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.clients import NoCredential
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects import services as deleted_objects
from workflows_ui.engine import EngineError, writes
from workflows_ui.engine.errors import Write
from workflows_ui.engine.writes import Outcome, Seen
from workflows_ui.flow_editing import services as flow_edits
from workflows_ui.jobs.services import turns as job_turns
from workflows_ui.members.services import access
from workflows_ui.members.services.access import NoAccess
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.run_index.services import objects
from workflows_ui.unclear_writes import services
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState

log = structlog.get_logger(__name__)

_CLOSED = (NoAccess, NoCredential, CannotOpen)


def look(pk: str) -> None:
    """Look once whether a write was done, and end it if that is known. A write that was done is followed up as its action declares."""
    with database.turn():
        now = clock.now()
        rows = UnclearWrite.objects.filter(not_paused(now), state=WriteState.CHECKING)
        row = UnclearWrite.lease.claim(rows, pk, services.LEASE, now, ("workspace", "user", "event"))
        if row is None:
            return
        try:
            session = _session(row)
            content = json.loads(row.open("content"))
            content.pop(services.VALUES, None)
            pending = Write(**content)
        except _CLOSED as problem:
            log.info("write.not_looked_for", write=row.pk, error=type(problem).__name__)
            session = None
    seen: Seen | None = None
    began = now
    if session is not None:
        try:
            seen = writes.see(session.workflows, pending)
        except EngineError as problem:
            log.info("write.not_readable", write=row.pk, error=type(problem).__name__)
    state, answer = _outcome(row, seen, began), seen.answer if seen else None
    follow_up = None
    if state == WriteState.DONE and session is not None and (action := _action(row)) is not None:
        if action.follow_up_calls is not None:
            with _ended_all_the_same(row):
                action.follow_up_calls(session, row, answer)
        if action.follow_up is not None:
            follow_up = partial(action.follow_up, session, row, answer)
    with database.turn():
        if state is None:
            _look_again(row, began)
        else:
            _end(row, state, answer, follow_up)


def _session(row: UnclearWrite) -> EngineSession:
    """The person's present session at the engine. Raises NoAccess, NoCredential, CannotOpen."""
    if row.moves != row.workspace.moves:
        raise NoAccess(row.workspace.slug)
    return engine_session.open_session(access.access_for(row.user, row.workspace.slug))


def _outcome(row: UnclearWrite, seen: Seen | None, began: datetime) -> WriteState | None:
    """The outcome of the write by what a look found; None if there will be another look."""
    end_of_search = row.asked_at + settings.LAUNCH_SEARCH
    if seen is not None and seen.outcome is Outcome.DONE:
        return WriteState.DONE
    if began >= end_of_search and seen is not None:
        return WriteState.NOT_DONE if seen.outcome is Outcome.NOT_DONE else WriteState.UNCLEAR
    return WriteState.UNCLEAR if began >= end_of_search + services.UNREADABLE_FOR else None


def _look_again(row: UnclearWrite, began: datetime) -> None:
    """Set the time of the next look. The last one is at the end of the search time."""
    end_of_search = row.asked_at + settings.LAUNCH_SEARCH
    next_look = clock.now() + backoff(services.PAUSE, row.tries + 1, services.LONGEST_PAUSE)
    if began < end_of_search:
        next_look = min(next_look, end_of_search)
    UnclearWrite.lease.release(row, tries=row.tries + 1, not_before=next_look, enqueued_at=None)


def _end(row: UnclearWrite, state: WriteState, answer: object, follow_up: Callable[[], None] | None) -> None:
    """Store the outcome, with a row in the audit log, and settle what waits for it; nothing if it was stored meanwhile."""
    found = mapping_of(answer)
    found_id = row.found_id or as_text(found.get("id"))
    with transaction.atomic():
        open_rows = UnclearWrite.objects.filter(pk=row.pk, state=WriteState.CHECKING)
        content = services.content_without_write(row) if state == WriteState.NOT_DONE else ""
        values = {"state": state, "ended_at": clock.now(), "content": content, "found_id": found_id[:120]}
        if not open_rows.update(**values, **UnclearWrite.lease.released_values):
            return
        for name, value in values.items():
            setattr(row, name, value)
        if row.event is not None:
            created = (row.resource, found_id) if found_id and not row.object_id else None
            audit_log.end(row.event, "partly" if row.is_incomplete else str(state), belongs_to=created, looked=True)
        if row.edit_id:
            flow_edits.settle(row.edit_id, str(state), found)
        if row.copy_id:
            deleted_objects.settle(row.copy_id, str(state), found_id)
        job_turns.settle_checked(row)
        objects.note_change(row.workspace_id, row.resource)
        if follow_up is not None:
            with _ended_all_the_same(row), transaction.atomic():
                follow_up()


def _action(row: UnclearWrite) -> Action | None:
    """The action that made the write."""
    actions = RESOURCES[row.resource].actions if row.resource in RESOURCES else ()
    return next((item for item in actions if item.name == row.action), None)


@contextmanager
def _ended_all_the_same(row: UnclearWrite) -> Iterator[None]:
    """Log an error of what follows a write."""
    try:
        yield
    except database.AWAY:
        # The outcome cannot be stored either: the next worker looks again at the end of the lease.
        raise
    except Exception:
        # Otherwise each look would fail in the same way, and the outcome, which is known, would never be stored.
        log.exception("write.not_followed_up", write=row.pk)
