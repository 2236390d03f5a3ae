"""Celery's tasks: each is a line or two into the services. Arguments are ids only; the broker is a bell, the rows are the truth."""

import uuid
from typing import Any

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from workflows_ui.kit import bulk_work, export_work, notice_mail, password_mail
from workflows_ui.resources import BY_NAME
from workflows_ui.services import (
    audit_pruning,
    audit_sealing,
    capabilities,
    credential_care,
    database,
    following,
    heartbeat,
    job_sweeping,
    notices,
    renewing,
    sending,
    sessions,
    swapping,
    sweeping,
    watching,
)

log = structlog.get_logger(__name__)

#: Seconds after which an unheard request to look at a workspace is void.
FOLLOW_LIFE = 60
#: Seconds after which nobody waits for the mail any more.
PASSWORD_MAIL_LIFE = 1800


def ring(launch_id: str) -> None:
    """Rings the bell for a launch that was just asked for. A broker that is down is no harm: the sweeper rings again."""
    try:
        send.delay(launch_id)
    except (OperationalError, OSError) as problem:
        log.warning("broker.down", launch=launch_id, error=type(problem).__name__)
    else:
        sweeping.rung([launch_id])


@shared_task
def send(launch_id: str) -> None:
    """Sends one launch, then looks at once at what became of it; should that bell be missed, the next tick rings."""
    workspace_id = sending.send(launch_id)
    if workspace_id is not None:
        follow.apply_async((workspace_id,), expires=FOLLOW_LIFE)


@shared_task
def follow(workspace_id: int) -> None:
    """Looks once at the open launches of one workspace."""
    following.poll(workspace_id)


def ring_inspection(workspace_id: int) -> None:
    """Has the engine of a workspace looked at soon; should that bell be missed, the next tick rings."""
    try:
        inspect.apply_async((workspace_id,), expires=FOLLOW_LIFE)
    except (OperationalError, OSError) as problem:
        log.warning("broker.down", workspace=workspace_id, error=type(problem).__name__)


@shared_task
def inspect(workspace_id: int) -> None:
    """Looks at what the engine of one workspace can do, where its time has come."""
    capabilities.inspect(workspace_id)


def ring_job(job_id: str) -> None:
    """Rings the bell for a job that has something to do; should it be missed, the next tick rings again."""
    try:
        work.delay(job_id)
    except (OperationalError, OSError) as problem:
        log.warning("broker.down", job=job_id, error=type(problem).__name__)
    else:
        job_sweeping.rung([job_id])


@shared_task
def work(job_id: str) -> None:
    """Works on one job for a turn, then makes room for others."""
    export_work.turn(job_id, BY_NAME)
    if bulk_work.turn(job_id, BY_NAME):
        ring_job(job_id)


@shared_task
def renew(credential_id: str) -> None:
    """Renews the token of one credential, where its time has come."""
    renewing.renew(uuid.UUID(credential_id))


@shared_task
def test_credential(credential_id: str) -> None:
    """Tests one credential by night, where its time has come."""
    credential_care.test(uuid.UUID(credential_id))


@shared_task
def tick() -> None:
    """Every second: notices what is late or lost, rings for what waits, follows what is due."""
    with database.turn():
        sweeping.end_late()
        sweeping.notice_lost()
        sweeping.forget_files()
        bells = sweeping.bells()
        job_sweeping.notice_lost()
        jobs = job_sweeping.bells()
        due = following.due()
        unseen = capabilities.due()
        ending = renewing.due()
        untested = credential_care.due()
    for launch_id in bells:
        send.delay(launch_id)
    for job_id in jobs:
        work.delay(job_id)
    for workspace_id in due:
        follow.apply_async((workspace_id,), expires=FOLLOW_LIFE)
    for credential_id in ending:
        renew.apply_async((str(credential_id),), expires=FOLLOW_LIFE)
    for credential_id in untested:
        test_credential.apply_async((str(credential_id),), expires=FOLLOW_LIFE)
    for workspace_id in unseen:
        inspect.apply_async((workspace_id,), expires=FOLLOW_LIFE)
    heartbeat.beat()


@shared_task
def seal() -> None:
    """Every second: gives new rows of the audit log their place in its chain."""
    with database.turn():
        audit_sealing.seal()


@shared_task
def news() -> None:
    """Every few seconds: tells people what they asked to be told, and rings for engines to be asked and mails to be sent."""
    with database.turn():
        watching.look()
        places = watching.due()
        letters = notices.to_mail()
    for workspace_id in places:
        look_out.apply_async((workspace_id,), expires=FOLLOW_LIFE)
    for pk in letters:
        mail.apply_async((pk,), expires=FOLLOW_LIFE)


@shared_task
def look_out(workspace_id: int) -> None:
    """Asks the engine of one workspace for failed runs of the flows that are watched there."""
    watching.look_at(workspace_id)


@shared_task
def mail(pk: int) -> None:
    """Mails one notice."""
    notice_mail.send(pk)


def ring_password_mail(people: list[int], language: str) -> None:
    """Has people mailed a link to choose a new password. The same work for nobody as for somebody: the answer's time tells nothing.

    A bell that is missed is lost: whoever waits for the mail asks again.
    """
    try:
        mail_password.apply_async((people, language), expires=PASSWORD_MAIL_LIFE)
    except (OperationalError, OSError) as problem:
        log.warning("broker.down", mail="password", error=type(problem).__name__)


@shared_task(bind=True, max_retries=5)
def mail_password(self: Any, people: list[int], language: str) -> None:
    """Mails these people a link to choose a new password; again later to those whom the mail server refused."""
    refused = [pk for pk in people if not password_mail.send(pk, language)]
    if refused and self.request.retries < self.max_retries:
        raise self.retry((refused, language), countdown=30 * 2**self.request.retries)


@shared_task
def purge() -> None:
    """Once an hour: removes whatever has had its time, and sees to credentials."""
    with database.turn():
        sweeping.purge()
        job_sweeping.purge()
        swapping.purge()
        credential_care.schedule()
        credential_care.remind()
        audit_pruning.prune()
        audit_sealing.tell_head()
        notices.purge()
        sessions.purge()
