"""Tasks of unclear writes."""

from celery import shared_task

from workflows_ui.unclear_writes import worker


@shared_task
def look(write_id: str) -> None:
    """Look once whether a write was done."""
    worker.look(write_id)
