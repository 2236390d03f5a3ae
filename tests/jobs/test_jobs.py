"""Jobs in workers' hands: claims, kills at every point, stops, pauses, sweeps. No object is ever sent twice."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.logs import lines
from tests.practice_engine.fixtures import until
from tests.stage import Stage, stage as stage
from tests.stub_engine import text
from tests.unclear_writes.later import act_late, look_at_the_end
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock, lease
from workflows_ui.deleted_objects.models import DeletedObject
from workflows_ui.jobs.models import ItemState, Job, JobKind, JobPart, JobState
from workflows_ui.jobs.services import jobs, turns as job_turns
from workflows_ui.jobs.services.jobs import Found, Reason
from workflows_ui.launches.services import watching
from workflows_ui.notifications import services as notifications
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resource_admin.resource import Query, Resource
from workflows_ui.resources import BY_NAME
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState
from workflows_ui.write_looks import worker as write_worker

pytestmark = pytest.mark.both_databases


class Killed(BaseException):
    """What a kill does to a thread: nothing after this point happens."""


@pytest.fixture
def running(stage: Stage) -> Job:
    """Three flows to turn off, confirmed."""
    listed = BY_NAME["flows"].list(stage.session, Query({"status": "ENABLED"}, 100)).rows[:3]
    job = ask(stage, [Found(str(row["id"]), "Name") for row in listed])
    jobs.begin(Actor(job.user), job, "{}", {})
    job.refresh_from_db()
    return job


def ask(stage: Stage, found: list[Found], **more: Any) -> Job:
    place = stage.users.place(stage.users.owner)
    return jobs.ask(Actor(place.user), place, resource="flows", action="turn-off", found=found, **more)


def turns(job: Job, resources: Mapping[str, Resource] = BY_NAME) -> Job:
    while worker.turn(job.pk, resources):
        pass
    job.refresh_from_db()
    return job


def lease_over(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(claim_until=clock.now() - timedelta(seconds=1))


def states(job: Job) -> list[str]:
    return list(job.items.order_by("position").values_list("state", flat=True))


def kill_after(calls: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, which kills the worker instead of its second or later time."""
    left = [calls]

    def dying(*args: Any, **named: Any) -> Any:
        if not left[0]:
            raise Killed
        left[0] -= 1
        return call(*args, **named)

    return dying


