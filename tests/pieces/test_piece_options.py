"""Choices that an app gives for a field, through a connection."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import given, strategies as st

from tests.connection_scene import Scene, scene, shown
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import practice
from tests.resources.samples.pieces import PIECE, piece
from tests.stub_engine import StubEngine, flow, text
from workflows_ui.members.models import Role
from workflows_ui.pieces import options as piece_options
from workflows_ui.pieces.options import key
from workflows_ui.resources.pieces.declaration import Pieces

__all__ = ["practice", "scene"]

SHEETS = "/w/sales/pieces/options/@activepieces/piece-google-sheets/"
SPREADSHEET = key("actions", "insert_row", "spreadsheet_id")
SHEET = key("actions", "insert_row", "sheet_id")
VALUES = key("actions", "insert_row", "values")
#: The address of the page in the stub engine.
HERE = f"/w/sales/pieces/options/{PIECE}/"


def page_of(scene: Scene, **query: str) -> str:
    return scene.page(f"{SHEETS}?{urlencode(query)}")


def asked(scene: Scene) -> int:
    return scene.called("POST", "/v1/pieces/options")


def test_the_page_of_an_app_leads_from_a_field_to_its_choices(scene: Scene) -> None:
    page = scene.page("/w/sales/pieces/@activepieces/piece-google-sheets/")
    assert f'href="{SHEETS}?{urlencode({"field": SPREADSHEET})}"' in page
    assert f'href="{SHEETS}"' in page
    viewer = scene.sign_in("colleague", Role.LAUNCHER)
    assert SHEETS not in shown(viewer.get("/w/sales/pieces/@activepieces/piece-google-sheets/"))
    assert viewer.get(SHEETS).status_code == 403


def test_an_app_without_a_name_has_no_such_page() -> None:
    link = next(item for item in Pieces.shortcuts if item.icon == "list")
    row = piece(actions={"send": {"props": {"list": {"type": "DROPDOWN"}}}})
    assert link.url("sales", row) == HERE
    assert link.url("sales", row | {"name": None}) == ""


def test_choices_are_shown_for_a_connection_and_the_app_is_asked_only_then(scene: Scene) -> None:
    page = page_of(scene, field=SPREADSHEET)
    assert "Choose a field" in page
    assert "Google Sheets (shared)" in page
    assert asked(scene) == 0
    page = page_of(scene, field=SPREADSHEET, show="yes")
    assert "This field is required." in page
    assert asked(scene) == 0
    page = page_of(scene, field=SPREADSHEET, connection="sheets-shared", show="yes")
    assert "Đơn hàng 2025" in page
    assert "3 choices" in page
    assert asked(scene) == 1
    page = page_of(scene, field=SPREADSHEET, connection="sheets-shared", search="kho", show="yes")
    assert "Tồn kho" in page
    assert "1 choice" in page


def test_what_the_choices_depend_on_is_asked_for_and_a_choice_leads_on(scene: Scene) -> None:
    page = page_of(scene, field=SPREADSHEET, connection="sheets-shared", show="yes")
    assert "With this one: Sheet" in page
    follow = {"connection": "sheets-shared", "with-spreadsheet_id": "khách-hàng", "field": SHEET}
    assert f'href="{SHEETS}?{urlencode(follow)}"' in page
    page = page_of(scene, **follow)
    assert 'name="with-spreadsheet_id"' in page
    assert 'value="khách-hàng"' in page
    page = page_of(scene, **follow, show="yes")
    assert "Tháng 10" in page


def test_fields_that_depend_on_others_are_shown_as_fields(scene: Scene) -> None:
    query = {"with-spreadsheet_id": "a", "with-sheet_id": "b", "with-first_row_headers": "true"}
    page = page_of(scene, field=VALUES, connection="sheets-shared", show="yes", **query)
    assert "It consists of 1 field" in page
    assert "Text" in page


def test_an_app_without_such_fields_has_no_page_and_one_that_is_not_there_neither(scene: Scene) -> None:
    for name in ("@activepieces/piece-store", "@activepieces/piece-none", ".."):
        assert scene.browser.get(f"/w/sales/pieces/options/{name}/").status_code == 404


def fill(stub_engine: StubEngine, answer: Any, *, flows: bool = True) -> None:
    props = {"to": {"type": "DROPDOWN", "displayName": "<b>To</b>", "required": True, "refreshers": ["auth", "x", 5]}}
    actions = {"send": {"displayName": "Send", "props": props | {"x": {"type": "SHORT_TEXT"}, "odd": 5}}, "none": None}
    stub_engine.faults[f"/pieces/{PIECE}"] = Reply(200, piece(actions=actions))
    stub_engine.faults["/pieces/options"] = answer if isinstance(answer, Reply) else Reply(200, answer)
    stub_engine.flows = [flow()] if flows else []


ASKED = f"{HERE}?{urlencode({'field': key('actions', 'send', 'to'), 'with-x': '7', 'show': 'yes'})}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"disabled": True, "options": [], "placeholder": "Throws an error, reconnect"}, "The app refused to be asked"),
        ({"disabled": True, "options": [], "placeholder": "Pick a team"}, "It says: Pick a team"),
        ({"disabled": True, "options": []}, "gives no choices for what was chosen"),
        ({"options": []}, "0 choices"),
        (None, "0 choices"),
        ({"options": [5, {"label": 5}, {"label": "<script>x", "value": {"a": 1}}]}, "&lt;script&gt;x"),
        ({"options": [{"label": f"n{number}", "value": number} for number in range(700)]}, "the first 500 are shown"),
    ],
)
def test_whatever_the_app_gives_is_shown(owner: Client, stub_engine: StubEngine, options: Any, words: str) -> None:
    fill(stub_engine, {"type": "DROPDOWN", "options": options})
    page = text(owner.get(ASKED).content)
    assert words in page
    assert "<script>x" not in page
    assert "<b>To</b>" not in page


def test_values_reach_the_app_as_what_they_are(owner: Client, stub_engine: StubEngine) -> None:
    fill(stub_engine, {"type": "DROPDOWN", "options": {"options": []}})
    owner.get(ASKED)
    (sent,) = [json.loads(seen.body) for seen in stub_engine.seen if seen.method == "POST"]
    assert sent["input"] == {"x": 7}
    assert sent["flowVersionId"] == "V1"


def test_a_workspace_without_a_flow_is_asked_to_make_one(owner: Client, stub_engine: StubEngine) -> None:
    fill(stub_engine, {}, flows=False)
    assert "this workspace has none. Create one first." in text(owner.get(ASKED).content)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(400, {"code": "ENGINE_OPERATION_FAILURE", "params": {"message": "no worker"}}), "no worker"),
        (Reply(200, b""), "The engine"),
        (Reply(403, {"code": "AUTHORIZATION", "params": {}}), "The credential has no access to this"),
    ],
)
def test_an_engine_at_fault_is_shown_beside_the_form(
    owner: Client, stub_engine: StubEngine, reply: Reply, words: str
) -> None:
    fill(stub_engine, reply)
    answer = owner.get(ASKED)
    assert answer.status_code == 200
    assert words in text(answer.content)
    assert 'name="with-x"' in text(answer.content)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one, max_size=3)))
def test_a_value_that_is_shown_is_read_back_as_it_was(value: Any) -> None:
    read = piece_options.read({"type": "DROPDOWN", "options": {"options": [{"label": "x", "value": value}]}})
    assert piece_options.value_of(read.choices[0][1]) == value
