"""The console's own time for each page: what the engine takes is measured and subtracted. Prints the table of docs/performance.md.

`engine` is what the page's calls take, bare, and `own` is the rest. The least processor time (`cpu`) says what a page costs on a machine
that others use, too.
"""

import gzip
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.template.base import Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from requests.adapters import HTTPAdapter

from tests import flows
from tests.bench import engine_process, figures
from tests.users import Users, gather, workspace
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock
from workflows_ui.credentials.services import clients
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import following, launches, sending

ROUNDS = 30
#: As a browser asks for a page after a click.
CLICK = {"Accept-Encoding": "gzip, br", "Sec-Fetch-Site": "same-origin"}
FLOWS, RUNS = 40, 110


@dataclass
class EngineTime:
    """Seconds that calls to the engine took, and their number."""

    seconds: float = 0.0
    calls: list[str] = field(default_factory=list)


@pytest.fixture
def engine_time(monkeypatch: pytest.MonkeyPatch) -> EngineTime:
    spent, send = EngineTime(), HTTPAdapter.send

    def timed(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return send(*arguments, **options)
        finally:
            spent.seconds += time.perf_counter() - started
            spent.calls.append(f"{arguments[1].method} {arguments[1].path_url}")

    monkeypatch.setattr(HTTPAdapter, "send", timed)
    return spent


@pytest.fixture(autouse=True)
def _uninstrumented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates are rendered as in production: tests otherwise copy the context of each."""
    monkeypatch.setattr(Template, "_render", lambda template, context: template.nodelist.render(context))


@pytest.fixture
def scene(db: None) -> Iterator[tuple[Users, str, Launch]]:
    with engine_process.running() as engine:
        space = workspace("sales", address=f"{engine.url}/api", project=engine.project_id)
        users = gather(space, engine.token)
        workflows = clients.client_for_credential(users.credential).workflows
        for number in range(FLOWS):
            flow = flows.make(workflows, f"Flow {number}", flows.code("echo", given="{{trigger.body}}"))
        for number in range(RUNS):
            order = launches.LaunchRequest(flow, "Flow", {"n": number}, False, launches.ticket())
            launch = launches.create(audit_log.Actor(users.owner), users.place(users.owner), order).launch
            assert launch is not None
            sending.send(launch.pk)
        while Launch.objects.filter(ended_at=None).exists():
            Launch.objects.update(poll_at=clock.now())
            following.poll(space.pk)
        launch = Launch.objects.order_by("-asked_at")[0]
        yield users, flow, launch


def row(
    name: str,
    browser: Client,
    path: str,
    spent: EngineTime,
    *,
    status: int = 200,
    target: str = "",
    goal: str = "15 ms, 95 % 40",
) -> None:
    headers = CLICK | ({"HX-Request": "true", "HX-Target": target} if target else {})

    def get() -> Any:
        answer = browser.get(path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code)
        return answer

    for _ in range(3):
        answer = get()
    walls, own, cpu, engine = [], [], [], []
    for _ in range(ROUNDS):
        spent.seconds, wall, processor = 0.0, time.perf_counter(), time.process_time()
        get()
        processor, wall = time.process_time() - processor, time.perf_counter() - wall
        walls.append(wall)
        cpu.append(processor)
        engine.append(spent.seconds)
        own.append(wall - spent.seconds)
    spent.calls.clear()
    with CaptureQueriesContext(connection) as queries:
        get()
    sent = answer.content
    body = gzip.decompress(sent) if answer.get("Content-Encoding") == "gzip" else sent
    medians = "".join(f"{statistics.median(one) * 1000:8.1f}" for one in (walls, engine, own))
    medians += f"{min(cpu) * 1000:8.1f}"
    high = sorted(own)[int(len(own) * 0.95)] * 1000
    print(
        f"{name:32}{medians}{high:8.1f}{len(queries):6}{len(spent.calls):6}{len(body) / 1000:9.1f}{len(sent) / 1000:8.1f}"
    )
    sizes = f"; {len(sent) / 1000:.1f} kB sent" if "kB" in goal else ""
    bare = figures.spread(engine) if spent.calls else "–"
    figures.add(f"server time: {name}", f"{figures.spread(own)}; processor {min(cpu) * 1000:.1f}{sizes}", goal, bare)


def unchanged(browser: Client, launch: Launch) -> str:
    """The URL of the live part of a launch's page that has nothing new, since the launch still runs."""
    # Of an age at which the interval between two polls, and with it the version, does not change meanwhile.
    sent_at = clock.now() - timedelta(minutes=15)
    Launch.objects.filter(pk=launch.pk).update(state="running", poll_at=clock.now(), ended_at=None, sending_at=sent_at)
    page = browser.get(f"/w/sales/launches/{launch.pk}/").content.decode()
    return f"/w/sales/launches/{launch.pk}/?seen={page.partition('?seen=')[2].partition(chr(34))[0]}"


def test_speed(scene: tuple[Users, str, Launch], engine_time: EngineTime, capsys: pytest.CaptureFixture[str]) -> None:
    users, flow, launch = scene
    browser = Client()
    browser.force_login(users.owner)
    with capsys.disabled():
        print(
            f"\n{'milliseconds':32}{'all':>8}{'engine':>8}{'own':>8}{'cpu':>8}{'own 95':>8}{'SQL':>6}{'calls':>6}{'kB':>9}{'sent':>8}"
        )
        row("error page", browser, "/w/sales/nothing/", engine_time, status=404, goal="4 ms")
        row("runs", browser, "/w/sales/runs/", engine_time)
        row("100 runs", browser, "/w/sales/runs/?rows=100", engine_time, goal="30 ms; 25 kB sent")
        row("flows", browser, "/w/sales/flows/", engine_time)
        row("folders", browser, "/w/sales/folders/", engine_time)
        row("flow", browser, f"/w/sales/flows/{flow}/", engine_time)
        row("run", browser, f"/w/sales/runs/{launch.run_id}/", engine_time)
        row("launch form", browser, f"/w/sales/flows/{flow}/launch/", engine_time)
        row("launches", browser, "/w/sales/launches/", engine_time)
        row("launch", browser, f"/w/sales/launches/{launch.pk}/", engine_time)
        row("home", browser, "/w/sales/", engine_time)
        row(
            "unchanged launch",
            browser,
            unchanged(browser, launch),
            engine_time,
            status=204,
            target="launch-live",
            goal="3 ms",
        )
        row("bell", browser, "/notices/", engine_time, target="bell")
