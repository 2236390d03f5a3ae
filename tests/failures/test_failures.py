"""Failures folded by cause: what the list shows to whom, the states of a pattern, and what people do about one."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from practice_engine import ids
from tests.run_index.index_scene import launched, read_all, start
from tests.stage import Stage, everything_told, outcomes, stage
from tests.users import credential
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import clock
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.failures.models import FailurePattern, NoteVote
from workflows_ui.jobs.models import Job, JobState
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import secrets
from workflows_ui.members.models import Role
from workflows_ui.notes.models import Note
from workflows_ui.notifications.models import Notice
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.runs.masking import WITHHELD

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
LIST = "/w/sales/failures/"


def add_runs(stage: Stage, *messages: str, status: str = "FAILED", seconds: int = 60) -> list[str]:
    """Runs of one flow in the engine's store, which has no others; the first is the newest, `seconds` old. Return their ids."""
    state, now = stage.practice.engine.state, timezone.now()
    project = stage.users.workspace.project_id
    with state.lock:
        model = next(row for row in state.runs.values() if (row["status"], row["projectId"]) == ("FAILED", project))
        added = []
        for number, message in enumerate(messages):
            moment = ids.stamp(now - timedelta(seconds=seconds + number))
            row: dict[str, Any] = model | {"id": ids.new_id(), "status": status, "created": moment, "updated": moment}
            row |= {"startTime": moment, "finishTime": moment, "archivedAt": None, "parentRunId": None}
            row["failedStep"] = (
                {"name": "step_1", "displayName": "Charge <b>card</b>", "message": message}
                if status == "FAILED"
                else None
            )
            state.runs[row["id"]] = row
            added.append(row["id"])
    return added


def only(stage: Stage, *messages: str) -> list[str]:
    """The index of a workspace whose only failures these are; the ids of the runs."""
    state, project = stage.practice.engine.state, stage.users.workspace.project_id
    others = [row for row in state.runs.values() if row["projectId"] == project and row["status"] != "SUCCEEDED"]
    added = add_runs(stage, *messages)
    for row in others:
        del state.runs[row["id"]]
    start(stage)
    read_all(stage)
    return added


def read_again(stage: Stage) -> None:
    """What the engine has got since."""
    RunIndex.objects.update(read_until=timezone.now() - timedelta(hours=1))
    read_all(stage)


def text(browser: Client, path: str) -> str:
    """A page as text, in one line."""
    response = browser.get(path)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", strip_tags(response.content.decode()))


def found(browser: Client, query: str = "") -> list[str]:
    """The addresses of the listed patterns."""
    response = browser.get(LIST + query)
    assert response.status_code == 200
    return list(dict.fromkeys(re.findall(rf"{LIST}\d+/", response.content.decode())))


def share(stage: Stage) -> None:
    """The credential of the index with the colleague's team."""
    team = stage.users.colleague.groups.create(name="Reporting")
    sharing.write(stage.users.credential, team, stage.users.owner)


@pytest.mark.slow
@pytest.mark.both_databases
def test_failures_that_differ_in_values_only_are_one_line_with_a_count(stage: Stage) -> None:
    only(stage, "Order 4711 was refused", "Order 4712 was refused", "The card has expired")
    assert len(found(stage.browser)) == 2
    page = text(stage.browser, LIST)
    assert "Order 4711 was refused" in page
    assert "Order 4712" not in page
    refused, expired = found(stage.browser, "?sort=-number")
    assert "2 runs failed like this" in text(stage.browser, refused)
    assert "1 run failed like this" in text(stage.browser, expired)
    assert "Order 4712 was refused" in text(stage.browser, refused)


@pytest.mark.slow
@pytest.mark.both_databases
def test_only_the_last_days_are_listed_and_a_pattern_has_all_its_runs(stage: Stage) -> None:
    old, *_rest = only(stage, "Order 1 was refused", "Order 2 was refused")
    IndexedRun.objects.filter(run_id=old).update(created=timezone.now() - timedelta(days=40))
    (url,) = found(stage.browser)
    assert "Order 1" not in text(stage.browser, LIST)
    assert "2 runs failed like this" in text(stage.browser, url)
    IndexedRun.objects.update(created=timezone.now() - timedelta(days=40))
    RunIndex.objects.update(version=1)
    assert found(stage.browser) == []
    assert "2 runs failed like this" in text(stage.browser, url)


