"""Sending and following, on the practice engine over HTTP: a launch is never lost and never sent twice."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import OperationalError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from practice_engine.engine import PracticeEngine
from practice_engine.server import Server, serve
from tests import flows
from tests.logs import lines
from tests.practice_engine.fixtures import until
from tests.users import Users, gather, move, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core.lease import ENQUEUE_AGAIN
from workflows_ui.credentials.models import Credential, CredentialKind
from workflows_ui.credentials.services import clients
from workflows_ui.launches import messages as launch_messages
from workflows_ui.launches.models import Follow, Launch, Reason, State
from workflows_ui.launches.services import following, launches, run_results, run_search, sending, sweeping
from workflows_ui.members.models import Flavour, Member, Role, Workspace

pytestmark = pytest.mark.both_databases

PAUSE = 0.02


class Scene:
    """A practice engine, the users around a workspace on it, and short ways to launch and look. `flow` is one that echoes."""

    flow: str

    def __init__(self, flavour: str) -> None:
        self.engine = PracticeEngine(clock_scale=PAUSE, samples=False)
        self.server: Server = serve(self.engine)
        given = self.engine.credentials
        imbrace = flavour == Flavour.IMBRACE
        address = f"{self.server.url}/imbrace" if imbrace else f"{self.server.url}/api"
        space = workspace("sales", flavour=flavour, address=address, project=given.project_id)
        secret, kind = (
            (given.api_key, CredentialKind.API_KEY) if imbrace else (given.bearer_token, CredentialKind.BEARER_TOKEN)
        )
        self.users: Users = gather(space, secret, kind=kind)
        self.workflows = clients.client_for_credential(self.users.credential).workflows

    def launch(self, flow_id: str, payload: Any = None, *, wait: bool = False, send: bool = True) -> Launch:
        """Asks for a launch as the colleague and sends it, as a worker would."""
        order = launches.LaunchRequest(flow_id, "A flow", payload or {}, wait, launches.ticket(), confirmed=True)
        launch = launches.create(
            audit_log.Actor(self.users.colleague), self.users.place(self.users.colleague), order
        ).launch
        assert launch is not None
        if send:
            sending.send(launch.pk)
        return self.now(launch)

    def now(self, launch: Launch) -> Launch:
        """The launch as it stands in the database."""
        return Launch.objects.select_related("workspace").get(pk=launch.pk)

    def watch(self, launch: Launch, *states: str) -> Launch:
        """Polls, as beat and a worker would, until the launch is settled, or in one of these states."""
        for _ in range(400):
            launch = self.now(launch)
            if launch.state in states or (not states and launch.settled):
                return launch
            Launch.objects.filter(poll_at__isnull=False).update(poll_at=timezone.now() - timedelta(seconds=1))
            following.poll(launch.workspace_id)
            _breathe()
        raise AssertionError(f"still {launch.state} ({launch.reason})")

    def triggers(self, launch: Launch) -> int:
        """How often the engine got this launch's trigger."""
        return sum(entry.headers.get("ap-parent-run-id") == launch.pk for entry in self.engine.journal.triggers())

    def close(self) -> None:
        self.server.stop()
        self.engine.close()


def _breathe() -> None:
    """Lets the engine, in other threads, get on."""
    threading.Event().wait(PAUSE)


@pytest.fixture(params=[Flavour.ACTIVEPIECES, pytest.param(Flavour.IMBRACE, marks=pytest.mark.slow)])
def scene(request: pytest.FixtureRequest, db: None) -> Iterator[Scene]:
    made = Scene(request.param)
    yield made
    made.close()


@pytest.fixture
def activepieces_scene(db: None) -> Iterator[Scene]:
    made = Scene(Flavour.ACTIVEPIECES)
    yield made
    made.close()


ECHO = flows.code("echo", given="{{trigger.body}}")


