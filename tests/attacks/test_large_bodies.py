"""Bodies of requests that are too large, come too slowly, or are too many: against the real web server, whose memory is measured."""

import contextlib
import re
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.launches.launch_scene import form_of, unescape
from tests.project.console_process import wait_for
from tests.stub_engine import StubEngine, flow, stub_engine, users
from tests.users import Users
from tests.web_server import ANSWER, LARGE, WebServer, cookie_of, cut_off
from workflows_ui.launches.models import Launch
from workflows_ui.web import body_limits

__all__ = ["stub_engine", "users"]

#: One process runs them, since the web server takes long to start.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("web_server_large")]

SIGN_IN = "/accounts/login/"
#: Takes files.
LAUNCH = f"/w/sales/flows/{'F' * 21}/launch/"
FORM = "application/x-www-form-urlencoded"
#: Megabytes that a web process may have more after a large request than before it, and during one.
ROOM, MOST = 20, 150
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A web server behind a proxy, with small limits, without a database. Limits that a test does not mean are long."""
    limits = {
        "WEB_BODY_IDLE_SECONDS": "300",
        "WEB_IDLE_SECONDS": "300",
        "WEB_BODIES_PER_ADDRESS": "3",
        "WEB_BODIES": "6",
    }
    made = WebServer(tmp_path_factory.mktemp("web"), {}, TRUSTED_PROXIES="1", **limits)
    yield made
    assert made.stop() == 0


def head(path: str, length: int, *headers: str, content_type: str = FORM) -> bytes:
    """The head of a POST."""
    lengths = (f"Content-Type: {content_type}", f"Content-Length: {length}")
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lengths, *headers, "", "")).encode()


def response(connection: socket.socket) -> tuple[int, str]:
    """Status and text of a response that ends the connection."""
    with connection.makefile("rb") as received:
        content = received.read()
    assert content.count(b"HTTP/1.1 ") == 1
    return int(content[9:12]), re.sub(r"\s+", " ", content.decode())


def client_of(address: str) -> str:
    """The header by which a proxy says who its client is."""
    return f"X-Forwarded-For: {address}"


@pytest.mark.slow
def test_a_large_body_is_refused_as_soon_as_its_head_has_arrived(server: WebServer) -> None:
    for path, length, headers in (
        (SIGN_IN, body_limits.ANONYMOUS + 1, ()),
        (LAUNCH, body_limits.ANONYMOUS + 1, ()),
        (SIGN_IN, body_limits.ANONYMOUS + 1, ("Expect: 100-continue",)),
        (LAUNCH, 30_000_000, ("Cookie: other=1; not_sessionid=2",)),
    ):
        with server.connect(head(path, length, *headers)) as connection:
            status, text = response(connection)
        assert status == 413, (path, headers)
        assert "Without a sign-in the console takes up to 64.0 KB" in unescape(text)
        assert "what you typed is still in the form" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "largest"),
    [
        ("/profile/", body_limits.USUAL),
        ("/nowhere/", body_limits.USUAL),
        ("/w/sales/notes/flows/x/", body_limits.USUAL),
        ("/w/sales/connections/do/rename/x/", body_limits.USUAL),
        (LAUNCH, body_limits.LARGE),
        ("/w/sales/flows/do/import/", body_limits.LARGE),
    ],
)
def test_only_pages_that_take_files_or_values_of_launches_take_a_large_body(
    users: Users, stub_engine: StubEngine, path: str, largest: int
) -> None:
    owner, nobody = Client(), Client()
    owner.force_login(users.owner)
    nobody.cookies[settings.SESSION_COOKIE_NAME] = "invented"
    for browser, limit in ((owner, largest), (nobody, body_limits.ANONYMOUS)):
        assert body_limits.most_bytes(path, signed_in=browser is owner) == limit
        # The announced size decides: the test's client fails where more is read than there is.
        assert browser.post(path, {"a": "x"}, CONTENT_LENGTH=str(limit + 1)).status_code == 413
    fragment = owner.post(path, {"a": "x"}, CONTENT_LENGTH=str(largest + 1), headers={"HX-Request": "true"})
    assert fragment.status_code == 413
    assert fragment["HX-Retarget"] == "#alerts"


@pytest.mark.slow
def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_large(server: WebServer) -> None:
    begun = f"POST {SIGN_IN} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for sent, expected in (
        (b"10000\r\n" + b"x" * 65536 + b"\r\n1\r\nx\r\n", 413),
        (b"1;" + b"x" * 5000, 400),
        (b"1\r\nx\r\n0\r\n" + b"X: y\r\n" * 12_000, 413),
    ):
        with server.connect(begun, sent) as connection:
            assert response(connection)[0] == expected


@pytest.mark.slow
def test_the_response_to_a_body_that_is_not_read_arrives_after_all_of_it_was_sent(server: WebServer) -> None:
    body = b"login=" + b"x" * LARGE
    with server.connect(head(SIGN_IN, len(body)), body) as connection:
        assert response(connection)[0] == 413


@pytest.mark.slow
def test_a_body_that_makes_no_progress_ends(tmp_path: Path) -> None:
    server = WebServer(tmp_path, {}, WEB_BODY_IDLE_SECONDS="1", WEB_IDLE_SECONDS="300", WEB_BODY_SECONDS="300")
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        assert cut_off(held.enter_context(server.connect(head(SIGN_IN, 2000), b"login=")))


@pytest.mark.slow
def test_unfinished_bodies_of_an_address_are_limited_without_the_others(server: WebServer) -> None:
    with contextlib.ExitStack() as held:
        one, other = (
            [held.enter_context(server.connect(head(SIGN_IN, 2000, client_of(address)), b"x")) for _ in range(3)]
            for address in ("203.0.113.1", "203.0.113.2")
        )
        more = held.enter_context(server.connect(head(SIGN_IN, 2000, client_of("203.0.113.1")), b"x"))
        # All are as slow: one of them is refused.
        ready, _, _ = select.select([*one, more], [], [], ANSWER)
        (refused,) = ready
        status, text = response(refused)
        assert status == 503
        assert "Retry-After: 60" in text
        assert "Too many uploads from your network" in text
        for connection in {*one, *other, more} - {refused}:
            connection.sendall(b"x" * 1999)
            # Complete, and without a token.
            assert connection.recv(12) == b"HTTP/1.1 403"


@pytest.mark.slow
def test_unfinished_bodies_of_a_process_are_limited(server: WebServer) -> None:
    with contextlib.ExitStack() as held:
        heads = [head(SIGN_IN, 2000, client_of(f"203.0.113.{number}")) for number in range(10)]
        left = {held.enter_context(server.connect(one, b"x")) for one in heads}
        while len(left) > 6:
            ready, _, _ = select.select(list(left), [], [], ANSWER)
            assert ready
            for refused in ready:
                assert response(refused)[0] == 503
                left.remove(refused)
        for connection in left:
            connection.sendall(b"x" * 1999)
            assert connection.recv(12) == b"HTTP/1.1 403"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_bytes_of_unfinished_bodies_of_an_address_are_limited(
    users: Users, child_environment: dict[str, str], tmp_path: Path
) -> None:
    limits = {"TRUSTED_PROXIES": "1", "WEB_BODY_MB_PER_ADDRESS": "1", "WEB_BODY_IDLE_SECONDS": "300"}
    server = WebServer(tmp_path, child_environment, **limits)
    cookie = f"Cookie: {cookie_of(users.owner)}"
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        # The last two are addresses of one network: one client.
        addresses = ("203.0.113.1", "203.0.113.2", "2001:db8:1:1::1", "2001:db8:1:1:ffff::2")
        heads = [head(LAUNCH, 900_000, client_of(address), cookie) for address in addresses]
        connections = [held.enter_context(server.connect(one, b"x" * 700_000)) for one in heads]
        ready, _, _ = select.select(connections[2:], [], [], ANSWER)
        (refused,) = ready
        assert response(refused)[0] == 503
        for connection in {*connections} - {refused}:
            connection.sendall(b"x" * 200_000)
            assert connection.recv(12) == b"HTTP/1.1 403"


def memory(server: WebServer, kind: str) -> float:
    """Megabytes of the process that serves: resident now (VmRSS), and at most (VmHWM)."""
    (pid,) = server.workers
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(kind)) / 1024


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_memory_of_large_requests_is_small_and_given_back(
    users: Users, stub_engine: StubEngine, child_environment: dict[str, str], tmp_path: Path
) -> None:
    stub_engine.flows = [flow()]
    path = f"/w/sales/flows/{flow()['id']}/launch/"
    browser = Client()
    browser.force_login(users.owner)
    page = browser.get(f"{path}?_as=json")
    fields = form_of(page) | {"csrfmiddlewaretoken": str(page.context["csrf_token"])}
    cookies = "Cookie: " + "; ".join(f"{name}={one.value}" for name, one in browser.cookies.items())
    server = WebServer(tmp_path, child_environment, WEB_THREADS="4")
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        for _ in range(8):
            assert server.ask(path, cookie_of(users.owner)) == 200
        before = memory(server, "VmRSS")
        for payload, expected in (
            # Django's page of DEBUG answers 400.
            ("x" * 24 * MEGABYTE, {400, 413}),
            ("[" + "1," * 7 * MEGABYTE + "1]", {422}),
            ("[" * 14 * MEGABYTE, {422}),
            ("[" + "[]," * 4 * MEGABYTE + "[]]", {422}),
        ):
            body = encode_multipart(BOUNDARY, fields | {"payload": payload, "_how": "start"})
            begun = head(path, len(body), cookies, "Connection: close", content_type=MULTIPART_CONTENT)
            with server.connect(begun, body) as connection:
                assert response(connection)[0] in expected
            wait_for(lambda: memory(server, "VmRSS") < before + ROOM, "memory that is given back")
        assert memory(server, "VmHWM") < before + MOST
        assert not Launch.objects.exists()
