"""Tasks of bulk actions and exports."""

from celery import shared_task

from workflows_ui.core import broker
from workflows_ui.jobs.models import Job
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resource_admin.resource import RESOURCES


def enqueue(job_id: str) -> None:
    """Enqueue the job. If the broker is down, the next tick does it."""
    if broker.enqueue(work, job_id):
        Job.mark_enqueued([job_id])


#: The name is the one in the queues of earlier releases.
@shared_task(name="workflows_ui.jobs.tasks.work")
def work(job_id: str) -> None:
    """Work on one job for a turn, then let other jobs have theirs."""
    if worker.turn(job_id, RESOURCES):
        enqueue(job_id)
