"""A builder's journey to a published launch form in a real browser: proposed, reviewed, ordered by keyboard, tried; no JSON is typed."""

import pytest
from playwright.sync_api import Page, expect

from tests import flows
from tests.browser.looks import sound, sound_in_every_look
from tests.browser.windows import Window
from tests.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["imbrace"], indirect=True),
]
#: What Chromium itself writes about a form with a mistake in it.
REFUSED = "the server responded with a status of 422"


def _flow(stage: Stage) -> str:
    step = flows.code(
        "echo",
        to="{{trigger.body.customer.mail}}",
        sum="{{trigger.body.amount}}",
        how="{{trigger['body']['channel']}}",
    )
    return flows.make(stage.session.workflows, "Offers", step, flows.response({"ok": True}))


def _saved(page: Page) -> None:
    page.get_by_role("button", name="Save the field").last.click()
    expect(page.get_by_text("is saved in the draft.").first).to_be_visible()


def test_a_builder_proposes_reviews_and_publishes_a_form(stage: Stage, window: Window) -> None:
    key = _flow(stage)
    page = window(stage.users.owner, expected=(REFUSED,))
    page.goto(f"/w/sales/flows/{key}/")
    page.get_by_role("link", name="Launch form", exact=True).click()
    page.get_by_role("link", name="Create a launch form").click()
    expect(page.get_by_role("button", name="Propose a form")).to_be_visible()
    sound(page)
    page.get_by_role("button", name="Propose a form").click()
    expect(page.get_by_role("heading", name="3 fields")).to_be_visible()
    sound(page)

    # One choice, typed in rows; errors are shown at their fields and nothing is lost.
    page.get_by_role("link", name="Channel", exact=True).click()
    page.get_by_label("Label", exact=True).fill("How to answer")
    page.get_by_label("Kind", exact=True).select_option("choice")
    expect(page.get_by_role("group", name="Choices")).to_be_visible()
    page.get_by_role("button", name="Save the field").last.click()
    expect(page.get_by_text("There are no choices yet.")).to_be_visible()
    sound(page)
    expect(page.get_by_label("Label", exact=True)).to_have_value("How to answer")
    page.get_by_label("Choice 1: what people read").fill("By mail")
    page.get_by_label("Choice 1: what is sent").fill("mail")
    page.get_by_role("button", name="Add a choice").click()
    expect(page.get_by_label("Choice 2: what people read")).to_be_focused()
    page.keyboard.type("By phone")
    page.get_by_label("Choice 2: what is sent").fill("phone")
    _saved(page)
    page.locator("#line-channel").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="2 fields")).to_be_visible()
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.get_by_role("heading", name="3 fields")).to_be_visible()
    expect(page.locator(".field-list")).to_contain_text("2 choices")

    # A number with limits, shown only sometimes.
    page.get_by_role("link", name="Amount", exact=True).click()
    expect(page.get_by_label("Kind", exact=True)).to_have_value("number")
    page.locator("#section-limits > summary").click()
    page.get_by_label("Not less than").fill("1")
    page.locator("#section-place > summary").click()
    page.get_by_label("Show only if the field").select_option("channel")
    page.get_by_label("Value to compare with").fill("By mail")
    sound(page)
    _saved(page)

    # The order, by keyboard alone: the focus stays on the button.
    page.locator("#down-amount").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#announcer")).to_have_text("“Amount” is now number 3 of 3.")
    expect(page.locator("#down-amount")).to_be_focused()
    page.locator("#up-amount").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#announcer")).to_have_text("“Amount” is now number 2 of 3.")
    expect(page.locator("#up-amount")).to_be_focused()

    # By dragging; the preview beside it follows.
    handle, last = (
        page.locator("#line-amount [data-drag]").bounding_box(),
        page.locator("#fields li").last.bounding_box(),
    )
    assert handle
    assert last
    page.mouse.move(handle["x"] + 4, handle["y"] + 4)
    page.mouse.down()
    page.mouse.move(handle["x"] + 4, last["y"] + last["height"] - 2, steps=5)
    page.mouse.up()
    expect(page.locator("#announcer")).to_have_text("“Amount” is now number 3 of 3.")
    expect(page.locator("#form-beside [data-field]").last).to_have_attribute("data-field", "amount")

    # Another field is not opened over what was typed into the first.
    page.locator("#edit-amount").click()
    page.get_by_label("Label", exact=True).fill("How much")
    page.locator("#edit-channel").click()
    expect(page.get_by_label("Label", exact=True)).to_have_value("How much")
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("#edit-amount")).to_be_focused()

    # Tried as a launcher sees it.
    page.get_by_role("link", name="Preview").click()
    expect(page.get_by_label("Amount")).to_be_hidden()
    page.get_by_label("How to answer").select_option("By mail")
    page.get_by_label("Mail").fill("lan@example.com")
    page.get_by_label("Amount").fill("0")
    page.get_by_role("button", name="Try it: show what would be sent").click()
    expect(page.get_by_text("Launchers see this message")).to_be_visible()
    sound(page)
    page.get_by_label("Amount").fill("12.5")
    page.get_by_role("button", name="Try it: show what would be sent").click()
    expect(page.locator("#trial")).to_contain_text('"amount": 12.5')
    sound(page)

    page.get_by_role("link", name="Back to the form").click()
    page.get_by_role("link", name="Publish …").click()
    sound(page)
    page.get_by_role("button", name="Publish the form").click()
    expect(page.get_by_text("what launchers see")).to_be_visible()
    sound(page)
    page.get_by_role("link", name="Offers").click()
    page.get_by_role("link", name="Launch form", exact=True).click()
    expect(page.get_by_text("Version 1, published by owner")).to_be_visible()


