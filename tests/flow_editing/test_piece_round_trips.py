"""Every form of an app, filled in and sent, is read back as it was."""

import json
from pathlib import Path
from typing import Any

import pytest

from practice_engine import catalog
from practice_engine.http import V083
from tests import flows
from tests.flow_editing.posted_forms import PREFIX, Posted, as_posted, newer, open_form, press, save
from tests.flow_editing.test_editing import url
from tests.stage import Stage, stage
from workflows_ui.flow_editing.prediction import step_named

__all__ = ["stage"]


def filled(form: Any) -> Posted:
    """A value for every field that is empty."""
    values = as_posted(form)
    for node in _walk(form.nodes):
        for name in node.names():
            if name in values and not name.startswith(("rows-", "schema-")) and values[name] in ("", []):
                values[name] = _value(form.fields[name], node.prop.type)
    return values


def _walk(nodes: Any) -> Any:
    for node in nodes:
        yield node
        group = getattr(node, "group", None)
        if group:
            yield from _walk(group.nodes)


def _value(field: Any, kind: str) -> Any:
    if hasattr(field, "choices"):
        keys = [key for key, _label in field.choices if key]
        return (keys if "MULTI" in kind else keys[0]) if keys else ""
    return {
        "NUMBER": "12",
        "DATE_TIME": "2026-05-04T09:30",
        "COLOR": "#1f6feb",
        "JSON": '{"a": [1, true, null]}',
    }.get(kind, "Xin chào\u00a0<b>{{trigger.body.name}}</b>")


ALL = [
    pytest.param(name, kind, id=f"{name.removeprefix(PREFIX)}-{kind}")
    for name, piece in catalog.pieces(V083).items()
    for kind in ("actions", "triggers")
    if piece[kind]
]
#: Names and types of the properties in the recordings `piece_get*` and `piece_install*` of 0.83, without their texts.
RECORDED = json.loads(Path(__file__).with_name("recorded_pieces.json").read_text(encoding="utf-8"))


@newer
@pytest.mark.sampled(24)
@pytest.mark.parametrize(("name", "kind"), ALL)
def test_every_form_of_an_app_is_filled_in_sent_and_read_back_the_same(stage: Stage, name: str, kind: str) -> None:
    _fill_in_all(stage, name, kind)


@newer
@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", RECORDED)
def test_forms_from_the_schemas_of_real_apps_are_read_back_the_same(
    stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = catalog.pieces
    piece = {**real(V083)[name], **RECORDED[name]}
    monkeypatch.setattr(catalog, "pieces", lambda version: {**real(version), name: piece})
    for kind in ("actions", "triggers"):
        _fill_in_all(stage, name, kind)


def _fill_in_all(stage: Stage, name: str, kind: str) -> None:
    for operation in catalog.pieces(V083)[name][kind]:
        key = flows.make(stage.session.workflows, "Orders", flows.code("echo"), publish=False)
        action, step_name = ("step-app", "step_2") if kind == "actions" else ("step-settings", "trigger")
        asked = {"piece": name, "operation_name": operation} | ({} if kind == "actions" else {"step": "trigger"})
        form = stage.browser.get(url(action, key), asked).context["form"]
        values = filled(form)
        if values.get("connection") == "":
            values["unfinished"] = "on"
        fixed = {name: values[name] for name in ("connection", "unfinished") if name in values}
        # Those that depend on others are asked about after them.
        for _turn in range(3):
            for node in form.nodes:
                if getattr(node, "state", "") == "waiting":
                    form = press(stage, action, key, values, f"load:{node.name}")
                    values = filled(form) | fixed
            form = press(stage, action, key, values, "connections")
        step = step_named(save(stage, action, key, values), step_name) or {}
        assert step["valid"] or "unfinished" in values, (operation, step["settings"]["input"])
        # Opened again, and saved with another name only: nothing of the settings changes.
        again = open_form(stage, "step-settings", key, step=step_name)
        renamed = (
            again | {"name": "Another name"} | {name: value for name, value in fixed.items() if name == "unfinished"}
        )
        after = step_named(save(stage, "step-settings", key, renamed), step_name) or {}
        assert after["settings"] == step["settings"], operation
        assert after["displayName"] == "Another name"
