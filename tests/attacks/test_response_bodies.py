"""The bytes after a response: a proxy that keeps connections open would give them to another person, as the answer to their request."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.project.console_process import wait_for
from tests.proxies import Proxy
from tests.response_bodies import BODY, KINDS, SECOND
from tests.stub_engine import stub_engine, users
from tests.users import Users
from tests.web_server import WebServer, cookie_of, export

__all__ = ["stub_engine", "users"]

#: One process runs them, since the web server takes long to start.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("web_server_bodies")]

STATUSES = (200, 204, 304, 404, 500)
NOT_MODIFIED = "If-Modified-Since: Wed, 01 Jan 2098 00:00:00 GMT"
#: Requests by the attacker and by another person, each.
REQUESTS = 1000


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """The console's web server with an application that sends every kind of body."""
    server = WebServer(tmp_path_factory.mktemp("bodies"), {}, application="tests.response_bodies")
    yield server
    assert server.stop() == 0


def read_response(received: BufferedReader, method: str) -> tuple[int, bytes] | None:
    """Status and body as RFC 9112 section 6.3 delimits them, or None if the connection was closed instead of a response."""
    line = received.readline()
    if not line:
        return None
    protocol, status, _ = line.decode("ascii").split(" ", 2)
    assert protocol in {"HTTP/1.0", "HTTP/1.1"}, line
    headers = http.client.parse_headers(received)
    if status.startswith("1"):
        return read_response(received, method)
    if status in {"204", "304"} or method == "HEAD":
        assert status == "200" or "Transfer-Encoding" not in headers
        return int(status), b""
    if headers["Transfer-Encoding"] == "chunked":
        return int(status), b"".join(_chunks(received))
    length = headers["Content-Length"]
    return int(status), received.read(int(length)) if length else received.read()


def _chunks(received: BufferedReader) -> Iterator[bytes]:
    while size := int(received.readline(), 16):
        yield received.read(size)
        assert received.read(2) == b"\r\n"
    assert received.readline() == b"\r\n"


