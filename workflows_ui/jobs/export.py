"""The worker of exports: walks the list as its person, page by page, and stores each page as a part of the file."""

from collections.abc import Mapping
from threading import BoundedSemaphore
from typing import Any

import structlog

from workflows_ui.core import database
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.jobs.models import Job, JobKind
from workflows_ui.jobs.services import turns as job_turns
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.resource_admin import export, pagination
from workflows_ui.resource_admin.resource import Resource

log = structlog.get_logger(__name__)

#: Maximum rows and bytes of a file; the page says so if the file ends there.
ROWS, BYTES = 100_000, 200_000_000
#: Concurrent exports per process; the rest of a worker's threads is left to launches.
_slots = BoundedSemaphore(2)


def turn(job_id: str, resources: Mapping[str, Resource]) -> None:
    """Write the job's file, if it is an export that waits for a worker."""

    def work_on(job: Job) -> bool:
        try:
            _write(job, resources)
        except job_turns.Lost:
            with database.turn():
                # If the job still belongs to this worker, the engine was slower than the lease: count it as a try, or
                # the job would never end.
                job_turns.pause(job, "")
            raise
        return False

    job_turns.turn(job_id, JobKind.EXPORT, _slots, work_on)


def _write(job: Job, resources: Mapping[str, Resource]) -> None:
    resource = resources.get(job.resource)
    if resource is None or job.format not in export.TYPES:
        raise job_turns.EndsEarly(Reason.NOT_DECLARED)
    with database.turn():
        session = job_turns.caller_of(job, resource.role)
    filters = pagination.filters_of(resource, job.filters)
    total = _total(resource, session, filters)
    with database.turn():
        job_turns.begin_file(job, total)
    data, number, cut = export.head(job.format, resource), 0, False
    for batch in pagination.walk(resource, session, filters, limit=ROWS, nameless=True):
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
