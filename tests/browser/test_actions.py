"""Things are made, found, changed and deleted as a person does it, in every look, with and without JavaScript."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import flows
from tests.browser.looks import LOOKS, sound, sound_in_every_look
from tests.browser.windows import Window
from tests.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
FOLDERS = "/w/sales/folders/"


def menu(page: Page, name: str) -> Any:
    """The menu in the row of this name, opened."""
    row = page.get_by_role("row").filter(has_text=name)
    row.locator("summary").click()
    return row.locator(".dropdown-menu")


@pytest.mark.parametrize("look", ["desk", pytest.param("phone", marks=pytest.mark.slow)])
def test_a_folder_is_made_renamed_found_and_deleted(stage: Stage, window: Window, look: str) -> None:
    page = window(stage.users.owner, expected=("status of 422",), **LOOKS[look])
    page.goto(FOLDERS)
    sound(page)
    page.get_by_role("link", name="New folder").first.click()
    sound(page)
    page.get_by_role("button", name="Create the folder").click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.get_by_label("Name").fill("Angebote")
    page.get_by_role("button", name="Create the folder").click()
    expect(page.get_by_role("heading", name="Angebote", level=1)).to_be_visible()
    expect(page.get_by_text("The folder “Angebote” was created.")).to_be_visible()
    sound(page)
    page.goto(FOLDERS)
    opened = menu(page, "Angebote")
    expect(opened).to_be_in_viewport(ratio=1)
    sound(page)
    opened.get_by_role("link", name="Rename").click()
    page.get_by_label("Name").fill("Offers")
    page.get_by_role("button", name="Rename").click()
    expect(page).to_have_url(f"{page.url.split('/w/')[0]}{FOLDERS}")
    opened = menu(page, "Offers")
    opened.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("link", name="Leave it as it is")).to_be_focused()
    sound(page)
    page.get_by_role("button", name="Delete the folder “Offers”").click()
    expect(page.get_by_text("The folder is deleted.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Offers")).to_have_count(0)


@pytest.mark.slow
def test_a_flows_menu_and_its_pages_are_sound(stage: Stage, window: Window) -> None:
    flow = flows.make(stage.session.workflows, "Made here", flows.code("echo"))
    page = window(stage.users.owner)
    page.goto(f"/w/sales/flows/{flow}/")
    page.locator(".page-actions summary").click()
    expect(page.locator(".page-actions .dropdown-menu")).to_be_in_viewport(ratio=1)
    sound_in_every_look(page)
    page.get_by_role("switch", name="On: Turn off").click()
    sound_in_every_look(page)
    page.get_by_role("button", name="Turn off “Made here”").click()
    expect(page.get_by_text("“Made here” is off.")).to_be_visible()
    sound_in_every_look(page)
    page.goto("/w/sales/flows/")
    menu(page, "Made here").get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("“Made here” is on.")).to_be_visible()


def test_a_flow_that_is_deleted_leads_to_the_list_without_it(stage: Stage, window: Window) -> None:
    stage.practice.engine.settings.delete_after = 60
    flow = flows.make(stage.session.workflows, "Made here")
    page = window(stage.users.owner)
    page.goto(f"/w/sales/flows/do/delete/{flow}/")
    page.get_by_role("button", name="Delete the flow “Made here”").click()
    expect(page.get_by_text("The engine is deleting the flow. That takes a moment.")).to_be_visible()
    expect(page.get_by_role("heading", name="Flows", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Made here", exact=True)).to_have_count(0)


def test_without_javascript_everything_is_done_all_the_same(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner, java_script_enabled=False, expected=("422",))
    page.goto(f"{FOLDERS}do/new/")
    page.get_by_role("button", name="Create the folder").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("Name").fill("Angebote")
    page.get_by_role("button", name="Create the folder").click()
    expect(page.get_by_role("heading", name="Angebote", level=1)).to_be_visible()
