"""`python -m console.dev.worker worker ...`: Celery's worker with beat in one of its threads, which saves a process on one machine."""

import os
import signal
import sys
import threading
from typing import Any

from celery.beat import Service
from celery.signals import worker_ready, worker_shutting_down

from console.celery import app

_beat = Service(app)
_stopping = threading.Event()


@worker_ready.connect
def _start_beat(**_signal: Any) -> None:
    threading.Thread(target=_run_beat, name="beat", daemon=True).start()


@worker_shutting_down.connect
def _stop_beat(**_signal: Any) -> None:
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
