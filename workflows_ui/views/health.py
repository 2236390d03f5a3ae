"""For machines that watch the console: is the process there, can it work, and its measurements. Not translated, no sign-in.

/healthz answers 200 while the process serves. /readyz answers 200 when database, cache, broker and worker do their part, else 503; both as
JSON that says which, and no more. /metrics is Prometheus' text format, for this machine or whoever knows METRICS_TOKEN.
"""

import ipaddress
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from workflows_ui.services import heartbeat

log = structlog.get_logger(__name__)


class NotReady(Exception):
    """A part does not do what it should; the text is for the log."""


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _cache() -> None:
    cache.get(heartbeat.KEY)


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
    if not heartbeat.heard():
        raise NotReady("no worker has been heard")


CHECKS: dict[str, Callable[[], None]] = {"database": _database, "cache": _cache, "broker": _broker, "worker": _worker}


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
    """200 while this process serves."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when everything works, 503 when something does not; each part is "ok" or "down"."""
    parts = {name: "ok" if _works(name, check) else "down" for name, check in CHECKS.items()}
    ready = set(parts.values()) == {"ok"}
    response = JsonResponse({"status": "ok" if ready else "down", **parts}, status=200 if ready else 503)
    # What is down is in the log already; Django would add an error that says less.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format. 404 to strangers, who learn not even that it exists."""
    if not _may_measure(request):
        raise Http404
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


def _may_measure(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and kind.lower() == "bearer":
        return secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    # A proxy on this machine makes every visitor look local, except for what it adds.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers or settings.TRUSTED_PROXIES:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
