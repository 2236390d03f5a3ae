"""Real processes around a test: workers, victims and beat, on the test's own database and a broker of its own."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from tests.project.console_process import free_port

ROOT = Path(__file__).resolve().parents[2]
#: Seconds until a step of the stage counts as stuck.
PATIENCE = 90


def production(folder: Path) -> dict[str, str]:
    """Changes of settings for processes as in production, with static files in `folder`: Stage.collect_static puts them there."""
    return {
        "DEBUG": "false",
        "ALLOW_HTTP": "true",
        "BASE_URL": "http://127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1",
        "ENGINE_PRIVATE_NETWORKS": "127.0.0.0/8",
        "STATIC_ROOT": str(folder / "static"),
    }


class Stage:
    """Starts and kills processes. Their broker's files lie in `folder`; in Redis their keys have a prefix of their own."""

    def __init__(self, folder: Path, **settings_changes: str) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._nursery: Nursery | None = None
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "DEBUG": "true",
            "VAR_DIR": str(folder),
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
            "REDIS_PREFIX": f"{settings.REDIS_PREFIX}{secrets.token_hex(4)}-",
            "LAUNCH_DEADLINE_SECONDS": "6",
            "LAUNCH_SEARCH_SECONDS": "12",
            "LOG_LEVEL": "INFO",
            **settings_changes,
        }

    def start(self, *command: str, spoken: bool = False, **changes: str) -> subprocess.Popen[bytes]:
        """Starts `python ...`; its output goes to a file of the folder, shown when something fails. `spoken`: it is spoken with
        by lines, and only what it complains about goes there."""
        with (self.folder / f"{len(self._processes):02}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.env | changes,
                stdin=subprocess.PIPE if spoken else None,
                stdout=subprocess.PIPE if spoken else log,
                stderr=log if spoken else subprocess.STDOUT,
            )
        self._processes.append(process)
        return process

    @property
    def last(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        return self._processes[-1]

    def worker(self, threads: int = 24) -> subprocess.Popen[bytes]:
        """A healthy worker."""
        return self.start(
            "-m", "celery", "-A", "console", "worker", "-P", "threads", "-c", str(threads), "--loglevel=WARNING"
        )

    def web(self, name: str) -> str:
        """A web server with one process, in a folder of its own; the address at which it will answer."""
        port, folder = free_port(), self.folder / name
        folder.mkdir(mode=0o700)
        gunicorn = ("-m", "gunicorn", "-c", "python:console.web", "console.wsgi")
        self.start(*gunicorn, VAR_DIR=str(folder), PORT=str(port), WEB_PROCESSES="1")
        return f"http://127.0.0.1:{port}"

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

    def nursery(self) -> "Nursery":
        """A process that forks workers."""
        if self._nursery is None:
            self._nursery = Nursery(self)
        return self._nursery

    def collect_static(self) -> None:
        """What web servers as in production need."""
        assert self.start("manage.py", "collectstatic", "--noinput").wait() == 0

    def stop(self) -> None:
        """Ends everything at once."""
        if self._nursery is not None:
            self._nursery.stop()
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        if settings.CELERY_BROKER_URL.startswith("redis"):
            server = redis.Redis.from_url(settings.CELERY_BROKER_URL)
            for key in server.scan_iter(f"{self.env['REDIS_PREFIX']}*"):
                server.delete(key)
            server.close()

    def logs(self) -> str:
        """The end of everything the processes said."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in sorted(self.folder.glob("*.log"))
        )


class Nursery:
    """Forks workers in a moment (nursery.py). A worker is known by its process id."""

    def __init__(self, stage: Stage) -> None:
        self._folder = stage.folder
        self._process = stage.start("-m", "tests.chaos.nursery", spoken=True)
        self._pids: list[int] = []
        self._ready = False

    def worker(self, threads: int) -> int:
        """A healthy worker."""
        return self._ask(f"worker {threads}")

    def doomed(self, threads: int, point: str) -> int:
        """A worker that kills itself at the point."""
        return self._ask(f"doomed {threads} {point}")

    def sleeper(self, threads: int, point: str) -> int:
        """A worker that stands still at the point, as if its machine were put to sleep."""
        return self._ask(f"sleeper {threads} {point}")

    def beat(self) -> int:
        """The clock that rings every second."""
        return self._ask(f"beat {self._folder / f'nursery-beat{len(self._pids)}'}")

    @staticmethod
    def lives(pid: int) -> bool:
        """Whether the process is still there."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    @staticmethod
    def strike(pid: int, sign: int = signal.SIGKILL) -> None:
        """`kill -9`, or another signal, where it still lives."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)

    def stop(self) -> None:
        """Ends all of them."""
        for pid in self._pids:
            self.strike(pid)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ask(self, command: str) -> int:
        talk, answers = self._process.stdin, self._process.stdout
        assert talk is not None
        assert answers is not None
        if not self._ready:
            assert answers.readline() == b"ready\n"
            self._ready = True
        talk.write(f"{command}\n".encode())
        talk.flush()
        pid = int(answers.readline())
        self._pids.append(pid)
        return pid


def database_url() -> str:
    """The address of the database that the test runs on, for other processes."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    address, _, options = os.environ["DATABASE_URL"].partition("?")
    return f"{address.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")


def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Waits for something that other processes bring about; fails with `what` when it does not come."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience} s in vain: {what}")
        time.sleep(0.1)
