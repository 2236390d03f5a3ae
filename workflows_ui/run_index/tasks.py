"""Celery tasks of run indexes. The next tick enqueues lost ones again."""

from celery import shared_task

from workflows_ui.core import database
from workflows_ui.run_index.services import indexes, launch_words, reading


@shared_task
def read(workspace_id: int) -> None:
    """Read the runs of one workspace for one turn."""
    reading.read(workspace_id)


@shared_task
def read_launches(workspace_id: int) -> None:
    """Read the words of one workspace's launches for one turn."""
    launch_words.read(workspace_id)


@shared_task
def trim(workspace_id: int) -> None:
    """Delete data beyond the settings of one index."""
    with database.turn():
        indexes.trim(workspace_id)


@shared_task
def purge() -> None:
    """Delete data that no index keeps any more."""
    with database.turn():
        indexes.purge()
