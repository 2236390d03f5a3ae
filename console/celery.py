"""The Celery application and its schedule. Messages only wake workers: what has to be done is in the database.

Any number of workers and of beats may run:

    celery -A console worker -P threads -c <WORKER_SLOTS + 20> --without-gossip --without-mingle --without-heartbeat
    celery -A console beat
"""

import ctypes
import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun, worker_init, worker_ready
from django.db import connections, reset_queries

from console import file_broker, garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
file_broker.register()
app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["workflows_ui"])
#: Seconds between two ticks, and until an unreceived one expires, so that a worker that was away does not receive all of them
#: afterwards. The second is much longer because it compares the clocks of two machines.
TICK, TICK_EXPIRES = 1.0, 30.0
NEWS = 3.0
HOUR = 3600.0
#: Connections of a worker to PostgreSQL: those of core.database.TURNS, and of what does not wait for a turn.
POOL = 16
#: M_MMAP_THRESHOLD and M_ARENA_MAX, from glibc's malloc.h.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
app.conf.beat_schedule = {
    "tick": {"task": "workflows_ui.tasks.tick", "schedule": TICK, "options": {"expires": TICK_EXPIRES}},
    "seal": {"task": "workflows_ui.tasks.seal", "schedule": TICK, "options": {"expires": TICK_EXPIRES}},
    "news": {"task": "workflows_ui.tasks.news", "schedule": NEWS, "options": {"expires": TICK_EXPIRES}},
    "purge": {"task": "workflows_ui.tasks.purge", "schedule": HOUR, "options": {"expires": HOUR}},
}


@worker_init.connect
def _return_freed_memory(**_signal: object) -> None:
    """Make glibc return blocks of 1 MB and more as soon as they are freed, and let all threads share two arenas.

    By default it raises the threshold with each large block that is freed, up to 32 MB, so that a worker stays as large as its
    largest launch. And it makes eight arenas per core, each of which keeps what was freed in it: 60 MB after 4,000 launches on two
    cores. Python's threads take turns, so few wait for an arena. Other C libraries have no such settings.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 1024 * 1024)
        mallopt(_ARENA_MAX, 2)


@worker_init.connect
def _pool_connections(**_signal: object) -> None:
    """Let the threads share a few connections to PostgreSQL: each turn at the database would otherwise make one, which takes milliseconds.

    A web process has few threads, each of which keeps its own. Empty after ten idle minutes. While the database is away, a thread waits
    for as long as it would for a connection of its own, and the next one tries again, without the pool's growing pauses.
    """
    database = connections.settings["default"]
    if database["ENGINE"].endswith("postgresql"):
        seconds = database["OPTIONS"]["connect_timeout"]
        database["CONN_MAX_AGE"] = 0
        database["OPTIONS"]["pool"] = {
            "min_size": 0,
            "max_size": POOL,
            "timeout": 2 * seconds,
            "reconnect_timeout": seconds,
        }


@worker_ready.connect
def _keep_loaded(**_signal: object) -> None:
    garbage.keep_loaded()


@setup_logging.connect
def _keep_logging(**_signal: object) -> None:
    """Do nothing: Django has configured logging, and Celery would do it again if this signal had no receiver."""


@before_task_publish.connect
def _send_request_id(headers: dict[str, object] | None = None, **_signal: object) -> None:
    """Send the id of the request that led to the task, for the task's log lines."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if headers is not None and request_id:
        headers["console_request_id"] = request_id


@task_prerun.connect
def _bind_request_id(task_id: str = "", task: Any = None, **_signal: object) -> None:
    request_id = getattr(task.request, "console_request_id", None)
    structlog.contextvars.bind_contextvars(
        task_id=task_id, task=task.name, **({"request_id": request_id} if request_id else {})
    )


@task_postrun.connect
def _unbind_request_id(**_signal: object) -> None:
    structlog.contextvars.unbind_contextvars("task_id", "task", "request_id")


@task_postrun.connect
def _forget_queries(**_signal: object) -> None:
    """Delete the log of queries that Django keeps with DEBUG, up to 9,000 per thread, and itself deletes only for a request."""
    reset_queries()
