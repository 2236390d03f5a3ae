"""Celery tasks of launches. Arguments are only ids: the rows are authoritative, and the next tick enqueues lost tasks again."""

from celery import shared_task

from workflows_ui.core import broker
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import following, repairs, sending, watching


def enqueue(launch_id: str) -> None:
    """Enqueue the sending of a new launch. If the broker is down, the next tick does it; if this process dies, a later one."""
    if not broker.enqueue(send, launch_id):
        Launch.objects.filter(pk=launch_id, state=State.QUEUED).update(enqueued_at=None)


@shared_task
def send(launch_id: str) -> None:
    """Send one launch, then poll its workspace at once. If that message is lost, the next tick polls."""
    workspace_id = sending.send(launch_id)
    if workspace_id is not None:
        follow.apply_async((workspace_id,), expires=broker.EXPIRES)


@shared_task
def follow(workspace_id: int) -> None:
    """Poll the followed launches of one workspace once."""
    following.poll(workspace_id)


@shared_task
def look_at_retries(workspace_id: int) -> None:
    """Look at the runs of one workspace's failed launches that were started again."""
    repairs.poll(workspace_id)


@shared_task
def watch(workspace_id: int) -> None:
    """Poll the engine of one workspace for failed runs of its watched flows."""
    watching.poll_watched(workspace_id)
