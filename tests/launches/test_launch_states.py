"""The page of a launch says what is so, and nothing else: while its run is looked for, waits in the engine, is cancelled or retried."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene
from workflows_ui.audit.models import AuditEvent
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import following, run_results, runs, sending, watching
from workflows_ui.notifications.messages import notification_message
from workflows_ui.notifications.models import Notice, Watch, WatchKind

ECHO = flows.code("echo", given="{{trigger.body}}")
HOME = "/w/sales/"


class Versioned(Scene):
    """A scene whose engine is of this version, once its flows are made."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.version = version


@pytest.fixture(params=[pytest.param("0.72.4", marks=pytest.mark.slow), "0.83.0"])
def scene(request: pytest.FixtureRequest, db: None) -> Iterator[Versioned]:
    made = Versioned(request.param)
    yield made
    made.close()


def _flow(scene: Versioned, *steps: dict[str, Any]) -> str:
    """A flow, made before the engine speaks its version: its pieces are those of 0.72."""
    flow = flows.make(scene.workflows, "Works", *steps)
    scene.engine.settings.version = scene.version
    return flow


def _main(page: str) -> str:
    """The page without the audit log below."""
    return page.partition("<main")[2].partition('id="history"')[0]


def _concluded(scene: Versioned, launch: Launch) -> Launch:
    then = timezone.now() - timedelta(minutes=6)
    Launch.objects.filter(pk=launch.pk).update(sending_at=then, asked_at=then, answered_at=then, ended_at=then)
    return scene.watch(launch)


def test_while_it_is_looked_for_the_page_says_so_and_nobody_is_asked_to_decide(scene: Versioned) -> None:
    flow = _flow(scene, ECHO)
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=502, body="html")
    launch = scene.launch(flow)
    page = scene.page(launch)
    assert "Checking whether it ran" in page
    assert "for up to 5 minutes" in page
    assert "Mark as run" not in page
    assert "Launch again" not in page
    assert "Unclear" not in _main(page)
    listed = scene.browser.get("/w/sales/launches/", {"state": "open"}).content.decode()
    assert "Checking whether it ran" in listed
    assert "is unclear" not in scene.sign_in(scene.users.owner).get(HOME).content.decode()
    Watch.objects.create(
        user=scene.users.colleague,
        workspace=scene.users.workspace,
        kind=WatchKind.LAUNCH,
        object_id=launch.pk,
        created_at=timezone.now(),
    )
    watching.find_news()
    assert not Notice.objects.exists()


def test_until_the_last_search_a_launch_without_a_run_has_no_trace_so_far(scene: Versioned) -> None:
    flow = _flow(scene, ECHO)
    scene.watch(scene.launch(flow))
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=502, times=1)
    launch = scene.launch(flow)
    person, space = scene.users.colleague, scene.users.workspace
    watching.start_watching(person, space, WatchKind.LAUNCH, launch.pk, "")
    launch = _concluded(scene, launch)
    watching.find_news()
    page = scene.page(launch)
    assert "No trace so far" in page
    assert re.search(r"looks again a few times, until about [^<]*\d", page)
    assert "Not sent" not in page
    listed = scene.browser.get("/w/sales/launches/", {"state": "no_trace"}).content.decode()
    assert "No trace so far" in listed
    assert launch.pk in listed
    listed_file = scene.browser.get(reverse("launches_file", args=["sales", "csv"]))
    assert "No trace so far" in b"".join(listed_file).decode()
    assert "No trace so far" in notification_message(Notice.objects.get()).title
    found = scene.browser.get("/w/sales/search/", {"q": launch.pk}).content.decode()
    assert "No trace so far" in found


def test_an_engine_that_was_busy_is_named_with_the_time_to_try_again(scene: Versioned) -> None:
    flow = _flow(scene, ECHO)
    scene.watch(scene.launch(flow))
    scene.engine.faults.add("too_many", "POST", "/v1/webhooks/*", seconds=1800, times=1)
    launch = _concluded(scene, scene.launch(flow, '{"order": 7}'))
    for _ in run_results.LATER:
        Launch.objects.filter(pk=launch.pk).update(poll_at=timezone.now() - timedelta(seconds=1))
        following.poll(launch.workspace_id)
    launch = Launch.objects.get(pk=launch.pk)
    page = scene.page(launch)
    assert launch.try_after is not None
    minute = timezone.localtime(launch.try_after + timedelta(seconds=59))
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.ENGINE_BUSY)
    assert "Not sent: the engine is busy" in page
    assert re.search(rf"Launch the same values again after [^<]*{minute:%H:%M}\.", page)
    assert f"/launch/?from={launch.pk}" in page
    again = scene.fields(flow, query=f"?from={launch.pk}")
    assert "7" in again["payload"]


