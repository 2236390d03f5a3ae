"""Connections that check their peer, record whether a byte of the request was sent, and never reopen.

This is the layer below urllib3's pool. `CURRENT` holds the call that a connection serves: urllib3 cannot pass an argument down to
the connection of one request, and a connection never leaves the thread that runs the call.
"""

import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import certifi
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .errors import AddressRefused
from .safety import AddressSafety
from .watchdog import Watch

_POOL_SIZE = 50  # connections kept per engine; more are opened and then closed


class OutOfTime(OSError):
    """The call's deadline passed before the first byte was sent."""


@dataclass
class Call:
    """The limits of one HTTP exchange, and its progress."""

    watch: Watch
    safety: AddressSafety
    connect_seconds: float
    through_proxy: bool
    before_first_byte: Callable[[], None] | None = None
    #: "waiting", "resolving", "connecting", "securing" (TLS, proxy tunnel) or "sending".
    stage: str = "waiting"
    #: True from just before the first byte of the request.
    sent: bool = False
    #: The exception of `before_first_byte`, to be raised unchanged.
    refused: BaseException | None = None

    def connect(self, host: str, port: int, options: Iterable[tuple[Any, ...]] | None) -> socket.socket:
        """A connected socket; its peer is checked before and after connecting. Raises AddressRefused or OSError.

        A proxy as the peer is not checked, since the operator chose it.
        """
        self.stage = "resolving"
        addresses = _resolve(host, port, min(self.connect_seconds, self._time()))
        problem: Exception = OSError(f"{host} has no address")
        # Connecting takes at most twice the time for one address, however many a name has.
        until = time.monotonic() + 2 * self.connect_seconds
        for family, kind, protocol, _, address in addresses:
            self.stage = "connecting"
            try:
                self._check(str(address[0]))
                connection = socket.socket(family, kind, protocol)
            except (AddressRefused, OSError) as error:
                problem = error if not isinstance(problem, AddressRefused) else problem
                continue
            try:
                for option in options or ():
                    connection.setsockopt(*option)
                left = max(until - time.monotonic(), 0.001)
                connection.settimeout(min(self.connect_seconds, left, self._time()))
                connection.connect(address)
                self._check(str(connection.getpeername()[0]))
                connection.settimeout(min(self.connect_seconds, self._time()))
            except BaseException as error:
                connection.close()
                if not isinstance(error, OSError | AddressRefused):
                    raise
                problem = error if not isinstance(problem, AddressRefused) else problem
                continue
            self.stage = "securing"
            self.watch.guard(connection)
            return connection
        raise problem

    def begin(self, connection: socket.socket) -> None:
        """Note that the first byte will be written next. Raises OutOfTime, and any exception of `before_first_byte`."""
        self.watch.guard(connection)
        if self.before_first_byte is not None:
            try:
                self.before_first_byte()
            except BaseException as error:
                self.refused = error
                raise
        self._time()
        self.stage = "sending"
        self.sent = True

    def _check(self, address: str) -> None:
        if not self.through_proxy:
            self.safety.check_peer(address)

    def _time(self) -> float:
        if self.watch.is_over:
            raise OutOfTime("the deadline of the call passed")
        return self.watch.remaining()


CURRENT: ContextVar[Call] = ContextVar("CURRENT")


def _resolve(host: str, port: int, seconds: float) -> list[tuple[Any, Any, int, str, tuple[Any, ...]]]:
    """`getaddrinfo` with a time limit, which the system's function lacks. Raises OSError."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(OSError(f"{host} cannot be looked up: {error}"))

    threading.Thread(target=resolve, name="engine-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"looking up {host} took too long") from None
    if isinstance(answer, OSError):
        raise answer
    return list(answer)


class _HeadReader(io.BufferedReader):
    """Remembers the last line, so that the end of the headers can be distinguished from the end of the stream."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last


class WholeHeadResponse(http.client.HTTPResponse):
    """Refuses truncated headers, which http.client accepts as complete: a 200 whose body has no length."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._head = self.fp = _HeadReader(sock.makefile("rb", buffering=0))

    def begin(self) -> None:
        super().begin()
        if self._head.last not in (b"\r\n", b"\n"):
            raise http.client.HTTPException("the headers of the answer were cut short")


class CheckedHTTPConnection(HTTPConnection):
    """Plain HTTP. With `auto_open = 0` http.client does not reconnect and send on the new connection."""

    auto_open = 0
    response_class = WholeHeadResponse

    def _new_conn(self) -> socket.socket:
        return CURRENT.get().connect(self._dns_host, self.port, self.socket_options)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        super().request(*args, **kwargs)

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        CURRENT.get().begin(self.sock)
        super().endheaders(*args, **kwargs)


class CheckedHTTPSConnection(CheckedHTTPConnection, HTTPSConnection):
    """The same over TLS. The socket's time-out limits the whole handshake: OpenSSL's binding applies it to the total."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = CheckedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = CheckedHTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class CheckedAdapter(HTTPAdapter):
    """The adapter of requests over the connections above, without urllib3's retries (the default 0, with no status list)."""

    def __init__(self) -> None:
        super().__init__(pool_connections=4, pool_maxsize=_POOL_SIZE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def close(self) -> None:
        # urllib3 drops its pools and leaves closing to the garbage collector.
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in list(manager.pools.keys()):
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
        super().close()


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """The context of new connections: certificates and host names are always verified. Raises OSError for an unreadable file."""
    return ssl.create_default_context(cafile=ca_bundle or certifi.where())


def failed_stage(call: Call, error: BaseException) -> tuple[str, str]:
    if call.watch.is_over or isinstance(error, OutOfTime):
        return "TIMEOUT", "The engine took too long and the call was cut."
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
        return "CERTIFICATE_REFUSED", "The engine's certificate is not one that the console trusts."
    if "timed out" in text or isinstance(error, TimeoutError):
        return "TIMEOUT", "The engine took too long to answer."
    return _FAILURES.get(call.stage, _FAILURES["sending"])


_FAILURES: Mapping[str, tuple[str, str]] = {
    "waiting": ("CONNECT_FAILED", "The connection could not be prepared."),
    "resolving": ("DNS_FAILED", "The engine's host name cannot be looked up."),
    "connecting": ("CONNECT_FAILED", "The engine's address does not accept a connection."),
    "securing": ("TLS_FAILED", "A secure connection to the engine could not be made."),
    "sending": ("CONNECTION_LOST", "The connection broke before the whole answer was there."),
}
