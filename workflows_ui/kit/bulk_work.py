"""One turn of a bulk action: what its question needs (bulk_question.py), or the action itself to the next objects.

Every call that changes something names its objects. Each object is marked before the call about it (services/job_turns.py); only
what certainly was not acted on is ever sent again.
"""

from collections.abc import Mapping, Sequence
from threading import BoundedSemaphore
from typing import Any

import structlog
from django import forms

from workflows_ui.engine import EngineError, Refused, Unavailable
from workflows_ui.kit import ability, action_log, bulk_hands, bulk_question, job_person, job_troubles, walking
from workflows_ui.kit.bulk_hands import Enough, Work
from workflows_ui.kit.resource import Resource
from workflows_ui.models import ItemState, Job, JobItem, JobKind, JobState
from workflows_ui.services import database, job_turns
from workflows_ui.services.audit import Actor
from workflows_ui.services.jobs import Reason

log = structlog.get_logger(__name__)

#: Objects of one call, where the engine takes many.
TOGETHER = 100
#: Tries to read one object from an engine that does not answer properly.
READS = 3
#: Jobs that one process does at once; the rest of a worker's threads is left to launches.
_slots = BoundedSemaphore(4)


def turn(job_id: str, resources: Mapping[str, Resource]) -> bool:
    """Works on the job for a while, if it is a bulk action that waits for a worker. Whether there is more to do at once."""
    if not _slots.acquire(blocking=False):
        return False  # full: the sweeper rings for it again
    try:
        with database.turn():
            job = job_turns.claim(job_id, JobKind.BULK)
        if job is None:
            return False
        with job_person.preferences(job):
            return _carry(job, resources)
    finally:
        _slots.release()


def _carry(job: Job, resources: Mapping[str, Resource]) -> bool:
    try:
        with database.turn():
            work = bulk_hands.begin(job, resources)
        more = bulk_question.collect(work) if job.state == JobState.COLLECTING else _do(work)
        with database.turn():
            job_turns.release(job)
    except job_turns.Lost:
        log.info("job.lost", job=job.pk)
        with database.turn():
            job_turns.release(job)
        return False
    except Enough as problem:
        job_troubles.end(job, problem.reason, problem.technical)
        return False
    except walking.BadFilters:
        job_troubles.end(job, Reason.BAD_FILTERS)
        return False
    except job_troubles.OF_A_JOB as problem:
        job_troubles.met(job, problem)
        return False
    return more


def _do(work: Work) -> bool:
    while not work.over:
        with database.turn():
            job_person.check(work.job, work.action.role)
            items = job_turns.take(work.job, 1 if work.apart else TOGETHER)
            if not items:
                job_turns.end(work.job)
                return False
        if work.apart:
            _one(work, items[0])
        else:
            _many(work, items)
    return True


def _one(work: Work, item: JobItem) -> None:
    try:
        row = work.read(work.resource.get(work.asking, item.object_id))
    except EngineError as problem:
        return _met(work, [item], problem, wrote=False)
    item.name = action_log.name_among(work.resource, row) or item.name
    if not work.action.offered(row):
        return _settle(work, [item], ItemState.SKIPPED, Reason.NOT_OFFERED)
    try:
        work.action.run(work.asking, item.object_id, dict(work.data))
    except forms.ValidationError as problem:
        _settle(work, [item], ItemState.FAILED, Reason.INVALID, "; ".join(problem.messages), outcome="refused")
    except EngineError as problem:
        _met(work, [item], problem, wrote=True)
    else:
        _settle(work, [item], ItemState.DONE, outcome="done")
    return None


def _many(work: Work, items: Sequence[JobItem]) -> None:
    bulk = work.action.bulk
    assert bulk is not None  # noqa: S101  (tells the type checker what begin made sure of)
    assert bulk.together is not None  # noqa: S101
    assert bulk.rows is not None  # noqa: S101  (checks.E020)
    try:
        rows = bulk.rows(work.asking, [item.object_id for item in items])
    except EngineError as problem:
        return _met(work, items, problem, wrote=False)
    shown = {key: work.read(row) for key, row in rows.items()}
    gone = [item for item in items if item.object_id not in shown]
    _settle(work, gone, ItemState.SKIPPED, Reason.GONE)
    ready: list[JobItem] = []
    rest: list[JobItem] = []
    for item in items:
        if item.object_id in shown:
            row = shown[item.object_id]
            item.name = action_log.name_among(work.resource, row) or item.name
            (ready if work.action.offered(row) else rest).append(item)
    _settle(work, rest, ItemState.SKIPPED, Reason.NOT_OFFERED)
    if not ready:
        return None
    try:
        told = bulk.together(work.asking, [item.object_id for item in ready], dict(work.data))
    except Refused as problem:
        if len(ready) == 1:
            return _met(work, ready, problem, wrote=True)
        # One of them spoils it for all: whichever it is shows when each is asked for alone.
        work.apart = True
        with database.turn():
            job_turns.put_back(ready)
        return None
    except EngineError as problem:
        return _met(work, ready, problem, wrote=True)
    taken = {item.object_id for item in ready} if told is None else set(told)
    _settle(work, [item for item in ready if item.object_id in taken], ItemState.DONE, outcome="done")
    left = [item for item in ready if item.object_id not in taken]
    _settle(work, left, ItemState.FAILED, Reason.NOT_TAKEN, outcome="refused")
    return None


def _met(work: Work, items: Sequence[JobItem], problem: EngineError, *, wrote: bool) -> None:
    """An error about these objects: they are done for, or put back because nothing was acted on. Raises what the job must hear of."""
    again = isinstance(problem, job_troubles.PASSING) or (
        not wrote and isinstance(problem, Unavailable) and work.job.tries < READS
    )
    if again or job_troubles.ending(problem) is not None:
        with database.turn():
            job_turns.put_back(items)
        raise problem
    state, reason = job_troubles.outcome(problem)
    outcome, detail = action_log.outcome_of(problem)
    technical = job_troubles.technical(problem)
    if wrote:
        with database.turn():
            ability.learn(work.asking, work.action, problem)
    _settle(work, items, state, reason, technical, outcome=outcome if wrote else "", **detail)
    if job_troubles.doubtful(problem) is reason:
        with database.turn():
            enough = job_turns.in_a_row(work.job, reason, job_troubles.IN_A_ROW)
        if enough:
            raise Enough(reason, technical)


def _settle(
    work: Work,
    items: Sequence[JobItem],
    state: ItemState,
    reason: str = "",
    technical: str = "",
    *,
    outcome: str = "",
    **detail: Any,
) -> None:
    """Writes down what became of objects; with an `outcome` in the audit log too. That each was begun, its row has said already."""
    if not items:
        return
    job = work.job
    with database.turn():
        job_turns.settle(items, state, reason, technical)
        if reason != Reason.UNAVAILABLE:
            job_turns.reached(job)
        for item in items:
            if outcome:
                action_log.record(
                    Actor(job.user),
                    job.workspace,
                    work.resource,
                    work.action,
                    outcome,
                    id=item.object_id,
                    name=item.name,
                    job=job.pk,
                    **detail,
                )
