"""The work of jobs. A bulk action: the matching objects are collected, then the action is applied to one after the other. An export:
the list is walked page by page into a file.

Every call that changes something names its objects. Each object is marked before the call about it (jobs/services/turns.py); an object
is only sent again if it certainly was not acted on, or if its action has a procedure (actions.Procedure), which looks at it first.
"""

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import BoundedSemaphore
from typing import Any

import structlog
from django import forms
from django.conf import settings
from django.utils import timezone, translation

from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import database
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, NotFound, Refused, Unavailable, Unknown
from workflows_ui.jobs import page as job_page
from workflows_ui.jobs.models import ItemState, Job, JobItem, JobKind, JobState
from workflows_ui.jobs.services import jobs, turns as job_turns
from workflows_ui.jobs.services.jobs import Found, Reason
from workflows_ui.lists import export
from workflows_ui.lists.declaration import Row
from workflows_ui.resource_admin import action_forms, action_log, capabilities as missing_capabilities, pagination
from workflows_ui.resource_admin.actions import Action, Affected, Bulk, Procedure
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.run_index.services import objects
from workflows_ui.unclear_writes import services as unclear_writes

log = structlog.get_logger(__name__)

#: Seconds after which a turn ends, so that other jobs get theirs.
TURN = 20.0
#: Objects whose impact is read before the question.
LOOKED = 20
#: Objects per call, if the engine takes many.
TOGETHER = 100
#: Attempts to read one object while the engine does not answer properly.
READS = 3
_LONGEST_ID = 300
#: Maximum rows and bytes of an exported file; the page says so if the file ends there.
ROWS, BYTES = 100_000, 200_000_000
#: Concurrent jobs per process; the rest of a worker's threads is left to launches.
_slots = {JobKind.BULK: BoundedSemaphore(4), JobKind.EXPORT: BoundedSemaphore(2)}


def turn(job_id: str, resources: Mapping[str, Resource]) -> bool:
    """Work on the job for a while, if it waits for a worker; return whether there is more to do at once.

    If as many jobs of its kind are worked on in this process as may be, it is enqueued again later.
    """
    with database.turn():
        kind = Job.objects.filter(pk=job_id).values_list("kind", flat=True).first() or JobKind.BULK
    slots = _slots[JobKind(kind)]
    if not slots.acquire(blocking=False):
        return False
    try:
        with database.turn():
            job = job_turns.claim(job_id, JobKind(kind))
        if job is None:
            return False
        # Days in filters are the person's.
        language = job.language if job.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language), timezone.override(job.user.zone):
            return _run(job, resources)
    finally:
        slots.release()


def _run(job: Job, resources: Mapping[str, Resource]) -> bool:
    try:
        return _export(job, resources) if job.kind == JobKind.EXPORT else _bulk_action(job, resources)
    except job_turns.Lost:
        log.info("job.lost", job=job.pk)
        with database.turn():
            job_turns.release(job)
    except job_turns.EndsEarly as problem:
        with database.turn():
            job_turns.end(job, problem.reason, problem.technical)
    except job_turns.OF_A_JOB as problem:
        with database.turn():
            job_turns.fail(job, problem)
    return False


def _bulk_action(job: Job, resources: Mapping[str, Resource]) -> bool:
    with database.turn():
        work = _begin(job, resources)
    more = _collect(work) if job.state == JobState.COLLECTING else _do(work)
    with database.turn():
        job_turns.release(job)
    return more


