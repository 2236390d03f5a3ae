"""Requests a second of the real web server, alone and among slow clients. Prints figures, asserts only that all were answered."""

import contextlib
import time
from pathlib import Path

import pytest

from tests.stub_engine import stub_engine, users
from tests.users import Users
from tests.web_server import HALF_A_BODY, HALF_A_HEAD, SlowReaders, WebServer, cookie_of, export

__all__ = ["stub_engine", "users"]
ROUNDS = 200


def rate(server: WebServer, cookie: str) -> float:
    """Pages a second, one after the other."""
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        assert server.ask("/w/sales/jobs/", cookie) == 200
    return ROUNDS / (time.perf_counter() - begun)


@pytest.mark.django_db(transaction=True)
def test_pages_among_slow_clients(
    users: Users, child_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cookie = cookie_of(users.owner)
    wanted = f"GET {export(users)} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode()
    server = WebServer(tmp_path, child_environment)
    with contextlib.ExitStack() as held:
        held.callback(server.kill)
        rate(server, cookie)  # warm
        found = {"alone": rate(server, cookie)}
        for name, slow, count in (("half heads", HALF_A_HEAD, 100), ("half bodies", HALF_A_BODY, 100)):
            for _ in range(count):
                held.enter_context(server.connect(slow))
            found[f"and {count} {name}"] = rate(server, cookie)
        readers = [held.enter_context(server.connect(wanted, window=4096)) for _ in range(8)]
        held.enter_context(contextlib.closing(SlowReaders(readers)))
        found["and 8 slow readers of 24 MB"] = rate(server, cookie)
    with capsys.disabled():
        print()
        for name, pages in found.items():
            print(f"pages a second, {name:<28} {pages:8.0f}")
