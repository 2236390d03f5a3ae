"""`make run`: everything on one machine, without a server. `python -m console.run [manage <command> ...]`

Prepares what is missing or stale (keys, database, translations, static files, first account), then looks after web, worker, beat and
practice engine until Ctrl-C. With `manage` it runs one management command with the same settings instead.
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

from console import desk, translations
from console.supervisor import Process, Supervisor

#: Threads of a worker beyond those that may wait for engines: ticks and polls must not queue behind launches.
SPARE_SLOTS = 20
#: Seconds until everything must answer after a start.
PATIENCE = 90.0
_printing = threading.Lock()


def main(arguments: list[str]) -> int:
    """The exit code: 0 after Ctrl-C, 1 when it could not start or could not go on."""
    try:
        if arguments[:1] == ["manage"]:
            return _manage(arguments[1:])
        return _run()
    except (desk.CannotStart, ImproperlyConfigured, CommandError) as problem:
        _print(f"Cannot start: {problem}")
        return 1


def _manage(arguments: list[str]) -> int:
    environment, _ = desk.environment(dict(os.environ), desk.folder(dict(os.environ)), starting=False)
    os.execve(sys.executable, [sys.executable, str(desk.ROOT / "manage.py"), *arguments], environment)  # noqa: S606


def _run() -> int:
    given = dict(os.environ)
    os.umask(0o077)
    folder = desk.folder(given)
    with (folder / "run.lock").open("a+", encoding="utf-8") as lock:
        _lock(lock)
        environment, practice_port = desk.environment(given, folder, starting=True)
        os.environ.update(environment)
        django.setup()
        from django.conf import settings

        if not desk.is_free(settings.BIND, settings.PORT):
            raise desk.CannotStart(
                f"Port {settings.PORT} is in use. Stop what uses it, or choose another: PORT={settings.PORT + 1} make run"
            )
        _note(lock, f"process {os.getpid()}, {settings.BASE_URL}")
        supervisor = Supervisor(environment, _print_of)
        supervisor.listen()
        kept = clean = False
        try:
            kept = _start_and_keep(supervisor, practice_port)
        finally:
            _print("Stopping; waiting calls get up to a minute (Ctrl-C again: at once) ...")
            clean = supervisor.stop()
        _print("Stopped.")
        return 0 if kept and clean else 1


def _start_and_keep(supervisor: Supervisor, practice_port: int | None) -> bool:
    """False when the start failed or a process could not be kept alive."""
    from django.conf import settings
    from django.core.cache import cache

    from workflows_ui.services import heartbeat

    if practice_port:
        state = settings.VAR_DIR / "practice_engine.json"
        command = ["practice_engine", "--port", str(practice_port), "--state", str(state)]
        supervisor.start(Process("practice", [sys.executable, str(desk.ROOT / "manage.py"), *command], rank=2))
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
        supervisor.start(Process("worker", [*celery, "worker", "-P", "threads", "-c", slots, *quiet], rank=1))
        supervisor.start(Process("beat", [*celery, "beat"]))
        give_up = time.monotonic() + PATIENCE
        if not supervisor.keep(
            until=lambda: (cache.get(heartbeat.KEY) is not None and _ready(settings.PORT)) or time.monotonic() > give_up
        ):
            return False
        if not supervisor.stopping and time.monotonic() > give_up:
            raise desk.CannotStart(f"Not ready after {PATIENCE:.0f} s; see the lines above.")
        if not supervisor.stopping:
            _print(f"\nThe console is ready: {settings.BASE_URL}\nCtrl-C ends it.")
    finally:
        # Whatever else goes wrong: the password exists nowhere but here.
        if account:
            _print(f"\nSign in with the first account:\n{account}")
    return supervisor.keep(until=lambda: False)


def _prepare() -> str:
    """Brings database, translations and static files up to date; what `first_user` has to say, once."""
    from django.conf import settings

    if settings.CELERY_BROKER_URL.startswith("fsatomic:"):
        # Messages are only bells, and nobody of an earlier run is alive to hear them.
        shutil.rmtree(settings.VAR_DIR / "broker", ignore_errors=True)
    translations.compile_stale()
    call_command("migrate", interactive=False, verbosity=0)
    _collect_stale()
    told = io.StringIO()
    call_command("first_user", stdout=told)
    return told.getvalue()


def _collect_stale() -> None:
    """Collects static files where one of them was added, changed or removed since the last time."""
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


def _lock(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise desk.CannotStart(
            f"The console runs already ({lock.read().strip() or 'just starting'}). A second one needs a folder of its own: "
            "VAR_DIR=/path PORT=8001 make run"
        ) from None


def _note(lock: IO[str], text: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(f"{text}\n")
    lock.flush()


def _print_of(name: str, line: str) -> None:
    _print(f"{name:<8} | {line}")


def _print(text: str) -> None:
    with _printing:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
