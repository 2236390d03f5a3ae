"""Flows brought in from files of every shape that an engine exports, what is said before and after, and what each version is sent."""

import copy
import json
from typing import Any

import pytest
from django import forms

from tests.resources.test_flow_actions import hidden, key_of, made, names, state, upload, url
from tests.stage import Stage, lead, outcomes
from tests.stub_engine import text
from tests.unclear_writes.later import look_at_the_end
from workflows_ui.audit.models import AuditEvent
from workflows_ui.flow_editing.imports import files as flow_files
from workflows_ui.members.models import Flavour, Role

NEW = "/w/sales/flows/do/import/"
SECRET = "hidden-value-of-the-header"


def webhook(*steps: dict[str, Any], dated: bool = False, **changes: Any) -> dict[str, Any]:
    """A tree as a file has it: a webhook with these steps after one another."""
    settings: dict[str, Any] = {
        "pieceName": "@activepieces/piece-webhook",
        "pieceVersion": "0.1.24",
        "triggerName": "catch_webhook",
        "input": {"authType": "none", "authFields": {}},
        "propertySettings": {},
    }
    whole: dict[str, Any] = {
        "name": "trigger",
        "type": "PIECE_TRIGGER",
        "valid": True,
        "displayName": "Catch Webhook",
        "settings": settings,
    }
    whole |= changes
    last = whole
    for step in steps:
        last["nextAction"] = copy.deepcopy(step)
        last = last["nextAction"]
    if dated:
        step = whole
        while step:
            step["lastUpdatedDate"] = "2026-11-26T21:19:06.167Z"
            step = step.get("nextAction") or {}
    return whole


def code(name: str = "step_1", **changes: Any) -> dict[str, Any]:
    source = {"code": "export const code = async (inputs) => inputs;", "packageJson": "{}"}
    handling = {"continueOnFailure": {"value": False}, "retryOnFailure": {"value": False}}
    settings = {"sourceCode": source, "input": {}, "errorHandlingOptions": handling}
    return {"name": name, "type": "CODE", "valid": True, "displayName": f"Code {name}", "settings": settings} | changes


def piece(
    name: str, action: str, given: Any = None, version: str = "", step: str = "step_1", **changes: Any
) -> dict[str, Any]:
    handling = {"continueOnFailure": {"value": False}, "retryOnFailure": {"value": False}}
    settings = {
        "pieceName": f"@activepieces/piece-{name}",
        "pieceVersion": version or "0.0.1",
        "actionName": action,
        "input": given or {},
        "propertySettings": {},
        "errorHandlingOptions": handling,
    }
    whole = {"name": step, "type": "PIECE", "valid": True, "displayName": f"Do {action}", "settings": settings}
    return whole | changes


def old(tree: dict[str, Any], name: str = "From 0.72") -> dict[str, Any]:
    """As 0.72.4 exports (recording `flow_template` of 0.72.4)."""
    head = {"created": "1", "updated": "1", "name": name, "description": "", "tags": [], "pieces": [], "blogUrl": ""}
    return head | {"template": {"displayName": name, "trigger": tree, "valid": True, "schemaVersion": "8"}}


def exported_flow(tree: dict[str, Any], name: str = "From 0.83", **changes: Any) -> dict[str, Any]:
    return {"displayName": name, "trigger": tree, "valid": True, "schemaVersion": "20", "notes": []} | changes


def new(*flows: dict[str, Any], name: str = "From 0.83") -> dict[str, Any]:
    """As 0.83.0 exports (recording `flow_template_branches_loop_notes`)."""
    head: dict[str, Any] = {
        "name": name,
        "type": "SHARED",
        "summary": "",
        "description": "",
        "tags": [],
        "blogUrl": "",
        "metadata": None,
    }
    return head | {"author": "", "categories": [], "pieces": [], "flows": list(flows), "status": "PUBLISHED"}


def newest(stage: Stage, app: str) -> str:
    """The version of an app that the engine has."""
    return str(stage.session.workflows.get_piece(f"@activepieces/piece-{app}")["version"])