def test_a_run_that_waits_in_the_engine_is_not_running(scene: Versioned) -> None:
    scene.engine.settings.queue_time = 1000.0
    flow = _flow(scene, ECHO)
    launch = scene.watch(scene.launch(flow), State.ENQUEUED)
    page = _main(scene.page(launch))
    assert "Queued in the engine" in page
    assert "Running" not in page
    assert launch.run_started_at is None
    assert "Run started" not in page


def test_a_cancelled_run_makes_the_launch_cancelled_and_names_who_did_it(scene: Versioned) -> None:
    flow = _flow(scene, flows.delay(3600))
    launch = scene.watch(scene.launch(flow), State.PAUSED)
    owner = scene.sign_in(scene.users.owner)
    asked = owner.post(f"/w/sales/runs/do/cancel/{launch.run_id}/", {"sure": "yes"}, follow=True)
    assert asked.status_code == 200
    launch = scene.watch(launch)
    assert (launch.state, launch.run_status) == (State.CANCELLED, "CANCELED")
    page = _main(scene.page(launch))
    assert "Cancelled" in page
    assert "Cancelled by:" in page
    assert scene.users.owner.label in page
    assert "Failed" not in page
    event = AuditEvent.objects.get(action="launch.end", object_id=launch.pk)
    assert event.outcome == "cancelled"
    home = owner.get(HOME).content.decode()
    assert "Problems" not in home
    assert "Cancelled" in scene.browser.get("/w/sales/launches/", {"state": "cancelled"}).content.decode()
    assert (
        "Works"
        not in scene.browser.get("/w/sales/launches/", {"state": "failed"}).content.decode().partition("<tbody")[2]
    )


def test_a_run_that_went_on_after_it_was_cancelled_is_shown_by_its_real_end(scene: Versioned) -> None:
    flow = _flow(scene, flows.code("sleep 60"), ECHO)
    launch = scene.watch(scene.launch(flow), State.RUNNING)
    scene.workflows.cancel_runs([launch.run_id])
    following.follow_again(scene.users.workspace, launch.run_id)
    assert scene.watch(launch).state == State.SUCCEEDED


@pytest.mark.parametrize("wait", [False, True])
def test_a_state_that_the_console_does_not_know_is_shown_as_it_is_and_followed_slowly(
    scene: Versioned, wait: bool
) -> None:
    flow = _flow(scene, flows.code("sleep 500"))
    launch = scene.watch(scene.launch(flow), State.RUNNING)
    _set(scene, launch, status="HIBERNATING")
    launch = scene.watch(launch, State.OTHER)
    assert launch.ended_at is None
    assert launch.poll_at is not None
    assert launch.poll_at > timezone.now() + timedelta(minutes=4)
    page = _main(scene.page(launch))
    assert "HIBERNATING" in page
    assert "bg-secondary" in page
    for word in ("Failed", "Succeeded", "Running"):
        assert word not in page
    _set(scene, launch, status="SUCCEEDED")
    assert scene.watch(launch).state == State.SUCCEEDED


def test_an_unknown_state_with_a_finish_time_is_an_end_and_neither_good_nor_bad(scene: Versioned) -> None:
    flow = _flow(scene, flows.code("sleep 500"))
    launch = scene.watch(scene.launch(flow), State.RUNNING)
    _set(scene, launch, status="EVAPORATED", finishTime="2026-11-25T03:40:30.000Z")
    launch = scene.watch(launch)
    assert (launch.state, launch.settled, launch.run_status) == (State.OTHER, True, "EVAPORATED")
    assert AuditEvent.objects.get(action="launch.end", object_id=launch.pk).outcome == "other"
    assert "Problems" not in scene.sign_in(scene.users.owner).get(HOME).content.decode()


