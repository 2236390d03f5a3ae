"""`make run`: the whole console on one machine, without a server. `python -m console.dev.run [manage <command> ...]`

Prepares what is missing or stale (keys, database, translations, static files, first account), then runs web, worker, beat and
practice engine until Ctrl-C. With `manage`, runs one management command with the same settings instead.
"""

import fcntl
import hashlib
import io
import os
import shutil
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import IO

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from console.dev import translations
from console.dev.dev_settings import ROOT, StartError, is_free, make_var_dir, process_environment
from console.dev.supervisor import Process, Supervisor

#: Threads of a worker besides those that wait for engines: ticks and polls must not queue behind launches.
SPARE_SLOTS = 20
#: Seconds until everything must answer after a start.
START_SECONDS = 90.0
_MANAGE = [sys.executable, str(ROOT / "manage.py")]
_printing = threading.Lock()


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 after Ctrl-C, 1 if the console could not start or a process had to be killed."""
    try:
        if arguments[:1] == ["manage"]:
            return _manage(arguments[1:])
        return _run()
    except (StartError, ImproperlyConfigured, CommandError) as problem:
        _print(f"Cannot start: {problem}")
        return 1


def _manage(arguments: list[str]) -> int:
    given = dict(os.environ)
    environment, _ = process_environment(given, make_var_dir(given), starting=False)
    os.execve(sys.executable, [*_MANAGE, *arguments], environment)  # noqa: S606


def _run() -> int:
    given = dict(os.environ)
    os.umask(0o077)
    folder = make_var_dir(given)
    with (folder / "run.lock").open("a+", encoding="utf-8") as lock:
        _acquire(lock)
        environment, practice_port = process_environment(given, folder, starting=True)
        os.environ.update(environment)
        django.setup()
        from django.conf import settings

        if not is_free(settings.BIND, settings.PORT):
            raise StartError(
                f"Port {settings.PORT} is in use. Stop what uses it, or choose another: PORT={settings.PORT + 1} make run"
            )
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {settings.BASE_URL}\n")
        lock.flush()
        supervisor = Supervisor(environment, lambda name, line: _print(f"{name:<8} | {line}"))
        supervisor.handle_signals()
        kept = clean = False
        try:
            kept = _start_and_watch(supervisor, practice_port)
        finally:
            _print("Stopping; waiting calls get up to a minute (Ctrl-C again: at once) ...")
            clean = supervisor.stop()
        _print("Stopped.")
        return 0 if kept and clean else 1


def _start_and_watch(supervisor: Supervisor, practice_port: int | None) -> bool:
    """Return False if the start failed or a process kept exiting."""
    from django.conf import settings
    from django.core.cache import cache

    from workflows_ui.core import heartbeat

    if practice_port:
        state = str(settings.VAR_DIR / "practice_engine.json")
        command = [*_MANAGE, "practice_engine", "--port", str(practice_port), "--state", state]
        supervisor.start(Process("practice", command, stop_order=2))
    account = _prepare()
    cache.delete(heartbeat.KEY)
    try:
        if practice_port:
            call_command("practice_workspace", wait=30)
        celery = [sys.executable, "-m", "celery", "--quiet", "-A", "console"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        slots = str(settings.WORKER_SLOTS + SPARE_SLOTS)
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:console.web", "console.wsgi"]
        supervisor.start(Process("web", gunicorn))
        supervisor.start(Process("worker", [*celery, "worker", "-P", "threads", "-c", slots, *quiet], stop_order=1))
        supervisor.start(Process("beat", [*celery, "beat"]))
        deadline = time.monotonic() + START_SECONDS
        if not supervisor.watch(
            until=lambda: (
                (cache.get(heartbeat.KEY) is not None and _ready(settings.PORT)) or time.monotonic() > deadline
            )
        ):
            return False
        if not supervisor.stopping and time.monotonic() > deadline:
            raise StartError(f"Not ready after {START_SECONDS:.0f} s; see the lines above.")
        if not supervisor.stopping:
            _print(f"\nThe console is ready: {settings.BASE_URL}\nCtrl-C ends it.")
    finally:
        # Whatever else fails: the password is stored nowhere.
        if account:
            _print(f"\nSign in with the first account:\n{account}")
    return supervisor.watch(until=lambda: False)


def _prepare() -> str:
    """Update database, translations and static files. Return the output of `first_user`, which is empty after the first start."""
    from django.conf import settings

    if settings.CELERY_BROKER_URL.startswith("fsatomic:"):
        # Messages only say that a row is due, and no process of an earlier run is alive to receive them.
        shutil.rmtree(settings.VAR_DIR / "broker", ignore_errors=True)
    translations.compile_stale()
    call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
    _collect_stale()
    output = io.StringIO()
    call_command("first_user", stdout=output)
    return output.getvalue()


def _collect_stale() -> None:
    """Collect static files if one of them was added, changed or removed since the last time."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    if settings.DEBUG:
        return
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            digest.update(f"{name} {storage.size(name)} {storage.get_modified_time(name)}\n".encode())
    stamp = settings.STATIC_ROOT / ".stamp"
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest.hexdigest(), encoding="ascii")


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
            "VAR_DIR=/path PORT=8001 make run"
        ) from None


def _print(text: str) -> None:
    with _printing:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
