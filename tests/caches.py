"""Empties this process's part of the cache: others may share the same Redis, and `cache.clear()` would take theirs too."""

import redis
from django.conf import settings
from django.core.cache import cache

from tests import environment, needs


def empty() -> None:
    """Nothing that this process put into the cache is there any more."""
    if not environment.ON_SERVERS:
        cache.clear()
        return
    with redis.Redis.from_url(needs.redis_server()) as server:
        keys = list(server.scan_iter(match=f"{settings.REDIS_PREFIX}:*", count=1000))
        if keys:
            server.delete(*keys)
