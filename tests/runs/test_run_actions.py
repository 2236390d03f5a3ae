"""What is done with runs: retried in two ways, cancelled, archived, by a launcher or a builder; and the launches that belong to them."""

import datetime
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests import flows, logs
from tests.engine.servers import Reply, Seen
from tests.practice_engine.fixtures import until
from tests.stage import Stage, lead
from tests.stub_engine import StubEngine, identity, run as run_row, text
from tests.unclear_writes.later import Killed, act_late, failing_at, lease_over, look_at_the_end
from tests.users import workspace
from workflows_ui.jobs.models import ItemState, Job, JobState
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.launches.models import Launch, RunRetry, State
from workflows_ui.launches.services import repairs
from workflows_ui.members.models import Role
from workflows_ui.notifications.messages import notification_message
from workflows_ui.notifications.models import Notice
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resources import BY_NAME
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState


def url(action: str, run_id: str) -> str:
    return f"/w/sales/runs/do/{action}/{run_id}/"


def run_of(stage: Stage, flow_id: str, *statuses: str) -> str:
    """Starts the flow; the id of its run, once it is in one of these states."""
    stage.practice.call("POST", f"/v1/webhooks/{flow_id}", json={})

    def run_id() -> str:
        rows = stage.practice.runs(flow_id)
        return str(rows[0]["id"]) if rows and rows[0]["status"] in statuses else ""

    return until(run_id)


def failing(stage: Stage) -> str:
    return run_of(stage, stage.practice.sample("failing").id, "FAILED")


def paused(stage: Stage) -> str:
    flow = flows.make(stage.session.workflows, "Waits", flows.delay(86_400))
    return run_of(stage, flow, "PAUSED")


def status(stage: Stage, run_id: str) -> Any:
    return stage.session.workflows.get_run(run_id)["status"]


def launched(stage: Stage, run_id: str) -> Launch:
    """A launch that ended as failed with this run, and is not followed any more."""
    now = timezone.now()
    return Launch.objects.create(
        workspace=stage.users.workspace,
        user=stage.users.colleague,
        ticket=run_id,
        flow_id="f" * 21,
        payload_digest="d",
        asked_at=now,
        not_before=now,
        send_by=now,
        ended_at=now,
        state=State.FAILED,
        run_id=run_id,
    )


@pytest.fixture
def launcher(stage: Stage) -> Client:
    return stage.as_role(Role.LAUNCHER)


def test_a_retry_from_the_failed_step_keeps_the_run_and_has_its_launch_followed_again(
    stage: Stage, launcher: Client
) -> None:
    run = failing(stage)
    launch, other = launched(stage, run), launched(stage, "o" * 21)
    assert "Earlier steps are not repeated" in text(launcher.get(url("retry", run)).content)
    answer = launcher.post(url("retry", run), {"sure": "yes"})
    assert lead(answer) == f"/w/sales/runs/{run}/"
    launch.refresh_from_db()
    other.refresh_from_db()
    assert launch.poll_at is not None
    assert other.poll_at is None


def test_a_retry_whose_answer_is_lost_has_the_launch_followed_all_the_same(stage: Stage, launcher: Client) -> None:
    run = failing(stage)
    launch = launched(stage, run)
    stage.practice.engine.faults.add("reset_after", "POST", "*")
    # The first look finds that the run was retried.
    assert launcher.post(url("retry", run), {"sure": "yes"}).status_code == 303
    launch.refresh_from_db()
    assert launch.poll_at is not None


def test_a_retry_that_is_not_in_the_plan_is_looked_for_and_was_not_done(stage: Stage, launcher: Client) -> None:
    run = failing(stage)
    launch = launched(stage, run)
    stage.practice.engine.settings.retries_disabled = True
    answer = launcher.post(url("retry", run), {"sure": "yes"})
    assert answer.status_code == 422
    assert "FEATURE_DISABLED" in text(answer.content)
    assert look_at_the_end().state == "not_done"
    launch.refresh_from_db()
    # It is followed, since it may have run.
    assert launch.poll_at is not None


