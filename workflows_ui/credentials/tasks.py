"""Tasks of credentials and of the capabilities of engines."""

import uuid

from celery import shared_task

from workflows_ui.core import broker
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import capabilities, renewal, scheduled_checks


def request_inspection(credential: Credential) -> None:
    """Have the engine of a credential's workspace inspected, first with this credential. If the broker is down, the next tick does it."""
    broker.enqueue(inspect, capabilities.request_inspection(credential), expires=broker.EXPIRES)


@shared_task
def inspect(workspace_id: int) -> None:
    capabilities.inspect(workspace_id)


@shared_task
def renew(credential_id: str) -> None:
    renewal.renew(uuid.UUID(credential_id))


@shared_task
def test_credential(credential_id: str) -> None:
    scheduled_checks.test(uuid.UUID(credential_id))
