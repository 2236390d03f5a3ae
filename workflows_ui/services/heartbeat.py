"""The sign of life of whatever works in the background: a moment in the shared cache, renewed with every tick."""

import time

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

#: Cache key and lifetime (seconds) of the sign that a worker is alive.
KEY, LIFE = "worker:heartbeat", 60
#: Seconds without a sign after which nobody works. A tick comes every second, but behind other work.
SILENCE = 30


def beat() -> None:
    """A worker is alive."""
    cache.set(KEY, int(time.time()), LIFE)


def heard() -> bool:
    """Whether a worker gave a sign lately. Raises what the cache raises."""
    last = cache.get(KEY)
    return last is not None and time.time() - last <= SILENCE


def silent() -> bool:
    """Whether nothing works in the background just now. False where the cache cannot tell: pages then say nothing about it."""
    try:
        return not heard()
    except (RedisError, OSError) as problem:
        log.warning("heartbeat.unknown", error=type(problem).__name__)
        return False
