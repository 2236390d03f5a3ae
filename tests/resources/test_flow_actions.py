"""What is done with flows, as a builder does it: each deed and what the engine has afterwards, in both flavours."""

import html
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.response import HttpResponseBase

from tests import flows
from tests.practice_engine.fixtures import until
from tests.stage import HTMX, Stage, lead
from tests.stub_engine import identity, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.engine import NotFound
from workflows_ui.flow_editing import services as flow_edits
from workflows_ui.flow_editing.models import EditState, FlowEdit
from workflows_ui.flows import versions
from workflows_ui.members.models import Flavour, Role


def url(action: str, flow_id: str) -> str:
    return f"/w/sales/flows/do/{action}/{flow_id}/"


def state(stage: Stage, flow_id: str) -> dict[str, Any]:
    return stage.session.workflows.get_flow(flow_id)


def made(stage: Stage, name: str = "Made here", *, publish: bool = True) -> str:
    return flows.make(stage.session.workflows, name, flows.code("echo"), flows.response({"ok": True}), publish=publish)


def key_of(response: HttpResponseBase) -> str:
    return lead(response).partition("?")[0].rstrip("/").rsplit("/", 1)[-1]


def hidden(response: Any) -> dict[str, list[str]]:
    """What the form that asks once more would send."""
    found: dict[str, list[str]] = {}
    page = response.content.decode()
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        chosen = "checked" in tag or 'type="hidden"' in tag or 'type="text"' in tag
        if name and chosen and name[1] != "csrfmiddlewaretoken":
            found.setdefault(name[1], []).append(html.unescape(value[1]) if value else "")
    for name, options in re.findall(r'<select name="([^"]*)".*?>(.*?)</select>', page, re.DOTALL):
        found[name] = [html.unescape(value) for value in re.findall(r'<option value="([^"]*)" selected', options)]
    return found


def upload(content: Any, name: str = "flow.json") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content if isinstance(content, bytes) else json.dumps(content).encode())


def names(trigger: Any) -> list[str]:
    found = []
    while isinstance(trigger, dict):
        found.append(trigger["name"])
        trigger = trigger.get("nextAction")
    return found


def test_a_flow_is_turned_off_after_a_question_and_on_with_one_click(stage: Stage) -> None:
    flow = made(stage)
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/").content)
    assert f'<form method="get" action="{url("turn-off", flow)}" class="object-switch">' in page
    assert 'aria-checked="true"' in page
    assert "does not start any more" in text(stage.browser.get(url("turn-off", flow)).content)
    stage.browser.post(url("turn-off", flow), {"sure": "yes"})
    assert state(stage, flow)["status"] == "DISABLED"
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/").content)
    assert f'<form method="post" action="{url("turn-on", flow)}" class="object-switch">' in page
    assert 'aria-checked="false"' in page
    stage.browser.post(url("turn-on", flow))
    assert state(stage, flow)["status"] == "ENABLED"


def test_publishing_says_what_changes_and_asks_again_if_somebody_changed_the_draft_meanwhile(stage: Stage) -> None:
    flow = made(stage)

    def rename(name: str) -> None:
        step = {**flows.code("echo"), "name": "step_1", "displayName": name}
        stage.session.workflows.apply_flow_operation(flow, {"type": "UPDATE_ACTION", "request": step})

    rename("Mine")
    page = stage.browser.get(url("publish", flow))
    assert "“Echo” is renamed to “Mine”" in text(page.content)
    rename("Theirs")
    asked = stage.browser.post(url("publish", flow), {"seen": page.context["form"]["seen"].value()})
    assert "has been changed since you opened this page" in text(asked.content)
    assert "“Echo” is renamed to “Theirs”" in text(asked.content)
    assert asked.status_code == 200
    stage.browser.post(url("publish", flow), {"seen": asked.context["form"]["seen"].value()})
    found = stage.session.workflows.get_flow(flow)
    assert found["publishedVersionId"] == found["version"]["id"]


