"""Requests that reach the same statement in the database at the same moment, whatever the threads do before it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from django.db import connection

_SECONDS = 60


@contextmanager
def meeting(barrier: Barrier, meets: Callable[[str], bool]) -> Iterator[None]:
    """Make this thread's connection wait for the others before its first statement that `meets`."""
    waits = True

    def execute_together(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal waits
        if waits and meets(sql):
            waits = False
            barrier.wait(_SECONDS)
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(execute_together):
            yield
    finally:
        connection.close()
