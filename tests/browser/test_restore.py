"""Deleting a flow and restoring it, in a real browser: sound in every look."""

import re

import pytest
from playwright.sync_api import expect

from tests import flows
from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.launches.launch_scene import Scene, scene

__all__ = ["scene"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_deleted_flow_is_found_among_the_recently_deleted_and_restored(window: Window, scene: Scene) -> None:
    key = flows.make(scene.workflows, "Orders", flows.code("echo"))
    page = window(scene.users.owner)
    page.goto(f"/w/sales/flows/do/delete/{key}/")
    sound_in_every_look(page)
    page.locator("button.btn-danger").click()
    expect(page).to_have_url(re.compile("/flows/$"))
    page.goto("/w/sales/recently-deleted/")
    sound_in_every_look(page)
    page.get_by_role("link", name="Restore: Orders").click()
    sound_in_every_look(page)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Orders")
    page.goto("/w/sales/recently-deleted/")
    expect(page.locator("main table")).to_contain_text("Restored")