@pytest.mark.parametrize(
    ("place", "name", "unclear"),
    [
        (job_turns, "check", 0),
        (job_turns, "take", 0),
        (job_turns, "settle", 1),
        (worker, "_apply_to_one", 1),
        (worker, "_settle", 1),
        (job_turns, "reset_tries", 0),
    ],
)
def test_a_worker_killed_anywhere_leaves_at_most_one_unclear_and_sends_none_twice(
    stage: Stage, running: Job, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, unclear: int
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(place, name, kill_after(1, getattr(place, name)))
        with pytest.raises(Killed):
            worker.turn(running.pk, BY_NAME)
    # Nobody else takes it up before the lease is over.
    assert not worker.turn(running.pk, BY_NAME)
    lease_over(running)
    job = turns(running)
    assert job.state == JobState.ENDED
    assert Counter(states(job)) == Counter({ItemState.DONE: 3 - unclear, ItemState.UNCLEAR: unclear})
    assert max(Counter(stage.writes()).values()) == 1
    assert AuditEvent.objects.filter(action="flows.turn-off", outcome="unclear").count() == unclear


def test_a_worker_that_was_only_slow_still_writes_down_what_it_knows(running: Job) -> None:
    slow = job_turns.claim(running.pk, JobKind.BULK)
    assert slow is not None
    items = job_turns.take(slow, 1)
    lease_over(running)
    assert job_turns.claim(running.pk, JobKind.BULK) is not None
    assert states(running)[0] == ItemState.UNCLEAR
    job_turns.settle(items, ItemState.DONE)
    assert states(running)[0] == ItemState.DONE
    with pytest.raises(job_turns.Lost):
        job_turns.take(slow, 1)


def test_two_workers_never_have_the_same_job(running: Job) -> None:
    assert job_turns.claim(running.pk, JobKind.BULK) is not None
    assert job_turns.claim(running.pk, JobKind.BULK) is None


def test_an_export_is_no_bulk_action(running: Job) -> None:
    assert job_turns.claim(running.pk, JobKind.EXPORT) is None


def test_what_is_stopped_in_the_middle_keeps_its_outcome_and_leaves_the_rest(stage: Stage, running: Job) -> None:
    job = job_turns.claim(running.pk, JobKind.BULK)
    assert job is not None
    items = job_turns.take(job, 1)
    assert jobs.stop(Actor(job.user), running)
    job_turns.settle(items, ItemState.DONE)
    with pytest.raises(job_turns.Lost):
        job_turns.take(job, 1)
    assert states(running) == [ItemState.DONE, ItemState.WAITING, ItemState.WAITING]
    assert not jobs.stop(Actor(job.user), running)
    assert not worker.turn(running.pk, BY_NAME)
    assert not stage.writes()


def test_a_worker_lost_in_a_stopped_job_is_noticed(running: Job) -> None:
    job = job_turns.claim(running.pk, JobKind.BULK)
    assert job is not None
    job_turns.take(job, 1)
    jobs.stop(Actor(job.user), running)
    job_turns.notice_lost()
    assert states(running)[0] == ItemState.SENDING
    lease_over(running)
    job_turns.notice_lost()
    assert states(running)[0] == ItemState.UNCLEAR


def test_an_engine_that_is_away_is_waited_for_and_nothing_is_lost(stage: Stage, running: Job) -> None:
    stage.practice.engine.faults.add("status", status=503, headers={"Retry-After": "0"})
    job = turns(running)
    assert (job.state, job.reason, job.tries) == (JobState.RUNNING, Reason.NOT_REACHED, 1)
    assert job.not_before is not None
    assert not worker.turn(job.pk, BY_NAME)
    browser = Client()
    browser.force_login(job.user)
    assert "Waiting for the engine" in text(browser.get(f"/w/sales/jobs/{job.pk}/").content)
    stage.practice.engine.faults.clear()
    Job.objects.update(not_before=None)
    job = turns(job)
    assert (job.state, job.reason, states(job)) == (JobState.ENDED, "", [ItemState.DONE] * 3)


def test_an_engine_that_stays_away_ends_the_job_early(running: Job) -> None:
    Job.objects.update(tries=job_turns.TRIES - 1)
    job = job_turns.claim(running.pk, JobKind.BULK)
    assert job is not None
    job_turns.pause(job, "connection refused")
    running.refresh_from_db()
    assert (running.state, running.reason) == (JobState.FAILED, Reason.NOT_REACHED)


def test_the_same_failure_again_and_again_ends_the_job_early(stage: Stage) -> None:
    listed = BY_NAME["flows"].list(stage.session, Query({"status": "ENABLED"}, 100)).rows[:6]
    job = ask(stage, [Found(str(row["id"])) for row in listed])
    jobs.begin(Actor(job.user), job, "{}", {})
    stage.practice.engine.faults.add("status", "POST", "*", status=403, body="json")
    job = turns(job)
    assert (job.state, job.reason) == (JobState.FAILED, Reason.FORBIDDEN)
    assert Counter(states(job)) == Counter({ItemState.UNCLEAR: 3, ItemState.WAITING: 3})


def broken(key: str, *odd: str) -> Mapping[str, Resource]:
    """Turning flows off, with an error in the console's own part `key` of it for flows of these ids; for all flows without ids."""
    flows = BY_NAME["flows"]
    action = next(item for item in flows.actions if item.name == "turn-off")
    part: Callable[..., Any] = getattr(action, key)

    def failing(*args: Any) -> Any:
        found = args[0]["id"] if key == "visible" else args[1]
        if not odd or found in odd:
            raise KeyError("version")
        return part(*args)

    changes: dict[str, Any] = {key: failing}

    class Broken(type(flows)):  # type: ignore[misc]
        actions = (replace(action, **changes),)

    return {"flows": Broken()}


@pytest.mark.parametrize(("key", "state"), [("visible", ItemState.FAILED), ("run", ItemState.UNCLEAR)])
def test_an_unexpected_error_about_one_object_is_its_outcome_and_the_job_goes_on(
    stage: Stage, running: Job, caplog: pytest.LogCaptureFixture, key: str, state: ItemState
) -> None:
    job = turns(running, broken(key, running.items.get(position=1).object_id))
    assert (job.state, job.reason) == (JobState.ENDED, "")
    # What may have been sent is not sent again.
    assert states(job) == [ItemState.DONE, state, ItemState.DONE]
    [line] = [line for line in lines(caplog) if line["event"] == "job.broken"]
    assert line["job"] == job.pk
    assert "KeyError: 'version'" in line["exception"]
    assert audited("flows.turn-off", job, 1) == (["begun", "unclear"] if key == "run" else [])
    page = page_of(stage, job)
    assert "A console error" in page
    assert ('id="job-retry"' in page) is (key == "visible")


def test_unexpected_errors_about_several_in_a_row_end_the_job_early(stage: Stage) -> None:
    listed = BY_NAME["flows"].list(stage.session, Query({"status": "ENABLED"}, 100)).rows[:5]
    job = ask(stage, [Found(str(row["id"])) for row in listed])
    jobs.begin(Actor(job.user), job, "{}", {})
    job = turns(job, broken("run"))
    assert (job.state, job.reason) == (JobState.FAILED, Reason.BROKEN)
    assert states(job)[3:] == [ItemState.WAITING] * 2
    assert "Ended early: console error" in page_of(stage, job)
    # Before the question, too, it ends: no worker tries it for ever.
    job = turns(ask(stage, [], everything=True), broken("visible"))
    assert (job.state, job.reason) == (JobState.FAILED, Reason.BROKEN)


def deletion(stage: Stage) -> Job:
    """Three flows to delete, confirmed."""
    listed = BY_NAME["flows"].list(stage.session, Query({}, 100)).rows[:3]
    place = stage.users.place(stage.users.owner)
    found = [Found(str(row["id"])) for row in listed]
    job = jobs.ask(Actor(place.user), place, resource="flows", action="delete", found=found)
    jobs.begin(Actor(job.user), job, "{}", {})
    return job


def page_of(stage: Stage, job: Job) -> str:
    return text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content).partition("<template")[0]


