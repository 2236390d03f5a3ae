"""Gives database connections back before long calls, and lets only a handful of a worker's threads hold one at once.

Hundreds of threads wait for engines at the same time; each holding a connection would exhaust PostgreSQL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.db import connection

#: Threads of one process that may use the database at the same moment, where they ask for a turn.
TURNS = 8
_turns = BoundedSemaphore(TURNS)


@contextmanager
def turn() -> Iterator[None]:
    """Waits for one of the process's turns; on leaving, this thread's connection is closed (unless a transaction surrounds it)."""
    with _turns:
        try:
            yield
        finally:
            if not connection.in_atomic_block:
                connection.close()