def imports(stage: Stage) -> list[dict[str, Any]]:
    """The requests of IMPORT_FLOW that reached the engine."""
    sent = [received.body for received in stage.practice.journal.all() if received.method == "POST"]
    bodies = [json.loads(body) for body in sent if body[:1] == b"{"]
    return [body["request"] for body in bodies if isinstance(body, dict) and body.get("type") == "IMPORT_FLOW"]


def send(stage: Stage, content: Any, address: str = NEW, **more: Any) -> Any:
    """Sends a file whose webhooks are of the version that the engine has."""
    content = json.loads(json.dumps(content).replace('"0.1.24"', f'"{newest(stage, "webhook")}"'))
    return stage.browser.post(address, {"file": upload(content), **more})


def bring(stage: Stage, content: Any, address: str = NEW, **more: Any) -> Any:
    """Sends a file, and imports what is shown of it."""
    asked = send(stage, content, address, **more)
    assert asked.status_code == 200, text(asked.content)
    return stage.browser.post(address, hidden(asked))


TREE = webhook(code())
SHAPES = {
    "0.72": old(TREE),
    "0.83": new(exported_flow(TREE)),
    "flow": {"id": "x", "status": "ENABLED", "version": exported_flow(TREE)},
    "version": exported_flow(TREE),
    "tree": TREE,
    "list": [exported_flow(TREE)],
    "page": {"data": [{"version": exported_flow(TREE)}], "next": None, "previous": None},
    "nested": {"template": new(exported_flow(TREE))},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_that_an_engine_exports_becomes_a_flow(stage: Stage, shape: str) -> None:
    answer = bring(stage, SHAPES[shape], name="Read")
    assert answer.status_code == 303
    found = state(stage, key_of(answer))
    assert found["version"]["displayName"] == "Read"
    assert names(found["version"]["trigger"]) == ["trigger", "step_1"]


def test_a_flow_without_a_name_is_called_as_the_file_or_by_what_it_is(stage: Stage) -> None:
    answer = bring(stage, new(exported_flow(TREE, ""), name="Named outside"))
    assert state(stage, key_of(answer))["version"]["displayName"] == "Named outside"
    answer = bring(stage, TREE)
    assert state(stage, key_of(answer))["version"]["displayName"] == "Imported flow"


NOTE = {
    "id": "note_1",
    "content": "Mind the step",
    "color": "orange",
    "position": {"x": 1, "y": 2},
    "size": {"width": 3, "height": 4},
}


def test_each_version_is_sent_what_it_knows(stage: Stage) -> None:
    bring(stage, new(exported_flow(webhook(code(), dated=True), notes=[NOTE])))
    (sent,) = imports(stage)
    if stage.users.workspace.flavour == Flavour.IMBRACE:
        assert set(sent) == {"displayName", "trigger", "schemaVersion"}
        assert sent["schemaVersion"] is None, "of a later version than the engine's"
        assert "lastUpdatedDate" not in json.dumps(sent)
    else:
        assert sent["notes"] == [NOTE]
        assert sent["schemaVersion"] == "20"
        assert sent["trigger"]["nextAction"]["lastUpdatedDate"]


def test_a_tree_without_dates_is_brought_up_to_date_from_the_beginning(stage: Stage) -> None:
    answer = bring(stage, new(exported_flow(TREE)))
    assert answer.status_code == 303
    (sent,) = imports(stage)
    assert sent["schemaVersion"] is None
    bring(stage, old(TREE))
    assert imports(stage)[1]["schemaVersion"] == "8"


def test_a_copy_keeps_its_notes_where_there_are_any(stage: Stage) -> None:
    flow = made(stage)
    if stage.users.workspace.flavour != Flavour.IMBRACE:
        stage.session.workflows.apply_flow_operation(flow, {"type": "ADD_NOTE", "request": NOTE})
    stage.browser.post(url("duplicate", flow), {"name": "Its copy"})
    (sent,) = imports(stage)
    assert [note["id"] for note in sent.get("notes", [])] == [
        note["id"] for note in state(stage, flow)["version"].get("notes", [])
    ]


def test_before_a_file_is_chosen_the_page_says_that_steps_are_checked(stage: Stage) -> None:
    for address in (NEW, url("import-here", made(stage))):
        assert "After the import the engine checks each step" in text(stage.browser.get(address).content)


def test_what_does_not_fit_is_named_step_by_step_and_asked_about_once(stage: Stage) -> None:
    gmail = newest(stage, "gmail")
    tree = webhook(
        code("step_1", valid=False),
        piece("oracle", "ask", step="step_2"),
        piece("gmail", "send_email", {"auth": "{{connections['not-here']}}"}, gmail, step="step_3"),
        piece("gmail", "send_email", {}, gmail, step="step_4"),
        piece("gmail", "fly", {"auth": "{{connections['gmail-sales']}}"}, gmail, step="step_5"),
        piece("tables", "tables-find-records", {"table_id": "not-here"}, newest(stage, "tables"), step="step_6"),
        piece("delay", "delayFor", {"unit": "seconds"}, newest(stage, "delay"), step="step_7"),
        code("step_8"),
    )
    asked = send(stage, old(tree, "Half a flow"))
    assert asked.status_code == 200
    page = text(asked.content)
    assert "6 steps of “Half a flow” have to be completed after the import:" in page
    for said in (
        "Code step_1: The file says that it is not complete.",
        "Do ask: The engine does not have the app “Oracle”.",
        "Do send_email: It has no connection.",
        "Do fly: “Gmail” does not have what the step does (fly).",
        "is not filled in.",
    ):
        assert said in page, said
    assert "step_8" not in page.partition("have to be completed")[2].partition("</ul>")[0]
    assert not stage.writes()
    assert not outcomes()
    if stage.users.workspace.flavour == Flavour.IMBRACE:
        return  # the fork refuses what it does not have
    unchosen = stage.browser.post(NEW, hidden(asked))
    assert unchosen.status_code == 422
    assert "Choose a replacement, or “None for now”." in text(unchosen.content)
    answer = stage.browser.post(NEW, hidden(unchosen) | dict.fromkeys(("connection-0", "table-2"), "-"))
    assert lead(answer).endswith("?tab=steps")
    found = state(stage, key_of(answer))
    assert found["version"]["displayName"] == "Half a flow"
    assert len(names(found["version"]["trigger"])) == 9
    shown = text(stage.browser.get(lead(answer)).content)
    assert 'data-toast="warning"' in shown, "it stays until it is closed"
    assert "The flow “Half a flow” was imported. 6 steps have to be completed" in shown
    left = shown.partition('aria-label="What is missing"')[2].partition("</section>")[0]
    assert "Code step_1" not in left, "the engine takes it as complete"
    assert "“Table” is not filled in." in left
    assert f'href="/w/sales/flows/do/step-settings/{found["id"]}/?step=step_3#prop-connection"' in left


def test_a_file_that_fits_is_shown_and_imported_with_nothing_left_to_do(stage: Stage) -> None:
    given = {"auth": "{{connections['gmail-sales']}}"}
    piece_now = stage.session.workflows.get_piece("@activepieces/piece-gmail")
    for field, prop in piece_now["actions"]["send_email"]["props"].items():
        if prop.get("required"):
            given[field] = "x"
    tree = webhook(code(), piece("gmail", "send_email", given, piece_now["version"], step="step_2"))
    asked = send(stage, old(tree))
    assert "These are the contents of the file. Nothing has been sent yet." in text(asked.content)
    assert not stage.writes()
    shown = text(stage.browser.get(lead(stage.browser.post(NEW, hidden(asked)))).content)
    assert 'data-toast="success"' in shown
    assert "Every step is complete. The flow runs once you publish it." in shown


def test_an_engine_that_shows_nothing_about_its_apps_is_not_said_to_lack_any(stage: Stage) -> None:
    stage.practice.engine.faults.add("status", "GET", "/v1/pieces*", status=403)
    stage.practice.engine.faults.add("status", "GET", "/v1/app-connections", status=403)
    content = old(webhook(piece("oracle", "ask", {"auth": "{{connections['x']}}"})))
    page = text(stage.browser.post(NEW, {"file": upload(content)}).content)
    assert "Not installed" not in page
    assert "does not have the app" not in page
    assert "connection-0" not in page, "there is nothing to choose from"


def test_of_several_flows_all_or_some_are_made(stage: Stage) -> None:
    asked = send(
        stage, new(exported_flow(TREE, "First"), exported_flow(TREE, "Second"), exported_flow(webhook(), "Third"))
    )
    assert asked.status_code == 200
    page = text(asked.content)
    assert "There are 3 flows in this file." in page
    for label in ("First (1 step)", "Second (1 step)", "Third (0 steps)"):
        assert label in page
    typed = hidden(asked)
    assert typed["which"] == ["0", "1", "2"]
    answer = stage.browser.post(NEW, typed | {"which": ["0", "2"]})
    assert lead(answer) == "/w/sales/flows/"
    listed = text(stage.browser.get(lead(answer)).content)
    assert "2 flows are imported: “First”, “Third”." in listed
    assert [sent["displayName"] for sent in imports(stage)] == ["First", "Third"]
    details = repr(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert "First" in details
    assert "sourceCode" not in details


@pytest.mark.slow
def test_a_name_that_a_flow_has_already_is_said_before_anything_is_imported(stage: Stage) -> None:
    bring(stage, new(exported_flow(webhook(code()), "Twice")))
    before = len(imports(stage))
    asked = send(stage, new(exported_flow(webhook(code()), "Twice")))
    assert "There is a flow of this name already. Another one is created beside it" in text(asked.content)
    assert len(imports(stage)) == before
    other = stage.browser.post(NEW, hidden(asked) | {"name": "Only once"})
    assert other.status_code == 303
    # A name that is typed after the file was shown is said, too.
    asked = send(stage, new(exported_flow(webhook(code()), "New")))
    assert "of this name already" not in text(asked.content)
    again = stage.browser.post(NEW, hidden(asked) | {"name": "only ONCE"})
    assert "There is a flow of this name already" in text(again.content)
    assert stage.browser.post(NEW, hidden(again) | {"name": "only ONCE"}).status_code == 303


def test_a_choice_of_none_and_one_name_for_several_are_shown(stage: Stage) -> None:
    asked = send(stage, new(exported_flow(TREE, "First"), exported_flow(TREE, "Second")), name="Same")
    assert asked.status_code == 200
    typed = hidden(asked)
    refused = stage.browser.post(NEW, typed)
    assert refused.status_code == 422
    assert "each with its name in the file" in text(refused.content)
    none = stage.browser.post(NEW, typed | {"which": [], "name": ""})
    assert none.status_code == 422
    assert "Choose at least one flow." in text(none.content)
    assert not stage.writes()
    single = stage.browser.post(NEW, typed | {"which": ["1"]})
    assert single.status_code == 303
    assert imports(stage)[0]["displayName"] == "Same"


def test_one_of_several_flows_is_brought_into_a_flow(stage: Stage) -> None:
    flow = made(stage, "Stays")
    address = url("import-here", flow)
    asked = send(stage, new(exported_flow(TREE, "First"), exported_flow(webhook(code("step_7")), "Second")), address)
    assert "Choose the one to import." in text(asked.content)
    answer = stage.browser.post(address, hidden(asked) | {"which": ["1"]})
    assert answer.status_code == 303
    found = state(stage, flow)["version"]
    assert names(found["trigger"]) == ["trigger", "step_7"]
    assert found["displayName"] == "Stays"


def test_a_change_by_somebody_else_right_after_an_import_is_said(stage: Stage) -> None:
    flow = made(stage, "Stays")
    theirs = {"type": "CHANGE_NAME", "request": {"displayName": "Changed by a colleague"}}
    then = {"method": "POST", "path": f"/v1/flows/{flow}", "body": theirs}
    asked = send(stage, new(exported_flow(TREE, "First")), url("import-here", flow))
    stage.practice.engine.faults.add("followed", "POST", f"/v1/flows/{flow}", times=1, then=then)
    answer = stage.browser.post(url("import-here", flow), hidden(asked))
    page = text(stage.browser.get(answer["Location"]).content)
    assert "/edits/" in answer["Location"]
    assert page.count("Someone else changed the flow at the same time") == 2


def test_another_file_takes_the_place_of_the_one_that_was_read(stage: Stage) -> None:
    asked = send(stage, new(exported_flow(TREE, "First"), exported_flow(TREE, "Second")))
    other = json.dumps(old(TREE, "Other")).replace('"0.1.24"', f'"{newest(stage, "webhook")}"').encode()
    read = stage.browser.post(NEW, hidden(asked) | {"file": upload(other)})
    assert "Other" in text(read.content)
    answer = stage.browser.post(NEW, hidden(read))
    assert answer.status_code == 303
    assert [sent["displayName"] for sent in imports(stage)] == ["Other"]


def test_the_content_of_a_file_is_sealed_for_who_sent_it(stage: Stage) -> None:
    tree = webhook(code())
    tree["settings"]["input"] = {"authType": "header", "authFields": {"headerName": "x-shop", "headerValue": SECRET}}
    asked = send(stage, old(tree))
    assert SECRET not in text(asked.content)
    for content in ("{", json.dumps(old(TREE)), hidden(asked)["content"][0][:-3] + "AAA"):
        refused = stage.browser.post(NEW, hidden(asked) | {"content": [content], "name": ["Kept"]})
        assert refused.status_code == 422
        assert 'value="Kept"' in text(refused.content)
    assert stage.as_role(Role.BUILDER).post(NEW, hidden(asked)).status_code == 422
    assert not stage.writes()


def test_after_a_failure_the_file_need_not_be_chosen_again_and_what_was_made_is_shown(stage: Stage) -> None:
    asked = send(stage, new(exported_flow(TREE, "First"), exported_flow(TREE, "Second"), exported_flow(TREE, "Third")))
    stage.practice.engine.faults.add("status", "POST", "/v1/flows", status=403, schedule="-x", times=1)
    failed = stage.browser.post(NEW, hidden(asked))
    assert failed.status_code == 422
    assert "Checking whether it was done" in text(failed.content)
    write = look_at_the_end()
    assert write.state == "not_done"
    assert "The first part of it was done" in text(stage.browser.get(f"/w/sales/checks/{write.pk}/").content)
    answer = stage.browser.post(NEW, hidden(failed) | {"which": ["1", "2"]})
    assert answer.status_code == 303
    assert [sent["displayName"] for sent in imports(stage)] == ["First", "Second", "Third"]


@pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
def test_a_tree_that_the_engine_does_not_take_is_shown_at_the_file(stage: Stage) -> None:
    flow = made(stage, "Stays")
    before = state(stage, flow)["version"]["trigger"]
    answer = bring(
        stage, new(exported_flow(webhook(code("step-1", type="TELEPORT"), dated=True))), url("import-here", flow)
    )
    assert answer.status_code == 422
    assert "The engine does not accept this flow" in text(answer.content)
    assert "Perhaps it does not know the type TELEPORT of the step “Code step-1”." in text(answer.content)
    assert "In the step “Code step-1” this is missing or not valid: name." in text(answer.content)
    assert state(stage, flow)["version"]["trigger"] == before


@pytest.mark.parametrize(
    "tree", [webhook(code(), name="start"), webhook(code(""), code("")), webhook(code(type="BRANCH"))]
)
def test_the_engine_decides_about_a_tree_whose_import_cannot_be_predicted(stage: Stage, tree: dict[str, Any]) -> None:
    flow = made(stage, "Stays")
    before = state(stage, flow)["version"]["trigger"]
    answer = bring(stage, new(exported_flow(tree)), url("import-here", flow))
    assert answer.status_code in (303, 422)
    assert imports(stage)
    assert (state(stage, flow)["version"]["trigger"] == before) is (answer.status_code == 422)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (old(webhook(code(), code())), "have the same name, “step_1”"),
        ({"flows": [exported_flow(TREE)] * 101}, "There are more than 100 flows"),
        ({"flows": []}, "There is no flow in this file"),
        ({"flows": [None, 7, "x", {}, {"trigger": None}, {"trigger": {"type": 7}}]}, "There is no flow in this file"),
        ({"flows": [{"type": ["WEBHOOK"]}, {"trigger": {"type": {}}}]}, "There is no flow in this file"),
        ({"template": {"displayName": "x"}}, "There is no flow in this file"),
        ({"trigger": {"type": "NOPE"}}, "There is no flow in this file"),
        (exported_flow(webhook(code(settings={"input": json.loads("[" * 200 + "]" * 200)}))), "is nested too deeply"),
        ({"name": "Orders", "tables": [{"name": "Orders", "fields": []}]}, "There is no flow in this file"),
    ],
)
def test_a_bad_file_is_shown_at_the_field_and_nothing_is_made(stage: Stage, content: Any, said: str) -> None:
    answer = send(stage, content, name="Kept")
    assert answer.status_code == 422
    assert said in text(answer.content)
    assert 'value="Kept"' in text(answer.content)
    assert not stage.writes()


