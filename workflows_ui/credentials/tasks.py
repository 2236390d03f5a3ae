"""Tasks of credentials and of the capabilities of engines."""

import uuid

from celery import shared_task

from workflows_ui.core import broker
from workflows_ui.credentials.services import capabilities, renewal, scheduled_checks


def enqueue_inspection(workspace_id: int) -> None:
    """Enqueue an inspection of the capabilities of a workspace's engine. If the broker is down, the next tick does it."""
    broker.enqueue(inspect, workspace_id, expires=broker.EXPIRES)


@shared_task
def inspect(workspace_id: int) -> None:
    capabilities.inspect(workspace_id)


@shared_task
def renew(credential_id: str) -> None:
    renewal.renew(uuid.UUID(credential_id))


@shared_task
def test_credential(credential_id: str) -> None:
    scheduled_checks.test(uuid.UUID(credential_id))
