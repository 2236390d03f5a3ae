"""Bulk actions from the list to the outcome of each object, on the practice engine: what is asked, what is done, and by whom."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from tests.stage import Stage, everything_told, lead, outcomes, stage as stage
from tests.stub_engine import text
from tests.unclear_writes.later import look_at_the_end
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.paths import id_at
from workflows_ui.jobs.models import ItemState, Job, JobItem, JobState
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resource_admin.resource import Query
from workflows_ui.resources import BY_NAME
from workflows_ui.unclear_writes.models import WriteState

pytestmark = pytest.mark.both_databases

LIST = "/w/sales/flows/"


def rows(stage: Stage, name: str = "flows", action: str = "turn-off", **filters: Any) -> list[str]:
    """Ids of the sample company's objects that are offered the action."""
    resource = BY_NAME[name]
    chosen = next(one for one in resource.actions if one.name == action and one.bulk)
    listed = resource.list(stage.session, Query(filters, 100)).rows
    return [resource.key(row) for row in listed if chosen.visible(row)]


def asked(stage: Stage, action: str, ids: list[str], resource: str = "flows", **more: str) -> Job:
    """The job that ticking these rows makes."""
    answer = stage.browser.post(
        f"/w/sales/{resource}/many/{action}/", {"id": ids, "next": f"/w/sales/{resource}/", **more}
    )
    assert answer.status_code == 303
    job = Job.objects.latest("asked_at")
    assert lead(answer) == f"/w/sales/jobs/{job.pk}/"
    return job


def worked(job: Job) -> Job:
    """What a worker makes of it."""
    while worker.turn(job.pk, BY_NAME):
        pass
    job.refresh_from_db()
    return job


def confirmed(stage: Stage, job: Job, **typed: str) -> Job:
    """The person's yes, and what a worker makes of it."""
    answer = stage.browser.post(f"/w/sales/jobs/{job.pk}/begin/", typed)
    assert answer.status_code == 303, text(answer.content)[-2000:]
    return worked(job)


def states(job: Job) -> list[str]:
    return list(job.items.order_by("position").values_list("state", flat=True))


def test_a_job_asks_for_a_reason_where_the_workspace_does(stage: Stage) -> None:
    Workspace.objects.update(reasons_asked=True)
    job = asked(stage, "turn-off", rows(stage)[:2])
    url = f"/w/sales/jobs/{job.pk}/"
    assert 'name="change_reason"' in text(stage.browser.get(url).content)
    assert stage.browser.post(f"{url}begin/", {}).status_code == 422
    assert confirmed(stage, job, change_reason="The supplier is closed").state == JobState.ENDED
    assert AuditEvent.objects.get(action="job.begin").reason == "The supplier is closed"
    assert "change_reason" not in job.open("data")


def test_ticked_rows_are_asked_about_by_name_then_done_and_written_down(stage: Stage) -> None:
    ids = rows(stage)[:3]
    job = asked(stage, "turn-off", ids)
    assert job.state == JobState.ASKING
    assert not stage.writes()
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "3 objects will be affected." in page
    assert "until they are turned on" in page
    assert all(name in page for name in job.items.values_list("name", flat=True))
    job = confirmed(stage, job)
    assert job.state == JobState.ENDED
    assert states(job) == [ItemState.DONE] * 3
    assert sorted(stage.writes()) == sorted(f"POST /v1/flows/{key}" for key in ids)
    assert outcomes() == [
        ("job.ask", "done"),
        ("job.begin", "done"),
        *[("flows.turn-off", "done")] * 3,
        ("job.end", "ended"),
    ]
    assert stage.secret not in everything_told()
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "3 of 3 processed" in page


def test_one_ticked_row_is_confirmed_and_done_in_place_without_a_job(stage: Stage) -> None:
    (key,) = rows(stage)[:1]
    back = f"{LIST}?status=ENABLED"
    form = lead(stage.browser.post(f"{LIST}many/turn-off/", {"id": key, "next": back}))
    assert form.startswith(f"{LIST}do/turn-off/{key}/")
    assert not stage.writes()
    assert "Turn off" in text(stage.browser.get(form).content)
    assert lead(stage.browser.post(form, {"sure": "yes"})) == back
    assert stage.writes() == [f"POST /v1/flows/{key}"]
    assert not Job.objects.exists()


def test_a_second_yes_does_nothing(stage: Stage) -> None:
    job = confirmed(stage, asked(stage, "turn-off", rows(stage)[:2]))
    confirmed(stage, job)
    assert len(stage.writes()) == 2


