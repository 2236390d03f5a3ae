"""Clients that send or read slowly: against the real web server, which must go on answering everybody else."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.console_process import wait_for
from tests.stub_engine import stub_engine, users
from tests.users import Users
from tests.web_server import (
    HALF_A_BODY,
    HALF_A_HEAD,
    HEAD,
    LARGE,
    SlowReaders,
    WebServer,
    cookie_of,
    cut_off,
    export,
    rest_of,
)
from workflows_ui.web import body_limits

__all__ = ["stub_engine", "users"]

#: One process runs them, since the web server takes long to start.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("web_server_slow")]


def is_answered(server: WebServer, cookie: str = "") -> None:
    """Fails where ordinary requests are not answered."""
    for _ in range(3):
        assert server.ask("/healthz") == 200
        if cookie:
            assert server.ask("/w/sales/jobs/", cookie) == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """With short limits and without a database. Its idle limit is longer than the tests wait, so that it cannot stand in for another."""
    times = {"WEB_HEAD_SECONDS": "2", "WEB_BODY_SECONDS": "3", "WEB_ANSWER_SECONDS": "3", "WEB_IDLE_SECONDS": "300"}
    folder = tmp_path_factory.mktemp("web")
    (folder / "static").mkdir()
    (folder / "static" / "large").write_bytes(b"x" * LARGE)
    times |= {"BASE_URL": "https://console.example.com", "TRUSTED_PROXIES": "1"}
    made = WebServer(folder, {}, WEB_CONNECTIONS="60", STATIC_ROOT=str(folder / "static"), **times)
    yield made
    assert made.stop() == 0


@pytest.mark.django_db(transaction=True)
def test_slow_heads_bodies_and_readers_hold_no_thread(
    users: Users, child_environment: dict[str, str], tmp_path: Path
) -> None:
    cookie = cookie_of(users.owner)
    wanted = f"GET {export(users)} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
    server = WebServer(tmp_path, child_environment)
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        is_answered(server, cookie)
        for slow in (HALF_A_HEAD, HALF_A_BODY):
            for _ in range(100):
                held.enter_context(server.connect(slow))
            is_answered(server, cookie)
        readers = [held.enter_context(server.connect(wanted, window=4096)) for _ in range(8)]
        held.enter_context(contextlib.closing(SlowReaders(readers)))
        is_answered(server, cookie)
        # Each of them is being answered, and slow only because it reads slowly.
        assert all(one.recv(12) for one in readers[:5])


def test_heads_bodies_and_answers_have_time_limits(server: WebServer) -> None:
    with server.connect(HALF_A_HEAD) as head, server.connect(HALF_A_BODY) as body:
        assert cut_off(head)
        assert cut_off(body)
    held = server.open_files
    with server.connect(b"GET /static/large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", window=4096) as reader:
        assert reader.recv(12) == b"HTTP/1.1 200"
        assert server.open_files > held
        wait_for(lambda: server.open_files <= held, "the end of a connection that is not read")
        assert rest_of(reader) < LARGE
    is_answered(server)


def test_more_connections_than_there_may_be_push_out_the_slowest(server: WebServer) -> None:
    with contextlib.ExitStack() as held:
        # Only the idle limit ends a connection on which nothing was sent.
        silent = [held.enter_context(server.connect()) for _ in range(200)]
        is_answered(server)
        assert cut_off(silent[0])


def test_a_connection_on_which_nothing_happens_is_closed(tmp_path: Path) -> None:
    server = WebServer(tmp_path, {}, WEB_IDLE_SECONDS="1")
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        for sent in ((), (HALF_A_HEAD,), (HALF_A_BODY,)):
            assert cut_off(held.enter_context(server.connect(*sent)))


def test_headers_of_a_proxy_reach_the_console(server: WebServer) -> None:
    for forwarded in ("http", "https"):
        head = (
            f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Proto: {forwarded}\r\nConnection: close\r\n\r\n"
        )
        with server.connect(head.encode()) as connection:
            answer = connection.makefile("rb").read()
        assert (b"strict-transport-security" in answer.lower()) is (forwarded == "https")


def test_large_requests_are_refused_before_they_are_read(server: WebServer) -> None:
    for refused, status in (
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
        (HEAD + f"Content-Length: {body_limits.ANONYMOUS + 1}\r\n\r\n".encode(), b"413"),
    ):
        with server.connect(refused) as connection:
            assert connection.recv(64).split(b" ")[1] == status


def test_requests_in_progress_end_before_the_server_does(tmp_path: Path) -> None:
    server = WebServer(tmp_path, {})
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        body = held.enter_context(server.connect(HALF_A_BODY))
        idle = held.enter_context(server.connect(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
        assert idle.recv(64).startswith(b"HTTP/1.1 200")
        is_answered(server)
        server.process.send_signal(signal.SIGTERM)
        while idle.recv(4096):
            pass
        body.sendall(b"x" * 1994)
        assert body.recv(64).startswith(b"HTTP/1.1 403")
        assert server.wait() == 0


def test_connections_that_were_not_yet_accepted_are_answered_before_the_server_ends(tmp_path: Path) -> None:
    server = WebServer(tmp_path, {}, application="tests.response_bodies", WEB_THREADS="1")
    slow = b"GET /200/slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        waiting = [held.enter_context(server.connect(slow)) for _ in range(5)]
        server.process.send_signal(signal.SIGTERM)
        for connection in waiting:
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert server.wait() == 0


def test_a_reload_answers_all_the_time(tmp_path: Path) -> None:
    server = WebServer(tmp_path, {})
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        before = server.workers
        server.process.send_signal(signal.SIGHUP)

        def is_new() -> bool:
            assert server.ask("/healthz") == 200
            now = server.workers
            return bool(now) and not now & before

        wait_for(is_new, "another process")
        assert server.stop() == 0
