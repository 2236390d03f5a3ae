"""The web server's worker: gunicorn manages the processes, waitress reads requests and writes responses in one loop.

A thread gets a request only when it has arrived completely, and is free as soon as the response is complete. The loop buffers the requests
and responses of slow clients, on disk if they are large, for as long as the settings allow. A body that is too large for its address, or
the slowest of too many, is not read to its end: the application answers the request without it.
"""

import contextlib
import ctypes
import gc
import os
import re
import resource
import select
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import BadRequest

from workflows_ui.core import client_address
from workflows_ui.web import body_limits

#: Bytes of a request or response that are kept in memory; a larger one goes to a temporary file.
_MEMORY_BYTES = 128 * 1024
#: The loop buffers whole responses, whatever their size, so that no thread waits for a client.
_UNLIMITED = 2**50
#: Maximum bytes of the first line and the headers of a request.
_HEAD_BYTES = 64 * 1024
#: File descriptors for everything but connections: database, cache, logs, engines.
_OTHER_FILES = 1024
#: Maximum seconds of a turn of the loop.
_TURN_SECONDS = 1.0
#: The header, also an empty one, which waitress ignores.
_TRANSFER_ENCODING = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)
#: Maximum bytes of the size of a chunk with its extensions, and of the fields after the last chunk.
_CHUNK_LINE_BYTES, _TRAILER_BYTES = 1024, 64 * 1024
#: Seconds for which a client may pause, while what it still sends after the last response is read and discarded.
_LINGER_SECONDS = 5.0
#: Seconds over which the speed of a body is measured.
_SPEED_SECONDS = 2.0
#: The memory of a request with a larger body is given back to the system, as is that of a larger block.
_LARGE_BYTES = 1024 * 1024
#: Parameters of glibc's mallopt (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
#: Seconds that clients get to send or read the rest during a shutdown, in which no new connection is accepted.
_DRAIN_SECONDS = 10.0


class Request(HTTPRequestParser):
    """A request that is being received.

    Attributes:
        most: maximum bytes of its body.
        refused: why the body is not read (body_limits), or "". Then the application answers without it.
    """

    most = 0
    refused = ""
    #: Until the head is parsed, which malformed ones never are.
    command = path = ""
    error: Any
    body_rcv: Any
    expect_continue: bool

    def parse_header(self, head: bytes) -> None:
        """Parse the head, and look up the limit of the body."""
        try:
            super().parse_header(head)
        except ValueError as problem:
            raise ParsingError("Malformed request") from problem
        if _TRANSFER_ENCODING.search(head) and ("CONTENT_LENGTH" in self.headers or self.version != "1.1"):
            # A proxy may have seen another end of the body, and take the rest for the next person's request (RFC 9112 6.1, 6.3).
            raise ParsingError("Ambiguous length of the body")
        path = self.path.encode("latin-1").decode("utf-8", "replace")
        large = self.chunked or self.content_length > body_limits.ANONYMOUS
        with_session = large and body_limits.has_session(self.headers.get("COOKIE", ""))
        self.most = body_limits.most_bytes(path, signed_in=with_session)

    def received(self, data: bytes) -> int:
        """Process data from the client; return how much of it belongs to this request."""
        consumed: int = super().received(data)
        if self.headers_finished and self.error is None and not self.refused:
            if max(self.content_length, self.body_bytes_received) > self.most:
                self.refuse(body_limits.TOO_LARGE)
            elif isinstance(self.body_rcv, ChunkedReceiver) and (
                len(self.body_rcv.control_line) > _CHUNK_LINE_BYTES or len(self.body_rcv.trailer) > _TRAILER_BYTES
            ):
                self.error, self.completed = BadRequest("Invalid chunk"), True
        # The rest of a body that is not read is no request.
        return len(data) if self.refused else consumed

    def refuse(self, reason: str) -> None:
        """Leave the body."""
        self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))
        self.close()
        # Else waitress asks a client for the body that announces it and waits.
        self.expect_continue = False
        self.refused, self.completed, self.body_rcv = reason, True, None

    @property
    def body_bytes(self) -> int:
        """The bytes of the body that are buffered."""
        return len(self.body_rcv) if self.body_rcv is not None else 0