@dataclass
class _Work:
    """The state of a turn. `apart`: one call per object; `data`: the form's values."""

    job: Job
    resource: Resource
    action: Action
    session: EngineSession
    ends: float
    apart: bool
    data: dict[str, Any]

    @property
    def procedure(self) -> Procedure | None:
        return self.action.bulk.procedure if self.action.bulk else None

    @property
    def bulk(self) -> Bulk:
        """The settings of the action. Only actions with them are worked on (_begin)."""
        assert self.action.bulk is not None  # noqa: S101  (for the type checker)
        return self.action.bulk

    @property
    def over(self) -> bool:
        """Whether the turn's time is up."""
        return time.monotonic() >= self.ends

    @cached_property
    def form(self) -> forms.Form:
        """The action's form, for the labels of its choices. Raises EngineError if it calls the engine."""
        return action_forms.unbound(self.action, self.session, {})

    def read(self, row: Row) -> Row:
        """A row with secrets masked, as pages show it."""
        return self.resource.masked(self.session, [row])[0]


def _begin(job: Job, resources: Mapping[str, Resource]) -> _Work:
    """Prepare a turn. Raises EndsEarly if the action is no longer declared; NoAccess, NotAllowed, NoCredential,
    CannotOpen, AddressRefused.
    """
    resource = resources.get(job.resource)
    action = resource.job_action(job.action) if resource else None
    if resource is None or action is None or action.bulk is None:
        raise job_turns.EndsEarly(Reason.NOT_DECLARED)
    needed = max(action.role, resource.role, key=lambda role: role.rank)
    session = job_turns.caller_of(job, needed)
    data = json.loads(job.open("data") or "{}")
    return _Work(job, resource, action, session, time.monotonic() + TURN, apart=action.bulk.together is None, data=data)


def _collect(work: _Work) -> bool:
    """Freeze the matching objects, then ask for confirmation. Return whether another turn is needed. Raises
    EngineError, Lost, EndsEarly.
    """
    job = work.job
    if job.everything and job.position != job_turns.WALKED:
        filters = pagination.query_of(work.resource, job.filters).filters
        with database.turn():
            known = set(job.items.values_list("object_id", flat=True))
        quick = replace(work.session, quick=True)
        for batch in pagination.walk(work.resource, quick, filters, position=job.position, known=known):
            rows = [(key, work.read(row)) for row in batch.rows if len(key := work.resource.key(row)) <= _LONGEST_ID]
            usable = [
                Found(
                    key,
                    action_log.name_among(work.resource, row),
                    work.action.visible(row),
                    work.bulk.why_skipped(row, {}),
                )
                for key, row in rows
            ]
            with database.turn():
                job_turns.add(job, usable, batch.position or job_turns.WALKED, cut=batch.cut)
            if work.over:
                return True
        _count(work, filters)
    elif work.procedure and job.position != job_turns.WALKED:
        _collect_by_procedure(work, work.procedure)
    lines, looked = _read_impact(work)
    with database.turn():
        job_turns.ask_now(job, lines, looked)
    return False


def _collect_by_procedure(work: _Work, procedure: Procedure) -> None:
    """Freeze the objects that the action finds; those of a retry are known. Raises EngineError, Lost, EndsEarly."""
    found: list[Found] = []
    try:
        if not work.job.total:
            listed, complete = procedure.collect(work.session, dict(work.data), lambda: _hold(work))
            found = [Found(key, database.storable(name)) for key, name in listed]
            work.job.cut = not complete
    except NotFound as problem:
        raise job_turns.EndsEarly(Reason.GONE, job_turns.technical(problem)) from problem
    with database.turn():
        job_turns.add(work.job, found, job_turns.WALKED)


def _hold(work: _Work) -> None:
    with database.turn():
        job_turns.hold(work.job)


def _count(work: _Work, filters: Mapping[str, Any]) -> None:
    """Store the engine's own count. If the engine does not answer, the list is trusted."""
    try:
        counted = work.resource.count(work.session, filters)
    except EngineError as problem:
        log.warning("job.not_counted", job=work.job.pk, problem=type(problem).__name__)
        return
    with database.turn():
        job_turns.count(work.job, counted)


