"""HTTP/1.1 for the practice engine: keep-alive, a thread per connection, and faults of the connection.

Not wsgiref: WSGI has no resets, truncated responses or single bytes.
"""

import contextlib
import http.client
import logging
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from .engine import PracticeEngine
from .http import Request, Response

log = logging.getLogger(__name__)
MAX_BODY = 64 * 1024 * 1024
BODILESS = (204, 304)


class _Connection(BaseHTTPRequestHandler):
    """One connection. Nagle's delay is off: small responses must not wait for an ACK."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def handle_one_request(self) -> None:
        """Read a request and respond, with the same code for every method."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline:
                self.close_connection = True
                return
            if not self.parse_request():
                return
            body = self._body()
            if body is None:
                return
            path, _, query = self.path.partition("?")
            request = Request(
                self.command,
                path,
                parse_qs(query, keep_blank_values=True),
                {name.lower(): text for name, text in self.headers.items()},
                body,
                str(self.client_address[0]),
            )
            self._send(self.server.engine.handle(request))
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _body(self) -> bytes | None:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        try:
            length = int(self.headers.get("content-length") or 0)
        except ValueError:
            length = -1
        if length < 0 or length > MAX_BODY:
            self.close_connection = True
            self._send(Response(413, b'{"statusCode":413,"error":"Payload Too Large","message":"too large"}'))
            return None
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            self.close_connection = True
            return None
        return body

    def _chunks(self) -> bytes | None:
        parts: list[bytes] = []
        while size := int(self.rfile.readline(64).partition(b";")[0].strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline(8)
            if sum(map(len, parts)) > MAX_BODY:
                self.close_connection = True
                return None
        while self.rfile.readline(65537).strip():
            continue
        return b"".join(parts)

    def _send(self, response: Response) -> None:
        body = b"" if response.status in BODILESS else response.body
        reason = http.client.responses.get(response.status, "-")
        lines = [f"HTTP/1.1 {response.status} {reason}", f"date: {self.date_time_string()}"]
        lines += [f"{name}: {text}" for name, text in response.headers.items() if name.lower() != "content-length"]
        if response.status not in BODILESS:
            lines.append(f"content-length: {len(body)}")
        if self.close_connection:
            lines.append("connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")
        sent = b"" if self.command == "HEAD" else body
        if response.wire:
            self.close_connection = True
            self._play(response, head, sent)
        else:
            self.wfile.write(head + sent)

    def _play(self, response: Response, head: bytes, body: bytes) -> None:
        if response.wire == "reset":
            self._reset()
        elif response.wire == "truncated" and body:
            self.wfile.write(head + body[: len(body) // 2])
        elif response.wire == "truncated":  # without a body only the status line can be cut
            self.wfile.write(head[: len("HTTP/1.1 2")])
        elif response.wire == "headers_cut":
            self.wfile.write(head[: max(20, len(head) // 2)])
        elif response.wire == "garbage":
            self.wfile.write(b"\x16\x03\x01\x00\x05 this is not HTTP\r\n\r\n")
        elif response.wire == "drip":
            self.wfile.write(head)
            self._drip(body, response.pause)
        elif response.wire == "drip_all":
            self._drip(head + body, response.pause)

    def _drip(self, text: bytes, pause: float) -> None:
        for number in range(len(text)):
            self.wfile.write(text[number : number + 1])
            if self.server.ended.wait(pause):
                return

    def _reset(self) -> None:
        """Close with RST instead of FIN, as after a crash."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def finish(self) -> None:
        """Close, unless a reset has closed already."""
        with contextlib.suppress(ValueError, OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Log at debug level only: there is the journal."""
        log.debug(format, *args)


class Server(ThreadingHTTPServer):
    """A running server. ``url`` has no slash at the end."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024
    allow_reuse_address = True

    def __init__(self, engine: PracticeEngine, port: int = 0, host: str = "127.0.0.1") -> None:
        self.engine = engine
        self.ended = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((host, port), _Connection)
        self.host, self.port = host, int(self.server_address[1])
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="practice-server", daemon=True
        )
        self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Register the connection, so that a stop can end it."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection unless a fault did so already."""
        with self._lock:
            self._open.discard(request)
        with contextlib.suppress(OSError):
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a broken connection at debug level."""
        log.debug("The connection from %s ended badly: %s", client_address, sys.exc_info()[1])

    def stop(self) -> None:
        """Stop listening and end every connection. The engine itself is not closed: ``engine.close()``."""
        # Wakes the thread that listens, which would otherwise look once in `poll_interval`.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self.server_close()
        self.ended.set()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)


def serve(engine: PracticeEngine, port: int = 0, host: str = "127.0.0.1") -> Server:
    """Serve ``engine`` on ``port`` (0: any free one). Raises ``OSError`` if the port is in use."""
    return Server(engine, port, host)


def wait_until_listening(url: str, seconds: float = 10.0) -> bool:
    """Whether a server listens at ``url`` within ``seconds``, for an engine in another process."""
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return True
        time.sleep(0.05)
    return False