def audited(action: str, job: Job, position: int) -> list[str]:
    """The outcomes of the rows about an object, oldest first."""
    key = job.items.get(position=position).object_id
    return list(
        AuditEvent.objects.filter(action=action, object_id=key).order_by("pk").values_list("outcome", flat=True)
    )


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.sampled(3)
def test_a_stray_answer_about_one_object_is_looked_into_and_the_job_goes_on(
    stage: Stage, status: int, acts: bool
) -> None:
    job = deletion(stage)
    stage.practice.engine.faults.add("status", "DELETE", "*", status=status, act=acts, body="html", times=1)
    job = turns(job)
    assert (job.state, job.reason) == (JobState.ENDED, "")
    assert states(job) == [ItemState.DONE if acts else ItemState.UNCLEAR, ItemState.DONE, ItemState.DONE]
    gone = {entry.object_id for entry in AuditEvent.objects.filter(action="flows.delete", outcome="done")}
    assert len(gone) == (3 if acts else 2)
    until(lambda: not gone & set(stage.practice.engine.state.flows))


@pytest.mark.slow
def test_not_done_is_said_about_an_object_at_the_end_of_the_search_only(stage: Stage) -> None:
    job = deletion(stage)
    stage.practice.engine.faults.add("status", "DELETE", "*", status=404, times=1)
    job = turns(job)
    page = page_of(stage, job)
    assert "1 is being checked" in page
    assert "Finished, some are being checked" in page
    assert 'id="job-retry"' not in page
    assert "hx-get" in page
    Job.objects.update(asked_at=clock.now() - watching.LONG - timedelta(seconds=1))
    watching.find_news()
    assert not notifications.visible_notifications(job.user)
    assert jobs.retry(Actor(job.user), stage.users.place(job.user), job, look=False) is None
    UnclearWrite.objects.update(not_before=None)
    write_worker.look(UnclearWrite.objects.get().pk)
    assert states(job)[0] == ItemState.UNCLEAR
    assert look_at_the_end().state == WriteState.NOT_DONE
    assert states(job) == [ItemState.FAILED, ItemState.DONE, ItemState.DONE]
    assert audited("flows.delete", job, 0) == ["begun", "unclear", "not_done"]
    page = page_of(stage, job)
    assert "being checked" not in page
    assert "The engine did not do this with this item" in page
    assert 'id="job-retry"' in page
    watching.find_news()
    assert len(notifications.visible_notifications(job.user)) == 1
    # The copy that was made for the deletion is gone, too.
    assert DeletedObject.objects.count() == 2


