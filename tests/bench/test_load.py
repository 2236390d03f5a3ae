"""Pages a second of two web processes with twenty clients at once, and the memory of an idle `make run`. Prints figures."""

import http.client
import os
import re
import threading
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.bench import production
from tests.bench.test_speed import CLICK, scene
from tests.project.console_process import RUN_COMMAND, free_port, processes_of, running_console
from tests.users import Users
from tests.web_server import WebServer
from workflows_ui.launches.models import Launch

__all__ = ["scene"]
CLIENTS, SECONDS = 20, 8.0


def _load(server: WebServer, path: str, cookie: str) -> list[float]:
    """The seconds that each page took."""
    taken: list[float] = []
    end = time.monotonic() + SECONDS

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        while time.monotonic() < end:
            started = time.monotonic()
            connection.request("GET", path, headers=CLICK | {"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            taken.append(time.monotonic() - started)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(taken)


def test_pages_a_second(
    transactional_db: None,
    scene: tuple[Users, str, Launch],
    child_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    users, _, _ = scene
    browser = Client()
    browser.force_login(users.owner)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    given = production.environment(child_environment, tmp_path)
    server = WebServer(tmp_path, given, WEB_PROCESSES="2", WEB_THREADS="8")
    try:
        with capsys.disabled():
            print()
            for name, path in (("flows", "/w/sales/flows/"), ("launches", "/w/sales/launches/")):
                _load(server, path, cookie)
                before = _processor(server)
                taken = _load(server, path, cookie)
                high, each = taken[int(len(taken) * 0.95)], (_processor(server) - before) / len(taken)
                print(
                    f"{name:32}{len(taken) / SECONDS:8.1f} pages a second, 95 %{high * 1000:8.0f} ms, cpu{each * 1000:8.1f} ms"
                )
    finally:
        server.kill()


def _processor(server: WebServer) -> float:
    """The seconds of processor time that the server's processes have used."""
    ticks = 0
    for pid in server.workers:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def test_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running_console(RUN_COMMAND, tmp_path / "var", free_port()) as started:
        started.wait_for_output("The console is ready")
        started.get("/accounts/login/")
        found = {pid: (_shared_out(pid), command) for pid, command in processes_of(started.folder).items()}
        with capsys.disabled():
            print()
            for megabytes, command in sorted(found.values(), reverse=True):
                print(f"{megabytes:8.0f} MB  {command[-60:]}")
            print(f"{sum(megabytes for megabytes, _ in found.values()):8.0f} MB in all")
        started.interrupt()


def _shared_out(pid: int) -> float:
    """Megabytes of a process, of shared pages its share (PSS)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024
