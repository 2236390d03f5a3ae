"""Empties this process's part of the caches: others may share the same Redis, and its `clear()` would take theirs too."""

import redis
from django.conf import settings
from django.core.cache import cache, caches

from tests import environment, prerequisites
from workflows_ui.core import caching


def end(seconds: int) -> None:
    """What ends within so many seconds is not there any more. On Redis, whose clock no test can move; elsewhere the test moves its own."""
    if not environment.ON_SERVERS:
        return
    with redis.Redis.from_url(prerequisites.redis_server()) as server:
        for key in server.scan_iter(match=f"{settings.REDIS_PREFIX}:*", count=1000):
            if 0 <= server.ttl(key) <= seconds:
                server.delete(key)


def empty() -> None:
    """Nothing that this process put into one of them is there any more: neither answers nor counted attempts."""
    forget_answers()
    cache.clear()


def forget_answers() -> None:
    """What was answered is forgotten, and that the cache was away. Needs no database."""
    caching.availability.down_until, caching.availability.logged_at = 0.0, -caching.LOG_EVERY
    caching.availability.stale.clear()
    if not environment.ON_SERVERS:
        caches["answers"].clear()
        return
    with redis.Redis.from_url(prerequisites.redis_server()) as server:
        keys = list(server.scan_iter(match=f"{settings.REDIS_PREFIX}:*", count=1000))
        if keys:
            server.delete(*keys)
