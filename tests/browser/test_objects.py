"""An object's page in a browser: tabs, the diagram, notes in place, and what comes later without losing one's place."""

import pytest
from playwright.sync_api import expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.stub_engine import StubEngine, flow, identity, run
from tests.users import Users

pytestmark = pytest.mark.slow

FLOW = f"/w/sales/flows/{identity(1)}/"


def test_a_flow_is_read_by_tabs_and_its_diagram_and_noted_on_in_place(
    window: Window, users: Users, stub_engine: StubEngine
) -> None:
    step = {"name": "step_1", "displayName": "Send it", "type": "CODE", "valid": True}
    trigger = {"name": "trigger", "displayName": "Start", "type": "PIECE_TRIGGER", "nextAction": step}
    version = {"id": "V1", "displayName": "Orders", "trigger": trigger}
    stub_engine.flows = [flow(version=version, publishedVersionId="V1", status="ENABLED")]
    stub_engine.runs = [run(steps={"trigger": {"status": "SUCCEEDED"}, "step_1": {"status": "FAILED"}})]
    page = window(users.owner)
    page.goto(FLOW)
    page.locator("#note-text").fill("Check the key.")
    expect(page.locator(".diagram")).to_contain_text("Failed")
    expect(page.locator("#note-text")).to_have_value("Check the key.")
    page.locator("#note-add").click()
    expect(page.locator("#notes li")).to_contain_text("Check the key.")
    sound_in_every_look(page)
    page.get_by_role("link", name="Send it, Code, Failed").click()
    expect(page.locator("#panel-heading")).to_have_text("Send it")
    assert page.url.endswith("/steps/step_1/")
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history")).to_contain_text("Added a note")
    assert page.url.endswith("?tab=history")
    page.go_back()
    expect(page.locator("#panel-heading")).to_have_text("Send it")
    page.locator(".object-tabs").get_by_role("link", name="Overview").click()
    page.get_by_role("switch").click()
    expect(page.locator("h1")).to_contain_text("Turn off")