class _Framing:
    """The rules of HTTP for a response's body, part of which waitress leaves to the application.

    Bytes that follow a response on an open connection are taken for the next response: behind a proxy, for another person's.
    """

    channel: Any

    @property
    def has_body(self) -> bool:
        """Whether the response may have a body. One that has none ends the connection, as waitress ends those without a length."""
        return bool(super().has_body and self.channel.requests[0].command != "HEAD")  # type: ignore[misc]

    def start(self) -> None:
        """Announce the end of the connection during a shutdown, so that no further request is sent on it."""
        super().start()  # type: ignore[misc]
        ends = not self.channel.server.accepting and len(self.channel.requests) == 1
        if ends or self.channel.requests[0].refused:
            self.set_close_on_finish()  # type: ignore[attr-defined]


class Response(_Framing, WSGITask):
    """A response of the application."""

    def get_environment(self) -> dict[str, Any]:
        """The WSGI environment, which says whether the body was read."""
        environ: dict[str, Any] = super().get_environment()
        if self.request.refused:
            environ[body_limits.REFUSED] = self.request.refused
        return environ


class ErrorResponse(_Framing, ErrorTask):
    """A response of the server, which refuses a request."""

    @property
    def has_body(self) -> bool:
        """Whether the response may have a body. The method of a request whose head is too long is not known: it may be HEAD."""
        return super().has_body and not self.status.startswith("431")


class Channel(HTTPChannel):
    """A connection, with the times that show whether its client is slow."""

    parser_class = Request
    task_class = Response
    error_task_class = ErrorResponse
    #: When the first byte of the current request arrived.
    begun_at = 0.0
    #: When the current response was complete.
    answered_at = 0.0
    #: When the last response was sent completely.
    ended_at: float | None = None
    close_when_flushed: bool
    request: Request | None
    requests: list[Request]
    #: When the speed of the current body was measured, at which of its bytes, and the bytes per second; None before.
    measured_at = 0.0
    measured_bytes = 0
    speed: float | None = None

    def readable(self) -> bool:
        """Whether to read from the client."""
        return self.ended_at is not None or bool(super().readable())

    def writable(self) -> bool:
        """Whether to write to the client."""
        return self.ended_at is None and bool(super().writable())

    def handle_write(self) -> None:
        """Write. After the last response only this half of the connection is closed: while something that the client sent is unread,
        the system answers `close` with a reset, which takes the response from the client.
        """
        with self.requests_lock:
            last, self.close_when_flushed = self.close_when_flushed, False
        super().handle_write()
        if last and self.connected:
            if self.total_outbufs_len:
                self.close_when_flushed = True
            else:
                self.ended_at = time.time()
                with contextlib.suppress(OSError):
                    self.socket.shutdown(socket.SHUT_WR)

    def received(self, data: bytes) -> bool:
        """Process data from the client."""
        if self.ended_at is not None:
            return False
        if self.request is None:
            self.begun_at = self.measured_at = time.time()
            self.measured_bytes, self.speed = 0, None
        return bool(super().received(data))

    @property
    def client(self) -> str:
        """What limits count as one client."""
        # A thread may take the request away meanwhile.
        waiting = [*self.requests]
        request = self.request or (waiting[0] if waiting else None)
        forwarded = request.headers.get("X_FORWARDED_FOR", "") if request is not None else ""
        return client_address.network(client_address.find_address(str(self.addr[0]), forwarded))

    @property
    def receives_body(self) -> bool:
        """Whether the end of a body has not arrived."""
        return self.ended_at is None and self.request is not None and self.request.headers_finished

    @property
    def body_bytes(self) -> int:
        """The bytes of the current body that are buffered."""
        return self.request.body_bytes if self.request is not None else 0

    def measure(self, now: float) -> None:
        """Measure how fast the body is sent."""
        if self.request is not None and now - self.measured_at >= _SPEED_SECONDS:
            received = self.request.body_bytes_received
            self.speed = (received - self.measured_bytes) / (now - self.measured_at)
            self.measured_at, self.measured_bytes = now, received

    def refuse_body(self) -> None:
        """Answer the current request without its body."""
        with self.requests_lock:
            request, self.request = self.request, None
            if request is not None:
                request.refuse(body_limits.TOO_MANY)
                self.requests.append(request)
                if len(self.requests) == 1:
                    self.server.add_task(self)

    def service(self) -> None:
        """Answer the request, in a thread."""
        # Set before as well: the loop may see the response before the line after `super().service()` runs.
        self.answered_at = time.time()
        large = self.requests[0].body_bytes > _LARGE_BYTES
        super().service()
        self.answered_at = time.time()
        if large:
            _give_memory_back()
        if not self.server.accepting:
            with self.requests_lock:
                self.close_when_flushed = self.close_when_flushed or not self.requests

    @property
    def busy(self) -> bool:
        """Whether a request is being answered, a response read, or a body sent."""
        return bool(self.requests or self.total_outbufs_len or self.receives_body)

    @property
    def waits_since(self) -> float | None:
        """Since when the connection waits for its client, or None while a request is being answered."""
        if self.requests:
            return None
        if self.total_outbufs_len:
            return self.answered_at
        return float(self.begun_at if self.request is not None else self.last_activity)

    def is_late(self, now: float) -> bool:
        """Whether the client has exceeded one of its time limits."""
        if self.ended_at is not None:
            # A browser reads the response to a body that is not read when it has sent all of it.
            paused = now - max(self.ended_at, self.last_activity) > _LINGER_SECONDS
            return paused or now - self.ended_at > settings.WEB_BODY_SECONDS
        since = self.waits_since
        if since is None:
            return False
        if self.total_outbufs_len:
            limit = settings.WEB_ANSWER_SECONDS
        elif self.request is None:
            limit = settings.WEB_IDLE_SECONDS
        else:
            limit = settings.WEB_BODY_SECONDS if self.receives_body else settings.WEB_HEAD_SECONDS
        idle = settings.WEB_IDLE_SECONDS
        if self.receives_body:
            idle = min(idle, settings.WEB_BODY_IDLE_SECONDS)
        return now - since > limit or now - self.last_activity > idle