def test_an_unknown_state_is_given_up_after_a_month_without_saying_how_it_ended(scene: Versioned) -> None:
    flow = _flow(scene, flows.code("sleep 500"))
    launch = scene.watch(scene.launch(flow), State.RUNNING)
    _set(scene, launch, status="HIBERNATING")
    scene.watch(launch, State.OTHER)
    Launch.objects.filter(pk=launch.pk).update(sending_at=timezone.now() - timedelta(days=32))
    launch = scene.watch(launch)
    assert (launch.state, launch.run_status, launch.poll_at) == (State.OTHER, "HIBERNATING", None)


@pytest.mark.parametrize("status", [*runs.FAILED, "CANCELED"])
def test_every_final_state_ends_a_launch(scene: Versioned, status: str) -> None:
    flow = _flow(scene, flows.code("sleep 500"))
    launch = scene.watch(scene.launch(flow), State.RUNNING)
    _set(scene, launch, status=status)
    launch = scene.watch(launch)
    assert launch.state == (State.CANCELLED if status == "CANCELED" else State.FAILED)
    assert str(runs.STATES[status].word) in scene.page(launch)


def test_a_waiting_launch_of_a_failing_flow_says_so_before_the_wait_is_over(scene: Versioned) -> None:
    flow = _flow(scene, flows.code("fail The stock system is closed"))
    scene.watch(scene.launch(flow))
    launch = scene.launch(flow, wait=True, send=False)
    claimed = sending.claim(launch.pk)
    assert claimed is not None
    sending.mark_sending(claimed.launch)
    # The call goes on for the whole 30 seconds on 0.83, and is answered by nothing.
    scene.workflows.send_trigger(flow, {}, wait=False, marker=launch.pk)
    launch = scene.watch(launch, State.FAILED)
    assert launch.claim_until is not None
    page = scene.page(launch)
    assert "The stock system is closed" in page
    assert "Running" not in _main(page)


def test_a_retried_run_shows_no_old_error_and_counts_from_the_retry(scene: Versioned) -> None:
    flow = _flow(scene, flows.code("fail Closed"))
    launch = scene.watch(scene.launch(flow))
    assert launch.state == State.FAILED
    # The first try was a quarter of an hour ago.
    earlier = "2026-11-25T03:00:00.000Z"
    _set(scene, launch, created=earlier, startTime=earlier, finishTime=earlier)
    scene.engine.settings.queue_time = 50.0
    assert (
        scene.browser.post(f"/w/sales/runs/do/retry/{launch.run_id}/", {"sure": "yes"}, follow=True).status_code == 200
    )
    again = Launch.objects.get(pk=launch.pk)
    assert (again.state, again.failure, again.failed_step, again.settled) == (State.ENQUEUED, "", "", False)
    page = _main(scene.page(again))
    assert "Closed" not in page
    assert "Queued in the engine" in page
    scene.watch(again, State.ENQUEUED)
    launch = scene.watch(launch)
    assert launch.state == State.FAILED
    assert "Closed" in launch.open("failure")
    assert launch.run_started_at is not None
    assert launch.run_finished_at is not None
    assert launch.run_finished_at - launch.run_started_at < timedelta(minutes=1)


def test_a_run_retried_on_the_latest_version_does_not_take_its_launchs_place(scene: Versioned) -> None:
    flow = _flow(scene, ECHO)
    launch = scene.watch(scene.launch(flow))
    made = scene.workflows.retry_run(launch.run_id, "ON_LATEST_VERSION")
    with scene.engine.state.lock:
        scene.engine.state.runs[made["id"]]["parentRunId"] = launch.pk
    page = scene.sign_in(scene.users.owner).get(f"/w/sales/runs/{made['id']}/").content.decode()
    assert f"/w/sales/launches/{launch.pk}/" not in _main(page)
    listed = scene.sign_in(scene.users.owner).get("/w/sales/runs/").content.decode()
    assert "A retry of another run" in listed
    assert f"/w/sales/runs/{launch.pk}/" not in listed
    # Lost again, as a launch whose answer was cut: the first run is still the one that is found.
    Launch.objects.filter(pk=launch.pk).update(run_id="", state=State.UNKNOWN, poll_at=timezone.now(), claim_until=None)
    assert scene.watch(launch).run_id == launch.run_id


def _set(scene: Versioned, launch: Launch, **values: str) -> None:
    with scene.engine.state.lock:
        scene.engine.state.runs[launch.run_id] |= values
    Launch.objects.filter(pk=launch.pk).exclude(poll_at=None).update(poll_at=timezone.now())