def test_an_object_that_the_engine_acts_on_late_succeeds(stage: Stage, running: Job) -> None:
    stage.practice.engine.faults.add("status", "POST", "*", status=503, times=1)
    job = turns(running)
    assert states(job) == [ItemState.UNCLEAR, ItemState.DONE, ItemState.DONE]
    first = job.items.get(position=0)
    act_late(stage.practice, f"/v1/flows/{first.object_id}")
    UnclearWrite.objects.update(not_before=None)
    write_worker.look(UnclearWrite.objects.get().pk)
    assert states(job) == [ItemState.DONE] * 3
    assert audited("flows.turn-off", job, 0) == ["begun", "unclear", "done"]
    page = page_of(stage, job)
    assert "being checked" not in page
    assert 'id="job-retry"' not in page


def test_each_object_of_one_call_for_many_is_looked_for(stage: Stage) -> None:
    listed = [row for row in BY_NAME["runs"].list(stage.session, Query({}, 100)).rows if row.get("finishTime")][:3]
    place = stage.users.place(stage.users.owner)
    job = jobs.ask(
        Actor(place.user), place, resource="runs", action="archive", found=[Found(str(row["id"])) for row in listed]
    )
    jobs.begin(Actor(job.user), job, "{}", {})
    stage.practice.engine.faults.add("status", "POST", "*/archive", status=500, times=1)
    job = turns(job)
    assert states(job) == [ItemState.UNCLEAR] * 3
    assert "3 are being checked" in page_of(stage, job)
    # The engine archives one of them only.
    stage.session.workflows.archive_runs([str(listed[1]["id"])])
    over = clock.now() - settings.LAUNCH_SEARCH - timedelta(seconds=1)
    UnclearWrite.objects.update(not_before=None, asked_at=over)
    for write in UnclearWrite.objects.all():
        write_worker.look(write.pk)
    assert states(job) == [ItemState.FAILED, ItemState.DONE, ItemState.FAILED]
    again = jobs.retry(Actor(job.user), place, job, look=False)
    assert again is not None
    assert set(again.items.values_list("object_id", flat=True)) == {str(listed[0]["id"]), str(listed[2]["id"])}


def test_a_refused_credential_ends_the_job_after_several_in_a_row(stage: Stage) -> None:
    listed = BY_NAME["flows"].list(stage.session, Query({"status": "ENABLED"}, 100)).rows[:5]
    job = ask(stage, [Found(str(row["id"])) for row in listed])
    jobs.begin(Actor(job.user), job, "{}", {})
    stage.practice.engine.faults.add("status", "POST", "*", status=401)
    job = turns(job)
    assert (job.state, job.reason) == (JobState.FAILED, Reason.CREDENTIAL_REFUSED)
    assert Counter(states(job)) == Counter({ItemState.UNCLEAR: 3, ItemState.WAITING: 2})


def test_an_object_that_cannot_be_read_after_a_stray_answer_is_unclear(stage: Stage, running: Job) -> None:
    stage.practice.engine.faults.add("status", "POST", "*", status=401, act=True, times=1)
    # The first object is read by the job and by the action; then the look gets no answer.
    stage.practice.engine.faults.add("status", "GET", "/v1/flows/*", status=401, schedule="--x" + "-" * 40)
    job = turns(running)
    assert Counter(states(job)) == Counter({ItemState.UNCLEAR: 1, ItemState.DONE: 2})
    assert AuditEvent.objects.filter(action="flows.turn-off", outcome="unclear").count() == 1


def test_rows_of_items_have_the_address_and_the_request_of_the_person_who_asked(stage: Stage) -> None:
    listed = BY_NAME["flows"].list(stage.session, Query({"status": "ENABLED"}, 100)).rows[:2]
    ids = [str(row["id"]) for row in listed]
    stage.browser.post(
        "/w/sales/flows/many/turn-off/", {"id": ids, "next": "/w/sales/flows/"}, REMOTE_ADDR="203.0.113.7"
    )
    job = turns(Job.objects.get())
    stage.browser.post(f"/w/sales/jobs/{job.pk}/begin/", {}, REMOTE_ADDR="203.0.113.7")
    turns(job)
    asked = AuditEvent.objects.get(action="job.ask")
    rows = AuditEvent.objects.filter(action__in=["flows.turn-off", "job.end"])
    assert rows.count() == 3
    assert {(row.address, row.request_id) for row in rows} == {("203.0.113.7", asked.request_id)}
    assert asked.request_id
    # One id finds the job and its items.
    page = stage.browser.get("/w/sales/audit/", {"id": job.pk, "rows": "100"}).content.decode()
    for name in job.items.values_list("name", flat=True):
        assert page.count(f">{name}<") >= 1


