"""The work of jobs: turns, and bulk actions. The matching objects are collected, then the action is applied to one after the other.

Every call that changes something names its objects. Each object is marked before the call about it (jobs/services/turns.py); an object
is only sent again if it certainly was not acted on, or if its action has a procedure (actions.Procedure), which looks at it first.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from threading import BoundedSemaphore
from typing import Any

import structlog
from django import forms
from django.conf import settings
from django.utils import timezone, translation

from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import database
from workflows_ui.engine import EngineError, Refused, Unavailable, Unknown
from workflows_ui.jobs import page as job_page
from workflows_ui.jobs.models import ItemState, Job, JobItem, JobKind, JobState
from workflows_ui.jobs.services import jobs, turns as job_turns
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.lists.declaration import Row
from workflows_ui.resource_admin import action_forms, action_log, capabilities as missing_capabilities
from workflows_ui.resource_admin.jobs import exporting
from workflows_ui.resource_admin.jobs.collecting import Work, begin, collect
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.run_index.services import objects
from workflows_ui.unclear_writes import services as unclear_writes

log = structlog.get_logger(__name__)

#: Objects per call, if the engine takes many.
TOGETHER = 100
#: Attempts to read one object while the engine does not answer properly.
READS = 3
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
        if job.kind == JobKind.EXPORT:
            exporting.write(job, resources)
            return False
        return _bulk_action(job, resources)
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
    except database.AWAY:
        # The next worker takes the job up at the end of the lease.
        raise
    except Exception as problem:
        # Otherwise the job would be taken up at the end of each lease, break again, and never end.
        log.exception("job.broken", job=job.pk)
        with database.turn():
            job_turns.end(job, Reason.BROKEN, type(problem).__name__)
    return False


def _bulk_action(job: Job, resources: Mapping[str, Resource]) -> bool:
    with database.turn():
        work = begin(job, resources)
    more = collect(work) if job.state == JobState.COLLECTING else _do(work)
    with database.turn():
        job_turns.release(job)
    return more


def _do(work: Work) -> bool:
    while not work.over:
        with database.turn():
            job_turns.check(work.job, work.action.role)
            items = job_turns.take(work.job, 1 if work.apart else TOGETHER)
        if not items:
            _finish(work)
            return False
        work.called = False
        try:
            if work.procedure:
                _follow_procedure(work, items[0])
            elif work.apart:
                _apply_to_one(work, items[0])
            else:
                _apply_to_many(work, items)
        except (*job_turns.OF_A_JOB, job_turns.Lost, job_turns.EndsEarly, *database.AWAY):
            raise
        except Exception as problem:
            # One object that cannot be handled must not keep the others from being done, nor its outcome from being recorded.
            log.exception("job.broken", job=work.job.pk, objects=[item.object_id for item in items])
            _handle_unexpected(work, items, problem)
    return True


def _handle_unexpected(work: Work, items: Sequence[JobItem], problem: Exception) -> None:
    """Handle an error of the console's own: the objects in hand failed, or are unclear if they may have been acted on. Raises EndsEarly
    after several in a row.
    """
    with database.turn():
        items = list(job_turns.in_hand(items))
        if len(items) > 1 and not work.called:
            # One of them fails all: one by one, they show which.
            work.apart = True
            return job_turns.put_back(items)
    unclear = work.called or any(item.progress for item in items)
    state, outcome = (ItemState.UNCLEAR, "unclear") if unclear else (ItemState.FAILED, "")
    _settle(work, items, state, Reason.BROKEN, type(problem).__name__, outcome=outcome)
    _end_if_in_a_row(work, Reason.BROKEN, type(problem).__name__)
    return None


def _finish(work: Work) -> None:
    """End the job. Raises EngineError if the last part of a procedure has to be tried again."""
    reason = ""
    if work.procedure:
        with database.turn():
            succeeded = not work.job.items.exclude(state=ItemState.DONE).exists()
        reason = work.procedure.finish(work.session, dict(work.data), jobs.requester(work.job), succeeded)
    with database.turn():
        job_turns.end(work.job, reason, early=False)


def _follow_procedure(work: Work, item: JobItem) -> None:
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


def _apply_to_one(work: Work, item: JobItem) -> None:
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
        work.called = True
        answer = work.action.run(work.session, item.object_id, dict(work.data))
    except forms.ValidationError as problem:
        _settle(work, [item], ItemState.FAILED, Reason.INVALID, "; ".join(problem.messages), outcome="refused")
    except EngineError as problem:
        _handle_error(work, [item], problem, wrote=True)
    else:
        result_id = work.bulk.result(answer) if work.bulk.result is not None else ""
        _settle(work, [item], ItemState.DONE, outcome="done", result_id=result_id, **changes)
    return None


def _reason_to_skip(work: Work, row: Row) -> str:
    """Why nothing is done to an object in its state; "" if it is to be done."""
    reason = work.bulk.why_skipped(row, work.data)
    return reason or ("" if work.action.visible(row) else Reason.NOT_OFFERED)


def _apply_to_many(work: Work, items: Sequence[JobItem]) -> None:
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
        work.called = True
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
    work: Work, items: Sequence[JobItem], problem: EngineError, *, wrote: bool, outcome: bool = False
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


def _end_if_repeated(work: Work, problem: EngineError, reason: Reason) -> None:
    """Raise EndsEarly if one object after the other ended like this, and the error may concern all."""
    if job_turns.repeated_reason(problem) is reason:
        _end_if_in_a_row(work, reason, job_turns.technical(problem))


def _end_if_in_a_row(work: Work, reason: Reason, technical: str) -> None:
    with database.turn():
        enough = job_turns.in_a_row(work.job, reason)
    if enough:
        raise job_turns.EndsEarly(reason, technical)


def _check_later(work: Work, items: Sequence[JobItem], problem: Unknown) -> None:
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
    work: Work,
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
