"""What follows when the answer to a write proves nothing: looks, the page, repeated presses, edits with their undo, the audit log."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.stage import HTMX, TYPED_SECRET, Stage, outcomes
from tests.stub_engine import text
from tests.unclear_writes.later import act_late, look_at_the_end
from workflows_ui.audit import page as history
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import clock
from workflows_ui.flow_editing import services as flow_edits
from workflows_ui.flow_editing.models import EditState, FlowEdit
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.unclear_writes import services
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState
from workflows_ui.write_looks import worker

ADD_NOTE = next(action for action in RESOURCES["flows"].actions if action.name == "note-add")


def _table(stage: Stage) -> tuple[str, str]:
    """A table with a column."""
    table = stage.session.workflows.create_table("Stock")["id"]
    return table, stage.session.workflows.create_field(table, "sku")["id"]


def _records(stage: Stage, table: str) -> list[Any]:
    rows: list[Any] = stage.session.workflows.list_records(table, limit=100)["data"]
    return rows


def _live_part(stage: Stage, write: UnclearWrite) -> str:
    """The part of a form's page that is read again and again."""
    url = f"/w/sales/checks/{write.pk}/?form=1"
    return text(stage.browser.get(url, headers=HTMX | {"HX-Target": "write-check"}).content)


def _answer(stage: Stage, path: str, *, acted: bool, status: int = 503) -> None:
    stage.practice.engine.faults.add("status", "POST", path, status=status, times=1, act=acted)


@pytest.mark.parametrize("acted", [False, True], ids=["before", "after"])
def test_a_record_that_is_added_again_as_the_page_allows_is_there_once(stage: Stage, acted: bool) -> None:
    table, field = _table(stage)
    url = f"/w/sales/tables/{table}/records/do/new/"
    _answer(stage, "/v1/records", acted=acted)
    first = stage.browser.post(url, {field: "A-1"})
    if acted:
        assert first.status_code == 303
        assert len(_records(stage, table)) == 1
        return
    page = text(first.content).partition("<template")[0]
    assert "Checking whether it was done" in page
    assert page.count("a second time") == 1
    assert 'type="submit"' not in page.partition('id="action"')[2].partition("<dialog")[0]
    again = stage.browser.post(url, {field: "A-1"})
    assert "This may already have been done" in text(again.content)
    assert not _records(stage, table)
    # Another record is another matter.
    assert stage.browser.post(url, {field: "A-2"}).status_code == 303


def test_a_repeated_press_that_was_confirmed_is_sent(stage: Stage) -> None:
    table, field = _table(stage)
    url = f"/w/sales/tables/{table}/records/do/new/"
    _answer(stage, "/v1/records", acted=False)
    stage.browser.post(url, {field: "A-1"})
    name, value = stage.browser.post(url, {field: "A-1"}).context["repeated"]
    assert stage.browser.post(url, {field: "A-1", name: value}).status_code == 303
    assert len(_records(stage, table)) == 1


def test_not_done_is_said_at_the_end_of_the_search_only(stage: Stage) -> None:
    table, field = _table(stage)
    _answer(stage, "/v1/records", acted=False)
    stage.browser.post(f"/w/sales/tables/{table}/records/do/new/", {field: "A-1"})
    write = UnclearWrite.objects.get()
    end = write.asked_at + settings.LAUNCH_SEARCH
    for _number in range(20):
        UnclearWrite.objects.update(not_before=None, enqueued_at=None)
        assert services.to_enqueue() == [write.pk]
        worker.look(write.pk)
        write.refresh_from_db()
        assert write.is_checked
        assert write.not_before is not None
        assert write.not_before <= end
    assert "unclear whether this happened" in _live_part(stage, write)
    assert look_at_the_end().state == WriteState.NOT_DONE
    page = _live_part(stage, write)
    assert "unclear whether this happened" not in page
    assert "It was not done" in page
    assert "Send it again" in page
    assert "hx-get" not in page


