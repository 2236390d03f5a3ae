"""Celery tasks of run indexes. The next tick enqueues lost ones again."""

from celery import shared_task

from workflows_ui.core import database
from workflows_ui.run_index.services import indexes, launch_words, reading


@shared_task
def read(workspace_id: int) -> None:
    reading.read(workspace_id)


@shared_task
def read_launches(workspace_id: int) -> None:
    launch_words.read(workspace_id)


@shared_task
def trim(workspace_id: int) -> None:
    with database.turn():
        indexes.trim(workspace_id)


@shared_task
def purge() -> None:
    with database.turn():
        indexes.purge()