def test_a_launch_without_waiting_is_accepted_and_followed_to_its_end(scene: Scene) -> None:
    flow, elsewhere = flows.make(scene.workflows, "Quick", ECHO), workspace("elsewhere")
    launch = scene.launch(flow, {"a": 1})
    assert (launch.state, launch.answer_status) == (State.ACCEPTED, 200)
    launch = scene.watch(launch)
    assert (launch.state, launch.reason, launch.run_status) == (State.SUCCEEDED, "", "SUCCEEDED")
    assert launch.run_id
    assert launch.answer_from == "step"
    assert launch.open("answer") == '{"given":{"a":1}}'
    assert scene.triggers(launch) == 1
    assert scene.now(launch).workspace.marker_seen_at is not None
    # Of another workspace's engine that says nothing.
    elsewhere.refresh_from_db()
    assert elsewhere.marker_seen_at is None


def test_a_waiting_launch_shows_the_flows_own_answer(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Answers", flows.response({"ok": True}))
    launch = scene.launch(flow, {"a": 1}, wait=True)
    assert (launch.answer_from, launch.open("answer"), launch.answer_status) == ("flow", '{"ok":true}', 200)
    assert launch.state == State.RUNNING
    launch = scene.watch(launch)
    assert (launch.state, launch.answer_from) == (State.SUCCEEDED, "flow")
    assert scene.triggers(launch) == 1


def test_an_answer_of_422_is_the_flows_answer_and_not_an_error(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Refuses", flows.response({"error": "no such sku"}, 422))
    launch = scene.watch(scene.launch(flow, wait=True))
    assert (launch.state, launch.answer_status, launch.open("answer")) == (
        State.SUCCEEDED,
        422,
        '{"error":"no such sku"}',
    )


def test_a_launch_that_outlasts_the_wait_limit_is_carried_on_to_its_result(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Slow", flows.code("sleep 35"))
    with scene.engine.clock.held(35):
        launch = scene.launch(flow, wait=True)
        assert (launch.state, launch.reason, launch.answer_status) == (State.ACCEPTED, Reason.WAITED_OUT, 204)
        launch = scene.watch(launch, State.RUNNING)
        assert (launch.state, launch.reason) == (State.RUNNING, Reason.WAITED_OUT)
    launch = scene.watch(launch)
    assert (launch.state, launch.answer_from) == (State.SUCCEEDED, "step")
    assert "slept" in launch.open("answer")
    assert scene.triggers(launch) == 1


def test_a_waiting_launch_of_a_failing_flow_says_why(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Fails", flows.code("fail The stock system is closed"))
    launch = scene.launch(flow, wait=True)
    at_once = (launch.state, launch.reason)
    if launch.workspace.flavour == Flavour.IMBRACE:
        assert at_once == (State.FAILED, Reason.FLOW_FAILED)
    else:  # 0.83 lets the caller wait in vain (recording webhook_sync_flow_fails_500)
        assert at_once == (State.ACCEPTED, Reason.WAITED_OUT)
    launch = scene.watch(launch)
    assert (launch.state, launch.failed_step) == (State.FAILED, "Fail")
    assert "The stock system is closed" in launch.open("failure")
    assert [row.outcome for row in AuditEvent.objects.filter(action="launch.end")] == ["failed"]


def test_a_failing_flow_without_waiting_fails_when_its_run_does(scene: Scene) -> None:
    launch = scene.watch(scene.launch(flows.make(scene.workflows, "Fails", flows.code("fail Closed"))))
    assert (launch.state, launch.failed_step) == (State.FAILED, "Fail")
    assert "Closed" in launch.open("failure")


@pytest.mark.parametrize("status", ["MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR"])
def test_runs_that_break_are_failures_with_the_engines_word(scene: Scene, status: str) -> None:
    launch = scene.watch(scene.launch(flows.make(scene.workflows, "Breaks", flows.code(f"crash {status}"))))
    assert (launch.state, launch.run_status) == (State.FAILED, status)


def test_a_pausing_flow_is_paused_and_then_done(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Pauses", flows.delay(60), flows.code("echo", a="b"))
    launch = scene.watch(scene.launch(flow), State.PAUSED)
    assert launch.run_id
    assert scene.watch(launch).state == State.SUCCEEDED


def test_a_flow_that_is_switched_off_at_the_last_moment_refuses(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Soon off", ECHO)
    scene.watch(scene.launch(flow))
    scene.workflows.apply_flow_operation(flow, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    launch = scene.launch(flow)
    assert (launch.state, launch.reason, launch.settled) == (State.REFUSED, Reason.FLOW_OFF, True)
    assert scene.triggers(launch) == 1


def test_sending_twice_sends_once(activepieces_scene: Scene) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO))
    sending.send(launch.pk)
    sending.send(launch.pk)
    assert activepieces_scene.triggers(launch) == 1


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("reset_after", {}),
        ("headers_cut", {}),
        ("garbage", {}),
        ("html", {"act": True}),
        ("status", {"act": True, "status": 503}),
        ("status", {"act": True, "status": 307, "headers": {"location": "/v1/flows"}}),
        ("truncated", {}),
    ],
)
def test_a_launch_whose_answer_is_lost_is_settled_by_its_marker(
    activepieces_scene: Scene, fault: str, more: dict[str, Any]
) -> None:
    flow = flows.make(activepieces_scene.workflows, "Quick", flows.code("big 2"), flows.response({"text": "x" * 200}))
    activepieces_scene.engine.faults.add(fault, "POST", "/v1/webhooks/*", **more)
    launch = activepieces_scene.launch(flow, wait=True)
    assert launch.state == State.UNKNOWN
    assert launch.reason in {Reason.CUT_OFF, Reason.ODD_ANSWER}
    launch = activepieces_scene.watch(launch)
    assert (launch.state, launch.reason, launch.run_status) == (State.SUCCEEDED, "", "SUCCEEDED")
    assert activepieces_scene.triggers(launch) == 1


def _later(launch: Launch, by: timedelta) -> None:
    """As if the launch had been sent, and its call had ended, so much earlier."""
    then = timezone.now() - by
    Launch.objects.filter(pk=launch.pk).update(sending_at=then, asked_at=then)
    for moment in ("answered_at", "ended_at"):
        Launch.objects.filter(pk=launch.pk).exclude(**{moment: None}).update(**{moment: then})


def test_no_trace_is_concluded_only_where_the_marker_was_seen_to_come_back(activepieces_scene: Scene) -> None:
    flow = flows.make(activepieces_scene.workflows, "Quick", ECHO)
    activepieces_scene.engine.faults.add("reset_before", "POST", "/v1/webhooks/*")
    launch = activepieces_scene.launch(flow)
    _later(launch, timedelta(minutes=6))
    launch = activepieces_scene.watch(launch)
    assert (launch.state, launch.reason, launch.settled) == (State.UNKNOWN, Reason.CUT_OFF, True)
    assert launches.settle(
        audit_log.Actor(activepieces_scene.users.colleague), launch, ran=False, why="nothing in the shop"
    )


def test_a_run_that_is_made_late_is_found_although_its_launch_was_given_up_as_unclear(
    activepieces_scene: Scene,
) -> None:
    flow = flows.make(activepieces_scene.workflows, "Quick", ECHO)
    activepieces_scene.engine.faults.add("reset_before", "POST", "/v1/webhooks/*", times=1)
    launch = activepieces_scene.launch(flow)
    _later(launch, timedelta(minutes=6))
    launch = activepieces_scene.watch(launch)
    assert (launch.state, launch.reason) == (State.UNKNOWN, Reason.CUT_OFF)
    # A gateway passes the request on at last, without the marker.
    url = f"{launch.workspace.address}/v1/webhooks/{flow}"
    assert requests.post(url, json={}, headers={run_search.HEADER: launch.pk}, timeout=10).status_code == 200
    launch = activepieces_scene.watch(launch, State.SUCCEEDED)
    assert bool(launch.run_id)


def test_nothing_is_concluded_while_the_engine_cannot_be_asked(activepieces_scene: Scene) -> None:
    flow = flows.make(activepieces_scene.workflows, "Quick", ECHO)
    activepieces_scene.engine.faults.add("reset_before", "POST", "/v1/webhooks/*")
    activepieces_scene.engine.faults.add("html", "GET", "/v1/flow-runs*")
    launch = activepieces_scene.launch(flow)
    _later(launch, timedelta(minutes=6))
    Launch.objects.update(poll_at=timezone.now())
    following.poll(launch.workspace_id)
    launch = activepieces_scene.now(launch)
    assert launch.poll_at is not None
    follow = Follow.objects.get()
    assert (follow.failures, follow.trouble, follow.lease_until) == (1, "Unavailable", None)
    assert following.due() == []


def test_where_a_gateway_drops_the_marker_the_run_is_found_by_the_stored_header(activepieces_scene: Scene) -> None:
    activepieces_scene.engine.faults.add("strip_headers", names=["ap-parent-run-id"])
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO))
    _later(launch, timedelta(seconds=10))
    launch = activepieces_scene.watch(launch)
    assert (launch.state, bool(launch.run_id)) == (State.SUCCEEDED, True)
    assert activepieces_scene.now(launch).workspace.marker_seen_at is None


def test_where_a_gateway_drops_every_header_an_answered_launch_ends_and_an_accepted_one_stays_unclear(
    activepieces_scene: Scene,
) -> None:
    activepieces_scene.engine.faults.add("strip_headers", names=["ap-parent-run-id", "x-console-launch-id"])
    answered = activepieces_scene.launch(
        flows.make(activepieces_scene.workflows, "Answers", flows.response({})), wait=True
    )
    accepted = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO))
    _later(answered, run_results.SEARCH_ANSWERED + timedelta(seconds=1))
    _later(accepted, timedelta(minutes=6))
    answered, accepted = activepieces_scene.watch(answered), activepieces_scene.watch(accepted)
    assert (answered.state, answered.reason) == (State.SUCCEEDED, Reason.RUN_NOT_FOUND)
    assert (accepted.state, accepted.reason) == (State.UNKNOWN, Reason.NO_RUN)


