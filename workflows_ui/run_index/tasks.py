"""Celery tasks of run indexes. The next tick enqueues lost ones again."""

from celery import shared_task

from workflows_ui.core import database
from workflows_ui.run_index.services import indexes, reading


@shared_task
def read(workspace_id: int) -> None:
    """Read the runs of one workspace for one turn."""
    reading.read(workspace_id)


@shared_task
def purge() -> None:
    """Delete what no index keeps any more."""
    with database.turn():
        indexes.purge()
