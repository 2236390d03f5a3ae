"""What is missing in a draft is listed with its fields, on the steps' tab and before publishing."""

import html
from typing import Any

import pytest

from tests import flows
from tests.flow_editing.test_editing import ask, edit, newer
from tests.stage import Stage, lead, stage
from tests.stub_engine import text

__all__ = ["stage"]
WEBHOOK = "@activepieces/piece-webhook"


def step(name: str, kind: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "valid": True, "displayName": f"The {name}", "settings": settings} | more


def app(name: str, piece: str, action: str, version: str = "0.0.1", **inputs: Any) -> dict[str, Any]:
    settings = {"pieceName": piece, "pieceVersion": version, "actionName": action, "input": inputs}
    return step(name, "PIECE", settings | {"propertySettings": {}})


@pytest.fixture
def flow(stage: Stage) -> str:
    """An imported draft whose steps all claim to be complete, as a file may."""
    client = stage.session.workflows
    key = flows.make(client, "Imported", flows.code("echo"), publish=False)
    slack = client.get_piece("@activepieces/piece-slack")
    condition = {"operator": "TEXT_CONTAINS", "firstValue": "{{trigger.body.a}}", "secondValue": ""}
    branches = [
        {"branchName": "Large", "branchType": "CONDITION", "conditions": [[condition]]},
        {"branchName": "Otherwise", "branchType": "FALLBACK"},
    ]
    steps = [
        step("step_1", "CODE", {"sourceCode": {"code": " ", "packageJson": "{}"}, "input": {}}),
        step("step_2", "LOOP_ON_ITEMS", {"items": ""}),
        step("step_3", "ROUTER", {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"}, children=[None, None]),
        app("step_4", "@activepieces/piece-nope", "x"),
        app("step_5", "@activepieces/piece-slack", next(iter(slack["actions"])), slack["version"]),
    ]
    trigger = client.get_flow(key)["version"]["trigger"] | {"nextAction": None}
    last = trigger
    for one in steps:
        last["nextAction"] = one
        last = one
    request = {"displayName": "Imported", "trigger": trigger, "schemaVersion": None, "notes": []}
    client.apply_flow_operation(key, {"type": "IMPORT_FLOW", "request": request})
    stage.practice.journal.clear()
    return key


@newer
def test_what_is_missing_is_listed_with_its_fields_although_the_engine_calls_it_complete(
    stage: Stage, flow: str
) -> None:
    for address in (f"/w/sales/flows/{flow}/?tab=steps", f"/w/sales/flows/do/publish/{flow}/"):
        page = text(stage.browser.get(address).content)
        for words, link in (
            ("The step_1: It has no code.", f"/do/step-code/{flow}/?step=step_1#id_code"),
            ("The step_2: It has no list of items.", f"/do/step-items/{flow}/?step=step_2#id_items"),
            ("The branch “Large” has a condition", f"/do/branch-conditions/{flow}/?branch=step_3%3A0#id_second1"),
            ("The step_4: The engine does not have the app", f"/flows/{flow}/steps/step_4/"),
            ("The step_5: It has no connection.", f"/do/step-settings/{flow}/?step=step_5#prop-connection"),
            ("is not filled in.", f"/do/step-settings/{flow}/?step=step_5#prop-0"),
        ):
            assert words in page
            assert link in page
    assert "is not filled in." in page
    assert not stage.writes()
    asked = stage.browser.get(f"/w/sales/flows/do/publish/{flow}/", {"sure": "yes"})
    done = stage.browser.post(
        f"/w/sales/flows/do/publish/{flow}/", {asked.context["ticket_name"]: asked.context["ticket"]}
    )
    assert lead(done)
    assert stage.session.workflows.get_flow(flow)["publishedVersionId"]


@newer
def test_an_app_that_the_engine_does_not_give_is_said_not_to_be_checked(stage: Stage, flow: str) -> None:
    stage.practice.engine.faults.add("status", "GET", "/v1/pieces/*", status=500, headers={"Retry-After": "0"})
    page = text(stage.browser.get(f"/w/sales/flows/{flow}/?tab=steps").content)
    assert "Not checked, because the engine did not return the app: “" in page
    assert "The step_1: It has no code." in page


def test_a_complete_draft_has_no_list_and_an_empty_trigger_is_not_published(stage: Stage) -> None:
    client = stage.session.workflows
    key = flows.make(client, "Fine", flows.code("echo"), publish=False)
    assert "What is missing" not in text(stage.browser.get(f"/w/sales/flows/{key}/?tab=steps").content)
    empty = client.create_flow("Empty", client.resolve_project_id())["id"]
    stage.practice.journal.clear()
    assert "No trigger is chosen yet" in text(stage.browser.get(f"/w/sales/flows/{empty}/?tab=steps").content)
    assert stage.browser.post(f"/w/sales/flows/do/publish/{empty}/", {"sure": "yes"}).status_code == 409
    assert not stage.writes()


@pytest.fixture
def read(stage: Stage) -> str:
    """A draft in which a code step, a loop, and the conditions and an input inside of a router read the first step."""
    client = stage.session.workflows
    key = flows.make(client, "Orders", flows.code("echo") | {"displayName": "Fetch order"}, publish=False)
    condition = {"operator": "NUMBER_IS_GREATER_THAN", "firstValue": "{{step_1['total']}}", "secondValue": "9"}
    branches = [
        {"branchName": "Large", "branchType": "CONDITION", "conditions": [[condition]]},
        {"branchName": "Otherwise", "branchType": "FALLBACK"},
    ]
    source = {"sourceCode": {"code": "export const code = async (i) => i;", "packageJson": "{}"}}
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("step_1", "AFTER", step("step_2", "CODE", source | {"input": {"sum": "Total: {{ step_1.total + 1 }}"}})),
        ("step_2", "AFTER", step("step_3", "LOOP_ON_ITEMS", {"items": "{{step_1.lines}}"})),
        ("step_3", "AFTER", step("step_4", "ROUTER", {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"})),
        ("step_4", "INSIDE_BRANCH", step("step_5", "CODE", source | {"input": {"a": "{{step_2.sum}} and 'step_1'"}})),
    ]
    for parent, place, action in steps:
        request = {"parentStep": parent, "stepLocationRelativeToParent": place, "action": action, "branchIndex": 0}
        client.apply_flow_operation(key, {"type": "ADD_ACTION", "request": request})
    stage.practice.journal.clear()
    return key


def words(content: bytes) -> str:
    return html.unescape(text(content))


READERS = (
    "The step_2: It reads {{ step_1.total + 1 }}, but ",
    "The step_3: It reads {{step_1.lines}}, but ",
    "The step_4, branch “Large”: It reads {{step_1['total']}}, but ",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "values", "said"),
    [
        ("step-delete", {"step": "step_1"}, "the flow has no step “Fetch order”"),
        ("step-move", {"step": "step_1", "place": "AFTER:step_4"}, "“Fetch order” does not run before it"),
        ("step-move", {"step": "step_1", "place": "INSIDE_BRANCH:step_4:0"}, "“Fetch order” does not run before it"),
    ],
)
def test_who_reads_a_step_that_is_deleted_or_moved_is_named_before_and_afterwards(
    stage: Stage, read: str, action: str, values: dict[str, str], said: str
) -> None:
    tab, publish = f"/w/sales/flows/{read}/?tab=steps", f"/w/sales/flows/do/publish/{read}/"
    assert "It reads" not in words(stage.browser.get(tab).content)
    asked = words(ask(stage, action, read, **values).content)
    assert "they will no longer find" in asked
    for reader in READERS:
        assert f"{reader}{said}" in asked
    edit(stage, action, read, **values)
    for address in (tab, publish):
        page = words(stage.browser.get(address).content)
        for reader in READERS:
            assert reader in page
        for form, at in (
            ("step-code", "step=step_2"),
            ("step-items", "step=step_3"),
            ("branch-conditions", "branch=step_4%3A0"),
        ):
            assert f"/do/{form}/{read}/?{at}" in page
    again = words(ask(stage, "step-rename", read, step="step_5", name="Renamed").content)
    assert "will no longer find" not in again
    undone = words(ask(stage, "edit-undo", read).content)
    assert "will no longer find" not in undone


def test_a_step_inside_a_branch_is_not_found_outside_of_it(stage: Stage, read: str) -> None:
    moved = {"step": "step_2", "place": "INSIDE_BRANCH:step_4:1"}
    asked = words(ask(stage, "step-move", read, **moved).content)
    assert "A step reads a value that it will no longer find" in asked
    assert "The step_5: It reads {{step_2.sum}}, but “The step_2” is inside a loop or branch that it is not in" in asked
    harmless = words(ask(stage, "step-move", read, step="step_2", place="AFTER:step_3").content)
    assert "will no longer find" not in harmless