def test_publishing_says_that_a_secret_is_another_one_and_shows_neither(stage: Stage) -> None:
    flow = made(stage, publish=False)

    def enter(secret: str) -> None:
        step = {**flows.code("echo", api_key=secret), "name": "step_1"}
        stage.session.workflows.apply_flow_operation(flow, {"type": "UPDATE_ACTION", "request": step})

    enter("secret-of-before")
    stage.browser.post(url("publish", flow), {"sure": "yes"})
    enter("secret-of-now")
    page = text(stage.browser.get(url("publish", flow)).content)
    assert "“Echo”, Api key: changed" in page
    assert "secret-of" not in page


def test_a_flow_that_was_never_published_cannot_be_turned_on(stage: Stage) -> None:
    flow = made(stage, publish=False)
    assert url("turn-on", flow) not in stage.browser.get(f"/w/sales/flows/{flow}/").content.decode()
    before = stage.writes()
    answer = stage.browser.post(url("turn-on", flow))
    assert answer.status_code == 409
    assert "This cannot be done now" in text(answer.content)
    assert stage.writes() == before


def test_publishing_says_that_it_goes_live_and_which_steps_are_not_complete(stage: Stage) -> None:
    flow = made(stage, publish=False)
    assert "goes live" in text(stage.browser.get(url("publish", flow)).content)
    # Of a step of an app every version decides itself whether it is complete.
    broken = flows.installed(stage.session.workflows, flows.delay(60)) | {"displayName": "Half done"}
    broken["settings"] = broken["settings"] | {"input": {}}
    stage.session.workflows.apply_flow_operation(
        flow, {"type": "ADD_ACTION", "request": {"parentStep": "trigger", "action": {"name": "step_9", **broken}}}
    )
    assert "1 step is not complete" in text(stage.browser.get(url("publish", flow)).content)
    stage.browser.post(url("publish", flow), {"sure": "yes"})
    found = state(stage, flow)
    assert found["publishedVersionId"] == found["version"]["id"]
    assert found["status"] == "ENABLED"
    assert stage.browser.get(url("publish", flow)).status_code == 409


def test_a_flow_is_renamed_in_its_draft(stage: Stage) -> None:
    flow = made(stage)
    assert "is part of the draft" in text(stage.browser.get(url("rename", flow)).content)
    stage.browser.post(url("rename", flow), {"name": "Bestellungen <b>"})
    assert state(stage, flow)["version"]["displayName"] == "Bestellungen <b>"
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/").content)
    assert "Bestellungen &lt;b&gt;" in page
    assert "Has changes that are not published" in page


def test_a_flow_is_moved_into_a_folder_and_out_of_it(stage: Stage) -> None:
    flow = made(stage)
    folder = stage.session.workflows.create_folder("Orders here")["id"]
    assert "Orders here" in text(stage.browser.get(url("move", flow)).content)
    stage.browser.post(url("move", flow), {"folder": folder})
    assert state(stage, flow)["folderId"] == folder
    assert f'<option value="{folder}" selected>' in text(stage.browser.get(url("move", flow)).content)
    stage.browser.post(url("move", flow), {"folder": ""})
    assert state(stage, flow)["folderId"] is None
    assert stage.browser.post(url("move", flow), {"folder": "z" * 21}).status_code == 422


def test_the_audit_log_shows_before_and_after_of_a_change_by_name(stage: Stage) -> None:
    flow = made(stage)
    folder = stage.session.workflows.create_folder("Orders here")["id"]
    stage.browser.post(url("rename", flow), {"name": "Renamed"})
    stage.browser.post(url("move", flow), {"folder": folder})
    stage.browser.post(url("turn-off", flow), {"action-ticket": "one"})
    rows = {row.action: row for row in AuditEvent.objects.filter(object_id=flow, outcome="begun")}
    found = {name: (row.detail["before"], row.detail["after"]) for name, row in rows.items()}
    assert found == {
        "flows.rename": ({"name": "Made here"}, {"name": "Renamed"}),
        "flows.move": ({"folder": found["flows.move"][0]["folder"]}, {"folder": "Orders here"}),
        "flows.turn-off": ({"state": "ENABLED"}, {"state": "DISABLED"}),
    }
    assert folder not in str(found)
    page = text(stage.browser.get(f"/w/sales/audit/{rows['flows.turn-off'].pk}/").content)
    assert "DISABLED" not in page
    # Nothing of this is kept for a change that changes nothing.
    stage.browser.post(url("rename", flow), {"name": "Renamed"})
    assert "before" not in AuditEvent.objects.filter(object_id=flow, outcome="begun").latest("pk").detail


