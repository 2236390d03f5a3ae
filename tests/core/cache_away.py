"""A console whose cache is away: its port refuses or hangs, or its folder cannot be written."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import environ
import pytest
from django.conf import settings
from django.test import override_settings

from console.environment import Reader
from tests import caches

AWAY = ("refuses", "hangs", "cannot be written")


class Hanging:
    """A port that takes connections and never says anything."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.taken: list[socket.socket] = []
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(self._listening.accept()[0])

    def close(self) -> None:
        """Ends all of it."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)
        for one in self.taken:
            one.close()


@contextlib.contextmanager
def cache_at(url: str) -> Iterator[None]:
    """The console's cache is at this address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CACHE_URL", url)
        answers = Reader(environ.Env()).cache("CACHE_URL", default=None, prefix="")
    caches.forget_answers()
    with override_settings(CACHES={**settings.CACHES, "answers": answers}):
        yield
    caches.forget_answers()


@contextlib.contextmanager
def cache_away(how: str, folder: Path) -> Iterator[None]:
    """The console's cache is away, in one of three ways."""
    hanging = Hanging()
    # Root may write anywhere, but makes no folder below a file either.
    (folder / "file").touch()
    urls = {
        "refuses": "redis://127.0.0.1:1/0",
        "hangs": f"redis://127.0.0.1:{hanging.port}/0",
        "cannot be written": f"filecache://{folder / 'file' / 'cache'}",
    }
    with contextlib.closing(hanging), cache_at(urls[how]):
        yield
