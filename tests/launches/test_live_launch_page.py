"""A launch's page while the launch is open: it polls, and says what changed."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene, live_part, text_of, unescape
from workflows_ui.launches.models import Follow, Launch, Reason, State


def _poll(scene: Scene, launch: Launch, seen: str = "", browser: Client | None = None) -> HttpResponse:
    """Asks for the live part as htmx does."""
    url = reverse("launch", args=["sales", launch.pk])
    headers = {"HX-Request": "true", "HX-Target": "launch-live"}
    response = (browser or scene.browser).get(url, {"seen": seen} if seen else {}, headers=headers)
    assert isinstance(response, HttpResponse)
    return response


def _age(launch: Launch, **by: float) -> Launch:
    moment = timezone.now() - timedelta(**by)
    Launch.objects.filter(pk=launch.pk).update(asked_at=moment, sending_at=moment)
    return launch


@pytest.mark.parametrize(
    ("age", "seconds"), [({"seconds": 5}, 2), ({"minutes": 2}, 5), ({"minutes": 11}, 15), ({"hours": 2}, 60)]
)
def test_the_browser_asks_ever_more_seldom(scene: Scene, age: dict[str, float], seconds: int) -> None:
    launch = _age(scene.row(state=State.RUNNING, poll_at=timezone.now()), **age)
    assert f'hx-trigger="every {seconds}s"' in live_part(scene.page(launch))


def test_a_poll_gets_the_live_part_alone_and_the_state_of_the_heading(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING, poll_at=timezone.now())
    response = _poll(scene, launch)
    part = text_of(response)
    assert part.strip().startswith('<div id="launch-live" data-live')
    assert "<html" not in part
    assert 'id="launch-badge" hx-swap-oob="true"' in part
    assert "HX-Target" in response["Vary"]


def test_a_clock_shows_how_long_it_runs_and_whether_that_is_longer_than_usual(scene: Scene) -> None:
    now = timezone.now()
    for seconds in (2, 3, 4):
        start = now - timedelta(seconds=seconds)
        scene.row(state=State.SUCCEEDED, ended_at=now, run_started_at=start, run_finished_at=now)
    launch = scene.row(state=State.RUNNING, poll_at=now, sending_at=now - timedelta(seconds=61))
    page = scene.page(launch)
    assert 'data-usual="3000"' in page
    assert "usually 3.0 s" in unescape(page)
    assert "data-clock-late>" in page
    assert "data-clock>1:0" in page
    young = scene.row(state=State.RUNNING, poll_at=now, sending_at=timezone.now())
    assert "data-clock-late hidden>" in scene.page(young)
    assert "data-elapsed" not in scene.page(scene.row(state=State.QUEUED))


def test_the_usual_time_that_the_form_read_from_the_engines_runs_is_on_the_first_launch_too(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Slow", flows.code("sleep 3"))
    for _run in range(3):
        scene.watch(scene.launch(flow))
    Launch.objects.all().delete()  # as if these runs had started elsewhere
    launch = scene.row(flow_id=flow, state=State.RUNNING, poll_at=timezone.now(), sending_at=timezone.now())
    assert "data-usual" not in scene.page(launch)
    assert "Usually takes" in text_of(scene.browser.get(reverse("flow_does", args=["sales", flow])))
    before = scene.engine.journal.count()
    assert "data-usual=" in scene.page(launch)
    assert scene.engine.journal.count() == before


def test_a_state_is_said_once(scene: Scene) -> None:
    page = scene.page(scene.row(state=State.SUCCEEDED, ended_at=timezone.now()))
    assert '<h2 class="visually-hidden" id="state-title" data-announce>Succeeded</h2>' in page


def test_a_poll_that_finds_nothing_new_changes_nothing(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING, poll_at=timezone.now())
    version = live_part(scene.page(launch)).partition("?seen=")[2].partition('"')[0]
    assert _poll(scene, launch, version).status_code == 204
    Launch.objects.update(state=State.PAUSED)
    changed = _poll(scene, launch, version)
    assert changed.status_code == 200
    assert "Paused" in text_of(changed)


def test_the_last_poll_brings_the_part_without_its_trigger(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING, poll_at=timezone.now())
    version = live_part(scene.page(launch)).partition("?seen=")[2].partition('"')[0]
    Launch.objects.update(state=State.SUCCEEDED, poll_at=None, ended_at=timezone.now())
    part = text_of(_poll(scene, launch, version))
    assert "hx-get" not in live_part(part)
    assert "Succeeded" in part


def test_an_open_page_offers_to_settle_the_launch_once_the_search_is_over(scene: Scene) -> None:
    long_ago = timezone.now() - timedelta(minutes=8)
    launch = _age(
        scene.row(state=State.UNKNOWN, reason=Reason.WORKER_LOST, ended_at=long_ago, poll_at=timezone.now()), minutes=8
    )
    with override_settings(LAUNCH_SEARCH=timedelta(hours=1)):
        page = scene.page(launch)
        version = live_part(page).partition("?seen=")[2].partition('"')[0]
        assert "settle-open" not in page
        assert _poll(scene, launch, version).status_code == 204
    assert "settle-open" in text_of(_poll(scene, launch, version))


def test_a_poll_asks_few_questions_of_the_database_and_none_of_the_engine(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING, poll_at=timezone.now())
    version = live_part(scene.page(launch)).partition("?seen=")[2].partition('"')[0]
    before = scene.engine.journal.count()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert _poll(scene, launch, version).status_code == 204
    # Session, person, role, launch, the worker's sign of life, how asking goes.
    assert len(asked) == 6, [query["sql"] for query in asked]
    with CaptureQueriesContext(connection) as asked:
        _poll(scene, launch, "other")
    # The launch is read twice, since a poll does without its inputs and its answer; and the usual time and the files are shown again.
    assert len(asked) == 11, [query["sql"] for query in asked]
    assert scene.engine.journal.count() == before


def test_without_javascript_the_page_reloads_itself_until_the_end(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING, poll_at=timezone.now())
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in scene.page(launch)


def test_what_is_announced_is_the_state_in_words(scene: Scene) -> None:
    page = scene.page(scene.row(state=State.RUNNING, poll_at=timezone.now()))
    assert re.findall(r"data-announce>([^<]*)<", page) == ["Running"]


def test_an_engine_that_cannot_be_asked_is_said_while_the_launch_is_open(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING, poll_at=timezone.now())
    Follow.objects.create(workspace=scene.users.workspace, trouble="Unreachable", failures=3)
    assert "The engine cannot be reached at the moment" in scene.page(launch)
    Launch.objects.update(state=State.SUCCEEDED, poll_at=None, ended_at=timezone.now())
    assert "The engine cannot be reached at the moment" not in scene.page(launch)


def test_signed_out_a_poll_stops_asking(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING, poll_at=timezone.now())
    response = _poll(scene, launch, browser=Client())
    assert response.status_code == 286
    assert "You are signed out" in text_of(response)
