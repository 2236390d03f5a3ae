"""The total deadline of a call: one thread shuts down the sockets of calls that took too long.

Socket time-outs are per read: a server that sends one byte a second never triggers them. So every call has a `Watch`, and at its
deadline the socket is shut down during the read, which then sees the end of the stream and `watch.cut`.
"""

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
import weakref
from typing import Self

# The watch of each socket: the pool may pass a socket to another thread's call a moment before this call has ended.
_owners: weakref.WeakKeyDictionary[socket.socket, "Watch"] = weakref.WeakKeyDictionary()
_owners_lock = threading.Lock()


class Watch:
    """One call's deadline. Use as a context manager; `guard` sets the socket to cut.

    Attributes:
        cut: True if the deadline passed during the call.
    """

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds
        self.cut = False
        #: Whether the call ended, so that nothing is cut any more, and a pooled socket can serve the next call.
        self.ended = False
        self._socket: socket.socket | None = None

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.ends - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether no time is left, even if no socket was cut."""
        return self.cut or self.remaining() == 0.0

    def guard(self, connection: socket.socket) -> None:
        """Cut `connection` instead of the previous one at the deadline, or immediately if it has passed."""
        with _owners_lock:
            self._socket = connection
            _owners[connection] = self
            if self.cut:
                _shut_down(connection)

    def fire(self) -> None:
        """Cut the call at its deadline."""
        with _owners_lock:
            if self.ended:
                return
            self.cut = True
            if self._socket is not None and _owners.get(self._socket) is self:
                _shut_down(self._socket)

    def check(self) -> None:
        """Raise OSError if the call was cut: the apparent end of an answer without a length may be the cut."""
        if self.cut:
            raise OSError("cut by the deadline")

    def __enter__(self) -> Self:
        _watchdog.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        with _owners_lock:
            self.ended = True
            self._socket = None


class _Watchdog:
    """A heap of watches and one thread that waits for the nearest deadline; it starts with the first call."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Watch]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self._changed:
            heapq.heappush(self._heap, (watch.ends, next(self._order), watch))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="engine-watchdog", daemon=True)
                self._thread.start()
            elif self._heap[0][2] is watch:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            due: list[Watch] = []
            with self._changed:
                while self._heap and (self._heap[0][2].ended or self._heap[0][0] <= time.monotonic()):
                    due.append(heapq.heappop(self._heap)[2])
                if not due:
                    self._changed.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
            for watch in due:
                watch.fire()


def _shut_down(connection: socket.socket) -> None:
    # Not `connection.shutdown`: on a TLS socket it would also drop the TLS state, which another thread is using for a read.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


_watchdog = _Watchdog()


def _reset_after_fork() -> None:
    # A forked process has the heap but not the thread, and a lock may have been held during the fork.
    global _watchdog, _owners_lock
    _watchdog = _Watchdog()
    _owners_lock = threading.Lock()


os.register_at_fork(after_in_child=_reset_after_fork)