def _read_impact(work: _Work) -> tuple[list[Any], int]:
    """The impact on the first objects, as [name, sentence, [name, ...], choice], and how many objects were read for it."""
    lines: list[Any] = []
    looked = 0
    procedure = work.procedure
    if not procedure and work.action.impact is None:
        return lines, looked
    with database.turn():
        waiting = work.job.items.filter(state=ItemState.WAITING).order_by("position")
        items = list(waiting if work.procedure else waiting[:LOOKED])
    for item in items:
        _hold(work)
        try:
            row = work.read(work.resource.get(work.session, item.object_id))
            if not work.action.visible(row):
                _leave_out(item, Reason.NOT_OFFERED)
                continue
            if procedure:
                impact: Affected | None = procedure.impact(work.session, row, work.data)
            else:
                impact = work.action.impact(work.session, row) if work.action.impact else None
        except NotFound:
            _leave_out(item, Reason.GONE)
            continue
        except EngineError as problem:
            if job_turns.ending(problem) is not None:
                raise
            log.warning("job.not_looked_at", job=work.job.pk, problem=type(problem).__name__)
            break
        looked += 1
        if impact is not None:
            names = [database.storable(str(name))[:200] for name, _url in impact.lines[:LOOKED]]
            name = action_log.name_among(work.resource, row) or item.object_id
            lines.append([name[:200], database.storable(str(impact.summary))[:1000], names, impact.choice])
    return lines, looked


def _leave_out(item: JobItem, reason: Reason) -> None:
    with database.turn():
        job_turns.skip(item, reason)


def _do(work: _Work) -> bool:
    while not work.over:
        with database.turn():
            job_turns.check(work.job, work.action.role)
            items = job_turns.take(work.job, 1 if work.apart else TOGETHER)
        if not items:
            _finish(work)
            return False
        if work.procedure:
            _follow_procedure(work, items[0])
        elif work.apart:
            _apply_to_one(work, items[0])
        else:
            _apply_to_many(work, items)
    return True


def _finish(work: _Work) -> None:
    """End the job. Raises EngineError if the last part of a procedure has to be tried again."""
    reason = ""
    if work.procedure:
        with database.turn():
            succeeded = not work.job.items.exclude(state=ItemState.DONE).exists()
        reason = work.procedure.finish(work.session, dict(work.data), jobs.requester(work.job), succeeded)
    with database.turn():
        job_turns.end(work.job, reason, early=False)


def _follow_procedure(work: _Work, item: JobItem) -> None:
    """Apply the action to an object from where it stands. An object that could not be finished now is taken up again later."""
    progress = job_turns.Progress(work.job, item)
    try:
        work.action.run(work.session, item.object_id, {**work.data, "progress": progress})
    except forms.ValidationError as problem:
        _settle(work, [item], ItemState.FAILED, Reason.INVALID, "; ".join(problem.messages), outcome="refused")
    except Unknown as problem:
        detail = action_log.outcome_of(problem)[1]
        _settle(
            work, [item], ItemState.UNCLEAR, Reason.HALFWAY, job_turns.technical(problem), outcome="unclear", **detail
        )
    except EngineError as problem:
        _handle_error(work, [item], problem, wrote=False, outcome=bool(progress.values))
    else:
        _settle(work, [item], ItemState.DONE, outcome="done")


def _apply_to_one(work: _Work, item: JobItem) -> None:
    try:
        row = work.read(work.resource.get(work.session, item.object_id))
        changes = action_forms.named_changes(work.action, work.form, row, work.data)
    except EngineError as problem:
        return _handle_error(work, [item], problem, wrote=False)
    item.name = action_log.name_among(work.resource, row) or item.name
    if reason := _reason_to_skip(work, row):
        _settle(work, [item], ItemState.SKIPPED, reason)
        return None
    try:
        answer = work.action.run(work.session, item.object_id, dict(work.data))
    except forms.ValidationError as problem:
        _settle(work, [item], ItemState.FAILED, Reason.INVALID, "; ".join(problem.messages), outcome="refused")
    except EngineError as problem:
        _handle_error(work, [item], problem, wrote=True)
    else:
        result_id = work.bulk.result(answer) if work.bulk.result is not None else ""
        _settle(work, [item], ItemState.DONE, outcome="done", result_id=result_id, **changes)
    return None