@pytest.mark.parametrize(
    "odd",
    [
        exported_flow(TREE, notes=None),
        exported_flow(TREE, notes="x"),
        exported_flow(TREE, notes=[None, 7, {}]),
        exported_flow(TREE, schemaVersion=None),
        exported_flow(TREE, schemaVersion=20),
        exported_flow(TREE, schemaVersion="-1"),
        exported_flow(TREE, schemaVersion="x" * 100),
        exported_flow(TREE, schemaVersion="9" * 5000),
        exported_flow(TREE, displayName=None),
        exported_flow(TREE, displayName={"a": 1}),
        exported_flow(webhook(code(), displayName=None)),
        exported_flow(webhook(code(displayName=""))),
        exported_flow(webhook(piece("", "x"))),
        exported_flow(webhook(piece("../..", "x", version="../.."))),
        exported_flow(webhook(piece("gmail", "send_email", "not an object"))),
        exported_flow(webhook(code(), settings=None)),
        exported_flow(webhook(code(type=["CODE"]))),
        exported_flow(webhook(code(type="ROUTER", settings={"branches": [{"conditions": [[{"operator": {}}]]}]}))),
        exported_flow(webhook(code(children=[None, 7, {"name": None}], firstLoopAction=7))),
    ],
)
@pytest.mark.sampled(3)
def test_odd_files_crash_nothing(stage: Stage, odd: dict[str, Any]) -> None:
    answer = send(stage, new(odd))
    if answer.status_code == 200:
        answer = stage.browser.post(NEW, hidden(answer))
    assert answer.status_code in (303, 422)


