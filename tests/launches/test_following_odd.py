"""Following where the engine lies or breaks: no launch keeps another from its end, and nothing untrue is concluded."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from tests.engine.servers import Reply
from tests.launches.odd_engine import FLOW, Liar
from tests.stub_engine import identity, run
from tests.users import workspace
from workflows_ui.audit.services import audit_log
from workflows_ui.credentials.models import Credential
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import Follow, Launch, Reason, State
from workflows_ui.launches.services import following, launches, run_results, run_search, runs, sending, sweeping
from workflows_ui.launches.services.runs import PollSnapshot
from workflows_ui.members.models import Workspace


@pytest.fixture
def liar(db: None) -> Iterator[Liar]:
    with Liar() as engine:
        yield engine


@pytest.mark.parametrize(
    "changes",
    [
        {"failedStep": {"name": "a\x00b", "displayName": "Fa\x00il"}, "status": "FAILED"},
        {"failedStep": ["not", "a", "step"], "status": "FAILED"},
        {"failedStep": {"name": "a", "displayName": "A", "message": {"not": "a \ud800"}}, "status": "FAILED"},
        {"finishTime": "0001-01-01T00:00:00+14:00"},
        {"finishTime": "9999-12-31T23:59:59-14:00"},
        {"startTime": "0001-01-01T00:00:00Z", "finishTime": "9999-12-31T23:59:59Z"},
        {"startTime": 1764000000000, "finishTime": {"at": "noon"}, "created": None},
        {"steps": [1, 2, 3]},
        {"steps": {"trigger": None, "step_1": {"output": "\ud800\x00"}}},
        {"steps": {"step_1": {"output": 1e999}}},
    ],
    ids=str,
)
def test_an_odd_run_neither_stalls_its_own_launch_nor_another(liar: Liar, changes: dict[str, Any]) -> None:
    odd, plain = liar.accepted(), liar.accepted()
    liar.shows(odd, 1, **changes)
    liar.shows(plain, 2)
    for _ in range(3):
        liar.poll()
    odd, plain = liar.now(odd), liar.now(plain)
    assert plain.state == State.SUCCEEDED
    assert odd.state == (State.FAILED if changes.get("status") == "FAILED" else State.SUCCEEDED)
    assert odd.poll_at is None or odd.ended_at is not None
    assert Follow.objects.get().lease_until is None


def test_steps_that_an_engine_stores_after_the_end_are_waited_for_some_seconds(liar: Liar) -> None:
    just_now, before = liar.accepted(), liar.accepted()
    for number, (launch, seconds) in enumerate(((just_now, 0), (before, 60)), 1):
        liar.shows(launch, number, steps={}, finishTime=(timezone.now() - timedelta(seconds=seconds)).isoformat())
    for _ in range(2):
        liar.poll()
    states = [(row.state, row.poll_at is None) for row in map(liar.now, (just_now, before))]
    assert states == [(State.SUCCEEDED, False), (State.SUCCEEDED, True)]


def test_what_a_person_decided_while_the_lists_were_read_stays(liar: Liar) -> None:
    launch = liar.accepted()
    Launch.objects.filter(pk=launch.pk).update(state=State.UNKNOWN, reason=Reason.NO_RUN, ended_at=timezone.now())
    liar.shows(launch, 1)
    Launch.objects.update(poll_at=timezone.now() - timedelta(seconds=1))
    work = following._claim(launch.workspace_id)
    assert work is not None
    snapshot = following._take_snapshot(work)
    assert launches.settle(audit_log.CONSOLE, launch, ran=False, why="looked there")
    following._apply(work, snapshot)
    assert (liar.now(launch).state, liar.now(launch).run_id) == (State.NOT_SENT, "")


def test_a_launch_that_failed_at_once_and_has_no_run_is_not_followed_for_ever(liar: Liar) -> None:
    launch, moment = liar.accepted(), timezone.now() - timedelta(hours=1)
    Launch.objects.update(state=State.FAILED, asked_at=moment, sending_at=moment, answered_at=moment, ended_at=moment)
    for _ in range(3):
        liar.poll()
    assert (liar.now(launch).state, liar.now(launch).poll_at) == (State.FAILED, None)


def test_a_run_that_was_retried_and_did_not_begin_has_no_start() -> None:
    assert runs.start_of_try(Run({"status": "QUEUED", "startTime": ""}), timezone.now()) is None


def test_a_workspace_is_due_once_one_of_its_launches_is_and_nobody_looks_already(liar: Liar) -> None:
    launch = liar.accepted()
    Launch.objects.update(poll_at=timezone.now() + timedelta(hours=1))
    assert following.due() == []
    Launch.objects.update(poll_at=timezone.now() - timedelta(seconds=1))
    assert following.due() == [launch.workspace_id]
    assert following._claim(launch.workspace_id) is not None
    assert following.due() == []


def test_a_full_page_that_ends_without_a_time_is_an_incomplete_list(liar: Liar) -> None:
    launch = liar.accepted(ago=timedelta(hours=1))
    liar.runs += [run(number, flowId=FLOW, created=None) for number in range(run_search.PAGE)]
    for _ in range(3):
        liar.poll()
    assert (liar.now(launch).state, Follow.objects.get().trouble) == (State.ACCEPTED, "")


def test_a_credential_that_does_not_open_leaves_the_look_to_the_others(liar: Liar) -> None:
    unreadable, plain = liar.accepted(), liar.accepted()
    Launch.objects.filter(pk=plain.pk).update(credential=liar.users.credential)
    Credential.objects.filter(owner=liar.users.colleague).update(secret="gAAAA-not-a-ciphertext")
    for number, launch in enumerate((unreadable, plain), 1):
        liar.shows(launch, number)
    for _ in range(2):
        liar.poll()
    assert {liar.now(unreadable).state, liar.now(plain).state} == {State.SUCCEEDED}


def test_the_clock_of_another_workspaces_engine_is_not_taken_for_this_ones(liar: Liar) -> None:
    launch = liar.accepted()
    Launch.objects.filter(pk=launch.pk).update(clock_offset=90.0)
    assert following._offset(launch.workspace_id, []) == 90.0
    assert following._offset(workspace("elsewhere").pk, []) == 0.0


def test_a_status_with_a_nul_and_ids_that_are_no_texts_are_no_end(liar: Liar) -> None:
    launch = liar.accepted()
    liar.shows(launch, 1, status="RUN\x00NING", finishTime="")
    liar.runs.append(run(2, id=["a", "list"]))
    liar.runs.append(run(3, id=17, parentRunId=launch.pk))
    liar.poll()
    assert (liar.now(launch).state, liar.now(launch).run_id) == (State.OTHER, identity(1))
    liar.poll()
    assert (liar.now(launch).state, liar.now(launch).ended_at) == (State.OTHER, None)
    assert Follow.objects.get().trouble == ""


def test_a_marker_on_another_flows_run_is_not_this_launchs(liar: Liar) -> None:
    launch = liar.accepted()
    liar.shows(launch, 1, flowId=identity(9))
    liar.poll()
    assert (liar.now(launch).state, liar.now(launch).run_id) == (State.ACCEPTED, "")
    assert liar.now(launch).workspace.marker_seen_at is None


def test_one_run_that_cannot_be_read_does_not_stall_the_others(liar: Liar) -> None:
    broken, plain = liar.accepted(), liar.accepted()
    Launch.objects.filter(pk=broken.pk).update(run_id=identity(1), state=State.RUNNING, run_status="RUNNING")
    liar.single[identity(1)] = Reply(409, {"code": "VALIDATION", "params": {}})
    liar.shows(plain, 2)
    liar.poll()
    assert liar.now(plain).state == State.SUCCEEDED
    broken = liar.now(broken)
    assert (broken.state, broken.run_id) == (State.RUNNING, identity(1))
    assert broken.poll_at is not None
    assert broken.poll_at > timezone.now()


def test_one_page_that_cannot_be_read_does_not_discard_the_pages_before_it(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_search, "PAGE", 1)
    found, missing = liar.accepted(), liar.accepted()
    liar.pages = [
        Reply(200, {"data": [run(1, parentRunId=found.pk, flowId=FLOW)], "next": "more", "previous": None}),
        *[Reply(500, b"not a page")] * 3,
    ]
    liar.poll()
    assert liar.now(found).state == State.SUCCEEDED
    assert (liar.now(missing).state, liar.now(missing).misses) == (State.ACCEPTED, 0)
    follow = Follow.objects.get()
    assert (follow.failures, follow.trouble) == (0, "Unavailable")
    # What is left is read soon.
    assert follow.not_before is not None
    assert follow.not_before <= timezone.now() + following.PAUSE
    liar.pages = []
    liar.shows(missing, 2)
    Follow.objects.update(not_before=None)
    liar.poll()
    assert (liar.now(missing).state, Follow.objects.get().trouble) == (State.SUCCEEDED, "")


def test_known_runs_are_read_one_by_one_if_their_list_cannot_be_read(liar: Liar) -> None:
    launch = liar.accepted()
    Launch.objects.filter(pk=launch.pk).update(run_id=identity(1), state=State.RUNNING, run_status="RUNNING")
    liar.shows(launch, 1)
    liar.pages = [Reply(200, b"no list")]
    liar.poll()
    assert liar.now(launch).state == State.SUCCEEDED


def test_a_single_answer_about_another_run_is_not_believed(liar: Liar) -> None:
    launch = liar.accepted()
    Launch.objects.filter(pk=launch.pk).update(run_id=identity(1), state=State.RUNNING, run_status="RUNNING")
    liar.single[identity(1)] = Reply(200, run(7))
    liar.poll()
    assert (liar.now(launch).state, liar.now(launch).run_id) == (State.RUNNING, identity(1))


def test_results_of_runs_that_ended_long_ago_are_read_however_many_there_are(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_search, "SINGLES", 2)
    made = [liar.accepted(ago=timedelta(hours=2)) for _ in range(7)]
    for number, launch in enumerate(made):
        steps = {"trigger": {"output": {}}, "step_1": {"status": "SUCCEEDED", "output": number}}
        liar.shows(launch, number, steps=steps)
    for _ in range(6):
        liar.poll()
    assert [liar.now(launch).open("answer") for launch in made] == [str(number) for number in range(7)]
    assert all(liar.now(launch).settled for launch in made)


def test_an_exception_that_nobody_thought_of_gives_the_lease_back(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    liar.accepted()

    def broken(*_args: Any) -> None:
        raise AssertionError("nobody thought of this")

    monkeypatch.setattr(following, "_take_snapshot", broken)
    with pytest.raises(AssertionError, match="nobody"):
        liar.poll()
    follow = Follow.objects.get()
    assert (follow.lease_until, follow.failures, follow.trouble) == (None, 1, "AssertionError")


def test_an_oddness_that_nobody_thought_of_postpones_only_its_own_launch(
    liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, plain = liar.accepted(), liar.accepted()
    liar.shows(odd, 1)
    liar.shows(plain, 2)
    write = run_results.apply_snapshot

    def choosy(launch: Launch, *rest: Any) -> Any:
        if launch.pk == odd.pk:
            raise RecursionError
        return write(launch, *rest)

    monkeypatch.setattr(run_results, "apply_snapshot", choosy)
    liar.poll()
    assert liar.now(plain).state == State.SUCCEEDED
    postponed = liar.now(odd).poll_at
    assert postponed is not None
    assert postponed > timezone.now()


def test_a_page_shorter_than_asked_for_with_more_behind_it_is_not_the_whole_list(liar: Liar) -> None:
    Workspace.objects.update(marker_seen_at=timezone.now())
    launch = liar.accepted(ago=timedelta(minutes=6))
    liar.runs.append(run(5))
    liar.more = "there-is-more"
    liar.poll()
    assert (liar.now(launch).state, liar.now(launch).settled) == (State.ACCEPTED, False)


def test_a_list_that_never_ends_is_given_up_after_a_day_without_saying_no_trace(liar: Liar) -> None:
    Workspace.objects.update(marker_seen_at=timezone.now())
    lost = liar.accepted(ago=timedelta(days=1, minutes=1))
    then = timezone.now() - timedelta(days=1, minutes=10)
    Launch.objects.filter(pk=lost.pk).update(
        state=State.UNKNOWN, reason=Reason.CUT_OFF, sending_at=then, asked_at=then, answered_at=None
    )
    liar.runs.append(run(5))
    liar.more = "there-is-more"
    liar.poll()
    lost = liar.now(lost)
    assert (lost.state, lost.reason, lost.settled) == (State.UNKNOWN, Reason.CUT_OFF, True)


def test_a_clock_far_ahead_in_the_date_header_hides_no_run(liar: Liar) -> None:
    launch = liar.accepted()
    Launch.objects.filter(pk=launch.pk).update(clock_offset=3600.0)
    liar.poll()
    asked = [seen.query for seen in liar.seen if seen.path.endswith("/flow-runs")]
    sent = liar.now(launch).sending_at
    assert sent is not None
    assert parse_qs(asked[-1])["createdAfter"][0] < sent.strftime("%Y-%m-%dT%H:%M:%S")


def test_other_credentials_of_the_workspace_ask_where_the_launchs_own_is_refused(liar: Liar) -> None:
    launch = liar.accepted()
    liar.shows(launch, 1)
    own = Credential.objects.get(owner=liar.users.colleague)
    own.secret = own.seal("secret", "revoked")
    own.save()
    honest = liar.answer
    assert honest is not None
    liar.answer = lambda seen: (
        Reply(401, {"code": "INVALID_BEARER_TOKEN"}) if "revoked" in seen.headers["authorization"] else honest(seen)
    )
    liar.poll()
    assert liar.now(launch).state == State.SUCCEEDED


def test_a_late_answer_during_a_poll_is_not_overruled_by_no_trace(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    Workspace.objects.update(marker_seen_at=timezone.now())
    launch = liar.accepted(ago=timedelta(minutes=10))
    Launch.objects.filter(pk=launch.pk).update(state=State.UNKNOWN, reason=Reason.WORKER_LOST, claim="c" * 32)
    look = following._take_snapshot

    def answered_meanwhile(work: run_search.Work) -> PollSnapshot:
        seen = look(work)
        Launch.objects.filter(pk=launch.pk).update(state=State.RUNNING, reason="", answer_from="flow", ended_at=None)
        return seen

    monkeypatch.setattr(following, "_take_snapshot", answered_meanwhile)
    liar.poll()
    launch = liar.now(launch)
    assert (launch.state, launch.answer_from) == (State.RUNNING, "flow")
    assert launch.poll_at is not None


def test_a_loss_reported_after_a_person_decided_changes_nothing(liar: Liar) -> None:
    launch = liar.accepted(ago=timedelta(minutes=10))
    Launch.objects.filter(pk=launch.pk).update(
        state=State.UNKNOWN, reason=Reason.WORKER_LOST, claim="c" * 32, poll_at=None
    )
    slow = liar.now(launch)
    assert launches.settle(audit_log.Actor(liar.users.colleague), slow, ran=False, why="nothing in the shop")
    sending.lose(slow, Reason.CUT_OFF, "late")
    liar.poll()
    launch = liar.now(launch)
    assert (launch.state, launch.reason, launch.settled) == (State.NOT_SENT, Reason.SETTLED_NOT_RUN, True)


def test_where_every_credential_is_refused_no_launch_ends_and_the_reason_is_shown(liar: Liar) -> None:
    launch = liar.accepted(ago=timedelta(hours=1))
    liar.page = Reply(401, {"code": "INVALID_BEARER_TOKEN"})
    liar.poll()
    assert (liar.now(launch).state, liar.now(launch).settled) == (State.ACCEPTED, False)
    follow = Follow.objects.get()
    assert (follow.trouble, follow.lease_until) == ("CredentialRefused", None)


def test_nobody_decides_about_a_launch_whose_call_may_still_bring_an_answer(liar: Liar) -> None:
    launch = liar.accepted()
    Launch.objects.update(state=State.UNKNOWN, claim_until=timezone.now() + timedelta(seconds=9))
    assert not launches.settle(audit_log.Actor(liar.users.colleague), launch, ran=True, why="seen")


def test_withdrawing_takes_the_claim_away_from_the_worker_that_has_it(liar: Liar) -> None:
    claimed = sending.claim(liar.launch(send=False).pk)
    assert claimed is not None
    assert launches.withdraw(audit_log.Actor(liar.users.colleague), claimed.launch)
    launch = liar.now(claimed.launch)
    assert (launch.claim, launch.claim_until, launch.settled) == ("", None, True)
    sending.release(claimed.launch, "not reached")
    sending.lose(claimed.launch, Reason.CUT_OFF, "cut")
    assert liar.now(launch).reason == Reason.WITHDRAWN


def test_a_launch_in_a_workers_hands_is_not_ended_as_too_late(liar: Liar) -> None:
    claimed = sending.claim(liar.launch(send=False).pk)
    assert claimed is not None
    Launch.objects.update(send_by=timezone.now() - timedelta(seconds=1))
    assert sweeping.end_late() == 0
    Launch.objects.update(claim_until=timezone.now() - timedelta(seconds=1))
    assert sweeping.end_late() == 1
    assert liar.now(claimed.launch).reason == Reason.TOO_LATE


@pytest.mark.parametrize(
    ("before", "sweep", "change"), [(State.QUEUED, "end_late", "end"), (State.SENDING, "notice_lost", "doubt")]
)
def test_what_moves_on_between_the_sweepers_look_and_its_update_is_left_alone(
    liar: Liar, monkeypatch: pytest.MonkeyPatch, before: State, sweep: str, change: str
) -> None:
    launch, past = liar.launch(send=False), timezone.now() - timedelta(seconds=1)
    Launch.objects.update(state=before, send_by=past, claim_until=past)
    write = getattr(launches, change)

    def moved_on(row: Launch, *rest: Any, **more: Any) -> Any:
        Launch.objects.update(state=State.RUNNING, claim_until=None)
        return write(row, *rest, **more)

    monkeypatch.setattr(launches, change, moved_on)
    assert getattr(sweeping, sweep)() == 0
    assert liar.now(launch).state == State.RUNNING


def test_a_claim_that_ran_out_before_sending_stays_claimable(liar: Liar) -> None:
    claimed = sending.claim(liar.launch(send=False).pk)
    assert claimed is not None
    Launch.objects.update(claim_until=timezone.now() - timedelta(seconds=1))
    sweeping.notice_lost()
    assert sending.claim(claimed.launch.pk) is not None
