"""Columns and saved views of a list, in a browser with and without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import users as people
from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.stub_engine import StubEngine, flow

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

FLOWS = "/w/sales/flows/"


@pytest.fixture(autouse=True)
def _flows(stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(number, f"Flow {number}") for number in range(1, 4)]


def _open(page: Page, menu: str) -> None:
    page.locator(f"#{menu}-menu summary").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_columns_are_chosen_and_a_view_is_saved_made_the_default_and_left(
    window: Window, users: people.Users, scripts: bool
) -> None:
    page = window(users.owner, java_script_enabled=scripts)
    page.goto(f"{FLOWS}?status=ENABLED")
    head = page.locator("thead")
    expect(head).to_contain_text("Folder")
    _open(page, "columns")
    page.get_by_role("checkbox", name="Folder", exact=True).uncheck()
    page.locator("#columns-menu").get_by_role("button", name="Apply").click()
    expect(head).not_to_contain_text("Folder")
    _open(page, "views")
    page.get_by_label("Save filters, order and columns as").fill("Running")
    if scripts:
        # What was typed outlives a list that comes again.
        page.evaluate("htmx.ajax('GET', location.href, {source: '#refresh', target: '#results', swap: 'outerHTML'})")
        page.wait_for_function("!document.querySelector('.htmx-request')")
        expect(page.get_by_label("Save filters, order and columns as")).to_have_value("Running")
    page.locator("#views-menu").get_by_role("button", name="Save").click()
    expect(page.locator("#views-menu summary")).to_contain_text("Running")
    for menu in ("columns", "views"):
        _open(page, menu)
        if scripts:
            sound_in_every_look(page)
    page.get_by_role("link", name="Settings of the view “Running”").click()
    page.get_by_label("Open the list with this view").check()
    page.get_by_role("button", name="Save").click()
    page.goto(FLOWS)
    expect(page).to_have_url(re.compile(r"\?view=\d+&status=ENABLED$"))
    expect(page.locator(".chips")).to_contain_text("Clear")
    page.get_by_role("link", name="Clear", exact=True).click()
    expect(page).to_have_url(re.compile(r"/flows/\?view=none$"))
    expect(head).not_to_contain_text("Folder")
