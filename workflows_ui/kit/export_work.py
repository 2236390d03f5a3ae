"""Writes an export's file: walks the list as its person, page by page, and keeps each page as a part of the file."""

from collections.abc import Mapping
from threading import BoundedSemaphore
from typing import Any

import structlog

from workflows_ui.engine import EngineError
from workflows_ui.kit import export_file, job_person, job_troubles, walking
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Resource
from workflows_ui.models import Job, JobKind
from workflows_ui.services import database, exporting, job_turns
from workflows_ui.services.jobs import Reason

log = structlog.get_logger(__name__)

#: Rows and bytes that one file holds at most; the page says so where it ends there.
ROWS, BYTES = 100_000, 200_000_000
#: Exports that one process writes at once; the rest of a worker's threads is left to launches.
_slots = BoundedSemaphore(2)


def turn(job_id: str, resources: Mapping[str, Resource]) -> None:
    """Writes the job's file, if it is an export that waits for a worker."""
    if not _slots.acquire(blocking=False):
        return  # full: the sweeper rings for it again
    try:
        with database.turn():
            job = job_turns.claim(job_id, JobKind.EXPORT)
        if job is not None:
            with job_person.preferences(job):
                _carry(job, resources)
    finally:
        _slots.release()


def _carry(job: Job, resources: Mapping[str, Resource]) -> None:
    try:
        _write(job, resources)
    except job_turns.Lost:
        log.info("job.lost", job=job.pk)
        with database.turn():
            # Where it is still ours, the engine was slower than the lease is long: that counts as a try, or it would go on for ever.
            job_turns.pause(job, "")
            job_turns.release(job)
    except walking.BadFilters:
        job_troubles.end(job, Reason.BAD_FILTERS)
    except job_troubles.OF_A_JOB as problem:
        job_troubles.met(job, problem)


def _write(job: Job, resources: Mapping[str, Resource]) -> None:
    resource = resources.get(job.resource)
    if resource is None or job.format not in export_file.TYPES:
        return job_troubles.end(job, Reason.NOT_DECLARED)
    with database.turn():
        asking = job_person.caller_of(job, resource.role)
    filters = walking.filters_of(resource, job.filters)
    total = _total(resource, asking, filters)
    with database.turn():
        exporting.begin(job, total)
    data, number, cut = export_file.head(job.format, resource), 0, False
    for stretch in walking.walk(resource, asking, filters, limit=ROWS, nameless=True):
        data += export_file.body(job.format, resource, stretch.rows, before=job.rows)
        full = bool(stretch.position) and job.bytes + len(data) > BYTES
        cut = stretch.cut or full
        last = full or not stretch.position
        with database.turn():
            job_person.check(job, resource.role)
            exporting.add(job, number, data + (export_file.tail(job.format) if last else b""), len(stretch.rows))
        data, number = b"", number + 1
        if last:
            break
    with database.turn():
        exporting.finish(job, cut=cut)
    return None


def _total(resource: Resource, asking: Caller, filters: Mapping[str, Any]) -> int | None:
    """How many rows there are: only for the progress bar, so the engine's refusal to count is no harm."""
    try:
        return resource.count(asking, filters)
    except EngineError as problem:
        log.info("export.uncounted", resource=resource.name, error=type(problem).__name__)
        return None