def test_an_engine_that_is_down_puts_the_launch_back_and_it_is_sent_when_the_engine_is_back(
    activepieces_scene: Scene,
) -> None:
    flow = flows.make(activepieces_scene.workflows, "Quick", ECHO)
    port = activepieces_scene.server.port
    activepieces_scene.server.stop()
    launch = activepieces_scene.launch(flow)
    assert (launch.state, launch.reason, launch.tries) == (State.QUEUED, Reason.NOT_REACHED, 1)
    assert launch.not_before > timezone.now()
    sending.send(launch.pk)
    assert activepieces_scene.now(launch).tries == 1
    activepieces_scene.server = serve(activepieces_scene.engine, port)
    Launch.objects.update(not_before=timezone.now())
    assert sweeping.to_enqueue() == [launch.pk]
    sending.send(launch.pk)
    assert activepieces_scene.watch(launch).state == State.SUCCEEDED
    assert activepieces_scene.triggers(launch) == 1


def test_what_could_not_be_sent_in_time_ends_as_too_late_and_is_never_sent(activepieces_scene: Scene) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    Launch.objects.update(send_by=timezone.now() - timedelta(seconds=1))
    sending.send(launch.pk)
    assert activepieces_scene.now(launch).state == State.QUEUED
    assert sweeping.end_late() == 1
    launch = activepieces_scene.now(launch)
    assert (launch.state, launch.reason, launch.settled) == (State.NOT_SENT, Reason.TOO_LATE, True)
    sending.send(launch.pk)
    assert activepieces_scene.triggers(launch) == 0