@pytest.mark.parametrize(
    ("start", "end"), [("[", "]"), ('{"flows": [', "]}"), ('{"version": {"x": 1, "version": ', "}}")]
)
def test_a_file_that_is_nested_too_deep_is_no_file_of_a_flow(start: str, end: str) -> None:
    with pytest.raises(forms.ValidationError):
        flow_files.parse(start * 4000 + "{}" + end * 4000)


def test_a_secret_in_a_file_is_in_no_audit_row(stage: Stage) -> None:
    guarded = {"authType": "header", "authFields": {"headerName": "x-shop", "headerValue": SECRET}}
    tree = webhook(code(valid=False))
    tree["settings"]["input"] = guarded
    asked = send(stage, old(tree))
    stage.browser.post(NEW, hidden(asked))
    assert outcomes()[-1] == ("flows.import", "done")
    assert SECRET not in repr(list(AuditEvent.objects.values()))


def test_only_builders_import(stage: Stage) -> None:
    launcher = stage.as_role(Role.LAUNCHER)
    assert launcher.post(NEW, {"file": upload(old(TREE))}).status_code == 403
    assert not stage.writes()


def test_a_files_name_is_that_of_the_flow_whatever_the_version() -> None:
    assert flow_files.name(old(TREE, "Orders")) == "Orders.json"
    assert flow_files.name(new(exported_flow(TREE, "Orders / today"), name="")) == "Orders - today.json"
    assert flow_files.name(new(name="")) == "flow.json"
    assert flow_files.name({"name": None, "flows": [None]}) == "flow.json"
