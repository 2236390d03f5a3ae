"""Celery tasks of rules for failures. The next round enqueues lost ones again."""

from celery import shared_task

from workflows_ui.failure_rules import acting
from workflows_ui.launches import tasks as launch_tasks
from workflows_ui.resource_admin.jobs import tasks as job_tasks


@shared_task
def act(workspace_id: int) -> None:
    """Act on the failures of one workspace, then enqueue the launches and jobs that this has created."""
    started = acting.act(workspace_id)
    for launch_id in started.launches:
        launch_tasks.enqueue(launch_id)
    for job_id in started.jobs:
        job_tasks.enqueue(job_id)
