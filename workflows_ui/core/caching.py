"""Django's two caches. `default` is the database, for values that must not be lost. `answers` is Redis or files, and may be down.

Counted attempts and one-use values go to `default` (also allauth's rate limits, which can use no other). Recent answers of the engine go
to `answers`, which is an optimisation: while it is down every page calls the engine.
"""

import contextlib
import json
import pickle
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.core.cache import BaseCache, caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.connection import ConnectionProxy
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from workflows_ui.core.models import ExpiringValue
from workflows_ui.core.prepared import Prepared

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Seconds without attempts after a failure of the cache, so that not every page waits for it.
PAUSE = 10.0
#: Seconds between two log lines about a failure.
LOG_EVERY = 60.0
#: The most keys that are remembered because their values could not be removed while the cache was down.
_MOST_STALE = 1000

_stored_value = Prepared(
    lambda key, now: ExpiringValue.objects.filter(pk=key, expires_at__gt=now).values_list("value", flat=True),
    str,
    datetime,
)


class DatabaseCache(BaseCache):
    """A cache in the database. Values are JSON, and all expire."""

    def __init__(self, _location: str, params: dict[str, object]) -> None:
        super().__init__(params)

    def add(self, key: str, value: object, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Store the value if no valid one is stored. One of two concurrent calls returns True."""
        row = ExpiringValue(self._digest(key, version), json.dumps(value), self._end(timeout))
        expired = ExpiringValue.objects.filter(pk=row.pk, expires_at__lte=timezone.now())
        if expired.update(value=row.value, expires_at=row.expires_at):
            return True
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            return False
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        found = _stored_value.first(self._digest(key, version), timezone.now())
        return default if found is None else json.loads(found)

    def set(self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        row = ExpiringValue(self._digest(key, version), json.dumps(value), self._end(timeout))
        ExpiringValue.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["key"], update_fields=["value", "expires_at"]
        )

    def touch(self, key: str, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        rows = ExpiringValue.objects.filter(pk=self._digest(key, version), expires_at__gt=timezone.now())
        return bool(rows.update(expires_at=self._end(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(ExpiringValue.objects.filter(pk=self._digest(key, version)).delete()[0])

    def clear(self) -> None:
        ExpiringValue.objects.all().delete()

    def _digest(self, key: str, version: int | None) -> str:
        full_key = self.make_key(key, version=version)
        return salted_hmac("expiring value", full_key, algorithm="sha256").hexdigest()

    def _end(self, timeout: float | None) -> datetime:
        seconds = self.default_timeout if timeout is None or timeout is DEFAULT_TIMEOUT else timeout
        return timezone.now() + timedelta(seconds=float(seconds or 0))


def prune() -> int:
    """Remove expired values; returns their number."""
    return ExpiringValue.objects.filter(expires_at__lte=timezone.now()).delete()[0]


class _Availability:
    """The cache as this process knows it: the end of the pause after a failure, and the values that could not be removed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.down_until = 0.0
        self.logged_at = -LOG_EVERY
        self.stale: set[tuple[str, int | None]] = set()


availability = _Availability()


class UnreliableCache(BaseCache):
    """A cache whose failures count as misses. After a failure there is a pause; then one caller tries it for all.

    Values that could not be removed are removed before it is read again, so that outdated ones do not return.
    """

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """The value; the default without one, if another release stored it in a shape that is gone, or if the cache is down."""

        def read() -> Any:
            try:
                return super(UnreliableCache, self).get(key, default, version)
            except (pickle.UnpicklingError, AttributeError, ImportError, TypeError):
                return default

        return self._try(read, default)

    def set(self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Store the value if the cache is up."""
        self._try(lambda: super(UnreliableCache, self).set(key, value, timeout, version), None)

    def add(self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Store the value if there is none. True also while the cache is down: the caller is then as if alone."""
        return self._try(lambda: super(UnreliableCache, self).add(key, value, timeout, version), True)

    def delete(self, key: str, version: int | None = None) -> bool:
        """Remove the value, later if the cache is down; returns whether there was one."""
        deleted = self._try(lambda: super(UnreliableCache, self).delete(key, version), None)
        if deleted is None:
            with availability.lock:
                if len(availability.stale) < _MOST_STALE:
                    availability.stale.add((key, version))
        return bool(deleted)

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        for key in keys:
            self.delete(key, version)

    def works(self) -> bool:
        """Whether a value can be stored now. False without an attempt during the pause after a failure."""

        def store() -> bool:
            super(UnreliableCache, self).set("works", 1, 60)
            return True

        return self._try(store, False)

    def _try(self, call: Callable[[], T], default: T) -> T:
        with availability.lock:
            was_down = availability.down_until > 0
            if was_down:
                if time.monotonic() < availability.down_until:
                    return default
                availability.down_until = time.monotonic() + PAUSE
            stale = set(availability.stale)
        try:
            for key, version in stale:
                super().delete(key, version)
            result = call()
        except (RedisError, OSError) as problem:
            self._note_failure(problem)
            return default
        if was_down:
            with availability.lock:
                availability.down_until = 0.0
                availability.stale -= stale
            log.warning("cache.back")
        return result

    @staticmethod
    def _note_failure(problem: Exception) -> None:
        now = time.monotonic()
        with availability.lock:
            availability.down_until = now + PAUSE
            should_log = now - availability.logged_at >= LOG_EVERY
            if should_log:
                availability.logged_at = now
        if should_log:
            log.warning("cache.away", error=type(problem).__name__, effect="pages ask the engine each time")


class RedisAnswers(UnreliableCache, RedisCache):
    """Answers in Redis."""


class FileAnswers(UnreliableCache, FileBasedCache):
    """Answers in files of one machine."""

    def __init__(self, dir: str, params: dict[str, object]) -> None:
        # The parent creates the folder; if it cannot, the cache counts as down.
        with contextlib.suppress(OSError):
            super().__init__(dir, params)


#: Recent answers of the engine and other servers.
answers: BaseCache = ConnectionProxy(caches, "answers")  # type: ignore[assignment]