def request(method: str, path: str, *headers: str, body: str = "") -> bytes:
    """The bytes of a request that leaves the connection open."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", body)).encode()


def exchange(server: WebServer, first: bytes, *, pipelined: bool = False, second: str = "/") -> list[tuple[int, bytes]]:
    """The responses to a request and to a second one on the same connection; that to the second only if there is one.

    Fails if anything else is received.
    """
    method = first.split(b" ", 1)[0].decode()
    following = request("GET", second)
    found = []
    with server.connect(first + following if pipelined else first) as connection, connection.makefile("rb") as received:
        found.append(read_response(received, method))
        with contextlib.suppress(ConnectionError):
            if not pipelined:
                connection.sendall(following)
            found.append(read_response(received, "GET"))
    return [response for response in found if response]


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_follows_a_response_but_the_next_one(bodies: WebServer, kind: str, pipelined: bool) -> None:
    for status in STATUSES:
        for method in ("HEAD", "GET", "POST"):
            first = request(method, f"/{status}/{kind}", *(["Content-Length: 0"] if method == "POST" else []))
            answer, *following = exchange(bodies, first, pipelined=pipelined)
            assert answer[0] == (500 if kind == "error" else status)
            assert following in ([], [(200, SECOND)])


def test_requests_of_every_form_leave_nothing_for_the_next_one(bodies: WebServer) -> None:
    chunked = "5\r\nHEAD \r\n0\r\n\r\n"
    for method in ("HEAD", "POST"):
        for headers, body in (
            (("Transfer-Encoding: chunked",), chunked),
            (("Transfer-Encoding: chunked", "Content-Length: 5"), chunked),
            (("Transfer-Encoding: chunked", "Expect: 100-continue"), chunked),
            (("Content-Length: 5", "Expect: 100-continue"), "HEAD "),
            (("Content-Length: 5", "Connection: keep-alive"), "HEAD "),
            (("Content-Length: 5, 5",), "HEAD "),
            (("Content-Length: 999999999",), ""),
            (("Transfer-Encoding: gzip",), ""),
            (("Transfer-Encoding: chunked",), "zz\r\n"),
            (("X-Long: " + "x" * 70_000,), ""),
            ((" no-name",), ""),
        ):
            for pipelined in (False, True):
                answer, *following = exchange(
                    bodies, request(method, "/200/bytes", *headers, body=body), pipelined=pipelined
                )
                assert answer[0] in {200, 400, 413, 431, 501}
                assert following in ([], [(200, SECOND)])


def test_a_head_that_cannot_be_read_is_refused_and_its_connection_ends(bodies: WebServer) -> None:
    before = bodies.open_files
    for head in (
        b"GET / HTTP/1.1\r\nBad Header\r\n\r\n",
        b"GET / HTTP/1.1\r\n no-name\r\n\r\n",
        b"garbage\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET http://[x/ HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ):
        with bodies.connect(head) as connection, connection.makefile("rb") as received:
            answer = read_response(received, "GET")
            assert answer is not None
            assert answer[0] == 400, head
            assert received.read() == b""
    wait_for(lambda: bodies.open_files <= before, "the end of the connections")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_a_request_with_two_lengths_is_refused_and_its_connection_ends(bodies: WebServer, method: str) -> None:
    chunked = "0\r\n\r\nGET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head = request(method, "/200/bytes", "Connection: keep-alive")[:-2]
    for first in (
        head + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        head + b"content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n",
        head + b"Transfer-Encoding:\r\nContent-Length: 5\r\n\r\n",
        head.replace(b"/1.1", b"/1.0") + b"Transfer-Encoding: chunked\r\n\r\n",
    ):
        with bodies.connect(first + chunked.encode()) as connection, connection.makefile("rb") as received:
            answer = read_response(received, method)
            assert answer is not None
            assert answer[0] == 400, first
            assert received.read() == b""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_nothing_follows_a_page_a_file_or_an_error_of_the_console(
    users: Users, child_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "app.js").write_bytes(BODY * 10_000)
    server = WebServer(tmp_path, child_environment, STATIC_ROOT=str(tmp_path / "static"))
    cookie = f"Cookie: {cookie_of(users.owner)}"
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        seen = set()
        for path in (
            "/",
            "/w/sales/jobs/",
            "/w/sales/flows/",
            export(users),
            "/static/app.js",
            "/nowhere/",
            "/healthz",
        ):
            for method in ("HEAD", "GET", "POST", "OPTIONS", "DELETE"):
                for header in (cookie, "X-None: 1", "Host: elsewhere.example.com", NOT_MODIFIED):
                    answer, *following = exchange(server, request(method, path, header), second="/healthz")
                    seen.add(answer[0])
                    assert [status for status, _ in following] in ([], [200])
                    assert all(body.startswith(b"ok") or b'"' in body for _, body in following), following
        assert {200, 303, 304, 400, 403, 404, 405} <= seen


@pytest.mark.slow
@pytest.mark.programs("nginx", "haproxy")
@pytest.mark.parametrize("name", ["nginx", "haproxy"])
def test_no_response_reaches_another_person_through_a_proxy(bodies: WebServer, name: str, tmp_path: Path) -> None:
    proxy = Proxy(name, tmp_path, bodies.port)
    paths = [f"/{status}/{kind}" for status in STATUSES for kind in KINDS if kind not in {"short", "error"}]
    attack_errors: list[str] = []

    def poison() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
        for number in range(REQUESTS):
            connection.request("HEAD" if number % 3 else "GET", paths[number % len(paths)])
            response = connection.getresponse()
            response.read()
            expected = int(paths[number % len(paths)].split("/")[1])
            if response.status != expected:
                attack_errors.append(f"{paths[number % len(paths)]}: {response.status}")
        connection.close()

    with contextlib.ExitStack() as held:
        held.callback(proxy.stop)
        attacker = threading.Thread(target=poison)
        attacker.start()
        person = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
        held.callback(person.close)
        found = []
        for number in range(REQUESTS):
            person.request("GET", "/?" + urlencode({"number": number}))
            response = person.getresponse()
            found.append((response.status, response.read()))
        attacker.join()
    assert found == [(200, SECOND)] * REQUESTS
    assert not attack_errors
