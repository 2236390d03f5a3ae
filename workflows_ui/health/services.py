"""Whether the parts that the console needs work: database, cache, broker and a worker. Nothing here calls an engine."""

import os
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import caches
from django.db import Error as DatabaseError, connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from workflows_ui.core import heartbeat
from workflows_ui.core.caching import UnreliableCache

log = structlog.get_logger(__name__)


class NotReady(Exception):
    """A part is unavailable; the message is for the log."""


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _cache() -> None:
    answers = caches["answers"]
    if isinstance(answers, UnreliableCache) and not answers.works():
        raise NotReady("the cache is away")


def _broker() -> None:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    if "data_folder_out" in options:
        folder = Path(options["data_folder_out"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise NotReady(f"{folder} is not writable")
        return
    with current_app.connection_for_write() as link:
        link.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        link.default_channel.close()  # type: ignore[attr-defined]


def _worker() -> None:
    if heartbeat.silent():
        raise NotReady("no worker has been heard")


CHECKS: dict[str, Callable[[], None]] = {"database": _database, "cache": _cache, "broker": _broker, "worker": _worker}
#: Parts that the console can do without.
OPTIONAL = {"cache"}


def working() -> dict[str, bool]:
    """Whether each part of `CHECKS` works, tried now. Those that do not are logged."""
    return {name: _works(name, check) for name, check in CHECKS.items()}


@cache
def version() -> str:
    """The version of the console, as in pyproject.toml; "" if that file is not installed with it."""
    try:
        project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except OSError:
        return ""
    return str(project["version"])


def _works(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (DatabaseError, OperationalError, RedisError, OSError, NotReady) as problem:
        log.warning("not_ready", part=name, error=type(problem).__name__, detail=str(problem)[:200])
        return False
    return True