class Server(TcpWSGIServer):
    """A listening socket. Accepts no connection while requests queue for a thread: another process may have a free one."""

    channel_class = Channel
    checked_at = 0.0
    #: When it stopped accepting connections.
    ended_at = 0.0

    @property
    def _channels(self) -> list[Channel]:
        """The connections. Threads close some of them meanwhile."""
        return list(self.active_channels.values())

    def readable(self) -> bool:
        """Whether to accept a connection."""
        room = len(self.active_channels) <= settings.WEB_CONNECTIONS
        return bool(self.accepting and room and not self.task_dispatcher.queue)

    def accept_waiting(self) -> None:
        """Accept connections that the system has accepted: it would reset them with the listening socket."""
        for _ in range(self.adj.backlog):
            if not select.select([self.socket], [], [], 0)[0]:
                break
            self.handle_accept()

    def close_late(self) -> None:
        """Close connections that are late, and those beyond the limit.

        They are closed at once: waitress's `will_close` waits until the client has read. Must be called between two turns of the loop,
        since within one the file descriptor of a closed socket may already have been reused.
        """
        now = time.time()
        if now - self.checked_at >= _TURN_SECONDS / 2:
            self.checked_at = now
            for channel in self._channels:
                if channel.is_late(now) or (not self.accepting and self._can_close(channel, now)):
                    channel.handle_close()
            self._limit_bodies(now)
        surplus = len(self.active_channels) - settings.WEB_CONNECTIONS
        if surplus > 0:
            # Read once: a thread may end the wait meanwhile.
            since = {channel: channel.waits_since for channel in self._channels}
            waiting = [channel for channel, begun in since.items() if begun is not None]
            for channel in sorted(waiting, key=lambda waiter: since[waiter] or 0.0)[:surplus]:
                channel.handle_close()

    def _limit_bodies(self, now: float) -> None:
        """Refuse the slowest of the bodies that are on their way, where they are too many or too large: of a client, and altogether."""
        clients: dict[str, list[Channel]] = defaultdict(list)
        waiting: dict[str, int] = defaultdict(int)
        for channel in self._channels:
            if channel.receives_body:
                channel.measure(now)
                clients[channel.client].append(channel)
            for request in list(channel.requests):
                waiting[channel.client] += request.body_bytes
        for client, channels in clients.items():
            limits = settings.WEB_BODIES_PER_ADDRESS, settings.WEB_BODY_BYTES_PER_ADDRESS - waiting[client]
            _refuse_slowest(channels, *limits)
        left = [channel for channels in clients.values() for channel in channels if channel.receives_body]
        _refuse_slowest(left, settings.WEB_BODIES, settings.WEB_BODY_BYTES - sum(waiting.values()))

    def _can_close(self, channel: Channel, now: float) -> bool:
        """Whether a connection can be closed during a shutdown: it is idle, or its client has had its time."""
        if not channel.busy:
            return now - float(channel.last_activity) > _TURN_SECONDS
        return not channel.requests and now - self.ended_at > _DRAIN_SECONDS