def _reason_to_skip(work: _Work, row: Row) -> str:
    """Why nothing is done to an object in its state; "" if it is to be done."""
    reason = work.bulk.why_skipped(row, work.data)
    return reason or ("" if work.action.visible(row) else Reason.NOT_OFFERED)


def _apply_to_many(work: _Work, items: Sequence[JobItem]) -> None:
    bulk = work.bulk
    assert bulk.together is not None  # noqa: S101
    assert bulk.rows is not None  # noqa: S101  (checks.E020)
    try:
        rows = bulk.rows(work.session, [item.object_id for item in items])
    except EngineError as problem:
        return _handle_error(work, items, problem, wrote=False)
    shown = {key: work.read(row) for key, row in rows.items()}
    gone = [item for item in items if item.object_id not in shown]
    _settle(work, gone, ItemState.SKIPPED, Reason.GONE)
    by_reason: dict[str, list[JobItem]] = defaultdict(list)
    for item in items:
        if item.object_id in shown:
            row = shown[item.object_id]
            item.name = action_log.name_among(work.resource, row) or item.name
            by_reason[_reason_to_skip(work, row)].append(item)
    ready = by_reason.pop("", [])
    for reason, skipped in by_reason.items():
        _settle(work, skipped, ItemState.SKIPPED, reason)
    if not ready:
        return None
    try:
        answer = bulk.together(work.session, [item.object_id for item in ready], dict(work.data))
    except Refused as problem:
        if len(ready) == 1:
            return _handle_error(work, ready, problem, wrote=True)
        # One of them fails the whole call: sent one by one, it shows which.
        work.apart = True
        with database.turn():
            job_turns.put_back(ready)
        return None
    except EngineError as problem:
        return _handle_error(work, ready, problem, wrote=True)
    taken = {item.object_id for item in ready} if answer is None else set(answer)
    _settle(work, [item for item in ready if item.object_id in taken], ItemState.DONE, outcome="done")
    left = [item for item in ready if item.object_id not in taken]
    _settle(work, left, ItemState.FAILED, Reason.NOT_TAKEN, outcome="refused")
    return None


def _handle_error(
    work: _Work, items: Sequence[JobItem], problem: EngineError, *, wrote: bool, outcome: bool = False
) -> None:
    """Handle an error about these objects: settle them, or put them back if nothing was acted on. Raises errors that
    concern the whole job. `outcome`: audited although this call changed nothing.
    """
    if isinstance(problem, Unknown):
        return _check_later(work, items, problem)
    again = isinstance(problem, job_turns.PASSING) or (
        not wrote and isinstance(problem, Unavailable) and work.job.tries < READS
    )
    if again or job_turns.ending(problem) is not None:
        with database.turn():
            job_turns.put_back(items)
        raise problem
    state, reason = job_turns.outcome(problem)
    audited, detail = action_log.outcome_of(problem)
    technical = job_turns.technical(problem)
    if wrote:
        with database.turn():
            missing_capabilities.learn(work.session, work.action, problem)
    _settle(work, items, state, reason, technical, outcome=audited if wrote or outcome else "", **detail)
    _end_if_repeated(work, problem, reason)
    return None


def _end_if_repeated(work: _Work, problem: EngineError, reason: Reason) -> None:
    """Raise EndsEarly if one object after the other ended like this."""
    if job_turns.repeated_reason(problem) is reason:
        with database.turn():
            enough = job_turns.in_a_row(work.job, reason)
        if enough:
            raise job_turns.EndsEarly(reason, job_turns.technical(problem))


