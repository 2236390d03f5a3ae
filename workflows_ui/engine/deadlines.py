"""A limit for all reads of a context, such as those of a look that a page waits for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_END: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def reads_within(seconds: float) -> Iterator[None]:
    """All reads in this context end within so many seconds."""
    token = _END.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(token)


def seconds_left(most: float) -> float:
    """The seconds that a read may take now, at most `most`."""
    end = _END.get()
    return most if end is None else min(most, max(end - time.monotonic(), 0.001))
