"""The forms of flow editing as a browser submits them."""

import json
from typing import Any

import pytest

from tests.flow_editing.test_editing import url
from tests.stage import Stage
from tests.stub_engine import text
from workflows_ui.flow_editing.models import EditState, FlowEdit

Posted = dict[str, Any]
PREFIX = "@activepieces/piece-"
newer = pytest.mark.parametrize("stage", ["activepieces"], indirect=True)


def as_posted(form: Any) -> Posted:
    """What a browser submits of a form that nobody has changed."""
    posted: Posted = {}
    for bound in form:
        value = bound.field.prepare_value(bound.value())
        if bound.widget_type == "checkbox":
            if value:
                posted[bound.html_name] = "on"
        elif bound.widget_type == "checkboxselectmultiple":
            posted[bound.html_name] = value or []
        else:
            shown = bound.field.widget.format_value(value)
            keys = [str(key) for key, _label in getattr(bound.field, "choices", ())]
            shown = shown[0] if isinstance(shown, list) and shown else shown
            posted[bound.html_name] = (shown if shown in keys else keys[0]) if keys else shown or ""
    return posted


def open_form(stage: Stage, action: str, key: str, **asked: str) -> Posted:
    page = stage.browser.get(url(action, key), asked)
    assert page.status_code == 200, text(page.content)[-1500:]
    return as_posted(page.context["form"])


def press(stage: Stage, action: str, key: str, values: Posted, button: str) -> Any:
    """The form after a button that only shows it again."""
    answer = stage.browser.post(url(action, key), values | {"redo": button})
    assert answer.status_code == 200
    return answer.context["form"]


def save(stage: Stage, action: str, key: str, values: Posted) -> dict[str, Any]:
    """Submit once, and again if a question is asked. Return the trigger."""
    done = stage.browser.post(url(action, key), values)
    if done.status_code == 200:
        done = stage.browser.post(url(action, key), values | {"seen": done.context["form"].data["seen"]})
    assert done.status_code == 303, (done.context["form"].errors, text(done.content)[-1500:])
    assert FlowEdit.objects.latest("pk").state == EditState.DONE
    trigger: dict[str, Any] = stage.session.workflows.get_flow(key)["version"]["trigger"]
    return trigger


def asked(stage: Stage) -> list[dict[str, Any]]:
    """What the engine was asked about choices."""
    received = [one for one in stage.practice.journal.all() if one.path.endswith("/pieces/options")]
    return [json.loads(one.body) for one in received]