def test_an_engine_that_acted_minutes_later_is_believed(stage: Stage) -> None:
    table, field = _table(stage)
    _answer(stage, "/v1/records", acted=False)
    stage.browser.post(f"/w/sales/tables/{table}/records/do/new/", {field: "A-1"})
    stage.session.workflows.create_records(table, [{field: "A-1"}])
    UnclearWrite.objects.update(not_before=None)
    write = UnclearWrite.objects.get()
    worker.look(write.pk)
    write.refresh_from_db()
    assert (write.state, write.content) == (WriteState.DONE, "")
    assert [outcome for _action, outcome in outcomes()] == ["begun", "unclear", "done"]
    begun = AuditEvent.objects.get(outcome="begun")
    end = history.lines([begun], "sales")[0]["end"]
    assert end is not None
    assert end.outcome == "done"
    assert not history.with_outcome(AuditEvent.objects.filter(begun=None), "unclear").exists()


def test_an_engine_that_cannot_be_read_is_asked_for_longer_and_then_nobody_can_say(stage: Stage) -> None:
    table, field = _table(stage)
    _answer(stage, "/v1/records", acted=False)
    stage.browser.post(f"/w/sales/tables/{table}/records/do/new/", {field: "A-1"})
    stage.practice.engine.faults.add("status", "GET", "*", status=401)
    assert look_at_the_end().state == WriteState.CHECKING
    hour = settings.LAUNCH_SEARCH + services.UNREADABLE_FOR + timedelta(seconds=1)
    UnclearWrite.objects.update(not_before=None, asked_at=clock.now() - hour)
    write = UnclearWrite.objects.get()
    worker.look(write.pk)
    write.refresh_from_db()
    assert write.state == WriteState.UNCLEAR


def test_a_moved_workspace_is_not_looked_into(stage: Stage) -> None:
    table, field = _table(stage)
    _answer(stage, "/v1/records", acted=False)
    stage.browser.post(f"/w/sales/tables/{table}/records/do/new/", {field: "A-1"})
    stage.users.workspace.moves += 1
    stage.users.workspace.save()
    assert look_at_the_end().state == WriteState.CHECKING


def test_only_the_workspace_sees_a_write_and_what_was_sent_is_sealed(stage: Stage) -> None:
    table, field = _table(stage)
    _answer(stage, "/v1/records", acted=False)
    stage.browser.post(f"/w/sales/tables/{table}/records/do/new/", {field: "hunter2"})
    write = UnclearWrite.objects.get()
    assert "hunter2" not in repr(UnclearWrite.objects.values())
    assert "hunter2" in write.open("content")
    stranger = Client()
    stranger.force_login(stage.users.stranger)
    assert stranger.get(f"/w/sales/checks/{write.pk}/").status_code == 404
    assert "hunter2" not in text(stage.browser.get(f"/w/sales/checks/{write.pk}/").content)


def _form_again(stage: Stage, browser: Client) -> Any:
    """The form to which the page of a write that was not done leads."""
    write = look_at_the_end()
    assert write.state == WriteState.NOT_DONE
    page = text(stage.browser.get(f"/w/sales/checks/{write.pk}/").content)
    link = re.search(r'href="([^"]*)">Open the form again</a>', page)
    assert link
    answer = browser.get(unescape(link[1]))
    assert answer.status_code == 200
    return answer


def test_after_not_done_the_form_opens_with_what_the_person_typed_and_for_nobody_else(stage: Stage) -> None:
    table, field = _table(stage)
    url = f"/w/sales/tables/{table}/records/do/new/"
    _answer(stage, "/v1/records", acted=False)
    stage.browser.post(url, {field: "A-1"})
    again = _form_again(stage, stage.browser)
    assert "A-1</textarea>" in text(again.content)
    assert "A-1" not in repr(UnclearWrite.objects.values())
    assert "A-1" not in text(stage.browser.get(url).content)
    colleague = stage.as_role(Role.BUILDER)
    assert "A-1" not in text(
        colleague.get(again.request["PATH_INFO"], {"again": UnclearWrite.objects.get().pk}).content
    )
    sent = dict(again.context["form"].data.items())
    assert stage.browser.post(url, sent | {"action-ticket": again.context["ticket"]}).status_code == 303
    assert len(_records(stage, table)) == 1


def test_a_secret_is_not_kept_for_the_form_that_opens_again(stage: Stage) -> None:
    key = next(row["id"] for row in stage.session.workflows.list_connections()["data"] if row["type"] == "SECRET_TEXT")
    _answer(stage, "/v1/app-connections", acted=False)
    url = f"/w/sales/connections/do/replace-secret/{key}/"
    stage.browser.post(url, {"secret_text": TYPED_SECRET, "sure": "yes"})
    again = _form_again(stage, stage.browser)
    assert "Enter the secret again" in text(again.content)
    assert TYPED_SECRET not in text(again.content)
    assert TYPED_SECRET not in UnclearWrite.objects.get().open("content")