def test_a_withdrawn_launch_is_not_sent_even_when_its_worker_was_already_connecting(
    activepieces_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    mark = sending.mark_sending

    def withdrawn_meanwhile(row: Launch) -> None:
        assert launches.withdraw(audit_log.Actor(activepieces_scene.users.colleague), row)
        mark(row)

    monkeypatch.setattr(sending, "mark_sending", withdrawn_meanwhile)
    sending.send(launch.pk)
    assert activepieces_scene.now(launch).state == State.NOT_SENT
    assert activepieces_scene.triggers(launch) == 0


def test_a_database_that_fails_at_the_last_moment_sends_nothing(
    activepieces_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)

    def broken(_row: Launch) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    mark = sending.mark_sending
    monkeypatch.setattr(sending, "mark_sending", broken)
    sending.send(launch.pk)
    assert activepieces_scene.triggers(launch) == 0
    assert activepieces_scene.now(launch).state == State.QUEUED
    monkeypatch.setattr(sending, "mark_sending", mark)
    Launch.objects.update(not_before=timezone.now())
    sending.send(launch.pk)
    assert activepieces_scene.watch(launch).state == State.SUCCEEDED
    assert activepieces_scene.triggers(launch) == 1


def test_a_mark_that_was_committed_but_not_confirmed_is_taken_back_since_nothing_was_sent(
    activepieces_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    mark = sending.mark_sending

    def unconfirmed(row: Launch) -> None:
        mark(row)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(sending, "mark_sending", unconfirmed)
    sending.send(launch.pk)
    row = activepieces_scene.now(launch)
    assert (row.state, row.sending_at, row.claim, activepieces_scene.triggers(launch)) == (State.QUEUED, None, "", 0)
    monkeypatch.setattr(sending, "mark_sending", mark)
    Launch.objects.update(not_before=timezone.now())
    sending.send(launch.pk)
    assert activepieces_scene.watch(launch).state == State.SUCCEEDED
    assert activepieces_scene.triggers(launch) == 1


def test_a_claim_that_ran_out_is_claimed_again_and_the_slow_worker_sends_nothing(activepieces_scene: Scene) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    slow = sending.claim(launch.pk)
    assert slow is not None
    assert sending.claim(launch.pk) is None
    Launch.objects.update(claim_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(sending.ClaimLost):
        sending.mark_sending(slow.launch)
    sending.send(launch.pk)
    assert activepieces_scene.triggers(launch) == 1
    with pytest.raises(sending.ClaimLost):
        sending.mark_sending(slow.launch)


def test_a_worker_that_died_after_the_first_byte_leaves_an_unclear_launch_that_is_found(
    activepieces_scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO))
    Launch.objects.update(state=State.SENDING, claim_until=timezone.now() - timedelta(seconds=1), answered_at=None)
    assert sweeping.notice_lost() == 1
    assert [line["launch"] for line in lines(caplog) if line["event"] == "launch.worker_lost"] == [launch.pk]
    launch = activepieces_scene.now(launch)
    assert (launch.state, launch.reason) == (State.UNKNOWN, Reason.WORKER_LOST)
    assert activepieces_scene.watch(launch).state == State.SUCCEEDED


def test_a_person_who_lost_the_right_meanwhile_does_not_launch(activepieces_scene: Scene) -> None:
    flow = flows.make(activepieces_scene.workflows, "Quick", ECHO)
    launch = activepieces_scene.launch(flow, send=False)
    Member.objects.filter(user=activepieces_scene.users.colleague).update(role=Role.VIEWER)
    sending.send(launch.pk)
    launch = activepieces_scene.now(launch)
    assert (launch.state, launch.reason, activepieces_scene.triggers(launch)) == (State.NOT_SENT, Reason.NO_ACCESS, 0)


def test_a_deactivated_person_does_not_launch(activepieces_scene: Scene) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    User.objects.filter(pk=activepieces_scene.users.colleague.pk).update(is_active=False)
    sending.send(launch.pk)
    assert activepieces_scene.now(launch).reason == Reason.NO_ACCESS


def test_without_a_credential_nothing_is_sent(activepieces_scene: Scene) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    Credential.objects.filter(owner=activepieces_scene.users.colleague).delete()
    sending.send(launch.pk)
    assert activepieces_scene.now(launch).reason == Reason.NO_CREDENTIAL


def test_a_credential_that_does_not_open_sends_nothing(activepieces_scene: Scene) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    Credential.objects.filter(owner=activepieces_scene.users.colleague).update(
        secret=activepieces_scene.users.credential.secret
    )
    sending.send(launch.pk)
    assert activepieces_scene.now(launch).reason == Reason.CREDENTIAL_CHANGED


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_forbidden_address_is_given_up_at_once(activepieces_scene: Scene, host: str) -> None:
    space = activepieces_scene.users.workspace
    move(space, address=space.address.replace("127.0.0.1", host))
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    with override_settings(ENGINE_PRIVATE_NETWORKS=[]):
        sending.send(launch.pk)
    assert activepieces_scene.now(launch).reason == Reason.ADDRESS_REFUSED
    assert activepieces_scene.triggers(launch) == 0


def test_a_launch_whose_web_server_died_before_enqueuing_it_is_enqueued_some_seconds_later(
    activepieces_scene: Scene,
) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    assert sweeping.to_enqueue() == []
    Launch.objects.update(enqueued_at=timezone.now() - ENQUEUE_AGAIN * 2)
    assert sweeping.to_enqueue() == [launch.pk]


@pytest.mark.parametrize(("seconds", "written"), [(30, 0), (90, 1)])
def test_the_last_use_of_a_credential_is_written_once_a_minute(
    activepieces_scene: Scene, seconds: int, written: int
) -> None:
    first, second = (
        activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False) for _ in range(2)
    )
    sending.send(first.pk)
    Credential.objects.filter(last_used_by=second.user).update(last_used_at=timezone.now() - timedelta(seconds=seconds))
    with CaptureQueriesContext(connection) as queries:
        sending.send(second.pk)
    found = Credential.objects.get(last_used_by=second.user)
    assert found.last_used_at is not None
    assert (timezone.now() - found.last_used_at < timedelta(seconds=seconds)) is bool(written)
    # The launch's own credential is that of its person already.
    assert not [query for query in queries if 'SET "credential_id"' in query["sql"]]


def test_a_paused_workspace_sends_nothing_until_it_goes_on(activepieces_scene: Scene) -> None:
    launch = activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), send=False)
    Workspace.objects.update(launching_paused=True)
    sending.send(launch.pk)
    assert activepieces_scene.now(launch).state == State.QUEUED
    Launch.objects.update(enqueued_at=timezone.now() - ENQUEUE_AGAIN * 2)
    assert sweeping.to_enqueue() == []
    Workspace.objects.update(launching_paused=False)
    assert sweeping.to_enqueue() == [launch.pk]
    assert sweeping.to_enqueue() == []