def test_a_flow_is_made_in_a_folder_and_listed_at_once(stage: Stage) -> None:
    folder = stage.session.workflows.create_folder("Orders here")["id"]
    answer = stage.browser.post("/w/sales/flows/do/new/", {"name": "Brand <new>", "folder": folder})
    found = state(stage, key_of(answer))
    assert found["version"]["displayName"] == "Brand <new>"
    assert found["folderId"] == folder
    assert found["status"] == "DISABLED"
    assert "Brand &lt;new&gt;" in text(stage.browser.get("/w/sales/flows/").content)


def test_tags_are_changed_and_whatever_else_is_kept_with_the_flow_stays(stage: Stage) -> None:
    flow = made(stage)
    metadata = {"owner": "ops", "tags": ["orders"]}
    stage.session.workflows.apply_flow_operation(flow, {"type": "UPDATE_METADATA", "request": {"metadata": metadata}})
    assert 'value="orders"' in text(stage.browser.get(url("tag", flow)).content)
    stage.browser.post(url("tag", flow), {"tags": " orders, đơn  hàng ,, <b>,orders"})
    assert state(stage, flow)["metadata"] == {"owner": "ops", "tags": ["orders", "đơn hàng", "<b>"]}
    assert "&lt;b&gt;" in text(stage.browser.get(f"/w/sales/flows/{flow}/").content)
    stage.browser.post(url("tag", flow), {"tags": ""})
    assert state(stage, flow)["metadata"] == {"owner": "ops"}


def test_a_copy_has_the_same_steps_and_is_off(stage: Stage) -> None:
    flow = made(stage)
    answer = stage.browser.post(url("duplicate", flow), {"name": "Its copy"})
    copy, original = state(stage, key_of(answer)), state(stage, flow)
    assert copy["id"] != flow
    assert copy["status"] == "DISABLED"
    assert copy["version"]["displayName"] == "Its copy"
    assert names(copy["version"]["trigger"]) == names(original["version"]["trigger"])


def test_a_copy_whose_steps_are_refused_is_not_left_behind(stage: Stage) -> None:
    flow = made(stage)
    stage.practice.engine.faults.add("status", "POST", "/v1/flows/*", status=403)
    answer = stage.browser.post(url("duplicate", flow), {"name": "Its copy"})
    assert answer.status_code == 422
    assert "The flow “Its copy” was not created" in text(answer.content)
    rows = stage.session.workflows.list_flows(limit=100)["data"]
    assert "Its copy" not in [row["version"]["displayName"] for row in rows]
    assert list(AuditEvent.objects.order_by("pk").values_list("outcome", flat=True)) == ["begun", "refused"]


def test_an_export_is_a_file_that_can_be_imported_as_another_flow(stage: Stage) -> None:
    flow = made(stage, "Đơn hàng / orders")
    exported = stage.as_role(Role.VIEWER).get(f"/w/sales/flows/{flow}/export/")
    assert exported.headers["Content-Type"] == "application/json; charset=utf-8"
    assert exported.headers["Content-Disposition"].startswith("attachment")
    template = json.loads(exported.content)
    assert (template.get("template") or template["flows"][0])["displayName"] == "Đơn hàng / orders"
    assert "%20orders.json" in exported.headers["Content-Disposition"]
    asked = stage.browser.post("/w/sales/flows/do/import/", {"file": upload(exported.content)})
    again = state(stage, key_of(stage.browser.post("/w/sales/flows/do/import/", hidden(asked))))
    assert again["version"]["displayName"] == "Đơn hàng / orders"
    assert names(again["version"]["trigger"]) == names(state(stage, flow)["version"]["trigger"])
    assert again["id"] != flow


