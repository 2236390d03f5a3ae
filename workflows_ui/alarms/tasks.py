"""Celery tasks of alarms. The next round enqueues lost ones again."""

from celery import shared_task

from workflows_ui.alarms import channels, checking


@shared_task
def check(workspace_id: int) -> None:
    checking.check(workspace_id)


@shared_task
def send(delivery_id: str) -> None:
    channels.send(delivery_id)
