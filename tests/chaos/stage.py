"""Real processes around a test: workers, victims and beat, on the test's own database and a broker of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
#: Seconds until a step of the stage counts as stuck.
PATIENCE = 150


class Stage:
    """Starts and kills processes. `broker` is an address; a Redis database is emptied first, files lie in `folder`."""

    def __init__(self, folder: Path, broker: str, **settings_changes: str) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "DEBUG": "true",
            "VAR_DIR": str(folder),
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": broker,
            "LAUNCH_DEADLINE_SECONDS": "6",
            "LAUNCH_SEARCH_SECONDS": "12",
            "LOG_LEVEL": "INFO",
            **settings_changes,
        }
        if broker.startswith("redis"):
            import redis

            redis.Redis.from_url(broker).flushdb()

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Starts `python ...`; its output goes to a file of the folder, shown when something fails."""
        with (self.folder / f"{len(self._processes):02}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT
            )
        self._processes.append(process)
        return process

    def worker(self, threads: int = 24) -> subprocess.Popen[bytes]:
        """A healthy worker."""
        return self.start(
            "-m", "celery", "-A", "console", "worker", "-P", "threads", "-c", str(threads), "--loglevel=WARNING"
        )

    def beat(self) -> subprocess.Popen[bytes]:
        """The clock that rings every second."""
        return self.start(
            "-m",
            "celery",
            "-A",
            "console",
            "beat",
            "-s",
            str(self.folder / f"beat{len(self._processes)}"),
            "--loglevel=WARNING",
        )

    def victim(self, point: str, queue: str) -> subprocess.Popen[bytes]:
        """A worker that kills itself at the point."""
        return self.start("-m", "tests.chaos.victim", point, queue)

    def stop(self) -> None:
        """Ends everything at once."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()

    def logs(self) -> str:
        """The end of everything the processes said."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in sorted(self.folder.glob("*.log"))
        )


def database_url() -> str:
    """The address of the database that the test runs on, for other processes."""
    parts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{parts['NAME']}"
    login = f"{parts['USER']}:{parts['PASSWORD']}@" if parts["USER"] else ""
    host = parts["HOST"] or "%2Fvar%2Frun%2Fpostgresql"
    return f"postgres://{login}{host}:{parts['PORT'] or 5432}/{parts['NAME']}"


def broker_url(folder: Path) -> str:
    """A broker of the kind that this run of the tests is about, apart from what other tests use."""
    if settings.CELERY_BROKER_URL.startswith("redis"):
        base, _, number = settings.CELERY_BROKER_URL.rpartition("/")
        return f"{base}/{int(number or 0)}"
    shutil.rmtree(folder / "broker", ignore_errors=True)
    return "fsatomic://"


def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Waits for something that other processes bring about; fails with `what` when it does not come."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience} s in vain: {what}")
        time.sleep(0.1)
