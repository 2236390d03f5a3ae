"""`python -m console.dev.worker worker ...`: Celery's worker with beat in one of its threads, which saves a process on one machine."""

import os
import signal
import sys
import threading
from typing import Any

from celery.beat import Service
from celery.signals import task_success, worker_ready, worker_shutting_down

from console.celery import app
from console.dev.dev_settings import TASKS_RUN

_beat = Service(app)
_stopping = threading.Event()
_tasks_run = threading.Event()


@worker_ready.connect
def _start_beat(**_signal: object) -> None:
    threading.Thread(target=_run_beat, name="beat", daemon=True).start()


@task_success.connect
def _report_first_heartbeat(sender: Any = None, **_signal: object) -> None:
    """Print after the first heartbeat that tasks run: `make run` waits for this line."""
    if sender.name == "workflows_ui.tasks.news" and not _tasks_run.is_set():
        _tasks_run.set()
        sys.stdout.write(f"{TASKS_RUN}\n")
        sys.stdout.flush()


@worker_shutting_down.connect
def _stop_beat(**_signal: object) -> None:
    _stopping.set()
    _beat.stop()


def _run_beat() -> None:
    """Without beat nothing would be due any more: if it fails the worker ends, and the supervisor starts both again."""
    try:
        app.set_current()
        _beat.start()
    finally:
        if not _stopping.is_set():
            os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    app.start(sys.argv[1:])
