"""Open lists of runs: a new run appears by itself within ten seconds, and the engine is asked once for everybody who uses a credential."""

import time
from urllib.parse import parse_qsl

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.test import Client

from tests import users as people
from tests.stub_engine import StubEngine, run, text
from workflows_ui.members.models import Member, Role

pytestmark = pytest.mark.django_db

#: Seconds until a new run is shown.
SOON = 10


class Window:
    """An open list, as htmx keeps it: it asks with the version that it has, as often as the page says."""

    def __init__(self, client: Client, at: float, query: str = "") -> None:
        self.client = client
        response = client.get(f"/w/sales/runs/{query}")
        self.content = text(response.content)
        self._follow(response, at)

    def _follow(self, response: object, at: float) -> None:
        live = response.context["live"]  # type: ignore[attr-defined]
        self.url, self.seconds = response.context["live_url"], live.seconds  # type: ignore[attr-defined]
        self.due = at + self.seconds

    def look(self, at: float) -> None:
        headers = {"HX-Request": "true", "HX-Target": "results", "X-Live": "1"}
        path, _mark, query = self.url.partition("?")
        response = self.client.get(path, dict(parse_qsl(query)), headers=headers)
        assert response.status_code in (200, 204)
        self.due = at + self.seconds
        if response.status_code == 200:
            self.content = text(response.content)
            self._follow(response, at)


@pytest.fixture
def clients(users: people.Users) -> list[Client]:
    """Five people of one team, for whom its credential acts."""
    team = Group.objects.create(name="Watchers")
    Member.objects.create(workspace=users.workspace, team=team, role=Role.VIEWER)
    people.share(users.credential, team)
    found = []
    for number in range(5):
        person = people.person(f"watcher{number}")
        person.groups.add(team)
        found.append(people.browser(person))
    return found


def watch(stub: StubEngine, clients: list[Client], seconds: int) -> tuple[list[Window], int]:
    """Windows that are opened one after the other, in whose time a run is added; and how often the engine was asked since."""
    begin = time.time()
    with time_machine.travel(begin, tick=False) as clock:
        windows = []
        for number, client in enumerate(clients):
            clock.move_to(begin + number * 0.7)
            windows.append(Window(client, begin + number * 0.7))
        asked = len(stub.queries("/flow-runs"))
        stub.runs.insert(0, run(2, created="2026-11-25T08:00:00.000Z", flowVersion={"displayName": "Newcomer"}))
        now = begin + 4 * 0.7
        end = now + seconds
        while (window := min(windows, key=lambda each: each.due)).due <= end:
            clock.move_to(window.due)
            window.look(window.due)
        return windows, len(stub.queries("/flow-runs")) - asked


@pytest.mark.slow
def test_a_new_run_is_shown_within_ten_seconds_and_five_viewers_cost_no_more_calls_than_one(
    stub_engine: StubEngine, clients: list[Client]
) -> None:
    stub_engine.runs = [run(1)]
    windows, calls = watch(stub_engine, clients, SOON)
    assert all("Newcomer" in window.content for window in windows)
    assert calls <= SOON / 3 + 1
    stub_engine.runs = [run(1)]
    alone, calls_of_one = watch(stub_engine, clients[:1], SOON)
    assert "Newcomer" in alone[0].content
    assert calls <= calls_of_one + 1


def test_an_open_list_of_a_later_page_or_in_another_order_stays_as_it_is(
    stub_engine: StubEngine, clients: list[Client]
) -> None:
    stub_engine.runs = [run(number, created=f"2026-11-24T22:{number:02}:00.000Z") for number in range(45, 0, -1)]
    first = clients[0].get("/w/sales/runs/")
    assert first.context["live"] is not None
    later = clients[0].get(first.context["pages"].older_url)
    assert later.context["live"] is None


def test_a_refresh_by_hand_asks_the_engine(stub_engine: StubEngine, clients: list[Client]) -> None:
    stub_engine.runs = [run(1)]
    for client in clients[:2]:
        asked = len(stub_engine.queries("/flow-runs"))
        client.get("/w/sales/runs/")
        assert len(stub_engine.queries("/flow-runs")) == asked + 1


def test_what_is_shared_is_sealed(
    stub_engine: StubEngine, clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[object] = []
    monkeypatch.setattr(caches["answers"], "set", lambda _key, value, *_rest, **_options: stored.append(value))
    failed = {"name": "send", "displayName": "Send", "message": "a very private message"}
    stub_engine.runs = [run(1, "FAILED", failedStep=failed)]
    assert "a very private message" in text(clients[0].get("/w/sales/runs/").content)
    assert stored
    assert "private message" not in repr(stored)
