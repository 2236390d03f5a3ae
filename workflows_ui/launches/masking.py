"""Masking of a launch's payload, answer and failure for pages: the workspace's keys, values of secret fields, and values that look
like secrets."""

from typing import Any

from workflows_ui.core import redaction
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches
from workflows_ui.launches.services import secrets as launch_secrets


def masked(launch: Launch, value: Any, field: str = "") -> Any:
    """A masked copy of a value from the launch's column `field`, or of a value of its run or answer.

    In the payload all of the launch's secret fields are also masked by name.
    """
    hider = launch_secrets.payload_hider(launch)
    return redaction.step(hider.value(value), secrets=hider.names if field == "payload" else hider.short)


def payload(launch: Launch) -> Any:
    """The decoded payload; None once it was removed. Raises crypto.CannotOpen."""
    return masked(launch, launches.payload_without_keys(launch), "payload")
