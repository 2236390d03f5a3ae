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

from tests.bench import figures, production
from tests.bench.test_speed import CLICK, scene, unchanged
from tests.project.console_process import RUN_COMMAND, free_port, processes_of, running_console
from tests.users import Users
from tests.web_server import WebServer
from workflows_ui.launches.models import Launch

__all__ = ["scene"]
CLIENTS, SECONDS = 20, 8.0


def _load(address: str, headers: dict[str, str], status: int = 200) -> list[float]:
    """The seconds that each answer took."""
    host, path = address.removeprefix("http://").split("/", 1)
    taken: list[float] = []
    end = time.monotonic() + SECONDS

    def ask() -> None:
        connection = http.client.HTTPConnection(host, timeout=60)
        while time.monotonic() < end:
            started = time.monotonic()
            connection.request("GET", f"/{path}", headers=headers)
            answer = connection.getresponse()
            answer.read()
            # The times on a page change each minute: then there is something new.
            assert answer.status in {status, 200}
            if answer.status == status:
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
    users, _, launch = scene
    browser = Client()
    browser.force_login(users.owner)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    click = CLICK | {"Cookie": cookie}
    live = click | {"HX-Request": "true", "HX-Target": "launch-live", "X-Live": "1"}
    space, secret = users.workspace, users.credential.open("secret")
    lists = f"{space.address}/v1/flows?projectId={space.project_id}&limit=100"
    bare = _rate(_load(lists, {"Authorization": f"Bearer {secret}"}))
    given = production.environment(child_environment, tmp_path)
    with capsys.disabled():
        print()
        for name, path, headers, processes, status, goal, engine in (
            ("flows", "/w/sales/flows/", click, 2, 200, "80, 95 % 400 ms", bare),
            ("launches", "/w/sales/launches/", click, 2, 200, "80, 95 % 400 ms", "–"),
            ("unchanged launch", "", live, 1, 204, "400", "–"),
        ):
            server = WebServer(tmp_path, given, WEB_PROCESSES=f"{processes}", WEB_THREADS="8")
            try:
                address = f"http://127.0.0.1:{server.port}"
                # The version of a live part depends on the launch's age, as does how often a browser asks.
                _load(f"{address}{path or unchanged(browser, launch)}", headers, status)
                before = _processor(server)
                taken = _load(f"{address}{path or unchanged(browser, launch)}", headers, status)
                each = (_processor(server) - before) / len(taken)
            finally:
                server.kill()
            found = f"{_rate(taken)}; processor {each * 1000:.1f} ms each"
            print(f"{name:32}{found}")
            figures.add(f"a second, {CLIENTS} at once, web processes: {processes}: {name}", found, goal, engine)


def _rate(taken: list[float]) -> str:
    return f"{len(taken) / SECONDS:.0f}, 95 % {taken[int(len(taken) * 0.95)] * 1000:.0f} ms"


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
            whole = sum(megabytes for megabytes, _ in found.values())
            print(f"{whole:8.0f} MB in all")
        engine = sum(megabytes for megabytes, command in found.values() if "practice_engine" in command)
        figures.add("memory of `make run`, idle", f"{whole:.0f} MB", "300 MB", f"{engine:.0f} MB")
        started.interrupt()


def _shared_out(pid: int) -> float:
    """Megabytes of a process, of shared pages its share (PSS)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024