def test_all_open_launches_of_a_workspace_are_matched_by_as_few_calls_as_the_engine_allows(
    activepieces_scene: Scene,
) -> None:
    flow = flows.make(activepieces_scene.workflows, "Sleeps", flows.code("sleep 590"))
    made = [activepieces_scene.launch(flow, {"n": number}) for number in range(30)]
    _breathe()
    activepieces_scene.engine.journal.clear()
    Launch.objects.update(poll_at=timezone.now())
    following.poll(made[0].workspace_id)
    assert activepieces_scene.engine.journal.count("GET", "/v1/flow-runs*") == 1
    assert set(Launch.objects.values_list("state", flat=True)) == {State.RUNNING}
    activepieces_scene.engine.journal.clear()
    Launch.objects.update(poll_at=timezone.now())
    following.poll(made[0].workspace_id)
    # Known runs are asked for by their ids, of which one call takes twenty.
    assert activepieces_scene.engine.journal.count("GET", "/v1/flow-runs*") == 2


def test_a_poll_with_an_unchanged_result_writes_a_handful_of_queries(
    activepieces_scene: Scene, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    flow = flows.make(activepieces_scene.workflows, "Sleeps", flows.code("sleep 590"))
    made = [activepieces_scene.launch(flow, {"n": number}) for number in range(20)]
    runs = activepieces_scene.engine.state.runs
    until(lambda: [run for run in runs.values() if run["flowId"] == flow and run["reported"]][19:])
    for launch in made:
        activepieces_scene.watch(launch, State.RUNNING)
    # An engine of 0.83 shows the start of a run only some time after its state.
    Launch.objects.update(poll_at=timezone.now())
    following.poll(made[0].workspace_id)
    Launch.objects.update(poll_at=timezone.now())
    # Two of them ask PostgreSQL for the time.
    with django_assert_max_num_queries(9):
        following.poll(made[0].workspace_id)


def test_a_refused_credential_does_not_end_a_launch_and_the_next_one_is_tried(activepieces_scene: Scene) -> None:
    flow = flows.make(activepieces_scene.workflows, "Sleeps", flows.code("sleep 30"))
    first = activepieces_scene.launch(flow)
    order = launches.LaunchRequest(flow, "A flow", {"b": 1}, False, launches.ticket())
    second = launches.create(
        audit_log.Actor(activepieces_scene.users.owner),
        activepieces_scene.users.place(activepieces_scene.users.owner),
        order,
    ).launch
    assert second is not None
    sending.send(second.pk)
    broken = Credential.objects.get(owner=activepieces_scene.users.colleague)
    broken.secret = broken.seal("secret", "not-a-token-any-more")
    broken.save()
    assert activepieces_scene.watch(first).state == State.SUCCEEDED
    assert activepieces_scene.watch(second).state == State.SUCCEEDED


def test_an_unknown_run_status_is_no_crash_and_no_end(activepieces_scene: Scene) -> None:
    flow = flows.make(activepieces_scene.workflows, "Sleeps", flows.code("sleep 200"))
    launch = activepieces_scene.watch(activepieces_scene.launch(flow), State.RUNNING)
    with activepieces_scene.engine.state.lock:
        activepieces_scene.engine.state.runs[launch.run_id]["status"] = "HIBERNATING"
    Launch.objects.update(poll_at=timezone.now())
    following.poll(launch.workspace_id)
    launch = activepieces_scene.now(launch)
    assert (launch.state, launch.run_status, launch.settled) == (State.OTHER, "HIBERNATING", False)


def test_inputs_and_answers_are_removed_after_the_retention_time_and_the_launch_stays(
    activepieces_scene: Scene,
) -> None:
    launch = activepieces_scene.watch(
        activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), {"a": 1})
    )
    assert sweeping.purge() == 0
    _later(launch, timedelta(days=91))
    assert sweeping.purge() == 1
    launch = activepieces_scene.now(launch)
    assert (launch.payload, launch.answer, launch.state) == ("", "", State.SUCCEEDED)
    assert launches.open_payload(launch) is None