def test_a_launch_of_another_workspace_is_left_alone(stage: Stage, launcher: Client) -> None:
    run = failing(stage)
    launch = launched(stage, run)
    Launch.objects.filter(pk=launch.pk).update(workspace=workspace("second", project="2" * 21))
    launcher.post(url("retry", run), {"sure": "yes"})
    launch.refresh_from_db()
    assert launch.poll_at is None


def test_a_retry_on_the_latest_version_leads_to_the_new_run(stage: Stage, launcher: Client) -> None:
    run = failing(stage)
    answer = launcher.post(url("retry-latest", run), {"sure": "yes"})
    new = lead(answer).rstrip("/").rsplit("/", 1)[-1]
    assert new != run
    assert new in until(lambda: [row["id"] for row in stage.practice.runs() if row["id"] == new])


def bulk(stage: Stage, action: str, ids: list[str], **typed: str) -> Job:
    """The runs, ticked in the list; the action confirmed and worked on."""
    stage.browser.post(f"/w/sales/runs/many/{action}/", {"id": ids, "next": "/w/sales/runs/?rows=100"})
    job = Job.objects.get()
    while worker.turn(job.pk, BY_NAME):
        pass
    stage.browser.post(f"/w/sales/jobs/{job.pk}/begin/", typed)
    while worker.turn(job.pk, BY_NAME):
        pass
    job.refresh_from_db()
    assert job.state == JobState.ENDED
    return job


@pytest.mark.parametrize("action", ["retry", "retry-latest"])
def test_a_bulk_retry_started_runs_again_and_shows_how_each_does_now(stage: Stage, action: str) -> None:
    flow = flows.make(stage.session.workflows, "Fails", flows.code("fail Closed"))
    for _ in range(2):
        stage.practice.call("POST", f"/v1/webhooks/{flow}", json={})
    ended = until(
        lambda: (
            [row for row in stage.practice.runs(flow) if row["status"] == "FAILED"][1:] and stage.practice.runs(flow)
        )
    )
    runs_of = [str(row["id"]) for row in ended]
    job = bulk(stage, action, runs_of)
    started = [item.result_id or item.object_id for item in job.items.all()]
    until(lambda: all(status(stage, key) == "FAILED" for key in started))
    page = stage.browser.get(f"/w/sales/jobs/{job.pk}/").content.decode()
    outcomes = page.partition('id="job-outcomes"')[2].partition("</table>")[0]
    assert "Succeeded" not in outcomes
    assert outcomes.count("Started again") == 3  # the filter, and each of the two
    for old, new in zip(runs_of, started, strict=True):
        assert (old != new) == (action == "retry-latest")
        assert re.search(rf'href="/w/sales/runs/{new}/">\s*<span[^>]*>.*?Failed', outcomes, re.DOTALL)


def test_old_run_new_run_and_launch_are_linked(stage: Stage, launcher: Client) -> None:
    old = failing(stage)
    launch = launched(stage, old)
    new = lead(launcher.post(url("retry-latest", old), {"sure": "yes"})).rstrip("/").rsplit("/", 1)[-1]
    until(lambda: [row["id"] for row in stage.practice.runs() if row["id"] == new])
    person = stage.users.colleague.label
    page = launcher.get(f"/w/sales/runs/{old}/").content.decode()
    assert f"{person} started it again." in page
    assert f'<a href="/w/sales/runs/{new}/">See the new run</a>' in page
    page = launcher.get(f"/w/sales/runs/{new}/").content.decode()
    assert f'<a href="/w/sales/runs/{old}/">See the earlier run</a>' in page
    assert f"/w/sales/launches/{launch.pk}/" in page
    page = launcher.get(f"/w/sales/launches/{launch.pk}/").content.decode()
    assert f'<a href="/w/sales/runs/{new}/">See the new run</a>' in page


