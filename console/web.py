"""Configuration of the web server, in `make run` and in production alike: `gunicorn -c console/web.py console.wsgi`.

Everything comes from the console's settings. A stop lets requests end for up to a minute.
"""

import os
import shutil
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
from django.conf import settings

_host = f"[{settings.BIND}]" if ":" in settings.BIND else settings.BIND
bind = f"{_host}:{settings.PORT}"
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
worker_class = "gthread"
#: Seconds; no page takes so long, since engine calls have a shorter deadline of their own.
timeout = 120
graceful_timeout = 60
keepalive = 5
#: A request that a process has served so often is its last: whatever leaks, leaks little.
max_requests = 20_000
max_requests_jitter = 2_000
#: gunicorn's own control socket lies in the home folder, where two servers of one user would clash.
control_socket_disable = True
#: The header by which a proxy says https is read by Django, which knows how many proxies to believe.
forwarded_allow_ips = "*" if settings.TRUSTED_PROXIES else "127.0.0.1,::1"
logconfig_dict = settings.LOGGING | {
    "loggers": settings.LOGGING["loggers"]
    | {
        "gunicorn.error": {"level": "WARNING", "handlers": [], "propagate": True},
        "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
    }
}

# Measurements of all processes are added up through files, which belong to this run only.
_measurements = settings.VAR_DIR / "metrics"
shutil.rmtree(_measurements, ignore_errors=True)
_measurements.mkdir(mode=0o700, parents=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_measurements)


def child_exit(server: Any, worker: Any) -> None:
    """Takes a process that ended out of the sums that are about living ones."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