@pytest.mark.slow
def test_a_handled_failure_is_open_again_when_it_returns(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    (url,) = found(stage.browser)
    assert stage.browser.post(f"{url}handled/").status_code == 303
    assert found(stage.browser) == []
    assert found(stage.browser, "?state=handled") == [url]
    assert "owner marked it as handled" in text(stage.browser, url)
    add_runs(stage, "Order 4713 was refused", seconds=-5)
    read_again(stage)
    assert found(stage.browser) == [url]
    assert outcomes()[-1] == ("failure.handle", "done")


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_failure_is_closed_when_its_flow_succeeds_and_open_when_it_fails_again(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    (url,) = found(stage.browser)
    add_runs(stage, "", status="SUCCEEDED", seconds=30)
    read_again(stage)
    assert found(stage.browser) == []
    assert found(stage.browser, "?state=succeeded") == [url]
    assert "The flow has succeeded since" in text(stage.browser, url)
    add_runs(stage, "Order 4712 was refused", seconds=5)
    read_again(stage)
    assert found(stage.browser) == [url]


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_snoozed_failure_is_open_again_after_its_time_or_when_it_is_reopened(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(stage, "Order 4711 was refused")
    (url,) = found(stage.browser)
    stage.browser.post(f"{url}snooze/", {"time": "week"})
    assert found(stage.browser) == []
    assert found(stage.browser, "?state=snoozed") == [url]
    later = timezone.now() + timedelta(days=8)
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: later)
        assert found(stage.browser) == [url]
    stage.browser.post(f"{url}snooze/", {"time": "endless"})
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: later)
        assert found(stage.browser) == []
    assert "until someone reopens it" in text(stage.browser, url)
    assert "asteriskField" not in stage.browser.get(url).content.decode()
    stage.browser.post(f"{url}reopen/")
    assert found(stage.browser) == [url]
    stage.browser.post(f"{url}snooze/", {"time": "for ever"})
    assert found(stage.browser) == [url]


@pytest.mark.slow
def test_a_failure_is_assigned_to_members_only(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    (url,) = found(stage.browser)
    stage.browser.post(f"{url}assign/", {"person": stage.users.colleague.pk})
    assert FailurePattern.objects.get().assigned_to == stage.users.colleague
    assert stage.users.colleague.label in text(stage.browser, LIST)
    stage.browser.post(f"{url}assign/", {"person": stage.users.stranger.pk})
    assert FailurePattern.objects.get().assigned_to == stage.users.colleague
    stage.browser.post(f"{url}assign/", {"person": ""})
    assert FailurePattern.objects.get().assigned_to is None
    assert outcomes()[-2:] == [("failure.assign", "done")] * 2


def test_a_person_is_notified_once_of_a_failure_that_somebody_else_assigns_to_them(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    share(stage)
    (url,) = found(stage.browser)
    owner, colleague = stage.users.owner, stage.users.colleague
    for person in (owner, colleague, colleague):
        stage.browser.post(f"{url}assign/", {"person": person.pk})
    [notice] = Notice.objects.all()
    assert (notice.user, notice.url) == (colleague, url)
    assert notice.mail_at is not None
    reader = Client()
    reader.force_login(colleague)
    page = text(reader, "/notices/")
    assert "owner assigned a failure to you" in page
    assert "Charge" in page
    assert "4711" not in page
    stage.browser.post(f"{url}assign/", {"person": ""})
    stage.browser.post(f"{url}assign/", {"person": colleague.pk})
    assert Notice.objects.filter(user=colleague).count() == 2


@pytest.mark.slow
def test_who_does_not_see_failures_is_not_notified_and_the_page_says_so(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    CredentialShare.objects.all().delete()
    (url,) = found(stage.browser)
    response = stage.browser.post(f"{url}assign/", {"person": stage.users.colleague.pk}, follow=True)
    assert "was not notified" in response.content.decode()
    assert not Notice.objects.exists()


@pytest.mark.slow
def test_people_find_what_is_assigned_to_them(stage: Stage) -> None:
    only(stage, "Order 4711 was refused", "The card has expired")
    mine, other = found(stage.browser)
    stage.browser.post(f"{mine}assign/", {"person": stage.users.owner.pk})
    stage.browser.post(f"{other}assign/", {"person": stage.users.colleague.pk})
    assert found(stage.browser, "?assigned=me") == [mine]
    assert set(found(stage.browser)) == {mine, other}
    response = stage.browser.get(f"{LIST}file/csv/?assigned=me")
    assert len(b"".join(response.streaming_content).splitlines()) == 2  # type: ignore[attr-defined]


@pytest.mark.slow
def test_all_runs_of_a_failure_are_retried_by_one_job_after_a_confirmation(stage: Stage) -> None:
    runs = only(stage, "Order 4711 was refused", "Order 4712 was refused", "The card has expired")[:2]
    url = next(one for one in found(stage.browser) if "4711" in text(stage.browser, one))
    page = stage.browser.get(url).content.decode()
    assert "Retry all of these" in page
    form = page[page.index('action="/w/sales/runs/many/retry/"') :].partition("</form>")[0]
    ids = re.findall(r'name="id" value="([^"]+)"', form)
    assert ids == runs
    response = stage.browser.post("/w/sales/runs/many/retry/", {"id": ids}, follow=True)
    job = Job.objects.get()
    assert (job.action, job.state) == ("retry", JobState.ASKING)
    assert [item.object_id for item in job.items.order_by("pk")] == runs
    assert response.request["PATH_INFO"] == f"/w/sales/jobs/{job.pk}/"
    assert "Retry all of these" not in stage.as_role(Role.VIEWER).get(url).content.decode()


@pytest.mark.slow
def test_a_note_is_sealed_and_follows_the_reason_on_every_run_that_fails_like_this(stage: Stage) -> None:
    run, other = only(stage, "Order 4711 was refused", "The card has expired")
    url = next(one for one in found(stage.browser) if "4711" in text(stage.browser, one))
    assert "How it was handled before" not in text(stage.browser, f"/w/sales/runs/{run}/")
    stage.browser.post(f"{url}note/", {"text": "Ask <i>billing</i>, then retry."})
    assert "billing" not in repr(list(FailurePattern.objects.values()))
    assert "billing" not in everything_told()
    for page in (f"/w/sales/runs/{run}/", url):
        content = stage.browser.get(page).content.decode()
        assert "Ask &lt;i&gt;billing&lt;/i&gt;, then retry." in content
        assert "<i>billing" not in content
    (new,) = add_runs(stage, "Order 5000 was refused", seconds=1)
    read_again(stage)
    content = stage.browser.get(f"/w/sales/runs/{new}/").content.decode()
    assert (
        content.index('id="failure-message"')
        < content.index("How it was handled before")
        < content.index("Who can help")
    )
    assert "How it was handled before" not in text(stage.browser, f"/w/sales/runs/{other}/")
    stage.browser.post(f"{url}note/", {"text": ""})
    assert "How it was handled before" not in text(stage.browser, f"/w/sales/runs/{run}/")


@pytest.mark.slow
def test_a_failed_launch_says_what_helped_before_also_before_the_index_has_its_run(stage: Stage) -> None:
    (first,) = only(stage, "Order 4711 was refused")
    (url,) = found(stage.browser)
    share(stage)
    launched(stage, first, "{}", user=stage.users.colleague, state=State.FAILED, ended_at=timezone.now())
    story = f"/w/sales/launches/{Launch.objects.get().pk}/story/"
    assert f'href="{url}"' in stage.browser.get(story).content.decode()
    stage.browser.post(f"{url}note/", {"text": "Ask billing, then retry."})
    (new,) = add_runs(stage, "Order 5000 was refused", seconds=1)
    Launch.objects.update(run_id=new)
    assert "Ask billing, then retry." in stage.browser.get(story).content.decode()
    launcher = stage.as_role(Role.LAUNCHER)
    assert "Ask billing, then retry." in launcher.get(story).content.decode()
    CredentialShare.objects.all().delete()
    credential(stage.users.workspace, stage.users.colleague, stage.secret)
    assert "Ask billing" not in launcher.get(story).content.decode()
    page = stage.browser.get(story, headers={"HX-Request": "true", "HX-Target": "launch-story"}).content.decode()
    assert re.search(r'id="launch-helped" hx-swap-oob="true">\s*<div class="alert', page)


@pytest.mark.slow
def test_a_note_that_was_changed_in_the_database_is_not_shown(stage: Stage) -> None:
    only(stage, "Order 4711 was refused", "The card has expired")
    first, second = found(stage.browser)
    stage.browser.post(f"{first}note/", {"text": "Ask billing"})
    stage.browser.post(f"{second}note/", {"text": "Send a new card"})
    one, two = FailurePattern.objects.order_by("pk")
    FailurePattern.objects.filter(pk=one.pk).update(note=two.note)
    assert "This note cannot be read" in text(stage.browser, first)


def test_roles_limit_what_can_be_done(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    share(stage)
    (url,) = found(stage.browser)
    allowed = {
        Role.VIEWER: set[str](),
        Role.LAUNCHER: {"handled", "reopen", "note"},
        Role.BUILDER: {"handled", "reopen", "note", "assign", "snooze"},
    }
    for role, names in allowed.items():
        FailurePattern.objects.all().delete()
        browser = stage.as_role(role)
        page = browser.get(url).content.decode()
        assert {name for name in allowed[Role.BUILDER] if f"{url}{name}/" in page} == names - {"reopen"}
        for name in allowed[Role.BUILDER]:
            assert (browser.post(f"{url}{name}/").status_code == 403) is (name not in names), (role, name)


def test_messages_hide_inputs_from_launchers_who_may_not_open_the_launch(stage: Stage) -> None:
    (run,) = only(stage, "The code hunter2-4711 is wrong")
    share(stage)
    launched(stage, run, '{"code": "hunter2-4711"}')
    (url,) = found(stage.browser)
    launcher = stage.as_role(Role.LAUNCHER)
    for page in (LIST, url):
        assert "hunter2" in text(stage.browser, page)
        assert "hunter2" not in text(launcher, page)
        assert str(WITHHELD)[:20] in text(launcher, page)


def test_messages_hide_secret_inputs_from_everybody(stage: Stage) -> None:
    (run,) = only(stage, "The code hunter2-4711 is wrong")
    launched(stage, run, '{"code": "hunter2-4711"}', secret_marks=secrets.marks([(("code",), "hunter2-4711")]))
    (url,) = found(stage.browser)
    for page in (LIST, url):
        assert "The code" in text(stage.browser, page)
        assert "hunter2" not in stage.browser.get(page).content.decode()
    response = stage.browser.get(f"{LIST}file/json/")
    assert b"hunter2" not in b"".join(response.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_failures_are_folded_with_the_index_that_holds_them_alone(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    with CaptureQueriesContext(connection) as queries:
        found(stage.browser)
    (fold,) = [query["sql"] for query in queries if "GROUP BY" in query["sql"] and "fingerprint" in query["sql"]]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Of so few rows it would read the table.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{fold}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "listed_runs_failed_alike" in plan


@pytest.mark.slow
def test_the_list_is_a_file_with_the_errors_that_the_person_may_see(stage: Stage) -> None:
    only(stage, "Order 4711 was refused", "The card has expired")
    (url, _other) = found(stage.browser)
    stage.browser.post(f"{url}handled/")
    response = stage.browser.get(f"{LIST}file/csv/?state=handled")
    content = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert len(content.splitlines()) == 2
    assert ("4711" in content) is ("4711" in text(stage.browser, url))
    assert outcomes()[-1] == ("failures.export", "done")
    assert f"{LIST}file/csv/" in stage.browser.get(LIST).content.decode()
    assert stage.browser.get(f"{LIST}file/xls/").status_code == 404


@pytest.mark.slow
def test_texts_of_the_engine_are_escaped(stage: Stage) -> None:
    only(stage, "<script>alert(1)</script> was refused")
    (url,) = found(stage.browser)
    for page in (LIST, url):
        content = stage.browser.get(page).content.decode()
        assert "<script>alert" not in content
        assert "<b>card" not in content
        assert "&lt;script&gt;alert(1)" in content


@pytest.mark.slow
def test_without_the_index_the_page_says_who_helps_and_the_menu_leaves_it_out(stage: Stage) -> None:
    assert "You cannot see failures in this workspace yet" in text(stage.browser, LIST)
    assert f'href="{LIST}"' not in stage.browser.get("/w/sales/runs/").content.decode()
    only(stage, "Order 4711 was refused")
    (url,) = found(stage.browser)
    assert f'href="{LIST}"' in stage.browser.get("/w/sales/runs/").content.decode()
    CredentialShare.objects.all().delete()
    launcher = stage.as_role(Role.LAUNCHER)
    for page in (LIST, url):
        assert "its credential is not shared with your team. Ask a manager" in text(launcher, page)
        assert "was refused" not in text(launcher, page)
    assert launcher.post(f"{url}handled/").headers["Location"] == LIST
    assert not FailurePattern.objects.exists()
    assert stage.browser.get(f"{LIST}12345/").status_code == 404
    assert stage.browser.get(f"{LIST}{2**70}/").status_code == 404


@pytest.mark.slow
def test_a_handled_failure_is_open_again_when_an_earlier_run_fails_afterwards(stage: Stage) -> None:
    run, _other = only(stage, "Order 4711 was refused", "Order 4712 was refused")
    (url,) = found(stage.browser)
    stage.browser.post(f"{url}handled/")
    assert found(stage.browser) == []
    state = stage.practice.engine.state
    with state.lock:
        # Retried: it was created before, and has ended since.
        moment = ids.stamp(timezone.now() + timedelta(seconds=2))
        state.runs[run] |= {"finishTime": moment, "updated": moment}
    read_again(stage)
    assert found(stage.browser) == [url]
    # Handled again at once, by a clock that is behind the engine's.
    stage.browser.post(f"{url}handled/")
    assert found(stage.browser) == []


def test_affected_people_are_shown_to_people_who_may_open_the_launches(stage: Stage) -> None:
    first, second, _third = only(stage, "Order 1 was refused", "Order 2 was refused", "Order 3 was refused")
    share(stage)
    stage.users.colleague.first_name = "Minh Anh"
    stage.users.colleague.save()
    launched(stage, first, "{}", user=stage.users.colleague)
    launched(stage, second, "{}")
    (url,) = found(stage.browser)
    page = text(stage.browser, url)
    assert "Who was affected" in page
    assert "Minh Anh 1 run" in page
    assert "1 run was not launched from the console" in page
    viewer = text(stage.as_role(Role.VIEWER), url)
    # The colleague's own; neither the owner's nor how many are left.
    assert "Minh Anh 1 run" in viewer
    assert "owner 1 run" in page
    assert "owner 1 run" not in viewer
    assert "not launched from the console" not in viewer


@pytest.mark.slow
def test_people_talk_about_a_failure_in_notes_that_end_with_the_index(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    (url,) = found(stage.browser)
    notes = f"/w/sales/notes/failure/{url.split('/')[-2]}/"
    assert stage.browser.post(notes, {"text": "Billing <b>knows</b>."}).headers["Location"] == url
    assert "Billing &lt;b&gt;knows&lt;/b&gt;." in stage.browser.get(url).content.decode()
    assert "knows" not in repr(list(Note.objects.values()))
    assert AuditEvent.objects.get(action="note.add").object_name == "Tiếp nhận đơn hàng › Charge <b>card</b>"
    colleague = stage.as_role(Role.MANAGER)
    # Who may not see the index sees none of its failures' notes, nor adds or deletes any.
    assert colleague.get(notes).status_code == 404
    assert colleague.post(notes, {"text": "Hello"}).status_code == 404
    assert colleague.post(f"/w/sales/notes/{Note.objects.get().pk}/", {"delete": "1"}).status_code == 404
    for number in ("12345", "x", str(2**70), "9" * 4000):
        assert stage.browser.get(f"/w/sales/notes/failure/{number}/").status_code == 404
    stage.browser.post("/w/sales/run-index/stop/", {"sure": "yes"})
    assert not Note.objects.exists()


@pytest.mark.slow
def test_people_say_whether_a_note_helped_until_it_is_changed(stage: Stage) -> None:
    (run,) = only(stage, "Order 4711 was refused")
    share(stage)
    (url,) = found(stage.browser)
    page = f"/w/sales/runs/{run}/"
    viewer = stage.as_role(Role.VIEWER)
    assert "Did it help?" not in text(viewer, url)
    viewer.post(f"{url}helped/", {"helped": "yes"})
    stage.browser.post(f"{url}note/", {"text": "Ask billing"})
    assert not NoteVote.objects.exists()
    assert viewer.post(f"{url}helped/", {"helped": "yes", "run": run}).headers["Location"] == page
    assert stage.browser.post(f"{url}helped/", {"helped": "yes"}).headers["Location"] == url
    viewer.post(f"{url}helped/", {"helped": "perhaps"})
    assert "Did it help? Yes 2 No 0" in text(viewer, page)
    stage.browser.post(f"{url}helped/", {"helped": "no"})
    for shown in (page, url):
        assert "Did it help? Yes 1 No 1" in text(stage.browser, shown)
    assert outcomes()[-1] == ("failure.vote", "done")
    stage.browser.post(f"{url}note/", {"text": "Ask the bank"})
    assert "Did it help? Yes 0 No 0" in text(viewer, page)


def test_the_end_of_the_index_deletes_the_notes(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    (url,) = found(stage.browser)
    stage.browser.post(f"{url}note/", {"text": "Ask billing"})
    stage.browser.post("/w/sales/run-index/stop/", {"sure": "yes"})
    assert not FailurePattern.objects.exists()


@pytest.mark.slow
@pytest.mark.both_databases
def test_the_list_takes_as_many_queries_for_many_patterns_as_for_one(stage: Stage) -> None:
    only(stage, "Order 4711 was refused")
    found(stage.browser)
    with CaptureQueriesContext(connection) as few:
        found(stage.browser)
    add_runs(stage, *[f"Reason {chr(97 + number)} is bad" for number in range(15)])
    read_again(stage)
    with CaptureQueriesContext(connection) as many:
        assert len(found(stage.browser)) == 16
    # The two that fold the runs are kept until one of them changes.
    assert len(many) <= len(few) + 2
    with CaptureQueriesContext(connection) as again:
        found(stage.browser)
    assert len(again) == len(few)
