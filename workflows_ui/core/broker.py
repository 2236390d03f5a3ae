"""Enqueues tasks."""

from collections.abc import Iterable
from typing import Any

import structlog
from celery import Task
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

#: Seconds after which a task that no worker has started expires; the next tick sends another.
EXPIRES = 60


def enqueue(task: Task[..., Any], *args: Any, **options: Any) -> bool:
    """Enqueue a task in a request, which must not fail if the broker is down: returns False then, and the next tick finds the row."""
    try:
        task.apply_async(args, **options)
    except (OperationalError, OSError) as problem:
        log.warning("broker.down", task=task.name, error=type(problem).__name__)
        return False
    return True


def enqueue_each(task: Task[..., object], ids: Iterable[object]) -> None:
    """Enqueue a task that expires for each of these ids. For periodic tasks, which fail if the broker is down."""
    for pk in ids:
        task.apply_async((pk,), expires=EXPIRES)
