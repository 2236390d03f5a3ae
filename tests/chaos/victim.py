"""A Celery worker that kills itself (SIGKILL), or stands still (SIGSTOP), at a named point of the first launch it sends.

`python -m tests.chaos.victim POINT QUEUE`. The product knows nothing of this: the points are put around its functions from outside.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

#: Every point at which a launch may be cut, in its order, and the states it may have at the end of the search time.
#: What was cut after the commit of SENDING, and never reached the engine, has no trace in the run lists. "Not sent" is said a day later,
#: after the last search.
POINTS: dict[str, set[str]] = {
    "before the claim": {"succeeded"},
    "claimed": {"succeeded"},
    "before the flow is read": {"succeeded"},
    "after the flow was read": {"succeeded"},
    "before the commit of SENDING": {"succeeded"},
    "after the commit of SENDING": {"unknown"},
    "before the first byte": {"unknown"},
    "after the first byte": {"unknown"},
    "after the whole request": {"succeeded"},
    "after the answer": {"succeeded"},
    "before the commit of the answer": {"succeeded"},
    "after the commit of the answer": {"succeeded"},
}


def die() -> None:
    """As `kill -9` from outside: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()


def stall() -> None:
    """As a machine that is put to sleep: it goes on where it was, once it gets SIGCONT."""
    # To this thread: sent to the process, another thread may get it a little later, and this one goes on until then.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _before(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        strike()
        return function(*args, **kwargs)

    return wrapped


def _after(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = function(*args, **kwargs)
        strike()
        return given

    return wrapped


def _after_beginning_a_trigger(function: Callable[..., Any], strike: Callable[[], None]) -> Callable[..., Any]:
    """Reads, of the flow for one, begin as well."""

    def wrapped(call: Any, *args: Any) -> Any:
        given = function(call, *args)
        if call.before_first_byte is not None:
            strike()
        return given

    return wrapped


def arm(point: str, strike: Callable[[], None] = die) -> None:
    """Puts the kill, or whatever is to happen instead, at the point. What cuts bytes or commits in two can only kill."""
    from workflows_ui.engine import connection
    from workflows_ui.launches.services import flow_checks, sending

    places: dict[str, tuple[Any, str, Callable[..., Callable[..., Any]]]] = {
        "before the claim": (sending, "claim", _before),
        "claimed": (sending, "claim", _after),
        "before the flow is read": (flow_checks, "check", _before),
        "after the flow was read": (flow_checks, "check", _after),
        "before the commit of SENDING": (sending, "mark_sending", _before),
        "after the commit of SENDING": (sending, "mark_sending", _after),
        "before the first byte": (connection.Call, "begin", _after_beginning_a_trigger),
        "after the answer": (sending, "record", _before),
        "after the commit of the answer": (sending, "record", _after),
    }
    if point in places:
        owner, name, kill = places[point]
        setattr(owner, name, kill(getattr(owner, name), strike))
    elif point == "before the commit of the answer":
        _die_on_leaving_the_transaction_of_the_answer()
    else:
        _cut_the_request({"after the first byte": 1, "after the whole request": None}[point])


def _die_on_leaving_the_transaction_of_the_answer() -> None:
    """The last statement of the transaction has run, its commit has not."""
    from django.db import transaction

    from workflows_ui.launches.services import sending

    recording = threading.local()
    leave, record = transaction.Atomic.__exit__, sending.record

    def left(self: Any, *details: Any) -> None:
        if getattr(recording, "now", False):
            die()
        leave(self, *details)

    def recorded(*args: Any, **kwargs: Any) -> None:
        recording.now = True
        record(*args, **kwargs)

    transaction.Atomic.__exit__ = left  # type: ignore[method-assign]
    sending.record = recorded


def _cut_the_request(length: int | None) -> None:
    """Sends only so many bytes of a trigger's request (None: all of it), then dies."""
    from http.client import HTTPConnection

    original = HTTPConnection.send

    def send(self: Any, data: Any) -> None:
        if isinstance(data, bytes) and b"/webhooks/" in data:
            if length is None:
                send.whole = True  # type: ignore[attr-defined]
            else:
                self.sock.sendall(data[:length])
                die()
        original(self, data)
        # Head and body may go out by one call or by two; the body's braces end the request.
        if getattr(send, "whole", False) and isinstance(data, bytes) and data.endswith(b"}"):
            die()

    HTTPConnection.send = send  # type: ignore[method-assign]


if __name__ == "__main__":
    import django

    django.setup()
    from console.celery import app

    arm(sys.argv[1])
    app.worker_main(
        ["worker", "-P", "threads", "-c", "4", "-Q", sys.argv[2], "--loglevel=WARNING", "--without-heartbeat"]
    )
