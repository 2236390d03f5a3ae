"""Where it is concluded that a launch has no run, it has none: clocks that differ, runs that are hidden, workers that were asleep, lists
that show less than there is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from tests.chaos.gateway import Act, Plan
from tests.chaos.lanes import Errand, Lane, crowd
from tests.practice_engine.fixtures import until
from workflows_ui.credentials.services import clients
from workflows_ui.launches.models import CONFIRMED, Follow, Launch, Reason, State
from workflows_ui.launches.services import following, run_results, sending, sweeping
from workflows_ui.members.models import LaunchRight, Workspace

LOST = Errand("quick", wait=False, plan=Plan(Act.BEFORE, "502"))
NEVER = Errand("quick", wait=False, plan=Plan(Act.NEVER, "502"))
PLAIN = Errand("quick", wait=False, plan=Plan())
GIVEN_UP = {State.REFUSED, State.NOT_SENT}


@pytest.fixture(params=[pytest.param("0.72.4", marks=pytest.mark.slow), "0.83.0"])
def lane(request: pytest.FixtureRequest, db: None) -> Iterator[Lane]:
    made = Lane("sales", *crowd(), version=request.param, appear_after=0.0)
    yield made
    made.close()


def _now(launch: str) -> Launch:
    return Launch.objects.get(pk=launch)


def _pass(by: timedelta = timedelta(0)) -> None:
    """As if so much more time had gone by, and everything was to be looked at again."""
    for launch in Launch.objects.all():
        moved = {
            name: getattr(launch, name) - by
            for name in ("asked_at", "sending_at", "answered_at", "ended_at")
            if getattr(launch, name) is not None
        }
        Launch.objects.filter(pk=launch.pk).update(**moved)
    Launch.objects.filter(poll_at__isnull=False).update(poll_at=timezone.now() - timedelta(seconds=1))


def _watch(lane: Lane, launch: str) -> Launch:
    """Polls, at least once, until the launch is settled."""
    for _ in range(100):
        _pass()
        following.poll(lane.workspace.pk)
        if _now(launch).settled:
            break
    assert _now(launch).settled, _now(launch).state
    return _now(launch)


def _conclude(lane: Lane, launch: str, after: timedelta = timedelta(minutes=10)) -> Launch:
    """Polls until nothing more is expected of the launch, long after it was sent."""
    _pass(after)
    row = _watch(lane, launch)
    for _ in run_results.LATER:
        if row.reason != Reason.NO_TRACE:
            break
        row = _watch(lane, launch)
    return row


def _launch(lane: Lane, errand: Errand) -> str:
    launch = lane.ask(errand)
    sending.send(launch)
    return launch


def _marker_seen(lane: Lane) -> None:
    launch = _launch(lane, PLAIN)
    until(lambda: lane.quiet)
    assert _watch(lane, launch).state == State.SUCCEEDED


def test_a_launch_that_the_engine_never_got_is_not_sent(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, NEVER)
    # A run that is started elsewhere has no header of the console and is not matched with this launch.
    url = f"{lane.workspace.address}/v1/webhooks/{lane.flows['quick']}"
    assert requests.post(url, json={}, timeout=10).status_code == 200
    until(lambda: lane.quiet)
    assert _conclude(lane, launch).state == State.NOT_SENT


@pytest.mark.parametrize("flow", ["quick", "answers"])
@pytest.mark.parametrize("answer", ["through", "reset", "403"])
@pytest.mark.sampled(3)
def test_a_worker_that_slept_before_the_first_byte_and_sends_after_all_is_believed(
    lane: Lane, monkeypatch: pytest.MonkeyPatch, flow: str, answer: str
) -> None:
    _marker_seen(lane)
    launch = lane.ask(Errand(flow, wait=flow == "answers", plan=Plan(Act.BEFORE, answer)))
    right = LaunchRight.objects.create(workspace=lane.workspace, flow_id=_now(launch).flow_id, user=lane.owner, used=1)
    Launch.objects.update(right=right)
    mark = sending.mark_sending

    def sleep(row: Launch) -> None:
        mark(row)
        Launch.objects.filter(pk=row.pk).update(claim_until=timezone.now() - timedelta(seconds=1))
        assert sweeping.notice_lost() == 1
        assert _conclude(lane, row.pk).state == State.NOT_SENT

    monkeypatch.setattr(sending, "mark_sending", sleep)
    sending.send(launch)
    until(lambda: lane.quiet)
    assert _now(launch).state not in GIVEN_UP
    assert _watch(lane, launch).state == State.SUCCEEDED
    assert lane.gateway.arrived(launch) == 1
    # Given back with the false conclusion, and counted again.
    assert LaunchRight.objects.get().used == 1


def test_the_runs_of_a_flow_that_is_deleted_are_gone_and_prove_nothing(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, LOST)
    clients.client_for_credential(lane.keys[lane.owner]).workflows.delete_flow(lane.flows["quick"])
    until(lambda: not lane.runs(launch))
    assert _conclude(lane, launch).state == State.UNKNOWN


def test_the_run_lists_of_the_engine_that_a_workspace_moved_to_prove_nothing_about_earlier_launches(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, NEVER)
    Workspace.objects.update(moves=1)
    assert _conclude(lane, launch).state == State.UNKNOWN


def test_a_run_that_was_archived_before_it_was_seen_is_found(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, LOST)
    until(lambda: lane.quiet)
    clients.client_for_credential(lane.keys[lane.owner]).workflows.archive_runs([lane.runs(launch)[0]["id"]])
    assert _conclude(lane, launch).state == State.SUCCEEDED


def test_an_engine_whose_clock_is_behind_and_a_gateway_whose_clock_is_right(db: None) -> None:
    lane = Lane("sales", *crowd(), ahead=timedelta(minutes=-25), appear_after=0.0)
    ran, never = _launch(lane, LOST), _launch(lane, NEVER)
    until(lambda: lane.quiet)
    assert _conclude(lane, ran).state == State.SUCCEEDED
    assert _conclude(lane, never).state == State.NOT_SENT
    lane.close()


@pytest.mark.parametrize("just_now", [False, True])
def test_while_a_run_that_the_engine_has_promised_is_missing_no_list_proves_anything(
    lane: Lane, just_now: bool
) -> None:
    _marker_seen(lane)
    lost, promised = lane.ask(LOST), lane.ask(PLAIN)
    lane.gateway.behind = {lost, promised}
    sending.send(promised)
    sending.send(lost)
    assert _now(promised).state == State.ACCEPTED
    _pass(timedelta(minutes=10))
    if just_now:
        Launch.objects.filter(pk=promised).update(answered_at=timezone.now())
    for _ in range(3):
        _pass()
        following.poll(lane.workspace.pk)
    assert (_now(lost).state, _now(lost).reason == Reason.NO_TRACE) == (State.UNKNOWN, False)
    lane.gateway.behind = set()
    assert _watch(lane, lost).state == State.SUCCEEDED
    assert _watch(lane, promised).state == State.SUCCEEDED


def test_a_run_that_turns_up_after_it_was_given_up_is_believed(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, LOST)
    lane.gateway.behind = {launch}
    _pass(timedelta(minutes=10))
    given_up = _watch(lane, launch)
    assert (given_up.state, given_up.reason) == (State.UNKNOWN, Reason.NO_TRACE)
    lane.gateway.behind = set()
    _pass(timedelta(minutes=10))
    following.poll(lane.workspace.pk)
    assert _watch(lane, launch).state == State.SUCCEEDED


def test_a_list_read_with_a_key_that_cannot_see_the_flow_proves_nothing(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, LOST)
    lane.gateway.blind = True
    assert _conclude(lane, launch).state == State.UNKNOWN


def test_a_launch_that_was_left_unclear_is_shown_once_the_engine_is_seen_to_return_the_marker(lane: Lane) -> None:
    never = _launch(lane, NEVER)
    assert _conclude(lane, never).state == State.UNKNOWN
    _marker_seen(lane)
    assert _conclude(lane, never).state == State.NOT_SENT


@pytest.mark.parametrize("last", [False, True])
def test_lists_that_prove_something_only_later_end_a_launch_at_the_second_proof(lane: Lane, last: bool) -> None:
    _marker_seen(lane)
    never = _launch(lane, NEVER)
    lane.gateway.blind = True
    _pass(timedelta(minutes=10))
    unproved = _watch(lane, never)
    assert (unproved.state, unproved.reason == Reason.NO_TRACE) == (State.UNKNOWN, False)
    _pass(timedelta(minutes=10))
    following.poll(lane.workspace.pk)
    assert _now(never).reason == unproved.reason
    if last:
        Launch.objects.filter(pk=never).update(misses=CONFIRMED + len(run_results.LATER) - 1)
    lane.gateway.blind = False
    _pass(timedelta(minutes=10))
    following.poll(lane.workspace.pk)
    assert (_now(never).state, _now(never).reason) == (State.UNKNOWN, Reason.NO_TRACE)
    assert _conclude(lane, never).state == State.NOT_SENT


def test_after_weeks_the_engine_may_have_forgotten_the_run(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, LOST)
    until(lambda: lane.quiet)
    with lane.engine.state.lock:
        del lane.engine.state.runs[lane.runs(launch)[0]["id"]]
    assert _conclude(lane, launch, timedelta(days=40)).state == State.UNKNOWN


def test_a_gateway_that_begins_to_drop_the_marker_is_noticed(lane: Lane) -> None:
    _marker_seen(lane)
    lane.gateway.dropped = frozenset({"ap-parent-run-id"})
    launch = _launch(lane, LOST)
    until(lambda: lane.quiet)
    assert _conclude(lane, launch).state == State.SUCCEEDED


def test_a_gateway_that_begins_to_drop_every_header_of_ours_leaves_the_launch_unclear(lane: Lane) -> None:
    _marker_seen(lane)
    lane.gateway.dropped = frozenset({"ap-parent-run-id", "x-console-launch-id"})
    launch = _launch(lane, LOST)
    until(lambda: lane.quiet)
    assert _conclude(lane, launch).state == State.UNKNOWN


def test_a_list_in_which_a_run_lacks_the_marker_proves_nothing_about_other_launches(lane: Lane) -> None:
    _marker_seen(lane)
    lane.gateway.dropped = frozenset({"ap-parent-run-id"})
    never = _launch(lane, NEVER)
    _pass(timedelta(minutes=10))
    following.poll(lane.workspace.pk)
    assert _now(never).misses == 1
    lost = _launch(lane, LOST)
    until(lambda: lane.quiet)
    _pass(timedelta(minutes=10))
    following.poll(lane.workspace.pk)
    assert _now(lost).run_id
    assert (_now(never).state, _now(never).reason == Reason.NO_TRACE) == (State.UNKNOWN, False)


def test_a_marker_that_is_lost_before_the_last_search_takes_the_proof_from_it(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, NEVER)
    _pass(timedelta(minutes=10))
    assert _watch(lane, launch).reason == Reason.NO_TRACE
    Workspace.objects.update(marker_seen_at=None)
    for _ in run_results.LATER:
        _pass()
        following.poll(lane.workspace.pk)
    assert _now(launch).state == State.UNKNOWN


def test_two_polls_at_once_are_one_look(lane: Lane) -> None:
    _marker_seen(lane)
    launch = _launch(lane, NEVER)
    _pass(timedelta(minutes=10))
    first = following._claim(lane.workspace.pk)
    assert first is not None
    Follow.objects.update(lease_until=None)
    second = following._claim(lane.workspace.pk)
    assert second is not None
    for work in (first, second):
        following._apply(work, following._take_snapshot(work))
    assert _now(launch).state == State.UNKNOWN
    assert not _now(launch).settled


def test_a_launch_whose_call_is_in_the_air_is_not_given_up_however_old_it_is(lane: Lane) -> None:
    _marker_seen(lane)
    claimed = sending.claim(lane.ask(PLAIN))
    assert claimed is not None
    sending.mark_sending(claimed.launch)
    _pass(timedelta(hours=1))
    for _ in range(5):
        _pass()
        following.poll(lane.workspace.pk)
    assert _now(claimed.launch.pk).state == State.SENDING
    assert Reason(_now(claimed.launch.pk).reason or Reason.CUT_OFF)
