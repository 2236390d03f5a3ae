"""Two servers that the engine's tests talk to over real sockets: one that records calls, one that misbehaves byte by byte."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import trustme

from workflows_ui.engine import AddressSafety, BearerToken, Client, Timeouts

LOOPBACK = AddressSafety(["127.0.0.0/8", "::1"])
FLOW = "C3y6vfzZDDmHq2zRjXZy3"
WEBHOOK_ID = "btrUq8urfPql4a9lGuZzi"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    status: int = 200
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


#: What an engine answers that has no such route (recording `err_route_not_found`).
NO_ROUTE = Reply(404, {"statusCode": 404, "error": "Not Found", "message": "Route not found"})


class Recorder:
    """An HTTP server that notes every request and answers from `replies`, in order, the last one for ever; or by `answer`."""

    def __init__(self, *replies: Reply, answer: Callable[[Seen], Reply] | None = None) -> None:
        self.seen: list[Seen] = []
        self.replies = list(replies)
        self.answer = answer
        self._connections: list[socket.socket] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def reply(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        if self.answer is not None:
            return self.answer(seen)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # Wakes the thread that listens.
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._thread.join()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def _handler(recorder: "Recorder") -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def setup(self) -> None:
                super().setup()
                recorder._connections.append(self.connection)

            def handle_any(self) -> None:
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = recorder.reply(Seen(self.command, path, query, headers, body))
                self.send_response(reply.status)
                data = b"" if reply.status == 204 else reply.data
                for name, value in reply.headers:
                    self.send_header(name, value)
                if reply.status != 204:
                    self.send_header("content-length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(data)

            do_GET = do_POST = do_DELETE = do_PUT = handle_any  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, server: "RawServer") -> None:
        self.connection = connection
        self.server = server

    def read_request(self) -> bytes:
        """One whole request, counted in `server.requests`; b"" if the other side hung up first."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.connection.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += self.connection.recv(65536)
        whole = head + b"\r\n\r\n" + body
        self.server.requests.append(whole)
        return whole

    def write(self, data: bytes) -> None:
        self.connection.sendall(data)

    def drip(self, data: bytes) -> None:
        """One byte at a time, slowly, until all is written or the other side hangs up."""
        with contextlib.suppress(OSError):
            for number in range(len(data)):
                self.connection.sendall(data[number : number + 1])
                if self.server.over.wait(0.02):
                    return

    def hold(self) -> None:
        """Say nothing more until the test is over or the other side hangs up."""
        self.connection.settimeout(0.05)
        while not self.server.over.is_set():
            try:
                if not self.connection.recv(65536):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def reset(self) -> None:
        """Hang up with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close(self.connection)


class RawServer:
    """Accepts connections and runs `script(peer)` for each, after the TLS handshake if `tls` is given.

    Attributes:
        connections: how many were accepted.
        requests: the whole requests that were read.
        hung_up: released each time that the server has closed a connection.
        problems: what scripts raised, other than a hung-up connection.
    """

    def __init__(self, script: Callable[[Peer], None], *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self.hung_up = threading.Semaphore(0)
        self.problems: list[BaseException] = []
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    @property
    def triggers(self) -> int:
        return sum(request.startswith(b"POST ") and b"/v1/webhooks/" in request for request in self.requests)

    def __enter__(self) -> "RawServer":
        thread = threading.Thread(target=self._accept)
        self._threads.append(thread)
        thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
        assert not self.problems, self.problems

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(10)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._script(Peer(connection, self))
        except OSError:
            pass
        except BaseException as problem:  # noqa: BLE001  (raised in the test when it ends)
            self.problems.append(problem)
        finally:
            connection.close()
            self.hung_up.release()


@dataclass(frozen=True)
class Certificates:
    """A certificate for localhost and the file that a client must trust for it."""

    server: ssl.SSLContext
    bundle: str


def certificates(folder: Any) -> Certificates:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return Certificates(context, str(bundle))


def client(url: str, **options: Any) -> Client:
    """A client of a plain Activepieces at `url`, allowed on loopback, with a project so that it asks for none."""
    chosen: dict[str, Any] = {"auth": BearerToken("t0p-secret"), "project_id": "P" * 21, "safety": LOOPBACK} | options
    return Client(engine_url=f"{url}/api", **chosen)


def quick(**seconds: float) -> Timeouts:
    return Timeouts(**({"connect": 5.0, "read": 5.0, "total": 5.0} | seconds))


def response(status: str = "200 OK", body: bytes = b"{}", *headers: str) -> bytes:
    """The bytes of an answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.contextmanager
def answering(*replies: bytes, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """A server that reads a request, writes the next of `replies` and closes, connection after connection."""
    left = list(replies)

    def script(peer: Peer) -> None:
        if peer.read_request():
            peer.write(left.pop(0) if len(left) > 1 else left[0])

    with RawServer(script, tls=tls) as server:
        yield server
