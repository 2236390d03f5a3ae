"""Health checks and metrics for monitoring. Not translated, no sign-in.

/healthz returns 200 while the process serves. /readyz returns 200 if database, broker and worker are available, else 503, with JSON that
states only which part is down. Without its cache the console is only slower: it is then "degraded", and ready.
/metrics returns Prometheus' text format to holders of METRICS_TOKEN, without which the page does not exist.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import caches
from django.db import Error as DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
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
    cache = caches["answers"]
    if isinstance(cache, UnreliableCache) and not cache.works():
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


def _works(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (DatabaseError, OperationalError, RedisError, OSError, NotReady) as problem:
        log.warning("not_ready", part=name, error=type(problem).__name__, detail=str(problem)[:200])
        return False
    return True


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if all required parts work, else 503; a part is "ok" or "down", `status` may also be "degraded"."""
    parts = {name: "ok" if _works(name, check) else "down" for name, check in CHECKS.items()}
    down = {name for name, state in parts.items() if state == "down"}
    status = ("degraded" if down <= OPTIONAL else "down") if down else "ok"
    response = JsonResponse({"status": status, **parts}, status=503 if status == "down" else 200)
    # The failing part is logged already; Django would add a less specific error.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format. 404 without access, which does not reveal that the page exists."""
    if not _may_measure(request):
        raise Http404
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


def _may_measure(request: HttpRequest) -> bool:
    # The client's address proves nothing: a proxy on this machine makes every client seem local, and need not add a header.
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN or kind.lower() != "bearer":
        return False
    return secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