@pytest.mark.parametrize(("action", "late"), [("retry", False), ("retry-latest", False), ("retry", True)])
def test_the_launcher_learns_that_a_failed_launch_was_repaired(stage: Stage, action: str, late: bool) -> None:
    workflows = stage.session.workflows
    flow = flows.make(workflows, "Breaks at first", flows.code("fail Closed"))
    old = run_of(stage, flow, "FAILED")
    launch = launched(stage, old)
    Launch.objects.filter(pk=launch.pk).update(credential=stage.users.credential)
    with stage.practice.engine.state.lock:  # what was broken elsewhere is repaired
        for version in stage.practice.engine.state.versions.values():
            if version["flowId"] == flow:
                version["trigger"]["nextAction"]["settings"]["sourceCode"]["code"] = "// practice: echo"
    if late:
        stage.practice.engine.faults.add("status", "POST", "*/retry", status=503, times=1)
    stage.browser.post(url(action, old), {"sure": "yes"})
    if late:
        act_late(stage.practice, f"/v1/flow-runs/{old}/retry")
        assert look_at_the_end().state == "done"
    new = RunRetry.objects.get().new_run_id
    until(lambda: status(stage, new) == "SUCCEEDED")

    def look() -> None:
        RunRetry.objects.filter(poll_at__isnull=False).update(poll_at=timezone.now() - datetime.timedelta(seconds=1))
        repairs.poll(stage.users.workspace.pk)

    # With no credential that the launcher may use, such as one that is no longer shared with them, nothing is read.
    own, asked = stage.users.colleague.credentials, stage.practice.journal.count("GET")
    own.update(taken_over=True)
    look()
    assert stage.practice.journal.count("GET") == asked
    own.update(taken_over=False)
    # Looked at with it, and first: one that has not ended, and one whose launch is gone.
    earlier = timezone.now() - datetime.timedelta(seconds=2)
    known = {"workspace": stage.users.workspace, "user": stage.users.owner, "asked_at": earlier, "poll_at": earlier}
    going = RunRetry.objects.create(**known, run_id=old, new_run_id=identity(1))
    RunRetry.objects.create(**known, run_id=old, new_run_id=new)
    assert repairs.due() == [stage.users.workspace.pk]
    look()
    assert RunRetry.objects.get(poll_at__isnull=False) == going
    repairs.poll(stage.users.workspace.pk)
    notice = Notice.objects.get()
    assert notice.user == stage.users.colleague
    news = notification_message(notice)
    assert news.title.endswith(": repaired")
    assert f"{stage.users.owner.label} started the failed run again, and it succeeded." in news.detail
    assert not repairs.due()


def unclear_retry(stage: Stage) -> Launch:
    """A retry of a failed launch's run that the engine made after its answer said otherwise."""
    old = failing(stage)
    launch = launched(stage, old)
    stage.practice.engine.faults.add("status", "POST", "*/retry", status=503, times=1)
    stage.browser.post(url("retry", old), {"sure": "yes"})
    act_late(stage.practice, f"/v1/flow-runs/{old}/retry")
    return launch


@pytest.mark.both_databases
def test_a_worker_that_is_killed_while_it_settles_a_retry_loses_none_of_what_follows(stage: Stage) -> None:
    launch = unclear_retry(stage)
    with failing_at("INSERT", "runretry", Killed()), pytest.raises(Killed):
        look_at_the_end()
    write = UnclearWrite.objects.get()
    assert (write.state, RunRetry.objects.count()) == (WriteState.CHECKING, 0)
    lease_over(write)
    assert look_at_the_end().state == WriteState.DONE
    assert RunRetry.objects.get().launch == launch
    launch.refresh_from_db()
    assert launch.retried_at is not None


