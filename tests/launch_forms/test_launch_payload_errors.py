"""Errors in the typed values are reported by line and column, with a suggestion, by the server and by the browser alike."""

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests import flows
from tests.launches.launch_scene import Scene, form_of, text_of, unescape
from workflows_ui.core import json_errors, json_text
from workflows_ui.launches.models import Launch

#: Text, line, key of json_errors.HINTS. The column is the interpreter's: Python 3.13 points at a comma, older ones behind it.
WRONG = [
    ('{"a": 1,}', 1, "comma"),
    ("[1,\n 2,\n]", None, "comma"),
    ("{a: 1}", 1, "quotes"),
    ("{'a': 1}", 1, "quotes"),
    ('{"a": “b”}', 1, "quotes"),
    ('{\n  "tên": “Nguyễn”\n}', 2, "quotes"),
    ('{"a": 1', 1, "early"),
    ("{", 1, "early"),
    ("[", 1, "early"),
    ('{"a": "b', 1, "early"),
    ('"abc', 1, "early"),
    ('{"a" 1}', 1, "missing"),
    ('{"a": 1\n "b": 2}', 2, "missing"),
    ('{"a": True}', 1, "word"),
    ('{"a": None}', 1, "word"),
    ("hello", 1, "word"),
    ('{"a": }', 1, "empty"),
    ("[1,,2]", 1, "empty"),
    ('{"a": 01}', 1, "digits"),
    ('{"a": .5}', 1, "digits"),
    ('{"a": +1}', 1, "digits"),
    ('{"a": 1.}', 1, "digits"),
    ('{"a": 1} {"b": 2}', 1, "extra"),
    ('{"a": 1}}', 1, "extra"),
    ('{"a": "x\ny"}', 1, "control"),
    ('{"a": "x\ty"}', 1, "control"),
    ('{"a": "\\q"}', 1, "escape"),
    ('{"a": "\\u12"}', 1, "escape"),
    ("// a note\n{}", 1, "syntax"),
    ('\ufeff{"a": 1}', 1, "syntax"),
]
IMPOSSIBLE = [
    ('{"a": NaN}', "number"),
    ('{"a": Infinity}', "number"),
    ('{"a": -Infinity}', "number"),
    ('{"a": 1e999}', "number"),
    ('{"a": ' + "9" * 4301 + "}", "number"),
    ("[" * 201 + "]" * 201, "deep"),
]
GOOD = [
    "",
    "  \n ",
    "{}",
    "[]",
    "null",
    "true",
    "0",
    '"text"',
    "[" * 200 + "]" * 200,
    '{"a": -1.5e-7}',
    '{"x": "\\ud800"}',
]


def _problem(text: str) -> json_text.BadPayload:
    with pytest.raises(json_text.BadPayload) as caught:
        json_text.parse(text)
    return caught.value


@pytest.mark.parametrize(("text", "line", "hint"), WRONG)
def test_a_mistake_is_shown_by_line_column_and_what_is_meant(text: str, line: int | None, hint: str) -> None:
    problem = _problem(text)
    message = json_errors.describe(problem, text)
    assert message == f"Line {problem.line}, column {problem.column}: {json_errors.HINTS[hint]}"
    assert line in {None, problem.line}


@pytest.mark.parametrize(("text", "name"), IMPOSSIBLE)
def test_what_json_cannot_carry_is_shown(text: str, name: str) -> None:
    assert json_errors.describe(_problem(text), text) == json_errors.problems()[name]


def test_more_than_the_engine_takes_is_shown() -> None:
    text = '"' + "a" * json_text.MAX_BYTES + '"'
    assert json_errors.describe(_problem(text), text) == json_errors.problems()["large"]


def test_a_very_long_text_gets_its_place_without_a_closer_look() -> None:
    text = "[" + "1," * 300_000 + "]"
    assert str(json_errors.HINTS["syntax"]) in json_errors.describe(_problem(text), text)


@pytest.mark.parametrize("text", [WRONG[5][0], IMPOSSIBLE[0][0], "[" * 201 + "]" * 201])
def test_wrong_values_come_back_with_422_and_everything_typed(scene: Scene, text: str) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.code("echo"))
    fields = scene.fields(flow)
    response = scene.browser.post(scene.url(flow), fields | {"payload": text, "_how": "wait"})
    assert response.status_code == 422
    shown = form_of(response)
    assert (shown["payload"], shown["_how"], shown["ticket"]) == (text, "wait", fields["ticket"])
    assert json_errors.describe(_problem(text), text) in unescape(text_of(response))
    assert 'aria-invalid="true"' in text_of(response)
    assert not Launch.objects.exists()


def test_the_corrected_form_launches_with_the_same_ticket(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.code("echo"))
    shown = form_of(scene.browser.post(scene.url(flow), scene.fields(flow) | {"payload": "{"}))
    response = scene.browser.post(scene.url(flow), shown | {"payload": '{"a": 1}'})
    assert response.status_code == 303
    assert Launch.objects.get().ticket == shown["ticket"]


@pytest.mark.browser
def test_the_browser_shows_the_same_before_anything_is_sent(
    transactional_db: None, live_server: LiveServer, page: Page
) -> None:
    scene = Scene()
    try:
        flow = flows.make(scene.workflows, "Quick", flows.code("echo"))
        page.context.add_cookies(
            [{"name": "sessionid", "value": scene.browser.cookies["sessionid"].value, "url": live_server.url}]
        )
        page.goto(live_server.url + scene.url(flow) + "?_as=json")
        message = page.locator("#field-0-error")
        for text, _line, hint in WRONG:
            page.fill("[name=payload]", text)
            page.click(".btn[data-launch]")
            assert message.inner_text().startswith("Line "), text
            assert message.inner_text().endswith(str(json_errors.HINTS[hint])), (text, message.inner_text())
        for text, name in IMPOSSIBLE:
            page.fill("[name=payload]", text)
            page.click(".btn[data-launch]")
            assert message.inner_text() == json_errors.problems()[name]
        assert page.evaluate("document.activeElement.id") == "field-0-control"
        for text in GOOD:
            page.fill("[name=payload]", text)
            page.locator("[name=payload]").blur()
            assert message.inner_text() == "", text
        assert not Launch.objects.exists()
    finally:
        scene.close()