def test_everything_that_matches_is_frozen_before_it_is_asked_about(stage: Stage) -> None:
    expected = rows(stage, status="ENABLED")
    job = asked(stage, "turn-off", [], everything="1", next=f"{LIST}?status=ENABLED")
    assert job.state == JobState.COLLECTING
    assert job.filters == "status=ENABLED"
    assert "Being prepared" in text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    worked(job)
    assert job.state == JobState.ASKING
    assert set(job.items.values_list("object_id", flat=True)) == set(expected)
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert f"{len(expected)} objects will be affected." in page
    assert "State: On" in page
    assert not stage.writes()


@pytest.mark.slow
def test_small_things_are_all_found_although_the_engines_pages_lose_some(stage: Stage) -> None:
    made = {stage.session.workflows.create_folder(f"Folder {number}")["id"] for number in range(130)}
    job = worked(asked(stage, "delete", [], "folders", everything="1", next="/w/sales/folders/?rows=20"))
    assert made <= set(job.items.values_list("object_id", flat=True))
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert f"and {job.total - 20} more" in page
    assert f"were not checked for the {job.total - 20} other items" in page


def test_that_the_engine_counts_more_than_its_list_gave_is_said(stage: Stage) -> None:
    job = worked(asked(stage, "turn-off", [], everything="1"))
    assert job.counted == job.total
    assert "which its list left out" not in text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    Job.objects.update(counted=job.total + 2)
    assert "The engine counts 2 more, which its list left out." in text(
        stage.browser.get(f"/w/sales/jobs/{job.pk}/").content
    )


def test_what_is_not_possible_is_left_out_and_said(stage: Stage) -> None:
    on, off = rows(stage)[0], rows(stage, action="turn-on")[0]
    job = asked(stage, "turn-off", [on, off])
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "1 object will be affected." in page
    assert "1 more is selected but left out" in page
    assert states(confirmed(stage, job)) == [ItemState.DONE, ItemState.SKIPPED]


def test_a_question_about_nothing_says_so_and_offers_no_button_to_do_it(stage: Stage) -> None:
    confirmed(stage, asked(stage, "turn-off", rows(stage)[:2]))
    off = rows(stage, action="turn-on")
    job = asked(stage, "turn-off", off[:2])
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "None of the selected objects can be changed this way at the moment" in page
    assert "(0)" not in page
    assert 'form="job-question"' not in page


