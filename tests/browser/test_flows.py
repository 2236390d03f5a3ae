"""Flows as a builder meets them: made, tagged, found, their settings and versions read, in every look."""

import pytest
from playwright.sync_api import expect

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
LIST = "/w/sales/flows/"


def test_a_flow_is_made_tagged_found_and_deleted(stage: Stage, window: Window) -> None:
    stage.practice.engine.settings.delete_after = 10_000
    page = window(stage.users.owner)
    page.goto(LIST)
    page.get_by_role("link", name="New flow").first.click()
    sound(page)
    page.get_by_label("Name").fill("Angebote")
    page.get_by_role("button", name="Create the flow").click()
    expect(page.get_by_role("heading", name="Angebote", level=1)).to_be_visible()
    sound(page)
    page.locator(".page-actions summary").click()
    page.locator(".page-actions").get_by_role("link", name="Change the tags").click()
    sound(page)
    page.get_by_label("Tags").fill("orders, wholesale")
    page.get_by_role("button", name="Save the tags").click()
    expect(page.locator(".object-details").get_by_text("wholesale")).to_be_visible()
    page.goto(LIST)
    page.get_by_label("Name contains").fill("angeb")
    page.get_by_label("Name contains").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("td.first")).to_contain_text("Trigger: No trigger chosen yet")
    page.get_by_role("row").filter(has_text="Angebote").locator("summary").click()
    page.locator("tbody .dropdown-menu").get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete the flow “Angebote”").click()
    expect(page.get_by_text("The engine is deleting the flow.").first).to_be_visible()


def test_settings_and_differences_are_read(stage: Stage, window: Window) -> None:
    workflows = stage.session.workflows
    key = flows.make(workflows, "Offers", flows.code("echo", to="{{trigger.body.mail}}"), flows.response({"ok": True}))
    changed = flows.code("greeting", to="{{trigger.body.phone}}", long="word " * 300) | {"displayName": "Tell them"}
    for operation, request in (
        ("UPDATE_ACTION", {"name": "step_1", **changed}),
        ("DELETE_ACTION", {"names": ["step_2"]}),
        ("ADD_ACTION", {"parentStep": "step_1", "action": {"name": "step_3", **flows.delay(5)}}),
    ):
        workflows.apply_flow_operation(key, {"type": operation, "request": request})
    page = window(stage.users.owner)
    page.goto(f"{LIST}{key}/?tab=steps")
    page.locator("#steps-list > summary").click()
    for summary in page.locator(".step-settings > summary").all():
        summary.click()
    expect(page.get_by_text("body › phone from “Catch Webhook”")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("link", name="Versions").click()
    page.get_by_role("link", name="Compare").first.click()
    expect(page.get_by_role("heading", name="What differs between two versions")).to_be_visible()
    expect(page.get_by_text("Removed", exact=True)).to_be_visible()
    expect(page.get_by_text("Added", exact=True)).to_be_visible()
    expect(page.get_by_text("It was called")).to_be_visible()
    page.evaluate("document.querySelectorAll('.step-settings').forEach((one) => { one.open = true; })")
    sound_in_every_look(page)
    page.get_by_label("After").select_option(page.get_by_label("Before").input_value())
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Nothing differs")).to_be_visible()
    sound_in_every_look(page)
