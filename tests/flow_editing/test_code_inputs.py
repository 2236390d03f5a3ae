"""Inputs of a code step as rows of a name and a value."""

from typing import Any

import pytest

from tests import flows
from tests.flow_editing.test_editing import ask, edit, url
from tests.stage import Stage, stage
from tests.stub_engine import text
from workflows_ui.core.redaction import MASK
from workflows_ui.flow_editing.prediction import step_named

__all__ = ["stage"]
INPUTS = {
    "total": "{{trigger.body.total}}",
    "rate": 0.1,
    "lines": [{"qty": 1}],
    "password": "hunter2-hunter2",
    " odd ": None,
}
pytestmark = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)


@pytest.fixture
def flow(stage: Stage) -> str:
    return flows.make(stage.session.workflows, "Orders", flows.code("echo", **INPUTS), publish=False)


def filled(stage: Stage, key: str) -> dict[str, str]:
    """The form as it is opened."""
    form = stage.browser.get(url("step-code", key)).context["form"]
    return {name: str(form[name].value() or "") for name in form.fields if name != "seen"} | {"step": "step_1"}


def inputs(stage: Stage, key: str) -> Any:
    step = step_named(stage.session.workflows.get_flow(key)["version"]["trigger"], "step_1") or {}
    return step["settings"]["input"]


def test_inputs_that_were_not_changed_stay_as_they_are(stage: Stage, flow: str) -> None:
    opened = filled(stage, flow)
    assert opened["name4"] == "password"
    assert opened["value4"] == MASK
    edit(stage, "step-code", flow, **opened | {"code": "1"})
    assert inputs(stage, flow) == INPUTS
    assert list(inputs(stage, flow)) == list(INPUTS)


def test_inputs_are_changed_renamed_removed_and_added(stage: Stage, flow: str) -> None:
    changed = {
        "value1": "120",
        "value2": "0.2",
        "name3": "rows",
        "name5": "",
        "value5": "",
        "name9": "note",
        "value9": "a\r\nb",
    }
    edit(stage, "step-code", flow, **filled(stage, flow) | changed)
    assert inputs(stage, flow) == {
        "total": "120",
        "rate": 0.2,
        "rows": [{"qty": 1}],
        "password": "hunter2-hunter2",
        "note": "a\nb",
    }


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"name2": "total"}, "name2", "another input with this name"),
        ({"value6": "no name"}, "name6", "A name is missing here."),
        ({"value4": f"{MASK} and more"}, "value4", "hidden secret"),
        ({"name4": "renamed", "value4": MASK + "x"}, "value4", "hidden secret"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    stage: Stage, flow: str, changed: dict[str, str], field: str, message: str
) -> None:
    refused = ask(stage, "step-code", flow, **filled(stage, flow) | changed | {"code": "const typed = 1;"})
    assert refused.status_code == 422
    assert message in str(refused.context["form"].errors[field])
    assert "const typed = 1;" in text(refused.content)
    for name, value in changed.items():
        assert refused.context["form"][name].value() == value