def test_inputs_are_removed_in_time_also_where_the_engine_never_shows_the_end(activepieces_scene: Scene) -> None:
    launch = activepieces_scene.watch(
        activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), {"a": 1})
    )
    _later(launch, timedelta(days=91))
    Launch.objects.filter(pk=launch.pk).update(state=State.RUNNING, poll_at=timezone.now())
    assert sweeping.purge() == 1
    assert activepieces_scene.now(launch).payload == ""


def test_a_huge_answer_is_cut(activepieces_scene: Scene) -> None:
    flow = flows.make(
        activepieces_scene.workflows, "Big", flows.code("big 400"), flows.response({"text": "{{step_1}}"})
    )
    launch = activepieces_scene.launch(flow, wait=True)
    assert launch.answer_cut
    assert len(launch.open("answer")) == sending.KEPT_ANSWER


def test_a_database_that_is_away_when_the_answer_comes_is_tried_again(
    activepieces_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flows.make(activepieces_scene.workflows, "Answers", flows.response({"ok": True}))
    launch = activepieces_scene.launch(flow, wait=True, send=False)
    monkeypatch.setattr(sending, "DATABASE_PAUSES", (0.0, 0.0))
    record, failures = sending.record, iter([True, True, False])

    def away_twice(*what: Any) -> None:
        if next(failures):
            raise OperationalError("server closed the connection unexpectedly")
        record(*what)

    monkeypatch.setattr(sending, "record", away_twice)
    sending.send(launch.pk)
    launch = activepieces_scene.now(launch)
    assert (launch.answer_from, launch.open("answer"), activepieces_scene.triggers(launch)) == (
        "flow",
        '{"ok":true}',
        1,
    )


def test_what_came_back_may_be_written_down_twice(activepieces_scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = flows.make(activepieces_scene.workflows, "Soon off", ECHO)
    activepieces_scene.launch(flow)
    activepieces_scene.workflows.apply_flow_operation(
        flow, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}}
    )
    launch = activepieces_scene.launch(flow, send=False)
    monkeypatch.setattr(sending, "DATABASE_PAUSES", (0.0,))
    record, unconfirmed = sending.record, iter([True, False])

    def done_but_not_confirmed(*what: Any) -> None:
        record(*what)
        if next(unconfirmed):
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(sending, "record", done_but_not_confirmed)
    assert sending.send(launch.pk) == launch.workspace_id
    launch = activepieces_scene.now(launch)
    assert (launch.state, launch.reason) == (State.REFUSED, Reason.FLOW_OFF)
    assert AuditEvent.objects.filter(action="launch.end").count() == 1


