"""Whether a launch ran is decided by the engine's run lists, never by the answer of something in between. On the practice engine over
HTTP, with a proxy's faults before and after the engine acts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from tests import flows
from tests.launches.test_sending import ECHO, Scene, _later
from workflows_ui.audit.models import AuditEvent
from workflows_ui.launches import messages as launch_messages
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import following, run_results, run_search
from workflows_ui.members.models import Flavour, LaunchRight
from workflows_ui.web import messages as web_messages

REFUSED = {
    400: Reason.BAD_REQUEST,
    401: Reason.CREDENTIAL_REFUSED,
    402: Reason.NOT_IN_PLAN,
    403: Reason.FORBIDDEN,
    404: Reason.NOTHING_THERE,
    413: Reason.TOO_LARGE,
}
BROKEN = ("reset_before", "reset_after", "truncated", "headers_cut", "garbage")


@pytest.fixture(params=["0.72.4", pytest.param("0.83.0", marks=pytest.mark.slow)])
def scene(request: pytest.FixtureRequest, db: None) -> Iterator[Scene]:
    """An engine of each version that has been seen to return the marker."""
    made = Scene(Flavour.ACTIVEPIECES)
    made.flow = flows.make(made.workflows, "Quick", ECHO)
    made.engine.settings.version = request.param
    made.watch(made.launch(made.flow))
    yield made
    made.close()


def _until_told(scene: Scene, launch: Launch) -> Launch:
    """As if the search time had passed, and the later searches."""
    launch = _search_over(scene, launch)
    for _ in run_results.LATER:
        assert (launch.state, launch.reason, launch.settled) == (State.UNKNOWN, Reason.NO_TRACE, True)
        _look(scene, launch)
        launch = scene.now(launch)
    return launch


def _search_over(scene: Scene, launch: Launch) -> Launch:
    """As if the search time had passed."""
    assert launch.searched_for
    _later(launch, timedelta(minutes=6))
    return scene.watch(launch)


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 410, 413, 429, 500, 502, 503, 504])
@pytest.mark.sampled(3)
def test_a_status_that_came_after_the_engine_acted_proves_nothing(scene: Scene, status: int, wait: bool) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=status, body="html", act=True)
    launch = scene.launch(scene.flow, wait=wait)
    assert (launch.state, launch.reason, launch.searched_for) == (State.UNKNOWN, Reason.ODD_ANSWER, True)
    launch = scene.watch(launch)
    assert (launch.state, launch.run_status, launch.answer_status) == (State.SUCCEEDED, "SUCCEEDED", status)
    assert scene.triggers(launch) == 1


@pytest.mark.parametrize("status", [*REFUSED, 410])
def test_a_refusal_is_shown_once_the_run_lists_prove_that_no_run_was_made(scene: Scene, status: int) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=status, body="text")
    launch = scene.launch(scene.flow)
    assert launch.state == State.UNKNOWN
    launch = _until_told(scene, launch)
    assert (launch.state, launch.reason) == (State.REFUSED, REFUSED.get(status, Reason.NOTHING_THERE))
    assert str(status) in launch.technical
    assert "a practised fault" in launch.technical
    assert scene.triggers(launch) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 302, 200])
def test_any_other_answer_without_a_run_means_that_none_was_made(scene: Scene, status: int) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=status, body="html")
    launch = _until_told(scene, scene.launch(scene.flow))
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.NO_RUN_MADE)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_connection_that_broke_is_shown_by_the_run_lists(scene: Scene, kind: str, acts: bool) -> None:
    scene.engine.faults.add(kind, "POST", "/v1/webhooks/*", act=acts, webhook_id=False)
    launch = scene.launch(scene.flow, wait=True)
    assert launch.searched_for
    launch = scene.watch(launch) if acts else _until_told(scene, launch)
    expected = (State.SUCCEEDED, "") if acts else (State.NOT_SENT, Reason.NO_RUN_MADE)
    assert (launch.state, launch.reason) == expected
    assert scene.triggers(launch) == 1


def test_a_429_is_never_sent_again_and_says_when_to_try(scene: Scene) -> None:
    scene.engine.faults.add("too_many", "POST", "/v1/webhooks/*", seconds=600)
    launch = scene.launch(scene.flow)
    left = launch.try_after - timezone.now() if launch.try_after else timedelta()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    launch = _until_told(scene, launch)
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.ENGINE_BUSY)
    assert scene.triggers(launch) == 1


def test_one_list_without_the_run_is_not_enough(scene: Scene) -> None:
    scene.engine.faults.add("reset_after", "POST", "/v1/webhooks/*")
    launch = scene.launch(scene.flow)
    _later(launch, timedelta(minutes=6))
    # Late as only a replica of the engine's database can be.
    hidden = _hide(scene, launch)
    _look(scene, launch)
    assert scene.now(launch).searched_for
    hidden["visibleAt"] = 0.0
    launch = scene.watch(launch)
    assert (launch.state, launch.run_id) == (State.SUCCEEDED, hidden["id"])


def test_a_run_that_turns_up_in_a_later_search_was_never_called_not_sent(scene: Scene) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=503, act=True)
    right = _right(scene)
    launch = scene.launch(scene.flow)
    Launch.objects.filter(pk=launch.pk).update(right=right)
    hidden = _hide(scene, launch)
    launch = _search_over(scene, launch)
    assert (launch.state, launch.reason, launch.settled, _used(right)) == (State.UNKNOWN, Reason.NO_TRACE, True, 1)
    assert launch.poll_at is not None
    assert launch.poll_at > timezone.now() + timedelta(seconds=30)
    last = launch.poll_at + sum(run_results.LATER[1:]) * settings.LAUNCH_SEARCH
    assert run_results.last_search(launch) == last
    launch.reason = Reason.CUT_OFF
    assert run_results.last_search(launch) is None
    launch.reason = Reason.NO_TRACE
    message = launch_messages.launch_message(launch)
    assert message.title == "No trace so far"
    assert "503" in str(message.text)
    assert web_messages.launch_badge(launch).word == "No trace so far"
    hidden["visibleAt"] = 0.0
    _look(scene, launch)
    launch = scene.watch(launch)
    assert (launch.state, launch.run_id, _used(right)) == (State.SUCCEEDED, hidden["id"], 1)
    outcomes = AuditEvent.objects.filter(action="launch.end", object_id=launch.pk).values_list("outcome", flat=True)
    assert set(outcomes) == {"unclear", "done"}


def test_the_last_of_the_later_searches_is_final(scene: Scene) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=503)
    right = _right(scene)
    launch = scene.launch(scene.flow)
    Launch.objects.filter(pk=launch.pk).update(right=right)
    launch = _until_told(scene, launch)
    assert (launch.poll_at, launch.state, _used(right)) == (None, State.NOT_SENT, 0)


def test_a_last_search_that_proves_nothing_is_made_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=503)
    launch = _search_over(scene, scene.launch(scene.flow))
    for _ in run_results.LATER[1:]:
        _look(scene, launch)
    with monkeypatch.context() as patch:
        patch.setattr(run_search, "PAGE", 1)
        patch.setattr(run_search, "PAGES", 1)
        for _ in range(3):
            _look(scene, launch)
    launch = scene.now(launch)
    assert (launch.state, launch.reason, launch.poll_at is None) == (State.UNKNOWN, Reason.NO_TRACE, False)
    _look(scene, launch)
    assert scene.now(launch).state == State.NOT_SENT


@pytest.mark.parametrize("status", [404, 410])
def test_a_flow_that_answers_as_if_it_were_off_is_not_called_off(scene: Scene, status: int) -> None:
    answers = flows.make(scene.workflows, "Looks something up", flows.response({}, status))
    launch = scene.launch(answers, wait=True)
    assert (launch.state, launch.reason, launch.searched_for) == (State.UNKNOWN, Reason.OFF_OR_ANSWERED, True)
    launch = scene.watch(launch)
    assert (launch.state, launch.answer_status, launch.answer_from) == (State.SUCCEEDED, status, "flow")
    assert launch.open("answer") == "{}"
    assert "answers that something is wrong" in str(launch_messages.launch_message(launch).title)


def test_a_flow_that_was_off_is_refused_after_complete_lists_without_a_run(scene: Scene) -> None:
    scene.workflows.apply_flow_operation(scene.flow, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    launch = _until_told(scene, scene.launch(scene.flow, wait=True))
    assert (launch.state, launch.reason, launch.answer_from) == (State.REFUSED, Reason.FLOW_OFF, "")
    assert scene.triggers(launch) == 1


def test_a_list_that_cannot_be_read_to_its_end_proves_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_search, "PAGE", 1)
    monkeypatch.setattr(run_search, "PAGES", 1)
    scene.engine.faults.add("reset_before", "POST", "/v1/webhooks/*")
    launch = scene.launch(scene.flow)
    _later(launch, timedelta(minutes=6))
    for _ in range(4):
        _look(scene, launch)
    assert scene.now(launch).searched_for


def test_a_flow_that_was_deleted_took_its_runs_along_so_nothing_is_proved(scene: Scene) -> None:
    scene.engine.faults.add("reset_after", "POST", "/v1/webhooks/*")
    launch = scene.launch(scene.flow)
    with scene.engine.state.lock:
        del scene.engine.state.flows[scene.flow]
        for key in [key for key, row in scene.engine.state.runs.items() if row["flowId"] == scene.flow]:
            del scene.engine.state.runs[key]
    launch = _search_over(scene, launch)
    assert (launch.state, launch.reason, launch.settled) == (State.UNKNOWN, Reason.CUT_OFF, True)


def test_a_flow_that_cannot_be_read_just_now_proves_nothing_yet(scene: Scene) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=503)
    launch = scene.launch(scene.flow)
    fault = scene.engine.faults.add("status", "GET", f"/v1/flows/{scene.flow}", status=503)
    _later(launch, timedelta(minutes=6))
    for _ in range(3):
        _look(scene, launch)
    assert scene.now(launch).searched_for
    scene.engine.faults.clear(fault.id)
    assert scene.watch(launch).reason == Reason.NO_TRACE


def test_nothing_is_concluded_before_the_search_time_is_over(scene: Scene) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=504)
    launch = scene.launch(scene.flow)
    _later(launch, timedelta(minutes=4))
    for _ in range(4):
        _look(scene, launch)
    launch = scene.now(launch)
    assert launch.searched_for
    assert launch.poll_at is not None
    assert launch.poll_at < timezone.now() + timedelta(minutes=1)


def test_the_search_time_begins_with_the_last_that_is_known_of_the_call(scene: Scene) -> None:
    scene.engine.faults.add("status", "POST", "/v1/webhooks/*", status=504)
    launch = scene.launch(scene.flow)
    Launch.objects.filter(pk=launch.pk).update(sending_at=timezone.now() - timedelta(minutes=6))
    for _ in range(3):
        _look(scene, launch)
    assert scene.now(launch).searched_for


def test_an_engine_whose_clock_is_behind_hides_no_run(scene: Scene) -> None:
    scene.engine.faults.add("reset_after", "POST", "/v1/webhooks/*")
    launch = scene.launch(scene.flow)
    _later(launch, timedelta(minutes=6))
    for _ in range(200):
        with scene.engine.state.lock:
            made = next((row for row in scene.engine.state.runs.values() if row["parentRunId"] == launch.pk), None)
            if made is not None:
                made["created"] = _iso(timezone.now() - timedelta(minutes=40))
                break
    assert scene.watch(launch).state == State.SUCCEEDED


def test_an_archived_run_is_found(scene: Scene) -> None:
    scene.engine.faults.add("reset_after", "POST", "/v1/webhooks/*")
    launch = scene.launch(scene.flow)
    with scene.engine.state.lock:
        made = next(row for row in scene.engine.state.runs.values() if row["parentRunId"] == launch.pk)
        made["archivedAt"] = made["created"]
    assert scene.watch(launch).state == State.SUCCEEDED


def test_a_run_that_lost_its_marker_on_the_way_is_found_before_anything_is_concluded(scene: Scene) -> None:
    scene.engine.faults.add("strip_headers", "POST", "/v1/webhooks/*", names=["ap-parent-run-id"])
    scene.engine.faults.add("reset_after", "POST", "/v1/webhooks/*")
    launch = scene.launch(scene.flow)
    _later(launch, timedelta(minutes=6))
    launch = scene.watch(launch)
    assert launch.state == State.SUCCEEDED
    # The marker is no longer believed in: the next launch of unclear fate is for a person to decide.
    assert scene.now(launch).workspace.marker_seen_at is None


def _look(scene: Scene, launch: Launch) -> None:
    Launch.objects.filter(pk=launch.pk).update(poll_at=timezone.now() - timedelta(seconds=1))
    following.poll(scene.users.workspace.pk)


def _hide(scene: Scene, launch: Launch) -> dict[str, Any]:
    with scene.engine.state.lock:
        made: dict[str, Any] = next(row for row in scene.engine.state.runs.values() if row["parentRunId"] == launch.pk)
        made["visibleAt"] = timezone.now().timestamp() + 1000
    return made


def _right(scene: Scene) -> LaunchRight:
    return LaunchRight.objects.create(
        workspace=scene.users.workspace,
        user=scene.users.colleague,
        flow_id=scene.flow,
        flow_name="Quick",
        most_launches=1,
        used=1,
        created_by=scene.users.owner,
    )


def _used(right: LaunchRight) -> int:
    right.refresh_from_db()
    return right.used


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
def test_without_the_marker_a_run_is_found_by_its_header_as_soon_as_the_engine_shows_it(db: None, version: str) -> None:
    scene = Scene(Flavour.ACTIVEPIECES)
    flow = flows.make(scene.workflows, "Sleeps", flows.code("sleep 500"))
    scene.engine.settings.version = version
    scene.engine.faults.add("strip_headers", "POST", "/v1/webhooks/*", names=["ap-parent-run-id"])
    launch = scene.launch(flow)
    _later(launch, timedelta(seconds=10))
    # Before 0.83 the engine shows no steps, and with them no headers, while a run is under way.
    if version == "0.83.0":
        launch = scene.watch(launch, State.RUNNING)
        assert launch.run_id
    else:
        for _ in range(3):
            _look(scene, launch)
        assert (scene.now(launch).state, scene.now(launch).run_id) == (State.ACCEPTED, "")
    scene.close()
