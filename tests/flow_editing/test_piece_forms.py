"""Steps that use an app, by forms made of the app's property schemas: what was filled in is what the engine has."""

import json
from typing import Any

import pytest

from practice_engine import catalog
from practice_engine.http import V083
from tests import flows
from tests.flow_editing.posted_forms import PREFIX, Posted, as_posted, asked, newer, open_form, press, save
from tests.flow_editing.test_editing import url
from tests.stage import Stage, stage
from tests.stub_engine import text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import caching, redaction
from workflows_ui.flow_editing import app_answers
from workflows_ui.flow_editing.models import FlowEdit
from workflows_ui.flow_editing.prediction import step_named
from workflows_ui.members.models import Role

__all__ = ["stage"]


@pytest.fixture
def flow(stage: Stage) -> str:
    return flows.make(
        stage.session.workflows, "Orders", flows.code("echo"), flows.response({"ok": True}), publish=False
    )


#: Property types with their settings, as an app of a maker whom nobody knows may have them; a value each, and what is posted for it.
EVERY_TYPE: dict[str, tuple[Posted, Any, Posted]] = {
    "text": ({"type": "SHORT_TEXT"}, " a\u00a0b ", {"p-text": " a\u00a0b "}),
    "separator": ({"type": "SHORT_TEXT"}, "\n", {"p-separator": "\r\n"}),
    "long": ({"type": "LONG_TEXT"}, "x" * 10_000, {"p-long": "x" * 10_000}),
    "number": ({"type": "NUMBER"}, 1.5, {"p-number": "1.5"}),
    "none": ({"type": "NUMBER"}, 0, {"p-none": "0"}),
    "box": ({"type": "CHECKBOX", "defaultValue": True}, False, {}),
    "moment": ({"type": "DATE_TIME"}, "{{trigger.at}}", {"expr-p-moment": "{{trigger.at}}"}),
    "colour": ({"type": "COLOR"}, "#ff0000", {"p-colour": "#ff0000"}),
    "file": ({"type": "FILE"}, "{{step_1.file}}", {"p-file": "{{step_1.file}}"}),
    "one": (
        {
            "type": "STATIC_DROPDOWN",
            "description": "<script>x</script>",
            "options": {"options": [{"label": "A", "value": {"id": 1}}]},
        },
        {"id": 1},
        {"p-one": '{"id": 1}'},
    ),
    "some": (
        {"type": "STATIC_MULTI_SELECT_DROPDOWN", "options": {"options": [{"label": "A", "value": 1}, {"value": "b"}]}},
        [1, "b"],
        {"p-some": ["1", '"b"']},
    ),
    "typed": ({"type": "MULTI_SELECT_DROPDOWN", "refreshers": []}, ["x", 2], {"expr-p-typed": '["x", 2]'}),
    "texts": ({"type": "ARRAY"}, ["b", "a"], {"rows-p-texts": "1,0", "p-texts.0": "a", "p-texts.1": "b"}),
    "rows": (
        {"type": "ARRAY", "properties": {"k": {"type": "SHORT_TEXT"}, "n": {"type": "NUMBER"}}},
        [{"k": "a", "n": 2}, {"k": "{{b}}"}],
        {"rows-p-rows": "0,1", "p-rows.0.k": "a", "p-rows.0.n": "2", "p-rows.1.k": "{{b}}", "p-rows.1.n": ""},
    ),
    "pairs": (
        {"type": "OBJECT"},
        {"a": "1", "": "2"},
        {
            "rows-p-pairs": "0,1,2",
            "p-pairs.0.name": "a",
            "p-pairs.0.value": "1",
            "p-pairs.1.name": "",
            "p-pairs.1.value": "2",
            "p-pairs.2.name": "",
            "p-pairs.2.value": "",
        },
    ),
    "json": ({"type": "JSON"}, [None, {"a": True}], {"p-json": '[null, {"a": true}]'}),
    "group": (
        {"type": "DYNAMIC", "refreshers": []},
        {"k": 3},
        {"schema-p-group": '{"k": {"type": "NUMBER", "displayName": "K"}}', "p-group.k": "3"},
    ),
    "custom": ({"type": "CUSTOM", "code": "…"}, {"x": 1}, {"p-custom": '{"x": 1}'}),
    "unknown": ({"type": "HOLOGRAM", "displayName": "<b>"}, "z", {"p-unknown": '"z"'}),
    "typeless": ({"type": None, "displayName": None, "description": {"odd": 1}}, 5, {"p-typeless": "5"}),
    "note": ({"type": "MARKDOWN", "description": "**Look** <script>"}, None, {}),
}