@pytest.mark.slow
def test_a_file_imported_into_a_flow_replaces_its_draft_and_keeps_its_name(stage: Stage) -> None:
    flow, other = made(stage, "Stays"), made(stage, "Comes", publish=False)
    template = stage.session.workflows.get_flow_template(other)
    asked = stage.browser.post(url("import-here", flow), {"file": upload(template)})
    assert "Comes" in text(asked.content)
    stage.browser.post(url("import-here", flow), hidden(asked))
    found = state(stage, flow)
    assert found["version"]["displayName"] == "Stays"
    assert found["version"]["id"] != found["publishedVersionId"]
    edit = flow_edits.latest(stage.users.workspace, flow)
    assert edit is not None
    assert (edit.operation, edit.state) == ("IMPORT_FLOW", EditState.DONE), "it can be undone, and is as predicted"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"7", b'{"template": 1}', b'{"trigger": {"a": 1}}', b"[" * 100_000]
)
def test_a_file_that_is_no_flow_is_shown_and_nothing_is_made(stage: Stage, content: bytes) -> None:
    answer = stage.browser.post("/w/sales/flows/do/import/", {"file": upload(content), "name": "Kept"})
    assert answer.status_code == 422
    assert 'value="Kept"' in text(answer.content)
    assert not stage.writes()


@pytest.mark.slow
def test_a_version_is_used_as_the_draft_after_what_will_change_and_this_can_be_undone(stage: Stage) -> None:
    flow = made(stage, "First")
    first = state(stage, flow)["version"]["id"]
    stage.browser.post(url("rename", flow), {"name": "Second"})
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/?tab=versions").content)
    assert f"{url('use-as-draft', flow)}?version={first}" in page
    asked = stage.browser.get(f"{url('use-as-draft', flow)}?version={first}")
    assert f'<option value="{first}" selected>' in text(asked.content)
    stage.practice.journal.clear()
    question = stage.browser.post(url("use-as-draft", flow), {"version": first})
    assert "The flow is renamed: “Second” → “First”" in text(question.content)
    assert not stage.writes()
    seen = question.context["form"].data["seen"]
    done = stage.browser.post(url("use-as-draft", flow), {"version": first, "seen": seen})
    assert state(stage, flow)["version"]["displayName"] == "First"
    assert FlowEdit.objects.get().state == EditState.DONE
    assert url("edit-undo", flow) in text(stage.browser.get(lead(done)).content)
    same = stage.browser.post(url("use-as-draft", flow), {"version": state(stage, flow)["version"]["id"]})
    assert same.status_code == 422


def test_versions_are_offered_as_the_draft_to_builders_only_and_not_while_the_flow_is_being_deleted(
    stage: Stage,
) -> None:
    stage.practice.engine.settings.delete_after = 10_000
    flow = made(stage, "First")
    stage.browser.post(url("rename", flow), {"name": "Second"})
    address, offered = f"/w/sales/flows/{flow}/?tab=versions", f"{url('use-as-draft', flow)}?version="
    assert offered in text(stage.as_role(Role.BUILDER).get(address).content)
    for role in (Role.VIEWER, Role.LAUNCHER):
        page = text(stage.as_role(role).get(address).content)
        assert "First" in page
        assert offered not in page
    older = "Older versions are not shown."
    assert older not in page
    state = stage.practice.engine.state
    with state.lock:
        one = next(row for row in state.versions.values() if row["flowId"] == flow)
        state.versions |= {key: one | {"id": key} for key in map(identity, range(50))}
    assert older in text(stage.browser.get(address).content)
    stage.browser.post(url("delete", flow), {"sure": "yes"})
    if stage.users.workspace.flavour == Flavour.IMBRACE:
        assert offered not in text(stage.browser.get(address).content)


def test_a_version_that_was_only_locked_is_not_called_published() -> None:
    locked = {"id": "1", "state": "LOCKED"}
    assert str(versions.state({"publishedVersionId": None}, locked).word) == "Locked"
    assert str(versions.state({"publishedVersionId": "2"}, locked).word) == "Locked"