def _refuse_slowest(channels: list[Channel], most: int, most_bytes: int) -> None:
    """Refuse bodies until at most so many are left, with so many bytes; of those that are as slow, the newest first."""
    total = sum(channel.body_bytes for channel in channels)
    if len(channels) <= most and total <= most_bytes:
        return
    fastest = float("inf")
    channels.sort(key=lambda one: (fastest if one.speed is None else one.speed, -one.begun_at), reverse=True)
    while channels and (len(channels) > most or total > most_bytes):
        slowest = channels.pop()
        total -= slowest.body_bytes
        slowest.refuse_body()


class BufferingWorker(Worker):
    """A process of the web server."""

    alive: bool

    def run(self) -> None:
        """Serve until gunicorn stops it, then finish requests in progress within `graceful_timeout`."""
        # A connection and the file of a large request or response.
        _allow_files(2 * settings.WEB_CONNECTIONS + _OTHER_FILES)
        _keep_little_memory()
        loop: dict[int, Any] = {}
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(self.cfg.threads)
        servers = [self._create_server(listener.sock, loop, dispatcher) for listener in self.sockets]
        while self.alive and self.ppid == os.getppid():
            self._run_once(servers, loop)
        for server in servers:
            server.accept_waiting()
            # Closes only the listening socket: threads still wake the loop by the trigger that `server.close()` would close too.
            wasyncore.dispatcher.close(server)
            server.ended_at = time.time()
        until = time.monotonic() + self.cfg.graceful_timeout
        while any(server.active_channels for server in servers) and time.monotonic() < until:
            self._run_once(servers, loop)
        dispatcher.shutdown(timeout=1)

    def _run_once(self, servers: list[Server], loop: dict[int, Any]) -> None:
        self.notify()
        for server in servers:
            server.close_late()
        wasyncore.poll2(_TURN_SECONDS, loop)

    def _create_server(self, sock: Any, loop: dict[int, Any], dispatcher: ThreadedTaskDispatcher) -> Server:
        adjustments = Adjustments(
            sockets=[sock],
            threads=self.cfg.threads,
            backlog=self.cfg.backlog,
            # Django decides which proxies to trust (TRUSTED_PROXIES).
            clear_untrusted_proxy_headers=False,
            ident=None,
            inbuf_overflow=_MEMORY_BYTES,
            outbuf_overflow=_MEMORY_BYTES,
            outbuf_high_watermark=_UNLIMITED,
            max_request_header_size=_HEAD_BYTES,
            # Each request has its own limit, which the application explains.
            max_request_body_size=_UNLIMITED,
            expose_tracebacks=False,
        )
        info = (sock.family, sock.type, sock.proto, sock.getsockname())
        return Server(
            self._call_application,
            loop,
            True,
            sock,
            dispatcher=dispatcher,
            adj=adjustments,
            bind_socket=False,
            sockinfo=info,
        )

    def _call_application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Call the application. After `max_requests` the process asks to be replaced."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        # Files pass through `Task.write` as everything else does: waitress sends them past it, whatever the method and the status.
        del environ["wsgi.file_wrapper"]
        response: Iterable[bytes] = self.wsgi(environ, start_response)
        return response


@cache
def _c_library() -> Any:
    """The C library if it is glibc, else None: others give memory back anyway."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def _keep_little_memory() -> None:
    """Have large blocks given back to the system when they are freed.

    By default glibc raises its limits to the largest block that was freed, and keeps up to 64 MB of it for each thread.
    """
    library = _c_library()
    if library is not None:
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, 4 * _LARGE_BYTES)


def _give_memory_back() -> None:
    """Give the memory back that a large request has used: Python keeps what refers to itself until it searches for garbage."""
    gc.collect()
    library = _c_library()
    if library is not None:
        library.malloc_trim(0)


def _allow_files(wanted: int) -> None:
    """Raise the limit of open files to `wanted`, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