def test_what_changed_or_went_since_the_question_is_skipped_with_the_reason(stage: Stage) -> None:
    first, second, third = rows(stage)[:3]
    job = asked(stage, "turn-off", [first, second, third])
    stage.session.workflows.apply_flow_operation(first, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    JobItem.objects.filter(object_id=second).update(object_id="z" * 21)
    job = confirmed(stage, job)
    assert states(job) == [ItemState.SKIPPED, ItemState.SKIPPED, ItemState.DONE]
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "Not possible in its current state." in page
    assert "It no longer exists." in page
    only = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/?show=done").content)
    assert "It no longer exists." not in only


@pytest.mark.slow
def test_what_else_is_touched_is_said_before_a_dangerous_one(stage: Stage) -> None:
    job = asked(stage, "delete", rows(stage, action="delete")[:2])
    assert job.state == JobState.COLLECTING
    worked(job)
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "Also affected" in page
    assert "Its runs are deleted along with it" in page
    stage.browser.cookies["django_language"] = "vi"
    translated = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "Its runs are deleted along with it" not in translated
    assert "Không có lần khởi chạy nào của luồng này đang diễn ra." in translated
    stage.browser.cookies["django_language"] = "en"
    assert re.search(r'<button class="btn btn-primary" type="submit" autofocus>Leave everything as it is', page)
    assert states(confirmed(stage, job)) == [ItemState.DONE] * 2


def test_saying_no_changes_nothing_and_leads_back(stage: Stage) -> None:
    job = asked(stage, "turn-off", rows(stage)[:2])
    answer = stage.browser.post(f"/w/sales/jobs/{job.pk}/stop/")
    assert lead(answer) == LIST
    confirmed(stage, job)
    assert job.state == JobState.STOPPED
    assert not stage.writes()


def test_the_form_is_asked_once_for_all(stage: Stage) -> None:
    folder = id_at(BY_NAME["folders"].list(stage.session, Query({}, 20)).rows[0])
    ids = rows(stage, action="move")[:2]
    job = asked(stage, "move", ids)
    assert 'name="folder"' in stage.browser.get(f"/w/sales/jobs/{job.pk}/").content.decode()
    bad = stage.browser.post(f"/w/sales/jobs/{job.pk}/begin/", {"folder": "no such folder"})
    assert bad.status_code == 422
    assert states(confirmed(stage, job, folder=folder)) == [ItemState.DONE] * 2
    moved = BY_NAME["flows"].list(stage.session, Query({"folder": folder}, 100)).rows
    assert set(ids) <= {row["id"] for row in moved}
    job.refresh_from_db()
    assert folder not in job.data


@pytest.mark.slow
def test_only_the_failed_ones_are_tried_again(stage: Stage) -> None:
    ids = rows(stage)[:3]
    job = asked(stage, "turn-off", ids)
    stage.practice.engine.faults.add("status", "POST", f"*{ids[1]}", status=409, body="json")
    job = confirmed(stage, job)
    assert look_at_the_end().state == WriteState.NOT_DONE
    assert states(job) == [ItemState.DONE, ItemState.FAILED, ItemState.DONE]
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "Try the failed ones again" in page
    stage.practice.engine.faults.clear()
    answer = stage.browser.post(f"/w/sales/jobs/{job.pk}/retry/")
    again = Job.objects.get(retry_of=job)
    assert lead(answer) == f"/w/sales/jobs/{again.pk}/"
    assert list(again.items.values_list("object_id", flat=True)) == [ids[1]]
    # A second click finds the question that is there.
    assert lead(stage.browser.post(f"/w/sales/jobs/{job.pk}/retry/")) == f"/w/sales/jobs/{again.pk}/"
    assert states(confirmed(stage, again)) == [ItemState.DONE]


@pytest.mark.slow
def test_an_answer_that_is_lost_is_unclear_and_never_sent_again(stage: Stage) -> None:
    ids = rows(stage)[:2]
    job = asked(stage, "turn-off", ids)
    stage.practice.engine.faults.add("reset_before", "POST", f"*{ids[0]}")
    job = confirmed(stage, job)
    assert states(job) == [ItemState.UNCLEAR, ItemState.DONE]
    assert len(stage.writes()) == 2
    assert ("flows.turn-off", "unclear") in outcomes()
    assert "Try the failed ones again" not in text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)


@pytest.mark.parametrize("action", ["cancel", "archive", "retry", "retry-latest"])
def test_runs_are_named_in_every_call(stage: Stage, action: str) -> None:
    ids = rows(stage, "runs", action)[:3]
    assert ids
    job = confirmed(stage, asked(stage, action, [*ids, "z" * 21], "runs"), succeeded="on")
    assert states(job) == [*[ItemState.DONE] * len(ids), ItemState.SKIPPED]
    sent = [one for one in stage.practice.journal.all() if one.method != "GET"]
    if action == "retry-latest":
        assert len(sent) == len(ids)
    else:
        assert len(sent) == 1
        assert sorted(json.loads(sent[0].body)["flowRunIds"]) == sorted(ids)


def test_a_refused_credential_ends_the_job_in_words(stage: Stage) -> None:
    ids = rows(stage)[:4]
    job = asked(stage, "turn-off", ids)
    stage.practice.engine.faults.add("status", "POST", "*", status=401, body="json")
    job = confirmed(stage, job)
    assert (job.state, job.reason) == (JobState.FAILED, "credential_refused")
    assert states(job) == [*[ItemState.UNCLEAR] * 3, ItemState.WAITING]
    assert len(stage.writes()) == 3
    page = text(stage.browser.get(f"/w/sales/jobs/{job.pk}/").content)
    assert "Ended early: the engine refuses the credential" in page
    assert "Not done yet" in page


def test_without_rows_nothing_is_asked(stage: Stage) -> None:
    answer = stage.browser.post(f"{LIST}many/turn-off/", {"next": LIST})
    assert lead(answer) == LIST
    assert "Select the rows first" in text(stage.browser.get(LIST).content)
    assert not Job.objects.exists()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/?x", "/w/elsewhere/flows/?a=b"])
def test_nobody_is_led_out_of_the_list(stage: Stage, back: str) -> None:
    answer = stage.browser.post(f"{LIST}many/turn-off/", {"next": back})
    assert lead(answer).startswith(LIST)


