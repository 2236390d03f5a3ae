"""Scaled time: a thread that calls functions later, in engine seconds."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Clock:
    """Calls functions after a number of engine seconds; one engine second lasts ``scale`` real seconds.

    The thread starts with the first call and is a daemon. An exception of a function is logged: a bug of the practice engine
    must not stop other runs.
    """

    def __init__(self, scale: float = 1.0) -> None:
        if scale <= 0:
            raise ValueError("The clock scale must be greater than zero.")
        self.scale = scale
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def real_seconds(self, seconds: float) -> float:
        return seconds * self.scale

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call ``call`` once, in the clock's thread, after ``seconds`` engine seconds."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._queue, (time.monotonic() + self.real_seconds(seconds), next(self._order), call))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="practice-clock", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        """Drop all pending calls and end the thread."""
        with self._changed:
            self._stopped = True
            self._queue.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and (not self._queue or self._queue[0][0] > time.monotonic()):
                    self._changed.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                if self._stopped:
                    return
                _, _, call = heapq.heappop(self._queue)
            try:
                call()
            except Exception:
                log.exception("A timed call of the practice engine failed")
