"""Testing a step and publishing an incomplete draft, in a real browser: by clicks only, sound in every look."""

import pytest
from playwright.sync_api import expect

from tests import flows
from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.connection_scene import Scene
from tests.practice_engine.fixtures import Practice, practice
from workflows_ui.credentials.services import engine_session

__all__ = ["practice"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_step_is_tested_and_publishing_warns_of_another_one_that_is_not_complete(
    window: Window, practice: Practice
) -> None:
    practice.engine.settings.version = "0.83.0"
    scene = Scene(practice, "activepieces")
    access = scene.users.place(scene.users.owner)
    client = engine_session.open_session(access).workflows
    key = flows.make(client, "Orders", flows.code("echo", total="71"), publish=False)
    loop = {"name": "step_2", "type": "LOOP_ON_ITEMS", "valid": False, "displayName": "Each", "settings": {"items": ""}}
    request = {"parentStep": "step_1", "stepLocationRelativeToParent": "AFTER", "action": loop}
    client.apply_flow_operation(key, {"type": "ADD_ACTION", "request": request})
    page = window(scene.users.owner)
    page.goto(f"/w/sales/flows/{key}/steps/step_1/")
    page.get_by_role("link", name="Test the step").click()
    page.get_by_role("button", name="Test the step").click()
    expect(page.get_by_role("heading", name="What the step did")).to_be_visible()
    expect(page.locator("#step-test-live")).to_contain_text("71")
    sound_in_every_look(page)
    page.goto(f"/w/sales/flows/do/publish/{key}/")
    sound_in_every_look(page)
    page.get_by_role("link", name="Each: It has no list of items.").click()
    expect(page.get_by_role("textbox", name="List of items")).to_be_visible()
