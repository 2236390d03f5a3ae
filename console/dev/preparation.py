"""What `make run` does before the console starts. It runs in a process of its own, so that the supervisor stays small: Django and
migrations take 150 MB, which a process that lives on would keep.
"""

import hashlib
import io
import multiprocessing
import shutil
import signal
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple, TypeVar

from console.dev.dev_settings import StartError

R = TypeVar("R")


class CheckedSettings(NamedTuple):
    """What the supervisor needs of the settings."""

    bind: str
    port: int
    base_url: str
    worker_slots: int
    var_dir: str
    practice_month: bool


class Preparation:
    """The process, until `end`. `run` waits for a function of this module, and raises StartError with what it says in case of failure."""

    def __init__(self) -> None:
        # Ctrl-C in a terminal reaches this process, too; the supervisor decides.
        ignoring = (signal.SIGINT, signal.SIG_IGN)
        self._process = ProcessPoolExecutor(1, multiprocessing.get_context("fork"), signal.signal, ignoring)
        self.end = self._process.shutdown

    def run(self, step: Callable[[], R]) -> R:
        try:
            result: R = self._process.submit(_run, step).result()
        except StartError:
            raise
        except Exception as problem:  # noqa: BLE001  (of a disk, a database, or a process that was killed)
            traceback.print_exception(problem)
            raise StartError("The preparation was interrupted; see the lines above.") from None
        return result


def _run(step: Callable[[], R]) -> R:
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError

    try:
        django.setup()
        return step()
    except (ImproperlyConfigured, CommandError) as problem:
        raise StartError(str(problem)) from None


def check_settings() -> CheckedSettings:
    from django.conf import settings

    return CheckedSettings(
        settings.BIND,
        settings.PORT,
        settings.BASE_URL,
        settings.WORKER_SLOTS,
        str(settings.VAR_DIR),
        settings.PRACTICE_MONTH,
    )


def prepare() -> str:
    """Update database, translations and static files. Return what to print about the first account, empty after the first start."""
    from django.conf import settings
    from django.core.cache import cache
    from django.core.management import call_command

    from console.dev import translations
    from workflows_ui.core import heartbeat

    if settings.CELERY_BROKER_URL.startswith("fsatomic:"):
        # Messages only say that a row is due, and no process of an earlier run is alive to receive them.
        shutil.rmtree(settings.VAR_DIR / "broker", ignore_errors=True)
    translations.compile_stale()
    call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
    cache.delete(heartbeat.KEY)
    _collect_stale()
    output = io.StringIO()
    call_command("first_user", stdout=output)
    return output.getvalue()


def practice_workspace() -> None:
    """Wait until the practice workspace leads to its engine."""
    from django.core.management import call_command

    call_command("practice_workspace", wait=30)


def practice_index() -> None:
    """Start the run index of the practice workspace, if it has never had one."""
    from django.core.management import call_command

    call_command("practice_index")


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
            with storage.open(name) as file:
                digest.update(f"{name} {storage.size(name)}\n".encode() + file.read())
    stamp = settings.STATIC_ROOT / ".stamp"
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest.hexdigest(), encoding="ascii")