def _check_later(work: _Work, items: Sequence[JobItem], problem: Unknown) -> None:
    """Leave objects unclear after an answer to a write that proves nothing, even to the client's first look. Each is looked for until the
    end of the search time, whose outcome settles it (unclear_writes). Raises EndsEarly after several in a row.
    """
    with database.turn():
        missing_capabilities.learn(work.session, work.action, problem)
    reason, technical = job_turns.outcome(problem)[1], job_turns.technical(problem)
    detail = action_log.outcome_of(problem)[1]
    events = _settle(work, items, ItemState.UNCLEAR, reason, technical, outcome="unclear", **detail)
    ids = [item.object_id for item in items]
    for item, event in zip(items, events, strict=True):
        unclear_writes.begin(
            work.session,
            problem,
            pending=problem.write and problem.write.of_one(item.object_id, ids),
            event=event,
            resource=work.resource.name,
            action=work.action.name,
            object_id=item.object_id,
            name=item.name,
            path=job_page.job_url(work.job.workspace.slug, work.job),
        )
    _end_if_repeated(work, problem, reason)


def _settle(
    work: _Work,
    items: Sequence[JobItem],
    state: ItemState,
    reason: str = "",
    technical: str = "",
    *,
    outcome: str = "",
    result_id: str = "",
    **detail: Any,
) -> list[AuditEvent]:
    """Store the outcome of objects; with an `outcome` also in the audit log, whose rows are returned. Each item's SENDING state already
    records its beginning; only one that is unclear has a row for it, to which the outcome is added later.
    """
    if not items:
        return []
    unclear = outcome == "unclear"
    job = work.job
    with database.turn():
        job_turns.settle(items, state, reason, technical, result_id=result_id)
        if reason != Reason.UNAVAILABLE:
            job_turns.reset_tries(job)
        if not outcome:
            return []
        objects.note_change(job.workspace_id, work.resource.name)
        events = [
            action_log.record(
                jobs.requester(job),
                job.workspace,
                work.resource,
                work.action,
                BEGUN if unclear else outcome,
                id=item.object_id,
                name=item.name,
                job=job.pk,
                credential=work.session.credential_id,
                **({} if unclear else detail),
            )
            for item in items
        ]
        for event in events if unclear else ():
            audit_log.end(event, outcome, **detail)
    return events


def _export(job: Job, resources: Mapping[str, Resource]) -> bool:
    """Write the file: walk the list as its person, page by page, and store each page as a part of the file."""
    try:
        _write(job, resources)
    except job_turns.Lost:
        with database.turn():
            # If the job still belongs to this worker, the engine was slower than the lease: count it as a try, or the job would never end.
            job_turns.pause(job, "")
        raise
    return False


def _write(job: Job, resources: Mapping[str, Resource]) -> None:
    resource = resources.get(job.resource)
    if resource is None or job.format not in export.TYPES:
        raise job_turns.EndsEarly(Reason.NOT_DECLARED)
    with database.turn():
        session = job_turns.caller_of(job, resource.role)
    query = pagination.query_of(resource, job.filters)
    total = _total(resource, session, query.filters)
    with database.turn():
        job_turns.begin_file(job, total)
    data, number, cut = export.head(job.format, resource), 0, False
    for batch in pagination.walk(resource, session, query.filters, limit=ROWS, nameless=True, order=query.order):
        data += export.body(job.format, resource, session, batch.rows, before=job.rows)
        full = bool(batch.position) and job.bytes + len(data) > BYTES
        cut = batch.cut or full
        last = full or not batch.position
        with database.turn():
            job_turns.check(job, resource.role)
            job_turns.add_part(job, number, data + (export.tail(job.format) if last else b""), len(batch.rows))
        data, number = b"", number + 1
        if last:
            break
    with database.turn():
        job_turns.finish_file(job, cut=cut)


def _total(resource: Resource, session: EngineSession, filters: Mapping[str, Any]) -> int | None:
    """The number of rows, only for the progress bar: a refusal to count does no harm."""
    try:
        return resource.count(session, filters)
    except EngineError as problem:
        log.info("export.uncounted", resource=resource.name, error=type(problem).__name__)
        return None
