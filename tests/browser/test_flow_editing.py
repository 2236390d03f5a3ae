"""Steps chosen in the diagram and edited by forms, by keyboard alone: code in the editor, and values of earlier steps for its inputs."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import flows
from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.practice_engine.fixtures import until
from tests.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def test_code_and_an_input_from_an_earlier_step_are_typed_by_keyboard(stage: Stage, window: Window) -> None:
    workflows = stage.session.workflows
    key = flows.make(workflows, "Orders", flows.code("echo", total="none"))
    stage.practice.call("POST", f"/v1/webhooks/{key}", json={"total": 120, "it's": [{"sku": "TRÀ-01"}]})
    until(lambda: [row["status"] for row in stage.practice.runs(key)] == ["SUCCEEDED"])
    page = window(stage.users.owner, expected=("422",))
    page.goto(f"/w/sales/flows/do/step-code/{key}/")
    expect(page.locator(".code-editor .ace_keyword").first).to_be_visible()
    sound_in_every_look(page)

    editor = page.locator(".code-editor textarea").first
    expect(editor).to_have_attribute("aria-label", re.compile("^Code"))
    page.locator("#id_step").focus()
    page.keyboard.press("Tab")
    expect(editor).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("export const code = async (inputs) => 7;")
    page.keyboard.press("Tab")
    expect(editor).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator("#id_name1")).to_be_focused()

    _insert(page, "value1", "total")
    expect(page.locator("#id_value1")).to_have_value("none{{trigger['body']['total']}}")
    expect(page.locator("#id_value1-resolved")).to_have_text("= none120")
    page.get_by_role("button", name="Add an input").press("Enter")
    expect(page.locator("#id_name3")).to_be_focused()
    page.keyboard.type("sku")
    _insert(page, "value3", "tra-01")
    expect(page.locator("#id_value3-resolved")).to_have_text("= TRÀ-01")

    page.locator("#id_packages").evaluate("field => field.codeEditor.setValue('{ wrong')")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_text("Line 1")).to_be_visible()
    expect(page.locator(".code-editor.is-invalid")).to_be_visible()
    expect(page.locator(".code-editor").first).to_contain_text("async (inputs) => 7;")
    page.locator("#id_packages").evaluate("field => field.codeEditor.setValue('{}')")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_text("The code is saved.")).to_be_visible()
    expect(page.get_by_role("heading", name="What the edit changed")).to_be_visible()
    sound_in_every_look(page)
    settings = workflows.get_flow(key)["version"]["trigger"]["nextAction"]["settings"]
    assert settings["sourceCode"]["code"].rstrip() == "export const code = async (inputs) => 7;"
    assert settings["input"] == {
        "total": "none{{trigger['body']['total']}}",
        "sku": r"{{trigger['body']['it\'s'][0]['sku']}}",
    }


def _insert(page: Page, field: str, search: str) -> None:
    """Put the value that the search finds at the end of a field, as the keyboard does."""
    page.locator(f"#id_{field}").focus()
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Values of earlier steps")).to_be_visible()
    expect(page.locator("#values summary").first).to_be_visible()
    if search == "total":
        sound_in_every_look(page)
    page.keyboard.type(search)
    expect(page.locator("#values details")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(f"#id_{field}")).to_be_focused()


def test_the_form_says_when_there_is_no_room_for_another_row(stage: Stage, window: Window) -> None:
    key = flows.make(
        stage.session.workflows, "Orders", flows.code("echo", **{f"n{number}": "1" for number in range(99)})
    )
    page = window(stage.users.owner)
    page.goto(f"/w/sales/flows/do/step-code/{key}/")
    rows, full = page.locator("[data-row]"), page.get_by_text("There is room for 100 rows.")
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="Add an input").click()
    expect(full).to_be_visible()
    page.get_by_role("button", name="Remove Input 1", exact=True).click()
    expect(full).to_be_hidden()
    page.get_by_role("button", name="Add an input").click()
    expect(rows).to_have_count(100)
    page.locator("#id_name100").fill("last")
    expect(page.locator("#id_name99")).to_have_value("")
    expect(page.locator("#id_name98")).to_have_value("n98")


def test_nothing_moves_below_a_pressed_button_after_an_expression_was_typed(stage: Stage, window: Window) -> None:
    key = flows.make(stage.session.workflows, "Orders", flows.code("echo", total="none"))
    page = window(stage.users.owner)
    page.goto(f"/w/sales/flows/do/step-code/{key}/")
    expect(page.locator(".code-editor .ace_keyword").first).to_be_visible()
    page.locator("#id_value1").fill("{{trigger['body']['total']}}")
    resolved: list[str] = []
    page.on("request", lambda request: resolved.append(request.url) if "resolved" in request.url else None)
    save = page.get_by_role("button", name="Save", exact=True)
    save.hover()
    page.mouse.down()
    expect(page.locator("#id_value1")).not_to_be_focused()
    # Requests of handlers of the blur would have begun by the next frame.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert resolved == []
    page.mouse.up()
    expect(page.get_by_role("heading", name="What the edit changed")).to_be_visible()


def test_the_diagram_is_walked_by_arrows_and_a_step_is_opened_added_beside_and_closed(
    stage: Stage, window: Window
) -> None:
    client = stage.session.workflows
    key = flows.make(client, "Orders", flows.code("echo"), flows.response({"ok": True}), publish=False)
    branches = [
        {"branchName": "Large", "branchType": "CONDITION", "conditions": [[]]},
        {"branchName": "Rest", "branchType": "FALLBACK"},
    ]
    router = {"name": "step_3", "displayName": "Sort", "type": "ROUTER", "valid": True}
    settings = {"branches": branches, "executionType": "EXECUTE_FIRST_MATCH"}
    request = {"parentStep": "step_1", "action": router | {"settings": settings}}
    client.apply_flow_operation(key, {"type": "ADD_ACTION", "request": request})
    page = window(stage.users.owner)
    page.goto(f"/w/sales/flows/{key}/?tab=steps")
    sound_in_every_look(page)
    box = page.locator(".diagram a[data-step]:focus")
    page.locator(".diagram a[data-step=trigger]").focus()
    for press, step in (
        ("ArrowDown", "step_1"),
        ("ArrowDown", "step_3"),
        ("ArrowDown", "step_2"),
        ("ArrowUp", "step_3"),
    ):
        page.keyboard.press(press)
        expect(box).to_have_attribute("data-step", step)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/steps/step_3/$"))
    expect(page.locator("#panel-heading")).to_be_focused()
    sound_in_every_look(page)
    page.reload()
    expect(page.locator(".diagram a[aria-current]")).to_have_attribute("data-step", "step_3")
    page.locator("#panel-heading").focus()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"\?tab=steps$"))
    expect(box).to_have_attribute("data-step", "step_3")
    added = page.get_by_role("link", name="Add a step at the start of the branch “Rest” of “Sort”")
    added.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#action")).to_contain_text("First in the branch “Rest” of “Sort”")
    page.locator("#action h2").focus()
    page.keyboard.press("Escape")
    expect(added).to_be_focused()
    page.goto(f"/w/sales/flows/{key}/?tab=steps")
    page.locator("#steps-list > summary").click()
    expect(page.locator("#step-at-1")).to_be_visible()
    sound_in_every_look(page)
    page.reload()
    expect(page.locator("#step-at-1")).to_be_visible()
