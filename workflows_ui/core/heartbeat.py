"""The heartbeat of the background workers: a time in the database, renewed every few seconds."""

import time

from django.core.cache import cache

#: Cache key and lifetime (seconds) of the heartbeat.
KEY, LIFE = "worker:heartbeat", 60
#: Seconds without a heartbeat after which no worker runs. A tick comes every second, but after other tasks.
SILENCE = 30
#: Seconds between two writes at least.
_EVERY = 5


def beat() -> None:
    """Record that a worker is alive."""
    last = cache.get(KEY)
    if last is None or not 0 <= time.time() - last < _EVERY:
        cache.set(KEY, int(time.time()), LIFE)


def silent() -> bool:
    """Whether there was no heartbeat recently."""
    last = cache.get(KEY)
    return last is None or time.time() - last > SILENCE
