"""Forks Celery workers from one process that has imported everything: a new worker costs a moment, so that many can be killed.

`python -m tests.chaos.nursery` reads a command a line and answers with the new process's id: `worker THREADS`, `doomed THREADS POINT`
(kills itself at a point of victim.POINTS), `sleeper THREADS POINT` (stands still there until SIGCONT), `beat FILE`. A dead colleague is
noticed sooner than in the product: a test would otherwise have to sit through leases of half a minute. The product knows nothing of this.
"""

import contextlib
import importlib
import os
import signal
import sys
from datetime import timedelta

_QUIET = ("--without-heartbeat", "--without-gossip", "--without-mingle")


def _hurry() -> None:
    """Leases and pauses of a few seconds, and lists that cannot be read to the end are given up after some, not after a day."""
    from django.conf import settings

    from workflows_ui.core import lease
    from workflows_ui.launches.services import following, run_results, sending

    sending.CLAIM_LEASE = following.LEASE = timedelta(seconds=3)
    sending.call_lease = lambda: settings.LAUNCH_DEADLINE + timedelta(seconds=2)
    sending.LONGEST_PAUSE = timedelta(seconds=1)
    lease.ENQUEUE_AGAIN = timedelta(seconds=2)
    run_results.SEARCH_AT_MOST = settings.LAUNCH_SEARCH + timedelta(seconds=2)


def _become(command: str, *details: str) -> None:
    """Turns this process, a fresh child, into a worker or into beat."""
    from console.celery import app
    from tests.chaos import victim

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if command in {"doomed", "sleeper"}:
        victim.arm(" ".join(details[1:]), victim.die if command == "doomed" else victim.stall)
    work = ["beat", "-s", details[0]] if command == "beat" else ["worker", "-P", "threads", "-c", details[0], *_QUIET]
    app.start(["--skip-checks", *work, "--loglevel=WARNING"])


def main() -> None:
    """Reads commands until the other side hangs up; then all workers are killed."""
    import django

    django.setup()
    # Imported before the forks: all that workers need.
    for module in ("celery.apps.beat", "celery.apps.worker", "celery.concurrency.thread", "celery.worker.consumer"):
        importlib.import_module(module)
    importlib.import_module("workflows_ui.tasks")
    _hurry()
    # Children that were killed leave no zombies: whether one lives can be asked by its id.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    children: list[int] = []
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            try:
                _become(*line.split())
            finally:
                os._exit(1)
        children.append(child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
