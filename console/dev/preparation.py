"""What `make run` does before the console starts. It runs in a process of its own, so that the supervisor stays small: Django and
migrations take 150 MB, which a process that lives on would keep.
"""

import hashlib
import io
import multiprocessing
import shutil
import signal
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from console.dev.dev_settings import StartError


class CheckedSettings(NamedTuple):
    """What the supervisor needs of the settings."""

    bind: str
    port: int
    base_url: str
    worker_slots: int
    var_dir: str


class Preparation:
    """The process. Each method waits for its next step, and raises StartError with what it says in case of failure."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, other = context.Pipe()
        context.Process(target=_run, args=(other,), daemon=True).start()
        other.close()

    def check_settings(self) -> CheckedSettings:
        return CheckedSettings(*self._next())

    def prepare(self, *, practice: bool) -> str:
        """Update database, translations and static files. Return what to print about the first account, empty after the first start."""
        self._pipe.send(practice)
        return str(self._next())

    def finish(self) -> None:
        """Wait until the practice workspace, if there is one, leads to its engine."""
        self._next()

    def _next(self) -> Any:
        try:
            succeeded, value = self._pipe.recv()
        except EOFError:
            raise StartError("The preparation was interrupted; see the lines above.") from None
        if not succeeded:
            raise StartError(value)
        return value


def _run(pipe: Connection) -> None:
    # Ctrl-C in a terminal reaches this process, too; the supervisor decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError

    try:
        django.setup()
        _steps(pipe)
    except (StartError, ImproperlyConfigured, CommandError) as problem:
        pipe.send((False, str(problem)))


def _steps(pipe: Connection) -> None:
    from django.conf import settings
    from django.core.cache import cache
    from django.core.management import call_command

    from workflows_ui.core import heartbeat

    bound = (settings.BIND, settings.PORT, settings.BASE_URL, settings.WORKER_SLOTS, str(settings.VAR_DIR))
    pipe.send((True, bound))
    practice = pipe.recv()
    pipe.send((True, _prepare()))
    cache.delete(heartbeat.KEY)
    if practice:
        call_command("practice_workspace", wait=30)
    pipe.send((True, None))


def _prepare() -> str:
    from django.conf import settings
    from django.core.management import call_command

    from console.dev import translations

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
    from django.core.management import call_command

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
