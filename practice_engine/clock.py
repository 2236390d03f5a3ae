"""Scaled time: a thread that calls functions later, in engine seconds."""

import asyncio
import contextlib
import math
import threading
from collections.abc import Callable, Iterator


class Clock:
    """Calls functions after a number of engine seconds; one engine second lasts ``scale`` real seconds.

    They are called by an event loop in a daemon thread. The loop logs an exception of a function: a bug of the practice engine
    must not stop other runs.
    """

    def __init__(self, scale: float = 1.0) -> None:
        if scale <= 0:
            raise ValueError("The clock scale must be greater than zero.")
        self.scale = scale
        self._held_from = math.inf
        self._held: list[tuple[float, Callable[[], None]]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="practice-clock", daemon=True)
        self._thread.start()

    def real_seconds(self, seconds: float) -> float:
        return seconds * self.scale

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call ``call`` once, in the clock's thread, after ``seconds`` engine seconds; never if the clock was stopped before."""
        if seconds >= self._held_from:
            self._held.append((seconds, call))
        else:
            self._start(seconds, call)

    def _start(self, seconds: float, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._loop.call_later, self.real_seconds(seconds), call)

    @contextlib.contextmanager
    def held(self, seconds: float) -> Iterator[Callable[[], None]]:
        """Do not begin to wait for what takes this many engine seconds or longer, so that it cannot end before something else.

        The waiting begins when the block ends or the function that it gets is called.
        """

        def begin() -> None:
            waiting, self._held = self._held, []
            for length, call in waiting:
                self._start(length, call)

        self._held_from = seconds
        try:
            yield begin
        finally:
            self._held_from = math.inf
            begin()

    def stop(self) -> None:
        """Drop all pending calls and end the thread."""
        with contextlib.suppress(RuntimeError):  # stopped before, or a call takes longer than that
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)
            self._loop.close()
