"""Exports: the list is walked page by page into a file."""

from collections.abc import Mapping

import structlog

from workflows_ui.core import database
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.jobs.models import Job
from workflows_ui.jobs.services import turns as job_turns
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.lists import export, file_formats
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
    if resource is None or job.format not in file_formats.FORMATS:
        raise job_turns.EndsEarly(Reason.NOT_DECLARED)
    with database.turn():
        session = job_turns.caller_of(job, resource.role)
    query = pagination.query_of(resource, job.filters)
    total = _total(resource, session, query.filters)
    with database.turn():
        job_turns.begin_file(job, total)
    title, cut = str(resource.label_plural), False
    facts = export.facts(title, job.workspace.name, job.filters_told)
    with file_formats.writer(job.format, title, facts) as file:
        data = file.head(export.headings(resource))
        for batch in pagination.walk(resource, session, query.filters, limit=ROWS, nameless=True, order=query.order):
            data += file.body(export.lines(job.format, resource, session, batch.rows))
            full = bool(batch.position) and file.size > BYTES
            cut = batch.cut or full
            with database.turn():
                job_turns.check(job, resource.role)
                job_turns.add_part(job, data, len(batch.rows))
            data = b""
            if full or not batch.position:
                break
        for part in file.tail():
            with database.turn():
                job_turns.add_part(job, part, 0)
    with database.turn():
        job_turns.finish_file(job, cut=cut)


def _total(resource: Resource, session: EngineSession, filters: Mapping[str, object]) -> int | None:
    """The number of rows, only for the progress bar: a refusal to count does no harm."""
    try:
        return resource.count(session, filters)
    except EngineError as problem:
        log.info("export.uncounted", resource=resource.name, error=type(problem).__name__)
        return None
