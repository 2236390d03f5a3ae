"""Requests, answers and flows that no engine's builder makes: nothing is lost silently, and no page fails."""

import json
from typing import Any

import pytest

from tests import flows
from tests.flow_editing.test_editing import ask, edit, flow, router, tree, url
from tests.stage import Stage, everything_told, stage
from tests.stub_engine import text
from workflows_ui.flow_editing.prediction import step_named

__all__ = ["flow", "router", "stage"]
pytestmark = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)
STEP = {**flows.code("echo"), "name": "step_9"}
TRIGGER = {"name": "trigger", "type": "EMPTY"}


def import_chain(stage: Stage, steps: int, last: dict[str, Any]) -> str:
    """A flow with so many steps one after another, then this one."""
    client = stage.session.workflows
    key = flows.make(client, "Long", publish=False)
    for number in range(steps, 0, -1):
        last = {**flows.code("echo"), "name": f"step_{number}", "nextAction": last}
    trigger = client.get_flow(key)["version"]["trigger"] | {"nextAction": last}
    request = {"displayName": "Long", "trigger": trigger, "schemaVersion": None, "notes": []}
    client.apply_flow_operation(key, {"type": "IMPORT_FLOW", "request": request})
    return key


@pytest.mark.slow
def test_a_late_step_of_a_long_flow_keeps_its_inputs_when_its_code_is_edited(stage: Stage) -> None:
    inputs = {"a": {"b": {"c": [1, {"d": "kept"}]}}}
    key = import_chain(stage, 499, {**flows.code("echo", **inputs), "name": "last"})
    form = stage.browser.get(url("step-code", key), {"step": "last"}).context["form"]
    assert json.loads(form.initial["value1"]) == inputs["a"]
    edit(stage, "step-code", key, step="last", code="1", name1="a", value1=form.initial["value1"], packages="{}")
    trigger = stage.session.workflows.get_flow(key)["version"]["trigger"]
    assert (step_named(trigger, "last") or {})["settings"]["input"] == inputs
    for address in (f"/w/sales/flows/{key}/steps/last/", *(f"/w/sales/flows/{key}/?tab={tab}" for tab in ("", "raw"))):
        assert stage.browser.get(address).status_code == 200
    assert "last" in text(stage.browser.get(f"/w/sales/flows/{key}/?tab=steps").content)
    assert tree(stage, key)[-1] == ("last", 0)


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        ("DELETE_BRANCH", {"stepName": "unknown"}),
        ("DELETE_BRANCH", {"stepName": "step_1", "branchIndex": "x"}),
        ("ADD_NOTE", {"id": {"a": 1}}),
        ("LOCK_FLOW", {"ownerId": ["a"]}),
        ("IMPORT_FLOW", {"displayName": "a", "trigger": TRIGGER, "notes": "text"}),
        ("IMPORT_FLOW", {"displayName": "a", "trigger": TRIGGER, "notes": 7}),
        (
            "ADD_ACTION",
            {
                "parentStep": "step_5",
                "stepLocationRelativeToParent": "INSIDE_BRANCH",
                "branchIndex": 10**12,
                "action": STEP,
            },
        ),
    ],
)
def test_a_malformed_request_is_refused_in_words(
    stage: Stage, router: str, kind: str, request_: dict[str, Any]
) -> None:
    refused = ask(stage, "operation", router, type=kind, request=json.dumps(request_))
    assert refused.status_code == 422
    page = text(refused.content)
    assert any(words in page for words in ("would refuse", "has to be", "does not know this owner"))
    assert not stage.writes()


def test_the_list_of_a_loop_is_not_in_the_audit_log(stage: Stage, flow: str) -> None:
    edit(stage, "step-items", flow, step="step_3", items='["Anna Example", "Bao Example"]')
    assert "Bao Example" not in everything_told()
    assert "step-items" in everything_told()
