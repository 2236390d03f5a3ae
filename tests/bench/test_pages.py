"""How long pages take on the server, the practice engine included. Prints figures, asserts only that the pages came."""

import statistics
import time
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from practice_engine.engine import PracticeEngine
from practice_engine.server import serve
from tests import flows
from tests.users import Users, gather, workspace
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock
from workflows_ui.credentials.services import clients
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import following, launches, sending

ROUNDS = 50


@pytest.fixture
def scene(db: None) -> Iterator[tuple[PracticeEngine, Users]]:
    engine = PracticeEngine(clock_scale=0.01)
    server = serve(engine)
    space = workspace("sales", address=f"{server.url}/api", project=engine.credentials.project_id)
    yield engine, gather(space, engine.credentials.bearer_token)
    server.stop()
    engine.close()


def measured(name: str, act: Callable[[], None], rounds: int = ROUNDS) -> None:
    """Prints the median and the 95th percentile of so many rounds, in milliseconds."""
    act()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    print(f"{name:40} median {statistics.median(taken):7.1f} ms   95 % {taken[int(rounds * 0.95)]:7.1f} ms")


def test_pages(scene: tuple[PracticeEngine, Users], capsys: pytest.CaptureFixture[str]) -> None:
    _, users = scene
    browser = Client()
    browser.force_login(users.owner)
    workflows = clients.client_for_credential(users.credential).workflows
    flow = flows.make(workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    order = launches.LaunchRequest(flow, "Quick", {"a": 1}, False, launches.ticket())
    launch = launches.create(audit_log.Actor(users.owner), users.place(users.owner), order).launch
    assert launch is not None
    sending.send(launch.pk)

    def page(address: str) -> Callable[[], None]:
        def get() -> None:
            assert browser.get(address).status_code == 200

        return get

    def ask() -> None:
        wanted = launches.LaunchRequest(flow, "Quick", {"a": 1}, False, launches.ticket(), confirmed=True)
        launches.create(audit_log.Actor(users.owner), users.place(users.owner), wanted)

    with capsys.disabled():
        print()
        measured("all workspaces", page("/?all=1"))
        measured("home", page("/w/sales/"))
        measured("home, its flows asked for", page("/w/sales/?flows=1"))
        measured("list of flows", page("/w/sales/flows/"))
        measured("one flow", page(f"/w/sales/flows/{flow}/"))
        measured("launch form", page(f"/w/sales/flows/{flow}/launch/"))
        measured("list of runs", page("/w/sales/runs/"))
        measured("list of launches", page("/w/sales/launches/"))
        measured("one launch", page(f"/w/sales/launches/{launch.pk}/"))
        measured("asking for a launch (row and audit)", ask)


def test_following_a_thousand_open_launches(
    scene: tuple[PracticeEngine, Users], capsys: pytest.CaptureFixture[str]
) -> None:
    engine, users = scene
    engine.settings.flow_limit = 1e9
    workflows = clients.client_for_credential(users.credential).workflows
    flow = flows.make(workflows, "Sleeps", flows.code("sleep 50000"))
    for number in range(1000):
        order = launches.LaunchRequest(flow, "Sleeps", {"n": number}, False, launches.ticket())
        launch = launches.create(audit_log.Actor(users.owner), users.place(users.owner), order).launch
        assert launch is not None
        sending.send(launch.pk)

    def poll() -> None:
        Launch.objects.update(poll_at=clock.now())
        following.poll(users.workspace.pk)

    with capsys.disabled():
        print()
        measured("one poll of 1,000 open launches", poll, rounds=10)
    assert Launch.objects.filter(state="running").count() == 1000
