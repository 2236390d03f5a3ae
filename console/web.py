"""Configuration of gunicorn, for `make run` and for production: `gunicorn -c python:console.web console.wsgi`.

Everything comes from the settings. Requests in progress get up to a minute during a shutdown.
"""

import os
import shutil
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
from django.conf import settings

from console import garbage

_host = f"[{settings.BIND}]" if ":" in settings.BIND else settings.BIND
bind = f"{_host}:{settings.PORT}"
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
#: Reads requests and writes responses outside of the threads, so that slow clients occupy none.
worker_class = "console.web_worker.BufferingWorker"
#: Seconds. No page takes so long: engine calls have a shorter deadline.
timeout = 120
graceful_timeout = 60
#: A process is replaced after so many requests, which limits what can leak.
max_requests = 20_000
max_requests_jitter = 2_000
#: The control socket is in the home folder, where two servers of one user would conflict.
control_socket_disable = True
#: Django reads X-Forwarded-Proto, and knows how many proxies to trust.
forwarded_allow_ips = "*" if settings.TRUSTED_PROXIES else "127.0.0.1,::1"
logconfig_dict = settings.LOGGING | {
    "loggers": settings.LOGGING["loggers"]
    | {
        "gunicorn.error": {"level": "WARNING", "handlers": [], "propagate": True},
        "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
        # Do not log each request that waits for a thread.
        "waitress.queue": {"level": "ERROR", "handlers": [], "propagate": True},
    }
}

# The processes share their metrics through files, which belong to this run only.
_metrics = settings.VAR_DIR / "metrics"
shutil.rmtree(_metrics, ignore_errors=True)
_metrics.mkdir(mode=0o700, parents=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_metrics)


def post_worker_init(worker: object) -> None:
    """Load the URLconf, which imports all views, before the first request, and leave it out of garbage collection."""
    from django.urls import get_resolver

    len(get_resolver().url_patterns)
    garbage.keep_loaded()


def child_exit(server: object, worker: Any) -> None:
    """Remove a process that exited from the metrics of live processes."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
