"""The task that looks for unclear writes."""

from celery import shared_task

from workflows_ui.write_looks import worker


#: The name is the one in the queues of earlier releases.
@shared_task(name="workflows_ui.unclear_writes.tasks.look")
def look(write_id: str) -> None:
    """Look once whether a write was done."""
    worker.look(write_id)
