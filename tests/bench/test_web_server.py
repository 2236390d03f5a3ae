"""How the web server treats slow, idle and large clients, and what pages cost meanwhile. Prints a table, and asserts only that it ends.

`TEST_WEB_SERVER` is the command of another server, for the comparison in docs/dependencies.md; `{port}` and `{application}` in it are
replaced, such as `granian --interface wsgi --host 127.0.0.1 --port {port} {application}:application`.
"""

import contextlib
import http.client
import signal
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.response_bodies import SECOND
from tests.stub_engine import stub_engine, users
from tests.users import Users
from tests.web_server import HALF_A_BODY, HALF_A_HEAD, HEAD, SlowReaders, WebServer, cookie_of, export

__all__ = ["stub_engine", "users"]
PAGE = "/w/sales/jobs/"
SECONDS = 5.0
#: A page that takes longer than this counts as not answered.
PATIENCE = 5.0


def pages(server: WebServer, cookie: str, clients: int = 1) -> str:
    """Pages a second, the slowest of them, and how many were not answered, with this many clients at once for some seconds."""
    taken: list[float] = []
    failed: list[str] = []
    until = time.perf_counter() + SECONDS

    def ask() -> None:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            with contextlib.closing(connection):
                try:
                    connection.request("GET", PAGE, headers={"Cookie": cookie})
                    response = connection.getresponse()
                    response.read()
                    assert response.status == 200
                    taken.append(time.perf_counter() - begun)
                except (OSError, http.client.HTTPException) as error:
                    failed.append(type(error).__name__)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not taken:
        return f"no page, {len(failed)} not answered"
    middle, slowest = statistics.median(taken) * 1000, max(taken) * 1000
    return f"{len(taken) / SECONDS:5.0f} pages/s, median {middle:.0f} ms, slowest {slowest:.0f} ms, {len(failed)} not answered"


def memory(server: WebServer) -> float:
    """The resident megabytes of the processes that serve, with their parent."""
    total = 0
    for pid in server.workers | {server.process.pid}:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text("ascii")
            total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return total / 1024


def closes(connection: socket.socket, seconds: float) -> str:
    """After how many seconds the server ends a connection."""
    connection.settimeout(seconds)
    begun = time.perf_counter()
    try:
        connection.recv(1)
    except TimeoutError:
        return f"open after {seconds:.0f} s"
    except ConnectionError:
        pass
    return f"ended after {time.perf_counter() - begun:.0f} s"


def second_response(server: WebServer, first: bytes, method: str) -> str:
    """How the next request on a connection is answered."""
    with server.connect(first) as connection:
        received = connection.makefile("rb")
        while received.readline().strip():
            pass
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        content = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.settimeout(2)
            while b"second" not in content and (part := received.read1()):
                content += part
    if not content:
        return "connection closed"
    return (
        "its own"
        if content.startswith(b"HTTP/1.1 200") and content.endswith(SECOND) and b"poisoned" not in content
        else "POISONED"
    )


def pipelined(server: WebServer) -> str:
    count = 50
    with server.connect(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * count) as connection:
        content = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            connection.settimeout(3)
            while content.count(b"HTTP/1.1 200") < count and (part := connection.recv(65536)):
                content += part
    return f"{content.count(b'HTTP/1.1 200')} of {count} answered"


def stop(server: WebServer) -> str:
    """Which of ten requests that take a second are answered if the server is asked to stop during them."""
    waiting = [server.connect(b"GET /200/slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") for _ in range(10)]
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    answered = 0
    for connection in waiting:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            answered += connection.recv(12) == b"HTTP/1.1 200"
    code = server.wait()
    return f"{answered} of 10 answered, exit code {code}"


@contextlib.contextmanager
def held(make: Callable[[], socket.socket], count: int) -> Iterator[list[socket.socket]]:
    """Hold this many connections open."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(make()) for _ in range(count)]


@pytest.mark.django_db(transaction=True)
def test_the_web_server_among_all_kinds_of_clients(
    users: Users, child_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cookie = cookie_of(users.owner)
    wanted = f"GET {export(users)} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
    server = WebServer(tmp_path, child_environment, WEB_PROCESSES="2", WEB_THREADS="8")
    found: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        stack.callback(server.kill)
        pages(server, cookie, 4)  # warm
        found["memory, idle"] = f"{memory(server):.0f} MB"
        found["one client"] = pages(server, cookie)
        found["eight clients"] = pages(server, cookie, 8)
        for name, sent in (("half heads", HALF_A_HEAD), ("half bodies", HALF_A_BODY), ("idle connections", b"")):
            count = 1000 if not sent else 100
            with held(lambda sent=sent: server.connect(*([sent] if sent else [])), count):  # type: ignore[misc]
                found[f"{count} {name}"] = f"{pages(server, cookie)}; {memory(server):.0f} MB"
        with (
            held(lambda: server.connect(wanted, window=4096), 20) as readers,
            contextlib.closing(SlowReaders(readers)),
        ):
            found["20 slow readers of 24 MB"] = f"{pages(server, cookie)}; {memory(server):.0f} MB"
        size = 30 * 1024 * 1024
        with server.connect(HEAD + f"Content-Length: {size}\r\nCookie: {cookie}\r\n\r\n".encode()) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(b"x" * size)
            connection.settimeout(60)
            found["body of 30 MB"] = f"{connection.recv(12).decode('ascii', 'replace')}; {memory(server):.0f} MB"
        with server.connect(HALF_A_HEAD) as head:
            found["half a head"] = closes(head, 40)
        with server.connect(HALF_A_BODY) as body:
            found["half a body"] = closes(body, 100)
    framed = WebServer(tmp_path, child_environment, application="tests.response_bodies", WEB_PROCESSES="1")
    with contextlib.ExitStack() as stack:
        stack.callback(framed.kill)
        for status in (200, 204, 304):
            for kind in ("bytes", "pieces", "file"):
                for method in ("HEAD", "GET") if status != 200 else ("HEAD",):
                    line = f"{method} /{status}/{kind} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
                    found[f"after {method} {status} {kind}"] = second_response(framed, line, method)
        found["pipelined"] = pipelined(framed)
        found["stop"] = stop(framed)
    with capsys.disabled():
        print()
        for name, figure in found.items():
            print(f"{name:<28} {figure}")
