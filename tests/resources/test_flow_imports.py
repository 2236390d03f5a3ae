"""Flows brought in from files of every shape that an engine exports, what is said before and after, and what each version is sent."""

import copy
import html
import json
import re
from typing import Any

import pytest
from django import forms

from tests.resources.stage import Stage, lead, outcomes
from tests.resources.test_flow_actions import made, names, state, upload, url
from tests.stub_engine import text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Flavour, Role
from workflows_ui.resources.flows import files as flow_files

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


def hidden(response: Any) -> dict[str, list[str]]:
    """What the form that asks once more would send."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", response.content.decode()):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        chosen = "checked" in tag or 'type="hidden"' in tag or 'type="text"' in tag
        if name and chosen and name[1] != "csrfmiddlewaretoken":
            found.setdefault(name[1], []).append(html.unescape(value[1]) if value else "")
    return found


def send(stage: Stage, content: Any, address: str = NEW, **more: Any) -> Any:
    """Sends a file whose webhooks are of the version that the engine has."""
    content = json.loads(json.dumps(content).replace('"0.1.24"', f'"{newest(stage, "webhook")}"'))
    return stage.browser.post(address, {"file": upload(content), **more})


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
    answer = send(stage, SHAPES[shape], name="Read")
    assert answer.status_code == 303
    found = state(stage, lead(answer).rstrip("/").rsplit("/", 1)[-1])
    assert found["version"]["displayName"] == "Read"
    assert names(found["version"]["trigger"]) == ["trigger", "step_1"]


def test_a_flow_without_a_name_is_called_as_the_file_or_by_what_it_is(stage: Stage) -> None:
    answer = send(stage, new(exported_flow(TREE, ""), name="Named outside"))
    assert state(stage, lead(answer).rstrip("/").rsplit("/", 1)[-1])["version"]["displayName"] == "Named outside"
    answer = send(stage, TREE)
    assert state(stage, lead(answer).rstrip("/").rsplit("/", 1)[-1])["version"]["displayName"] == "Imported flow"


NOTE = {
    "id": "note_1",
    "content": "Mind the step",
    "color": "orange",
    "position": {"x": 1, "y": 2},
    "size": {"width": 3, "height": 4},
}


def test_each_version_is_sent_what_it_knows(stage: Stage) -> None:
    send(stage, new(exported_flow(webhook(code(), dated=True), notes=[NOTE])))
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
    answer = send(stage, new(exported_flow(TREE)))
    assert answer.status_code == 303
    (sent,) = imports(stage)
    assert sent["schemaVersion"] is None
    send(stage, old(TREE))
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


def test_before_a_file_is_chosen_the_page_says_what_the_engine_believes(stage: Stage) -> None:
    for address in (NEW, url("import-here", made(stage))):
        assert "checks none of them" in text(stage.browser.get(address).content)


def test_what_does_not_fit_is_named_step_by_step_and_asked_about_once(stage: Stage) -> None:
    webhook_here, gmail = newest(stage, "webhook"), newest(stage, "gmail")
    tree = webhook(
        code("step_1", valid=False),
        piece("oracle", "ask", step="step_2"),
        piece("gmail", "send_email", {"auth": "{{connections['not-here']}}"}, gmail, step="step_3"),
        piece("gmail", "send_email", {}, gmail, step="step_4"),
        piece("gmail", "fly", {"auth": "{{connections['gmail-sales']}}"}, gmail, step="step_5"),
        piece("webhook", "return_response", {"fields": {}}, "99.0.0", step="step_6"),
        piece("delay", "delayFor", {"unit": "seconds"}, newest(stage, "delay"), step="step_7"),
        code("step_8"),
    )
    asked = send(stage, old(tree, "Half a flow"))
    assert asked.status_code == 200
    page = text(asked.content)
    assert "7 steps of “Half a flow” need to be checked after the import:" in page
    for said in (
        "Code step_1: The file says that it is not complete.",
        "Do ask: The engine does not have the app “Oracle”.",
        "Do send_email: Its connection “not-here” is not in this workspace.",
        "Do send_email: It has no connection.",
        "Do fly: “Gmail” does not have what the step does (fly).",
        f"Do return_response: The engine does not have version 99.0.0 of “Webhook”, but {webhook_here}.",
        "is not filled in.",
    ):
        assert said in page, said
    assert "step_8" not in page.partition("need to be checked")[2].partition("</ul>")[0]
    assert not stage.writes()
    assert not outcomes()
    if stage.users.workspace.flavour == Flavour.IMBRACE:
        return  # the fork refuses what it does not have
    answer = stage.browser.post(NEW, hidden(asked))
    assert answer.status_code == 303
    found = state(stage, lead(answer).rstrip("/").rsplit("/", 1)[-1])
    assert found["version"]["displayName"] == "Half a flow"
    assert len(names(found["version"]["trigger"])) == 9
    shown = text(stage.browser.get(lead(answer)).content)
    assert 'data-toast="warning"' in shown, "it stays until it is closed"
    assert "The flow “Half a flow” is imported. This is it. In “Half a flow”, check 7 steps: Code step_1:" in shown


def test_a_file_that_fits_is_imported_without_a_question(stage: Stage) -> None:
    given = {"auth": "{{connections['gmail-sales']}}"}
    piece_now = stage.session.workflows.get_piece("@activepieces/piece-gmail")
    for field, prop in piece_now["actions"]["send_email"]["props"].items():
        if prop.get("required"):
            given[field] = "x"
    tree = webhook(code(), piece("gmail", "send_email", given, piece_now["version"], step="step_2"))
    assert send(stage, old(tree)).status_code == 303


def test_an_engine_that_shows_nothing_about_its_apps_is_not_said_to_lack_any(stage: Stage) -> None:
    stage.practice.engine.faults.add("status", "GET", "/v1/pieces*", status=403)
    stage.practice.engine.faults.add("status", "GET", "/v1/app-connections", status=403)
    content = old(webhook(piece("oracle", "ask", {"auth": "{{connections['x']}}"})))
    answer = stage.browser.post(NEW, {"file": upload(content)})
    assert answer.status_code != 200, "nothing is asked"
    assert "“Oracle”" not in text(answer.content)


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
    kept = repr(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert "First" in kept
    assert "sourceCode" not in kept


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
    assert "Choose the one to bring in." in text(asked.content)
    answer = stage.browser.post(address, hidden(asked) | {"which": ["1"]})
    assert answer.status_code == 303
    found = state(stage, flow)["version"]
    assert names(found["trigger"]) == ["trigger", "step_7"]
    assert found["displayName"] == "Stays"


def test_another_file_takes_the_place_of_the_one_that_was_read(stage: Stage) -> None:
    asked = send(stage, new(exported_flow(TREE, "First"), exported_flow(TREE, "Second")))
    other = json.dumps(old(TREE, "Other")).replace('"0.1.24"', f'"{newest(stage, "webhook")}"').encode()
    answer = stage.browser.post(NEW, hidden(asked) | {"file": upload(other)})
    assert answer.status_code == 303
    assert [sent["displayName"] for sent in imports(stage)] == ["Other"]


def test_what_was_changed_in_the_hidden_part_is_asked_about_again(stage: Stage) -> None:
    asked = send(stage, new(exported_flow(TREE, "First"), exported_flow(TREE, "Second")))
    typed = hidden(asked) | {"content": [json.dumps(new(exported_flow(TREE, "Third"), exported_flow(TREE, "Fourth")))]}
    again = stage.browser.post(NEW, typed)
    assert again.status_code == 200
    assert "Third (1 step)" in text(again.content)
    broken = stage.browser.post(NEW, typed | {"content": ["{"]})
    assert broken.status_code == 422
    assert not stage.writes()


def test_after_a_failure_the_file_need_not_be_chosen_again_and_what_was_made_is_shown(stage: Stage) -> None:
    asked = send(stage, new(exported_flow(TREE, "First"), exported_flow(TREE, "Second"), exported_flow(TREE, "Third")))
    stage.practice.engine.faults.add("status", "POST", "/v1/flows", status=403, schedule="-x", times=1)
    failed = stage.browser.post(NEW, hidden(asked))
    assert failed.status_code == 422
    assert "Created so far: “First”. Then:" in text(failed.content)
    answer = stage.browser.post(NEW, hidden(failed) | {"which": ["1", "2"]})
    assert answer.status_code == 303
    assert [sent["displayName"] for sent in imports(stage)] == ["First", "Second", "Third"]


@pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
def test_a_tree_that_the_engine_does_not_take_is_shown_at_the_file(stage: Stage) -> None:
    flow = made(stage, "Stays")
    before = state(stage, flow)["version"]["trigger"]
    answer = send(stage, new(exported_flow(webhook(code(type="TELEPORT"), dated=True))), url("import-here", flow))
    assert answer.status_code == 422
    assert "The engine does not take this flow" in text(answer.content)
    assert state(stage, flow)["version"]["trigger"] == before


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