def test_a_collecting_worker_that_is_killed_is_continued_without_doubles(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask(stage, [], everything=True)
    with monkeypatch.context() as patched:
        patched.setattr(job_turns, "ask_now", kill_after(0, job_turns.ask_now))
        with pytest.raises(Killed):
            worker.turn(job.pk, BY_NAME)
    found = job.items.count()
    assert found
    lease_over(job)
    job = turns(job)
    assert (job.state, job.total, job.items.count()) == (JobState.ASKING, found, found)
    # What the walk does not match is not there; what it matches and cannot be turned off is left out.
    assert set(states(job)) == {ItemState.WAITING, ItemState.SKIPPED}


def test_nothing_that_matches_is_said_and_not_asked(stage: Stage) -> None:
    job = turns(ask(stage, [], everything=True, filters="name=no+flow+is+called+so"))
    assert (job.state, job.reason, job.total) == (JobState.ENDED, Reason.NOTHING_FOUND, 0)


def test_filters_that_make_no_sense_any_more_end_it(stage: Stage) -> None:
    job = turns(ask(stage, [], everything=True, filters="status=NO_SUCH_STATE"))
    assert (job.state, job.reason) == (JobState.FAILED, Reason.BAD_FILTERS)


def test_an_action_that_is_declared_no_more_ends_it(stage: Stage) -> None:
    job = ask(stage, [Found("x")], look=True)
    job.action = "rename"
    Job.objects.update(action="rename", mark=job.new_mark())
    job = turns(job)
    assert (job.state, job.reason) == (JobState.FAILED, Reason.NOT_DECLARED)


@pytest.mark.parametrize("column", ["user", "action", "mark"])
def test_a_job_that_was_changed_in_the_database_does_nothing_as_somebody_else(
    stage: Stage, running: Job, column: str
) -> None:
    """Somebody who can write the database changes the person or the action of their own job."""
    values = {"user": stage.users.colleague, "action": "delete", "mark": ""}
    before = stage.practice.journal.count()
    Job.objects.update(**{column: values[column]})
    job = turns(running)
    assert (job.state, job.reason) == (JobState.FAILED, Reason.NO_ACCESS)
    assert stage.practice.journal.count() == before


def test_bells_are_rung_for_what_waits_and_not_too_often(stage: Stage, running: Job) -> None:
    asking = ask(stage, [Found("x")])
    assert job_turns.to_enqueue() == [running.pk]
    assert job_turns.to_enqueue() == []
    Job.objects.update(enqueued_at=clock.now() - lease.ENQUEUE_AGAIN * 2)
    assert job_turns.to_enqueue() == [running.pk]
    assert asking.pk not in job_turns.to_enqueue()


def test_questions_and_values_and_files_have_their_time(stage: Stage) -> None:
    job = ask(stage, [Found("x")], data='{"folder": "F"}')
    assert "folder" not in Job.objects.get().data
    JobPart.objects.create(job=job, number=0, data=b"x")
    old = clock.now() - timedelta(days=400)
    Job.objects.update(asked_at=old, keep_until=old)
    job_turns.purge()
    job.refresh_from_db()
    assert (job.state, job.reason, job.data) == (JobState.STOPPED, Reason.FORGOTTEN, "")
    assert not JobPart.objects.exists()


def test_ugly_names_are_kept_as_far_as_a_database_takes_them(stage: Stage) -> None:
    job = ask(stage, [Found("a", "x\x00\ud800" + "y" * 20_000), Found("b", "<b>\u202ebold</b>")])
    assert all(len(item.name) <= jobs.KEPT for item in job.items.all())
    browser = Client()
    browser.force_login(job.user)
    assert "&lt;b&gt;" in browser.get(f"/w/sales/jobs/{job.pk}/").content.decode()