def test_roles_decide_who_may_and_who_sees(stage: Stage) -> None:
    ids = rows(stage)[:2]
    viewer = stage.as_role(Role.VIEWER)
    assert "data-tick" not in viewer.get(LIST).content.decode()
    assert viewer.post(f"{LIST}many/turn-off/", {"id": ids}).status_code == 403
    job = asked(stage, "turn-off", ids)
    pages = [f"/w/sales/jobs/{job.pk}/{end}" for end in ("", "begin/", "stop/", "retry/")]
    for role in (Role.VIEWER, Role.BUILDER):
        other = stage.as_role(role)
        assert {other.get(url).status_code for url in pages} == {404}
        assert {other.post(url).status_code for url in pages[1:]} == {404}
        assert job.pk not in other.get("/w/sales/jobs/").content.decode()
    manager = stage.as_role(Role.MANAGER)
    page = text(manager.get(pages[0]).content)
    assert "Only owner, who requested it, can confirm it." in page
    assert manager.post(pages[1]).status_code == 303
    assert job.pk in manager.get("/w/sales/jobs/").content.decode()
    stranger = Client()
    stranger.force_login(stage.users.stranger)
    assert {stranger.get(url).status_code for url in (*pages, "/w/sales/jobs/")} == {404}
    job.refresh_from_db()
    assert job.state == JobState.ASKING
    assert not stage.writes()


def test_a_role_that_is_lost_meanwhile_ends_the_job(stage: Stage) -> None:
    stage.as_role(Role.BUILDER)
    browser = Client()
    browser.force_login(stage.users.colleague)
    browser.post(f"{LIST}many/turn-off/", {"id": rows(stage)[:2], "next": LIST})
    job = Job.objects.get()
    browser.post(f"/w/sales/jobs/{job.pk}/begin/")
    stage.as_role(Role.VIEWER)
    worked(job)
    assert (job.state, job.reason) == (JobState.FAILED, "no_access")
    assert not stage.writes()


def test_a_job_that_was_given_to_somebody_else_in_the_database_does_nothing(stage: Stage) -> None:
    job = asked(stage, "turn-off", rows(stage)[:2])
    stage.browser.post(f"/w/sales/jobs/{job.pk}/begin/")
    other = User.objects.create(username="other")
    Member.objects.create(workspace=stage.users.workspace, user=other, role=Role.MANAGER)
    Job.objects.filter(pk=job.pk).update(user=other)
    worked(job)
    assert (job.state, job.reason) == (JobState.FAILED, "no_access")
    assert not stage.writes()


def test_an_unknown_action_or_one_for_single_objects_only_is_not_found(stage: Stage) -> None:
    for action in ("nothing", "rename", "import"):
        assert stage.browser.post(f"{LIST}many/{action}/", {"id": "x"}).status_code == 404


def test_the_live_part_is_answered_only_where_it_changed(stage: Stage) -> None:
    job = asked(stage, "turn-off", [], everything="1")
    url, live = f"/w/sales/jobs/{job.pk}/", {"HX-Request": "true", "HX-Target": "job-live"}
    page = stage.browser.get(url, headers=live).content.decode()
    assert page.lstrip().startswith('<div id="job-live"')
    seen = re.search(r"seen=(\w+)", page)
    assert seen
    assert stage.browser.get(url, {"seen": seen[1]}, headers=live).status_code == 204
    worked(job)
    assert stage.browser.get(url, {"seen": seen[1]}, headers=live).status_code == 200


def test_the_list_of_jobs_says_what_there_is(stage: Stage) -> None:
    assert "There are no jobs" in text(stage.browser.get("/w/sales/jobs/").content)
    job = asked(stage, "turn-off", rows(stage)[:2])
    page = text(stage.browser.get("/w/sales/jobs/").content)
    assert job.pk in page
    assert "Turn off: Flows" in page
    assert "Waits for confirmation" in page


@pytest.mark.slow
def test_every_list_can_be_looked_at_again(stage: Stage) -> None:
    for resource in BY_NAME.values():
        url = f"{resource.url('sales')}?rows=20"
        page = stage.browser.get(url)
        if page.status_code == 200 and page.templates and 'id="results"' in page.content.decode():
            # Of what is kept for a while, only an address of its own reads again.
            query = url.partition("?")[2]
            address = rf'id="refresh" href="{resource.url("sales")}\?{query}(&amp;[a-z_]+=[a-z0-9]+)?"'
            assert re.search(address, page.content.decode()), resource.name