@pytest.fixture
def odd_app(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
    """An app whose one action has properties of every type."""
    name = f"{PREFIX}http"
    props = {key: schema for key, (schema, _value, _posted) in EVERY_TYPE.items()}
    action = {"name": "do", "displayName": "Do", "description": "", "requireAuth": False, "props": props}
    piece = {**catalog.pieces(V083)[name], "displayName": "Odd", "actions": {"do": action}}
    real = catalog.pieces
    monkeypatch.setattr(catalog, "pieces", lambda version: {**real(version), name: piece})
    return name


@newer
def test_properties_of_every_type_are_entered_and_unknown_ones_as_json(stage: Stage, flow: str, odd_app: str) -> None:
    asked = {"piece": odd_app, "operation_name": "do"}
    page = stage.browser.get(url("step-app", flow), asked)
    shown = text(page.content)
    assert "does not know this type of field" in shown
    assert "&lt;b&gt;" in shown
    assert "<script>" not in shown.split('id="action"')[1].split("</form>")[0]
    values = as_posted(page.context["form"])
    del values["p-box"]
    for _schema, _value, posted in EVERY_TYPE.values():
        values |= posted
    step = step_named(save(stage, "step-app", flow, values), "step_3") or {}
    wanted = {key: value for key, (_schema, value, _posted) in EVERY_TYPE.items() if key != "note"}
    assert step["settings"]["input"] == wanted
    kinds = {key: one["type"] for key, one in step["settings"]["propertySettings"].items()}
    assert kinds == dict.fromkeys(wanted, "MANUAL") | dict.fromkeys(("moment", "typed"), "DYNAMIC")
    # Opened and saved again, with one value changed, every other one is what it was.
    again = open_form(stage, "step-settings", flow, step="step_3")
    after = step_named(save(stage, "step-settings", flow, again | {"p-number": "2"}), "step_3") or {}
    assert after["settings"] == {**step["settings"], "input": wanted | {"number": 2}}


@newer
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(stage: Stage, flow: str, odd_app: str) -> None:
    values = open_form(stage, "step-app", flow, piece=odd_app, operation_name="do")
    wrong = {"p-json": '{"a": }', "p-number": "many", "p-text": "kept"}
    wrong |= {"rows-p-pairs": "0,1", "p-pairs.0.name": "a", "p-pairs.1.name": "a", "p-pairs.1.value": "2"}
    refused = stage.browser.post(url("step-app", flow), values | wrong)
    assert refused.status_code == 422
    errors = refused.context["form"].errors
    assert errors.keys() == {"p-json", "p-number", "p-pairs.1.name"}
    assert "Line 1, column 7" in str(errors["p-json"])
    page = text(refused.content)
    for typed in wrong.values():
        assert typed.replace('"', "&quot;") in page
    # An expression is taken instead of what is wrong.
    saved = save(stage, "step-app", flow, values | {"p-number": "many", "expr-p-number": "{{step_1.sum}}"})
    assert (step_named(saved, "step_3") or {})["settings"]["input"]["number"] == "{{step_1.sum}}"


@pytest.mark.slow
@newer
def test_rows_are_added_moved_and_removed_without_a_script(stage: Stage, flow: str, odd_app: str) -> None:
    values = open_form(stage, "step-app", flow, piece=odd_app, operation_name="do") | {"p-texts.0": "first"}
    values = as_posted(press(stage, "step-app", flow, values, "add:p-texts"))
    new = next(name for name in values if name.startswith("p-texts.") and name != "p-texts.0")
    values = as_posted(press(stage, "step-app", flow, values | {new: "second"}, f"up:p-texts:{new.rpartition('.')[2]}"))
    values = as_posted(press(stage, "step-app", flow, values, "add:p-texts"))
    step = step_named(save(stage, "step-app", flow, values), "step_3") or {}
    assert step["settings"]["input"]["texts"] == ["second", "first"]
    values = as_posted(
        press(stage, "step-settings", flow, open_form(stage, "step-settings", flow, step="step_3"), "remove:p-texts:0")
    )
    values = as_posted(press(stage, "step-settings", flow, values, "add:p-texts"))
    step = step_named(save(stage, "step-settings", flow, values), "step_3") or {}
    assert step["settings"]["input"]["texts"] == ["first"]


@newer
def test_a_full_list_says_that_no_row_fits(stage: Stage, flow: str, odd_app: str) -> None:
    rows = ",".join(str(1000 + number) for number in range(200))
    values = open_form(stage, "step-app", flow, piece=odd_app, operation_name="do") | {"rows-p-texts": rows}
    page = stage.browser.post(url("step-app", flow), values | {"redo": "add:p-texts"})
    assert page.context["form"].data["rows-p-texts"] == rows
    assert "This form holds at most 200 rows." in text(page.content)


@pytest.mark.slow
@newer
def test_what_is_hidden_as_a_whole_stays_unless_something_is_typed(
    stage: Stage, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    props: Posted = {
        "credentials": {"type": "OBJECT"},
        "tokens": {"type": "ARRAY"},
        "secrets": {"type": "ARRAY", "properties": {"k": {"type": "SHORT_TEXT"}}},
        "lock": {"type": "SECRET_TEXT"},
        "text": {"type": "SHORT_TEXT"},
    }
    name, real = f"{PREFIX}http", catalog.pieces
    action = {"name": "do", "displayName": "Do", "description": "", "requireAuth": False, "props": props}
    piece = {**catalog.pieces(V083)[name], "displayName": "Odd", "actions": {"do": action}}
    monkeypatch.setattr(catalog, "pieces", lambda version: {**real(version), name: piece})
    values = open_form(stage, "step-app", flow, piece=name, operation_name="do")
    saved = step_named(save(stage, "step-app", flow, values | {"p-text": "a"}), "step_3") or {}
    hidden = {
        "credentials": {"user": "u", "password": "s3cret-1"},
        "tokens": ["s3cret-2", "s3cret-3"],
        "secrets": [{"k": "s3cret-4"}],
        "lock": {"code": "s3cret-5"},
    }
    settings = saved["settings"] | {"input": hidden | {"text": "a"}}
    body = {key: saved[key] for key in ("name", "type", "valid", "displayName")} | {"settings": settings}
    stage.session.workflows.apply_flow_operation(flow, {"type": "UPDATE_ACTION", "request": body})
    page = stage.browser.get(url("step-settings", flow), {"step": "step_3"})
    assert "s3cret" not in text(page.content)
    values = as_posted(page.context["form"])
    step = step_named(save(stage, "step-settings", flow, values | {"p-text": "b"}), "step_3") or {}
    assert step["settings"]["input"] == hidden | {"text": "b"}
    typed = {"p-tokens.0": "new", "p-credentials.0.name": "user", "p-credentials.0.value": "v"}
    step = step_named(save(stage, "step-settings", flow, values | typed), "step_3") or {}
    assert step["settings"]["input"] == hidden | {"text": "a", "tokens": ["new"], "credentials": {"user": "v"}}


@pytest.mark.slow
@newer
@pytest.mark.parametrize(
    ("posted", "status"),
    [
        ({"p-typed": ["NaN"]}, 422),
        ({"p-typed": ['"\\ud800"']}, 422),
        ({"redo": f"remove:p-texts:{'9' * 5_000}"}, 200),
        ({"schema-p-group": "[" * 5_000 + "]" * 5_000}, 200),
        (
            {
                "schema-p-group": json.dumps(
                    {"l": {"type": "ARRAY", "properties": {str(n): {"type": "SHORT_TEXT"} for n in range(200)}}}
                ),
                "rows-p-group.l": ",".join(map(str, range(200))),
            },
            400,
        ),
    ],
    ids=["not a number", "half a letter", "long number", "deep", "rows in rows"],
)
def test_what_no_browser_sends_crashes_nothing(
    stage: Stage, flow: str, odd_app: str, posted: Posted, status: int
) -> None:
    values = {"piece": odd_app, "operation_name": "do", "name": "Odd", "place": "AFTER:trigger"}
    assert stage.browser.post(url("step-app", flow), values | posted).status_code == status


SHEETS = {"piece": f"{PREFIX}google-sheets", "operation_name": "insert_row"}


def options_of(form: Any, name: str) -> list[str]:
    return [label for key, label in form.fields[name].choices if key]


@pytest.mark.slow
def test_choices_that_depend_on_another_field_are_asked_for_again(stage: Stage, flow: str) -> None:
    page = stage.browser.get(url("step-app", flow), SHEETS)
    values = as_posted(page.context["form"]) | {"connection": ""}
    assert options_of(page.context["form"], "connection") == ["Google Sheets (shared) (Connected)"]
    form = press(stage, "step-app", flow, values, "refresh:connection")
    assert options_of(form, "p-spreadsheet_id") == options_of(form, "p-sheet_id") == []
    [spreadsheets, sheets, _first, fields] = form.nodes
    assert (spreadsheets.refused, fields.refused) == ("Choose “Connection” first.", "Choose “Spreadsheet” first.")
    assert not asked(stage)
    values["connection"] = form.fields["connection"].choices[1][0]
    form = press(stage, "step-app", flow, values, "refresh:connection")
    assert options_of(form, "p-spreadsheet_id") == ["Đơn hàng 2025", "Khách hàng", "Tồn kho"]
    assert sheets.refused == "Choose “Connection” first."
    values = as_posted(form) | {"p-spreadsheet_id": form.fields["p-spreadsheet_id"].choices[1][0]}
    form = press(stage, "step-app", flow, values, "refresh:p-spreadsheet_id")
    assert options_of(form, "p-sheet_id") == ["Tháng 10", "Tháng 11"]
    values = as_posted(form) | {"p-sheet_id": form.fields["p-sheet_id"].choices[2][0]}
    form = press(stage, "step-app", flow, values, "refresh:p-sheet_id")
    assert [one["propertyName"] for one in asked(stage)] == ["spreadsheet_id", "sheet_id", "values"]
    assert asked(stage)[1]["input"] == {"auth": "{{connections['sheets-shared']}}", "spreadsheet_id": "đơn-hàng-2025"}
    # The choices are shown again without another question; another spreadsheet has other sheets.
    page = stage.browser.post(url("step-app", flow), as_posted(form) | {"name": ""})
    assert options_of(page.context["form"], "p-sheet_id") == ["Tháng 10", "Tháng 11"]
    assert len(asked(stage)) == 3
    values = as_posted(form) | {"p-spreadsheet_id": '"gone"', "p-values.value": "kept"}
    form = press(stage, "step-app", flow, values, "refresh:p-spreadsheet_id")
    assert len(asked(stage)) == 5
    values = as_posted(form)
    step = step_named(save(stage, "step-app", flow, values), "step_3") or {}
    assert step["settings"]["input"] == {
        "auth": "{{connections['sheets-shared']}}",
        "spreadsheet_id": "gone",
        "sheet_id": "tháng-11",
        "first_row_headers": True,
        "values": {"value": "kept"},
    }
    assert step["settings"]["propertySettings"]["values"]["schema"].keys() == {"value"}


@newer
@pytest.mark.parametrize("type", ["DROPDOWN", "MULTI_SELECT_DROPDOWN"])
def test_an_app_searches_its_choices_and_what_was_chosen_before_stays(
    stage: Stage, flow: str, odd_app: str, monkeypatch: pytest.MonkeyPatch, type: str
) -> None:
    prop = {"type": type, "displayName": "Channel", "refreshers": [], "refreshOnSearch": True}
    action = catalog.pieces(V083)[odd_app]["actions"]["do"]
    monkeypatch.setitem(action, "props", {"channel": prop})
    values = open_form(stage, "step-app", flow, piece=odd_app, operation_name="do")
    form = press(stage, "step-app", flow, values, "load:p-channel")
    assert options_of(form, "p-channel") == ["Bán hàng", "Kho vận", "Thông báo chung"]
    values = as_posted(form) | {"p-channel": '"bán-hàng"', "search-p-channel": "KHO"}
    form = press(stage, "step-app", flow, values, "search:p-channel")
    assert asked(stage)[-1]["searchValue"] == "KHO"
    assert options_of(form, "p-channel") == ["Kho vận", "bán-hàng"]
    assert form["p-channel"].value() in ('"bán-hàng"', ['"bán-hàng"'])
    # What was searched is still shown beside a mistake, and a choice that was found is saved.
    values = as_posted(form) | {"search-p-channel": "KHO", "p-channel": '"kho-vận"'}
    number = len(asked(stage))
    again = stage.browser.post(url("step-app", flow), values | {"name": ""}).context["form"]
    assert options_of(again, "p-channel") == ["Kho vận"]
    step = step_named(save(stage, "step-app", flow, values), "step_3") or {}
    assert step["settings"]["input"]["channel"] in ("kho-vận", ["kho-vận"])
    assert len(asked(stage)) == number


@newer
def test_an_app_that_does_not_answer_is_said_at_its_field_and_the_value_can_be_typed(stage: Stage, flow: str) -> None:
    values = open_form(stage, "step-app", flow, **SHEETS)
    stage.practice.engine.faults.add("status", "POST", "*/pieces/options", status=500)
    answer = stage.browser.post(url("step-app", flow), values | {"redo": "load:p-spreadsheet_id"})
    node = answer.context["form"].nodes[0]
    assert answer.status_code == 200
    assert node.state == "refused"
    assert str(node.refused) in text(answer.content)
    typed = as_posted(answer.context["form"]) | {"expr-p-spreadsheet_id": "abc", "expr-p-sheet_id": "{{trigger.sheet}}"}
    step = step_named(save(stage, "step-app", flow, typed | {"expr-p-values": "{{trigger.row}}"}), "step_3") or {}
    assert step["settings"]["input"]["spreadsheet_id"] == "abc"
    assert step["settings"]["propertySettings"]["sheet_id"] == {"type": "DYNAMIC"}


@newer
def test_an_engine_that_does_not_answer_is_asked_about_one_of_several_fields_only(stage: Stage, flow: str) -> None:
    values = press(stage, "step-app", flow, open_form(stage, "step-app", flow, **SHEETS), "load:p-spreadsheet_id")
    typed = as_posted(values) | {"expr-p-spreadsheet_id": "abc", "expr-p-sheet_id": "1"}
    for count, fault in ((3, False), (1, True)):
        if fault:
            stage.practice.engine.faults.add("status", "POST", "*/pieces/options", status=503)
        stage.practice.journal.clear()
        press(stage, "step-app", flow, typed, "refresh:connection")
        assert len({one["propertyName"] for one in asked(stage)}) == count


@newer
def test_answers_that_are_slow_together_are_left_for_other_requests(stage: Stage, flow: str) -> None:
    piece, row = SHEETS["piece"], stage.session.workflows.get_flow(flow)
    version = stage.session.workflows.get_piece(piece)["version"]

    def answers(*moments: float) -> list[bool | None]:
        """Whether each of three fields got an answer, None if it is not asked for; the moments are those of a clock."""
        app = app_answers.App(stage.session, piece, version, "insert_row", row, clock=iter(moments).__next__)
        found = [app.ask(name, {"auth": str(moments)}) for name in ("spreadsheet_id", "sheet_id", "values")]
        return [None if one is None else not one.refused for one in found]

    most = app_answers.SECONDS
    assert answers(0, 1, most - 1) == [True, True, True]
    assert answers(0, 1, most) == [True, True, None]
    stage.practice.engine.faults.add(
        "status", "POST", "*/pieces/options", status=503, schedule="-xx", retry_after="100"
    )
    assert answers(0, 1, most, most) == [True, None, None], "the second one was cut"


@pytest.mark.slow
def test_choices_of_an_engine_that_lies_are_read_as_far_as_a_form_can_hold_them() -> None:
    many = [{"label": f"<b>{number}", "value": number} for number in range(100_000)]
    odd = [{"label": ["x"], "value": {"a": 1}}, {"label": "y" * 10_000, "value": "z" * 1_000_000}, 7, {"label": "none"}]
    schema = {str(number): {"type": "SHORT_TEXT", "displayName": "x" * 100} for number in range(100_000)}
    read = app_answers.read
    assert [option.key for option in read({"type": "DROPDOWN", "options": {"options": odd + many}}).choices][:2] == [
        '{"a": 1}',
        "0",
    ]
    assert not read({"type": "DROPDOWN", "options": {"options": odd}}).is_complete
    assert len(read({"type": "DROPDOWN", "options": {"options": many}}).choices) == 500
    assert read({"type": "DYNAMIC", "options": schema}).refused
    lies: tuple[Any, ...] = (None, 5, "x", [], {"options": None}, {"options": {"a": 1}}, {"disabled": "yes"})
    for lie in lies:
        assert not read({"type": "DROPDOWN", "options": lie}).choices
        assert isinstance(read({"type": "DYNAMIC", "options": lie}).schema, dict)


@newer
def test_a_secret_is_shown_masked_and_kept_and_what_the_form_does_not_know_stays(stage: Stage, flow: str) -> None:
    session = stage.session.workflows
    trigger = session.get_flow(flow)["version"]["trigger"]
    inputs: dict[str, Any] = {
        "authType": "header",
        "authFields": {"headerName": "x", "headerValue": "s3cret-value", "odd": [1]},
    }
    schema = {name: {"type": "SHORT_TEXT", "displayName": name} for name in ("headerName", "headerValue", "odd")}
    settings = trigger["settings"] | {
        "input": inputs,
        "customLogoUrl": "http://x/y.png",
        "propertySettings": {"authFields": {"type": "MANUAL", "schema": schema, "more": 1}},
    }
    body = {key: trigger[key] for key in ("name", "type", "valid", "displayName")} | {"settings": settings}
    session.apply_flow_operation(flow, {"type": "UPDATE_TRIGGER", "request": body})
    page = stage.browser.get(url("step-settings", flow), {"step": "trigger"})
    assert "s3cret" not in text(page.content)
    loaded = press(stage, "step-settings", flow, as_posted(page.context["form"]), "load:p-authFields")
    values = as_posted(loaded) | {"p-authFields.headerName": "x-key"}
    asked = stage.browser.post(url("step-settings", flow), values)
    assert "s3cret" not in text(asked.content)
    after = save(stage, "step-settings", flow, values)["settings"]
    assert after["input"] == {**inputs, "authFields": {**inputs["authFields"], "headerName": "x-key"}}
    assert after["customLogoUrl"] == "http://x/y.png"
    assert after["propertySettings"]["authFields"]["more"] == 1
    broken = values | {"p-authFields.headerValue": f"{redaction.MASK}!"}
    refused = stage.browser.post(url("step-settings", flow), broken)
    assert "hidden secret" in text(refused.content)
    assert "s3cret" not in str([*AuditEvent.objects.values()])


@newer
def test_what_the_app_calls_secret_is_masked_wherever_a_step_is_shown(
    stage: Stage, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their names say nothing: an input, a member of a list, and one of the fields that the app gave."""
    name, real = f"{PREFIX}http", catalog.pieces
    secret = {"type": "SECRET_TEXT", "displayName": "Phrase", "required": False}
    props = {"phrase": secret, "rows": {"type": "ARRAY", "properties": {"x": secret}}, "more": {"type": "DYNAMIC"}}
    action = {"name": "do", "displayName": "Do", "description": "", "requireAuth": False, "props": props}
    piece = {**catalog.pieces(V083)[name], "actions": {"do": action}}
    monkeypatch.setattr(catalog, "pieces", lambda version: {**real(version), name: piece})
    inputs = {"phrase": "s3cret-1", "rows": [{"x": "s3cret-2"}], "more": {"y": "s3cret-3"}, "plain": "seen-text"}
    settings = {"pieceName": name, "pieceVersion": piece["version"], "actionName": "do", "input": inputs}
    stored = {"more": {"type": "MANUAL", "schema": {"y": secret}}}
    step = {"name": "step_9", "type": "PIECE", "valid": True, "displayName": "Do"}
    step |= {"settings": settings | {"propertySettings": stored}}
    request = {"parentStep": "trigger", "stepLocationRelativeToParent": "AFTER", "action": step}
    values = {"type": "ADD_ACTION", "request": json.dumps(request)}
    asked = stage.browser.post(url("operation", flow), values)
    # What was typed is in its field; what the page says about it is masked.
    said = "".join(str(item.value) + str(item.lines) for item in asked.context["form"].questions)
    done = stage.browser.post(url("operation", flow), values | {"seen": asked.context["form"].data["seen"]})
    assert done.status_code == 303
    edit = FlowEdit.objects.latest("pk")
    base = f"/w/sales/flows/{flow}/"
    viewer = stage.as_role(Role.VIEWER)
    pages = [
        viewer.get(f"{base}?tab=steps"),
        viewer.get(f"{base}?tab=data"),
        viewer.get(f"{base}export/"),
        stage.browser.get(f"{base}steps/step_9/"),
        stage.browser.get(f"{base}edits/{edit.pk}/"),
    ]
    assert [page.status_code for page in pages] == [200] * len(pages)
    assert all("phrase" in text(page.getvalue()).lower() for page in pages)
    hidden_url = pages[1].context["panels"][0]["hidden"]
    assert "› phrase" in text(stage.browser.get(hidden_url).content), "a builder sees it for a reason"
    assert "s3cret" not in said + "".join(text(page.getvalue()) for page in pages)


@newer
def test_a_link_says_which_form_is_meant_and_fills_in_nothing(stage: Stage, flow: str) -> None:
    asked = {"place": "", "piece": f"{PREFIX}http", "operation_name": "send_request"}
    plain = open_form(stage, "step-app", flow, **asked)
    foreign = {name: "foreign" for name in plain if name not in (*asked, "version")} | {"schema-p-headers": "{}"}
    assert open_form(stage, "step-app", flow, **asked, **foreign) == plain
    code = open_form(stage, "step-code", flow, step="step_1")
    assert open_form(stage, "step-code", flow, step="step_1", code="foreign", seen="foreign") == code
    # Connecting with an external id that exists would overwrite that connection.
    connect = f"/w/sales/pieces/do/connect/{PREFIX}gmail/".replace("@", "%40")
    form = stage.browser.get(connect, {"external_id": "A" * 21, "name": "Mail"}).context["form"]
    assert form["external_id"].value() != "A" * 21
    assert form["name"].value() == "Mail"


@newer
def test_what_is_missing_is_said_unless_the_step_is_saved_as_not_complete(stage: Stage, flow: str) -> None:
    values = open_form(stage, "step-app", flow, **SHEETS)
    refused = stage.browser.post(url("step-app", flow), values)
    assert refused.status_code == 422
    assert refused.context["form"].errors.keys() == {"p-spreadsheet_id", "p-sheet_id", "schema-p-values"}
    assert "Save it although something is missing" in text(refused.content)
    step = step_named(save(stage, "step-app", flow, values | {"unfinished": "on"}), "step_3") or {}
    assert (step["valid"], step["settings"]["pieceVersion"]) == (False, "0.2.0")


@pytest.mark.slow
@newer
def test_another_action_or_trigger_is_chosen_on_pages_of_their_own(stage: Stage, flow: str) -> None:
    choose = f"/w/sales/flows/{flow}/choose/"
    page = stage.browser.get(choose, {"step": "trigger"}).content.decode()
    assert "What starts the flow?" in page
    listed = page.split('id="apps"')[1]
    places = [listed.index(word) for word in ("Used in this workspace", "Webhook", "Other apps", "Stripe")]
    assert places == sorted(places)
    assert "HTTP" not in text(stage.browser.get(choose, {"step": "trigger", "search": "calendar"}).content)
    found = text(stage.browser.get(choose, {"search": "sheet"}).content)
    assert "Google Sheets" in found
    assert "Stripe" not in found
    assert "Slack" in text(stage.browser.get(choose, {"category": "COMMUNICATION"}).content)
    assert "No matching apps" in text(stage.browser.get(choose, {"search": "nothing like it"}).content)
    assert stage.browser.get(choose, {"step": "step_99"}).status_code == 404
    page = stage.browser.get(choose, {"step": "step_2", "piece": f"{PREFIX}store"}).content.decode()
    assert "operation_name=put" in page
    values = open_form(stage, "step-settings", flow, step="step_2", piece=f"{PREFIX}store", operation_name="put")
    values["name"] = "Remember"
    step = step_named(save(stage, "step-settings", flow, values | {"p-key": "k", "p-value": "v"}), "step_2") or {}
    assert step["settings"]["actionName"] == "put"
    assert step["settings"]["input"] == {"key": "k", "value": "v", "store_scope": values["p-store_scope"].strip('"')}
    # No trigger, and one again.
    cleared = save(stage, "trigger-remove", flow, {})
    assert cleared["type"] == "EMPTY"
    assert "Choose the trigger" in text(stage.browser.get(f"/w/sales/flows/{flow}/?tab=steps").content)
    values = open_form(
        stage, "step-settings", flow, piece=f"{PREFIX}webhook", operation_name="catch_webhook", step="trigger"
    )
    assert save(stage, "step-settings", flow, values)["settings"]["input"]["authType"] == "none"


@newer
def test_an_older_version_of_the_app_is_kept_unless_the_newer_one_is_asked_for(stage: Stage, flow: str) -> None:
    for row in stage.practice.engine.state.versions.values():
        if row["flowId"] == flow:
            row["trigger"]["nextAction"]["nextAction"]["settings"]["pieceVersion"] = "0.1.20"
    page = stage.browser.get(url("step-settings", flow), {"step": "step_2"})
    assert "Use version 0.1.29" in text(page.content)
    saved = step_named(save(stage, "step-settings", flow, as_posted(page.context["form"])), "step_2") or {}
    assert saved["settings"]["pieceVersion"] == "0.1.20"
    values = open_form(stage, "step-settings", flow, step="step_2", version="0.1.29")
    upgraded = step_named(save(stage, "step-settings", flow, values), "step_2") or {}
    assert upgraded["settings"]["pieceVersion"] == "0.1.29"


@newer
def test_a_step_of_an_app_that_is_gone_says_so(stage: Stage, flow: str) -> None:
    stage.practice.engine.settings.missing_pieces.append(f"{PREFIX}webhook")
    page = stage.browser.get(url("step-settings", flow), {"step": "step_2"})
    assert page.status_code == 200
    assert "The engine does not have this app" in text(page.content)
    assert stage.browser.post(url("step-settings", flow), {"step": "step_2", "name": "x"}).status_code == 422
    typed = {"step": "step_2", "name": "Another name"}
    asked = stage.browser.post(url("step-rename", flow), typed)
    refused = stage.browser.post(url("step-rename", flow), typed | {"seen": asked.context["form"]["seen"].value()})
    assert "does not accept changes to a step whose app it does not have: “Webhook”, needed by" in text(refused.content)


def test_a_step_of_code_continues_or_is_tried_again_if_it_fails(stage: Stage, flow: str) -> None:
    step = step_named(save(stage, "step-failure", flow, {"step": "step_1", "retry_on_failure": "on"}), "step_1") or {}
    handling = {key: one["value"] for key, one in step["settings"]["errorHandlingOptions"].items()}
    assert handling == {"continueOnFailure": False, "retryOnFailure": True}


@pytest.mark.slow
@newer
def test_a_step_with_an_app_is_added_while_the_cache_is_away(stage: Stage, flow: str) -> None:
    caching.availability.down_until = float("inf")
    base = f"/w/sales/flows/{flow}/"
    for address in ("/w/sales/pieces/", f"{base}choose/?search=sheet", f"{base}values/?place=AFTER:step_2"):
        assert stage.browser.get(address).status_code == 200, address
    listed = stage.browser.get("/w/sales/flows/")
    news = listed.context["news"]
    assert stage.browser.get(news.url, headers={"HX-Request": "true", "HX-Target": "news"}).status_code in (200, 204)
    form = press(stage, "step-app", flow, open_form(stage, "step-app", flow, **SHEETS), "load:p-spreadsheet_id")
    values = as_posted(form) | {"p-spreadsheet_id": form.fields["p-spreadsheet_id"].choices[1][0]}
    form = press(stage, "step-app", flow, values, "refresh:p-spreadsheet_id")
    values = as_posted(form) | {"p-sheet_id": form.fields["p-sheet_id"].choices[1][0]}
    form = press(stage, "step-app", flow, values, "refresh:p-sheet_id")
    step = step_named(save(stage, "step-app", flow, as_posted(form) | {"p-values.value": "x"}), "step_3") or {}
    assert step["settings"]["input"]["spreadsheet_id"] == "đơn-hàng-2025"
