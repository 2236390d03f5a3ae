"""Exports in the background: a job whose file is kept in parts in the database, since web server and worker may be different machines.

A worker that takes an export up after another one was lost begins the file again, so that no row stands in it twice.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation

from workflows_ui.models import JOB_OPEN, Job, JobKind, JobPart, JobState
from workflows_ui.services import clock, database, job_turns, jobs
from workflows_ui.services.access import Access
from workflows_ui.services.audit import Actor


def ask(
    actor: Actor,
    access: Access,
    *,
    resource: str,
    format: str,
    filters: str,
    filters_told: Sequence[tuple[str, str]] = (),
) -> Job:
    """A new export, written down and audited. One of the same person's for the same file that is still being made is given again."""
    with database.one_at_a_time(access.user):
        same = Job.objects.filter(
            workspace=access.workspace,
            user=access.user,
            kind=JobKind.EXPORT,
            resource=resource,
            format=format,
            filters=filters,
            state__in=JOB_OPEN,
        ).first()
        return same or _new(actor, access, resource, format, filters, filters_told)


def _new(
    actor: Actor, access: Access, resource: str, format: str, filters: str, filters_told: Sequence[tuple[str, str]]
) -> Job:
    job = Job(
        workspace=access.workspace,
        user=access.user,
        kind=JobKind.EXPORT,
        resource=resource,
        format=format,
        filters=filters,
        filters_told=list(filters_told),
        language=translation.get_language() or "",
        everything=True,
        state=JobState.COLLECTING,
        asked_at=clock.now(),
    )
    job.save(force_insert=True)
    jobs.note(actor, job, "ask", format=format, filters=filters)
    return job


def begin(job: Job, total: int | None) -> None:
    """The file is begun, whatever an earlier worker left of it removed; `total` is how many rows there are, if known. Raises Lost."""
    with transaction.atomic():
        job_turns.hold(job)
        JobPart.objects.filter(job=job).delete()
        Job.objects.filter(pk=job.pk).update(total=total or 0, rows=0, bytes=0, cut=False, begun_at=clock.now())
    job.rows = job.bytes = 0


def add(job: Job, number: int, data: bytes, rows: int) -> None:
    """One more part of the file with so many rows in it. Raises Lost."""
    with transaction.atomic():
        job_turns.hold(job)
        JobPart.objects.create(job=job, number=number, data=data)
        job.rows, job.bytes = job.rows + rows, job.bytes + len(data)
        Job.objects.filter(pk=job.pk).update(rows=job.rows, bytes=job.bytes, reason="", technical="")


def finish(job: Job, *, cut: bool) -> None:
    """The file is whole; `cut`: as far as it goes. It is kept for some days. Raises Lost."""
    now = clock.now()
    with transaction.atomic():
        job_turns.hold(job)
        Job.objects.filter(pk=job.pk).update(
            state=JobState.ENDED,
            reason="",
            technical="",
            cut=cut,
            total=job.rows,
            ended_at=now,
            keep_until=now + settings.JOB_RETENTION,
            claim="",
            claim_until=None,
        )
        jobs.note(Actor(job.user), job, "end", outcome=str(JobState.ENDED), rows=job.rows, bytes=job.bytes, cut=cut)


def there(job: Job, now: datetime | None = None) -> bool:
    """Whether the file can be had."""
    return job.state == JobState.ENDED and job.keep_until is not None and job.keep_until > (now or clock.now())


def content(job: Job) -> Iterator[bytes]:
    """The file, one part after the other: never all of it in memory."""
    for number in job.parts.order_by("number").values_list("number", flat=True):
        part = JobPart.objects.filter(job=job, number=number).first()
        if part is not None:
            yield bytes(part.data)