def test_a_flow_that_answers_and_then_fails_keeps_its_answer_and_says_why_it_failed(activepieces_scene: Scene) -> None:
    steps = (flows.response({"ok": True}, stop=False), flows.code("sleep 1"), flows.code("fail Closed"))
    launch = activepieces_scene.watch(
        activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Answers, then fails", *steps), wait=True)
    )
    assert (launch.state, launch.answer_from, launch.open("answer")) == (State.FAILED, "flow", '{"ok":true}')
    assert "Closed" in launch.open("failure")


def test_a_run_that_was_retried_is_followed_again_and_its_launch_shows_the_new_result(
    activepieces_scene: Scene,
) -> None:
    launch = activepieces_scene.watch(
        activepieces_scene.launch(flows.make(activepieces_scene.workflows, "Quick", ECHO), {"a": 1})
    )
    # As an earlier try left it.
    earlier = {"failure": launch.seal("failure", "Closed"), "answer": launch.seal("answer", '"old"')}
    Launch.objects.filter(pk=launch.pk).update(state=State.FAILED, run_status="FAILED", **earlier)
    following.follow_again(launch.workspace, launch.run_id)
    assert not activepieces_scene.now(launch).settled
    launch = activepieces_scene.watch(launch)
    assert (launch.state, launch.open("answer"), launch.failure) == (State.SUCCEEDED, '{"given":{"a":1}}', "")


def test_a_large_launch_waits_until_the_one_before_it_has_left(activepieces_scene: Scene) -> None:
    flow = flows.make(activepieces_scene.workflows, "Echo", flows.code("echo"))
    waiting = activepieces_scene.launch(flow, {"text": "x" * sending.LARGE}, send=False)
    assert waiting.size > sending.LARGE
    assert "one after the other" in str(launch_messages.launch_message(waiting).text)
    sending._large.acquire()
    try:
        assert sending.send(waiting.pk) is None
        assert activepieces_scene.now(waiting).state == State.QUEUED
        small = activepieces_scene.launch(flow)
        assert activepieces_scene.now(small).state == State.ACCEPTED
    finally:
        sending._large.release()
    another = activepieces_scene.launch(flow, {"text": "y" * sending.LARGE}, send=False)
    Launch.objects.update(enqueued_at=timezone.now())
    sending.send(another.pk)
    assert sweeping.to_enqueue() == [waiting.pk]
    sending.send(waiting.pk)
    assert activepieces_scene.now(waiting).state == State.ACCEPTED
