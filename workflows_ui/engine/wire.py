"""Connections that check their peer, know whether a byte of the request has left, and never open themselves twice.

Everything below urllib3's pool happens here. The call that a connection works for is in `CURRENT`: urllib3 has no way to hand
something down to the connection of one request, and a connection never leaves the thread that runs the call.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import certifi
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .errors import AddressRefused
from .safety import AddressSafety
from .watchdog import Watch

_POOLED = 50  # connections kept per engine; more are opened and then closed


class OutOfTime(OSError):
    """The call's deadline passed before the first byte was sent."""


class Call:
    """What one exchange over the wire may do, and how far it got.

    Attributes:
        stage: "waiting", "resolving", "connecting", "securing" (TLS, proxy tunnel) or "sending".
        sent: True from just before the first byte of the request.
        refused: what `before_first_byte` raised, to be raised again unchanged.
    """

    def __init__(
        self,
        watch: Watch,
        *,
        safety: AddressSafety,
        connect_seconds: float,
        through_proxy: bool,
        before_first_byte: Callable[[], None] | None = None,
    ) -> None:
        self.watch = watch
        self.stage = "waiting"
        self.sent = False
        self.refused: BaseException | None = None
        self._safety = safety
        self._connect_seconds = connect_seconds
        self._through_proxy = through_proxy
        self._before_first_byte = before_first_byte

    def connect(self, host: str, port: int, options: Iterable[tuple[Any, ...]] | None) -> socket.socket:
        """A connected socket whose peer was checked, before and after connecting. Raises AddressRefused or OSError.

        With a proxy the peer is the proxy, which the operator chose: it is not checked.
        """
        self.stage = "resolving"
        found = _resolve(host, port, min(self._connect_seconds, self._time()))
        problem: Exception = OSError(f"{host} has no address")
        # However many addresses a name has, connecting takes no longer than twice the time for one.
        until = time.monotonic() + 2 * self._connect_seconds
        for family, kind, protocol, _, address in found:
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
                connection.settimeout(min(self._connect_seconds, left, self._time()))
                connection.connect(address)
                self._check(str(connection.getpeername()[0]))
                connection.settimeout(min(self._connect_seconds, self._time()))
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
        """The connection is up; the first byte is about to be written. Raises OutOfTime, or what `before_first_byte` raises."""
        self.watch.guard(connection)
        if self._before_first_byte is not None:
            try:
                self._before_first_byte()
            except BaseException as error:
                self.refused = error
                raise
        self._time()
        self.stage = "sending"
        self.sent = True

    def _check(self, address: str) -> None:
        if not self._through_proxy:
            self._safety.check_peer(address)

    def _time(self) -> float:
        if self.watch.is_over:
            raise OutOfTime("the deadline of the call passed")
        return self.watch.remaining()


CURRENT: ContextVar[Call] = ContextVar("CURRENT")


@contextlib.contextmanager
def working_for(call: Call) -> Iterator[Call]:
    """Connections used inside work for `call`."""
    token = CURRENT.set(call)
    try:
        yield call
    finally:
        CURRENT.reset(token)


def _resolve(host: str, port: int, seconds: float) -> list[tuple[Any, Any, int, str, tuple[Any, ...]]]:
    """`getaddrinfo` with a time limit, which the system's own does not have. Raises OSError."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(OSError(f"{host} cannot be looked up: {error}"))

    threading.Thread(target=look_up, name="engine-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"looking up {host} took too long") from None
    if isinstance(answer, OSError):
        raise answer
    return list(answer)


class _HeadReader(io.BufferedReader):
    """Remembers the last line that was read, so that the end of the headers can be told from the end of the stream."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last


class WholeHeadResponse(http.client.HTTPResponse):
    """Refuses headers that were cut midway. http.client takes those for complete: a 200 whose body has no length."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._head = self.fp = _HeadReader(sock.makefile("rb", buffering=0))

    def begin(self) -> None:
        super().begin()
        if self._head.last not in (b"\r\n", b"\n"):
            raise http.client.HTTPException("the headers of the answer were cut short")


class CheckedHTTPConnection(HTTPConnection):
    """Plain HTTP. `auto_open = 0`: http.client would otherwise connect again by itself, and send on the new connection."""

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
    """The same over TLS. The handshake has one total limit, the socket's time-out: OpenSSL's binding counts it as a whole."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = CheckedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = CheckedHTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class CheckedAdapter(HTTPAdapter):
    """requests' adapter over the connections above; urllib3's own repeating is off (the default 0, with no status list)."""

    def __init__(self) -> None:
        super().__init__(pool_connections=4, pool_maxsize=_POOLED)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def close(self) -> None:
        # urllib3 drops its pools and leaves the closing to the garbage collector.
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in list(manager.pools.keys()):
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
        super().close()


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """The context that fresh connections use: certificates and host names are always verified.

    Args:
        ca_bundle: a file of certificates in PEM, or None for the ones that requests brings. Raises OSError if unreadable.
    """
    return ssl.create_default_context(cafile=ca_bundle or certifi.where())


def where_it_broke(call: Call, error: BaseException) -> tuple[str, str]:
    """What to call a connection that broke: (code, plain words). The codes: see below."""
    if call.watch.is_over or isinstance(error, OutOfTime):
        return "TIMEOUT", "The engine took too long and the call was cut."
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
        return "CERTIFICATE_REFUSED", "The engine's certificate is not one that the console trusts."
    if "timed out" in text or isinstance(error, TimeoutError):
        return "TIMEOUT", "The engine took too long to answer."
    return _BROKE.get(call.stage, _BROKE["sending"])


_BROKE: Mapping[str, tuple[str, str]] = {
    "waiting": ("CONNECT_FAILED", "The connection could not be prepared."),
    "resolving": ("DNS_FAILED", "The engine's host name cannot be looked up."),
    "connecting": ("CONNECT_FAILED", "The engine's address does not accept a connection."),
    "securing": ("TLS_FAILED", "A secure connection to the engine could not be made."),
    "sending": ("CONNECTION_LOST", "The connection broke before the whole answer was there."),
}