@pytest.mark.slow
def test_the_builder_with_everything_opened_is_sound_in_every_look(stage: Stage, window: Window) -> None:
    key = _flow(stage)
    base = f"/w/sales/flows/{key}/form/"
    page = window(stage.users.owner)
    page.goto(base)
    page.get_by_role("button", name="Propose a form").click()
    expect(page.get_by_text("3 fields are in the draft now.")).to_be_visible()
    page.goto(f"{base}publish/")
    page.get_by_role("button", name="Publish the form").click()
    expect(page.get_by_text("what launchers see")).to_be_visible()
    page.locator("#line-amount").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="2 fields")).to_be_visible()
    for path in ("", "fields/channel/", "difference/", "preview/"):
        page.goto(f"{base}{path}")
        page.evaluate("document.querySelectorAll('details.field-section').forEach((one) => { one.open = true; })")
        sound_in_every_look(page)


def test_without_javascript_fields_are_ordered_and_rows_added(stage: Stage, window: Window) -> None:
    key = _flow(stage)
    page = window(stage.users.owner, java_script_enabled=False)
    page.goto(f"/w/sales/flows/{key}/form/")
    page.get_by_role("button", name="Propose a form").click()
    first = page.locator(".field-list li").first.get_by_role("button", name="Move down")
    label = page.locator(".field-list li a").first.inner_text()
    first.click()
    expect(page.locator(".field-list li").nth(1)).to_contain_text(label)
    page.get_by_role("link", name="Channel", exact=True).click()
    page.get_by_label("Kind", exact=True).select_option("choice")
    page.get_by_role("button", name="Show its settings").click()
    page.get_by_label("Choice 1: what people read").fill("By mail")
    page.get_by_role("button", name="Add a choice").click()
    expect(page.get_by_label("Choice 1: what people read")).to_have_value("By mail")
    page.get_by_label("Choice 2: what people read").fill("By phone")
    page.get_by_role("button", name="Save the field").last.click()
    expect(page.locator(".field-list")).to_contain_text("2 choices")