@pytest.mark.both_databases
def test_the_outcome_of_a_retry_is_stored_even_if_what_follows_fails(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    launch = unclear_retry(stage)
    with failing_at("UPDATE", "launch", RuntimeError("a bug")):
        assert look_at_the_end().state == WriteState.DONE
    # All of it, or nothing.
    assert not RunRetry.objects.exists()
    launch.refresh_from_db()
    assert launch.retried_at is None
    (line,) = (line for line in logs.lines(caplog) if line["event"] == "write.not_followed_up")
    assert line["write"] == UnclearWrite.objects.get().pk
    assert "a bug" in str(line["exception"])


def test_a_run_that_succeeded_is_started_again_only_if_that_is_confirmed(stage: Stage, launcher: Client) -> None:
    run = run_of(stage, stage.practice.sample("quick").id, "SUCCEEDED")
    assert "It succeeded. Run it again" in launcher.get(url("retry-latest", run)).content.decode()
    assert launcher.post(url("retry-latest", run)).status_code == 422
    assert lead(launcher.post(url("retry-latest", run), {"succeeded": "on"})).startswith("/w/sales/runs/")


@pytest.mark.parametrize("chosen", [True, False])
def test_a_bulk_retry_leaves_out_what_waits_and_asks_about_what_succeeded(stage: Stage, chosen: bool) -> None:
    flow = stage.practice.sample("quick").id
    done, waits = run_of(stage, flow, "SUCCEEDED"), paused(stage)
    failed = next(row["id"] for row in stage.practice.runs() if row["status"] == "FAILED")
    job = bulk(stage, "retry-latest", [done, waits, failed], **({"succeeded": "on"} if chosen else {}))
    outcomes = {item.object_id: (item.state, item.reason) for item in job.items.all()}
    expected = (ItemState.DONE, "") if chosen else (ItemState.SKIPPED, Reason.SUCCEEDED)
    assert outcomes == {done: expected, waits: (ItemState.SKIPPED, Reason.PAUSED), failed: (ItemState.DONE, "")}
    page = stage.browser.get(f"/w/sales/jobs/{job.pk}/").content.decode()
    assert "A retry would break it." in page
    assert status(stage, waits) == "PAUSED"


def test_the_question_counts_what_its_default_does(stage: Stage) -> None:
    done = run_of(stage, stage.practice.sample("quick").id, "SUCCEEDED")
    failed = next(row["id"] for row in stage.practice.runs() if row["status"] == "FAILED")
    ticked = {"id": [done, failed], "next": "/w/sales/runs/?rows=100"}
    url = lead(stage.browser.post("/w/sales/runs/many/retry-latest/", ticked))
    page = text(stage.browser.get(url).content)
    assert "1 object will be affected." in page
    assert "1 more is selected but left out, unless you choose otherwise below." in page
    assert "Retry on the latest version (1)" in page
    assert "their state does not allow" not in page


@pytest.mark.slow
def test_a_question_about_runs_that_all_succeeded_needs_the_choice(stage: Stage) -> None:
    rows = [row["id"] for row in stage.practice.runs() if row["status"] == "SUCCEEDED"][:2]
    ticked = {"id": rows, "next": "/w/sales/runs/?rows=100"}
    url = lead(stage.browser.post("/w/sales/runs/many/retry-latest/", ticked))
    assert "Nothing is done unless you choose otherwise below" in text(stage.browser.get(url).content)
    refused = stage.browser.post(f"{url}begin/")
    assert refused.status_code == 422
    assert "Unless this is selected, there is nothing to do." in text(refused.content)
    stage.browser.post(f"{url}begin/", {"succeeded": "on"})
    job = Job.objects.get()
    while worker.turn(job.pk, BY_NAME):
        pass
    assert set(job.items.values_list("state", flat=True)) == {ItemState.DONE}


def test_a_run_that_succeeded_is_offered_a_new_run_only(stage: Stage, launcher: Client) -> None:
    run = run_of(stage, stage.practice.sample("quick").id, "SUCCEEDED")
    page = launcher.get(f"/w/sales/runs/{run}/").content.decode()
    assert url("retry-latest", run) in page
    assert url("retry", run) not in page
    assert url("cancel", run) not in page
    assert launcher.post(url("retry", run), {"sure": "yes"}).status_code == 409


def test_a_paused_run_is_cancelled_and_its_launch_followed_again(stage: Stage, launcher: Client) -> None:
    run = paused(stage)
    launch = launched(stage, run)
    others = [row["id"] for row in stage.practice.runs() if row["status"] in {"PAUSED", "QUEUED"} and row["id"] != run]
    page = text(launcher.get(url("cancel", run)).content)
    assert "If it is already running, it continues to its end." in page
    assert "autofocus>Leave it as it is</a>" in page
    answer = launcher.post(url("cancel", run), {"sure": "yes"})
    assert status(stage, run) == "CANCELED"
    assert "The run is cancelled." in text(launcher.get(lead(answer)).content)
    still = {row["id"]: row["status"] for row in stage.practice.runs()}
    assert others
    assert all(still[other] != "CANCELED" for other in others)
    launch.refresh_from_db()
    assert launch.poll_at is not None


def shelved(stub_engine: StubEngine, before: str, after: str) -> None:
    """A run that is in another state after the engine was asked for something, whatever it answered (recording `runs_cancel_running`)."""
    stub_engine.runs = [run_row(1, before)]
    usual_answer = stub_engine._find

    def answer(seen: Seen) -> Reply:
        if seen.method == "POST":
            stub_engine.runs = [run_row(1, after)]
            return Reply(200, b"")
        return usual_answer(seen)

    stub_engine.answer = answer


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("CANCELED", "The run is cancelled."),
        ("QUEUED", "This page will show the result."),
        ("RUNNING", "it was not cancelled."),
        ("SUCCEEDED", "it was not cancelled."),
    ],
)
def test_cancelled_is_said_only_where_the_run_says_so(
    owner: Client, stub_engine: StubEngine, after: str, said: str
) -> None:
    shelved(stub_engine, "QUEUED", after)
    answer = owner.post(url("cancel", identity(1)), {"sure": "yes"})
    assert answer.status_code == 303
    assert said in text(owner.get(f"/w/sales/runs/{identity(1)}/").content)


