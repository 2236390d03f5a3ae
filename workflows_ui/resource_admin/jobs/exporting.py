"""Exports: the list is walked page by page into a file."""

from collections.abc import Mapping

import structlog

from workflows_ui.core import database
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.jobs.models import Job
from workflows_ui.jobs.services import turns as job_turns
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.lists import export
from workflows_ui.resource_admin import pagination
from workflows_ui.resource_admin.resource import Resource

log = structlog.get_logger(__name__)

#: Maximum rows and bytes of a file; the page says so if the file ends there.
ROWS, BYTES = 100_000, 200_000_000


def write(job: Job, resources: Mapping[str, Resource]) -> None:
    """Walk the list as the job's person, and store each page as a part of the file.

    Raises Lost, EndsEarly, and the errors of a whole job (turns.OF_A_JOB).
    """
    try:
        _write(job, resources)
    except job_turns.Lost:
        with database.turn():
            # If the job still belongs to this worker, the engine was slower than the lease: count it as a try, or the job would never end.
            job_turns.pause(job, "")
        raise


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


def _total(resource: Resource, session: EngineSession, filters: Mapping[str, object]) -> int | None:
    """The number of rows, only for the progress bar: a refusal to count does no harm."""
    try:
        return resource.count(session, filters)
    except EngineError as problem:
        log.info("export.uncounted", resource=resource.name, error=type(problem).__name__)
        return None
