"""`make run`: the whole console on one machine, without a server. `python -m console.dev.run [manage <command> ...]`

Prepares what is missing or stale (keys, database, translations, static files, first account), then runs web, worker (with
beat) and practice engine until Ctrl-C. With `manage`, runs one management command with the same settings instead.
"""

import fcntl
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from console.dev.dev_settings import ROOT, TASKS_RUN, StartError, is_free, make_var_dir, process_environment
from console.dev.preparation import (
    CheckedSettings,
    Preparation,
    check_settings,
    practice_index,
    practice_workspace,
    prepare,
)
from console.dev.supervisor import Process, Supervisor

#: Threads of a worker besides those that wait for engines: ticks and polls must not queue behind launches.
SPARE_SLOTS = 20
#: Seconds until everything must answer after a start.
START_SECONDS = 90.0
_MANAGE = [sys.executable, str(ROOT / "manage.py")]
_printing = threading.Lock()
_tasks_run = threading.Event()


def main(arguments: list[str]) -> int:
    """The exit code: 0 after Ctrl-C, 1 if the console could not start or a process had to be killed."""
    try:
        if arguments[:1] == ["manage"]:
            return _manage(arguments[1:])
        return _run()
    except StartError as problem:
        _print(f"Cannot start: {problem}")
        return 1


def _manage(arguments: list[str]) -> int:
    given = dict(os.environ)
    environment, _ = process_environment(given, make_var_dir(given), report=None)
    os.execve(sys.executable, [*_MANAGE, *arguments], environment)  # noqa: S606


def _run() -> int:
    given = dict(os.environ)
    os.umask(0o077)
    folder = make_var_dir(given)
    with (folder / "run.lock").open("a+", encoding="utf-8") as lock:
        _acquire(lock)
        notices: list[str] = []
        environment, practice_port = process_environment(given, folder, report=notices.append)
        os.environ.update(environment)
        preparation = Preparation()
        settings = preparation.run(check_settings)
        if not is_free(settings.bind, settings.port):
            raise StartError(
                f"Port {settings.port} is in use. Stop what uses it, or choose another: PORT={settings.port + 10} make run"
            )
        for notice in notices:
            _print(notice)
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {settings.base_url}\n")
        lock.flush()
        supervisor = Supervisor(environment, _report)
        supervisor.handle_signals()
        healthy = clean = False
        try:
            healthy = _start_and_watch(supervisor, preparation, settings, practice_port)
        finally:
            _print("Stopping; waiting calls get up to a minute (Ctrl-C again: at once) ...")
            clean = supervisor.stop()
        _print("Stopped.")
        return 0 if healthy and clean else 1


def _start_and_watch(
    supervisor: Supervisor, preparation: Preparation, settings: CheckedSettings, practice_port: int | None
) -> bool:
    """False if the start failed or a process kept exiting."""
    if practice_port:
        # Without Django. The token and the clock's scale are in the environment.
        state = str(Path(settings.var_dir) / "practice_engine.json")
        engine = ["-m", "practice_engine", "--port", str(practice_port), "--state", state]
        engine += ["--month"] if settings.practice_month else []
        supervisor.start(Process("practice", [sys.executable, *engine], stop_order=2))
    account = preparation.run(prepare)
    try:
        if practice_port:
            preparation.run(practice_workspace)
        slots = str(settings.worker_slots + SPARE_SLOTS)
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:console.web", "console.wsgi"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        worker = [sys.executable, "-m", "console.dev.worker", "--quiet", "worker", "-P", "threads", "-c", slots, *quiet]
        supervisor.start(Process("web", gunicorn))
        supervisor.start(Process("worker", worker, stop_order=1))
        if practice_port and settings.practice_month:
            # While the others start.
            preparation.run(practice_index)
        preparation.end()
        deadline = time.monotonic() + START_SECONDS
        # Before the worker's first heartbeat the console is not ready, and each question would get a warning into the log.
        if not supervisor.watch(until=lambda: _tasks_run.is_set() or time.monotonic() > deadline):
            return False
        if not supervisor.watch(until=lambda: _ready(settings.port) or time.monotonic() > deadline):
            return False
        if not supervisor.stopping and time.monotonic() > deadline:
            raise StartError(f"Not ready after {START_SECONDS:.0f} s; see the lines above.")
        if not supervisor.stopping:
            _print(f"\nThe console is ready: {settings.base_url}\nCtrl-C ends it.")
    finally:
        # Whatever else fails: the password is stored nowhere.
        if account:
            _print(f"\nSign in with the first account:\n{account}")
    return supervisor.watch(until=lambda: False)


def _ready(port: int) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/readyz", headers={"Host": "127.0.0.1"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _acquire(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise StartError(
            f"The console runs already ({lock.read().strip() or 'just starting'}). A second one needs a folder of its own: "
            "VAR_DIR=/path PORT=8010 make run"
        ) from None


def _report(name: str, line: str) -> None:
    if name == "worker" and line == TASKS_RUN:
        _tasks_run.set()
    _print(f"{name:<8} | {line}")


def _print(text: str) -> None:
    with _printing:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
