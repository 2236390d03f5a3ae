"""What is missing in a draft is listed with its fields, on the steps' tab and before publishing."""

from typing import Any

import pytest

from tests import flows
from tests.resources.flow_edits.test_editing import newer
from tests.resources.stage import Stage, lead, stage
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
    for address in (f"/w/sales/flows/{flow}/?tab=steps", f"/w/sales/flows/do/publish/{flow}/", {"sure": "yes"}):
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