def test_the_title_of_a_check_has_one_colon(stage: Stage) -> None:
    table = _table(stage)[0]
    _answer(stage, f"/v1/tables/{table}", acted=False)
    stage.browser.post(f"/w/sales/tables/do/rename/{table}/", {"name": "Goods"})
    page = text(stage.browser.get(f"/w/sales/checks/{UnclearWrite.objects.get().pk}/").content)
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert heading
    assert heading[1].count(":") == 1
    assert "Stock" in heading[1]


def _edit(stage: Stage, *, acted: bool, status: int) -> tuple[str, Any]:
    """Add a note to a flow; the answer is replaced. Return the flow's id and the answer."""
    url = stage.url(RESOURCES["flows"], ADD_NOTE)
    fields = stage.fields(RESOURCES["flows"], ADD_NOTE, url)
    _answer(stage, "/v1/flows/*", acted=acted, status=status)
    return url.rstrip("/").rpartition("/")[2], stage.browser.post(url, fields)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("status", [401, 403, 404, 410, 400, 409, 413, 422, 429, 500, 503])
def test_an_edit_that_the_engine_made_is_done_whatever_its_answer_became(stage: Stage, status: int) -> None:
    _flow, answer = _edit(stage, acted=True, status=status)
    assert answer.status_code == 303
    assert FlowEdit.objects.get().state == EditState.DONE
    assert outcomes()[-1] == ("flows.note-add", "done")


def test_an_edit_keeps_its_record_until_it_is_known_that_nothing_changed(stage: Stage) -> None:
    flow, answer = _edit(stage, acted=False, status=404)
    assert "Deleted" not in text(answer.content)
    edit = FlowEdit.objects.get()
    assert edit.state == EditState.SENT
    # Its page can be opened, from the flow's own.
    assert stage.browser.get(f"/w/sales/flows/{flow}/edits/{edit.pk}/").status_code == 200
    assert look_at_the_end().state == WriteState.NOT_DONE
    assert not FlowEdit.objects.exists()


def test_an_edit_that_the_engine_makes_late_can_be_undone(stage: Stage) -> None:
    flow, _page = _edit(stage, acted=False, status=500)
    act_late(stage.practice, f"/v1/flows/{flow}")
    assert look_at_the_end().state == WriteState.DONE
    edit = FlowEdit.objects.get()
    assert edit.state == EditState.DONE
    assert stage.browser.get(f"/w/sales/flows/do/edit-undo/{flow}/").status_code == 200


def test_an_undo_that_is_found_later_leaves_only_earlier_edits_to_undo(stage: Stage) -> None:
    url = stage.url(RESOURCES["flows"], ADD_NOTE)
    edits: list[str] = []
    for _edit in range(2):
        assert stage.browser.post(url, stage.fields(RESOURCES["flows"], ADD_NOTE, url)).status_code == 303
        edits.append(FlowEdit.objects.exclude(pk__in=edits).get().pk)
    flow = url.rstrip("/").rpartition("/")[2]
    undo = next(action for action in RESOURCES["flows"].actions if action.name == "edit-undo")
    url = f"/w/sales/flows/do/edit-undo/{flow}/"
    fields = stage.fields(RESOURCES["flows"], undo, url)
    _answer(stage, "/v1/flows/*", acted=False)
    assert stage.browser.post(url, fields).status_code == 422
    act_late(stage.practice, f"/v1/flows/{flow}")
    assert look_at_the_end().state == WriteState.DONE
    assert set(FlowEdit.objects.exclude(pk=edits[0]).values_list("state", flat=True)) == {EditState.UNDONE}
    left = flow_edits.latest(stage.session.workspace, flow)
    assert left is not None
    assert left.pk == edits[0]


def test_an_edit_beside_somebody_elses_is_unclear(stage: Stage) -> None:
    flow, _page = _edit(stage, acted=False, status=500)
    rename = {"type": "CHANGE_NAME", "request": {"displayName": "Renamed by a colleague"}}
    stage.session.workflows.apply_flow_operation(flow, rename)
    assert look_at_the_end().state == WriteState.UNCLEAR
    assert FlowEdit.objects.get().state == EditState.SENT