def test_a_run_whose_state_cannot_be_read_afterwards_is_not_called_cancelled(
    owner: Client, stub_engine: StubEngine
) -> None:
    shelved(stub_engine, "QUEUED", "CANCELED")
    asked = stub_engine.answer
    assert asked is not None
    stub_engine.answer = lambda seen: Reply(502, b"<html>") if seen.path.endswith("/flow-runs") else asked(seen)
    owner.post(url("cancel", identity(1)), {"sure": "yes"})
    page = text(owner.get(f"/w/sales/runs/{identity(1)}/").content)
    assert "This page will show the result." in page
    assert "The run is cancelled." not in page


def test_a_run_that_is_at_work_says_that_it_cannot_be_cancelled(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run_row(1, "RUNNING", finishTime=None)]
    page = text(owner.get(f"/w/sales/runs/{identity(1)}/").content)
    assert "A run in progress cannot be cancelled" in page
    stub_engine.runs = [run_row(1, "PAUSED", finishTime=None)]
    assert "A run in progress" not in text(owner.get(f"/w/sales/runs/{identity(1)}/").content)


def test_an_archived_run_leaves_the_others_in_the_list(stage: Stage) -> None:
    run = failing(stage)
    stage.browser.post(url("archive", run), {"sure": "yes"})
    found = {row["id"]: row["archivedAt"] for row in stage.practice.runs()}
    assert found[run]
    assert [key for key, archived in found.items() if not archived and key != run]
    assert stage.browser.get(url("archive", run)).status_code == 409


def test_a_launcher_retries_and_cancels_but_does_not_archive(stage: Stage, launcher: Client) -> None:
    run = failing(stage)
    assert launcher.get(url("retry", run)).status_code == 200
    assert launcher.get(url("archive", run)).status_code == 403


def test_the_buttons_are_renewed_once_the_run_has_ended(stage: Stage, launcher: Client) -> None:
    run, waiting = failing(stage), paused(stage)
    poll = {"HX-Request": "true", "HX-Target": "live"}
    ended = text(launcher.get(f"/w/sales/runs/{run}/", headers=poll).content)
    assert 'id="page-actions" hx-swap-oob="true"' in ended
    assert url("retry", run) in ended
    assert "page-actions" not in text(launcher.get(f"/w/sales/runs/{waiting}/", headers=poll).content)
    whole = text(launcher.get(f"/w/sales/runs/{run}/").content)
    assert whole.count('id="page-actions"') == 1