def test_an_engine_that_lists_no_versions_leaves_the_panel_out(stage: Stage) -> None:
    flow = made(stage)
    assert "Versions" in text(stage.browser.get(f"/w/sales/flows/{flow}/").content)
    stage.practice.engine.faults.add("status", "GET", "/v1/flows/*/versions", status=404)
    answer = stage.browser.get(f"/w/sales/flows/{flow}/")
    assert answer.status_code == 200
    assert '<h2 class="card-title">Versions</h2>' not in text(answer.content)


def test_a_flow_that_is_gone_at_once_is_said_to_be_and_one_that_is_not_has_its_page(stage: Stage) -> None:
    stage.practice.engine.settings.delete_after = 10_000
    flow = made(stage, publish=False)
    answer = stage.browser.post(url("delete", flow), {"sure": "yes"})
    shown = text(stage.browser.get(lead(answer)).content)
    assert lead(answer) == "/w/sales/flows/"
    if stage.users.workspace.flavour == Flavour.IMBRACE:
        assert "That takes a moment." in shown
    else:
        assert "The flow is deleted." in shown
    assert '<a href="/w/sales/recently-deleted/">Recently deleted</a></div>' in shown


def test_after_a_deletion_from_a_page_of_the_flow_its_list_follows(stage: Stage) -> None:
    for page in ("", "launch/"):
        flow = made(stage)
        answer = stage.browser.post(url("delete", flow), {"next": f"/w/sales/flows/{flow}/{page}", "sure": "yes"})
        assert (answer.status_code, answer["Location"]) == (303, "/w/sales/flows/")


def test_a_second_deletion_meanwhile_deletes_nothing_more(stage: Stage) -> None:
    stage.practice.engine.settings.delete_after = 10_000
    flow = made(stage)
    asked = stage.browser.get(url("delete", flow))
    stage.session.workflows.delete_flow(flow)
    assert stage.browser.post(url("delete", flow), {"ticket": asked.context["ticket"]}).status_code == 409
    # The engine refuses it, and is found to be deleting the flow.
    stage.session.workflows.delete_flow(flow)


@pytest.mark.slow
def test_a_deleted_flow_is_shown_as_being_deleted_until_it_is_gone(stage: Stage) -> None:
    stage.practice.engine.settings.delete_after = 50
    flow = made(stage)
    answer = stage.browser.post(url("delete", flow), {"sure": "yes"}, headers=HTMX)
    assert lead(answer) == "/w/sales/flows/"

    def gone() -> bool:
        try:
            return not state(stage, flow)
        except NotFound:
            return True

    until(gone)
    poll = stage.browser.get(f"/w/sales/flows/{flow}/", headers={"HX-Request": "true", "HX-Target": "live"})
    assert poll.headers["HX-Redirect"] == "/w/sales/flows/"
    assert "This object no longer exists." in text(stage.browser.get("/w/sales/flows/").content)
    assert stage.browser.get(f"/w/sales/flows/{flow}/").status_code == 404


def test_a_name_that_is_cut_in_a_sentence_or_on_a_button_says_that_it_goes_on(stage: Stage) -> None:
    flow = made(stage, "Đơn hàng " * 1_000)
    page = text(stage.browser.get(url("delete", flow)).content)
    assert "Delete the flow “Đơn hàng" in page
    assert page.count("…”") == 2


def test_while_a_flow_is_being_deleted_its_page_looks_again_and_offers_nothing(stage: Stage) -> None:
    stage.practice.engine.settings.delete_after = 10_000
    flow = made(stage)
    stage.browser.post(url("delete", flow), {"sure": "yes"})
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/").content)
    assert "Being deleted" in page
    assert 'hx-trigger="every 2s"' in page
    assert not [
        word for word in ("/do/delete/", "it can be launched", "Create a launch form", "Notify me") if word in page
    ]
    assert stage.browser.post(url("delete", flow), {"sure": "yes"}).status_code == 409


def test_somebody_elses_editing_is_explained(stage: Stage) -> None:
    flow = made(stage)
    stage.practice.engine.settings.flow_in_use = [flow]
    answer = stage.browser.post(url("rename", flow), {"name": "Other"})
    page = text(answer.content)
    assert answer.status_code == 422
    assert "Checking whether it was done" in page
    assert "FLOW_IN_USE" in page
    assert 'value="Other"' in page
