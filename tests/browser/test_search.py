"""The search dialog by keyboard, and the search without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests import users as people
from tests.browser.looks import sound
from tests.browser.windows import Window
from tests.stub_engine import StubEngine, flow

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_search_opens_finds_and_leads_by_keyboard_alone(
    window: Window, users: people.Users, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow(1, "Audit of orders")]
    stub_engine.rows |= {"/app-connections": [], "/tables": [], "/mcp-servers": []}
    page = window(users.owner)
    page.goto("/w/sales/credentials/")
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Search")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#search")).to_be_hidden()
    page.keyboard.press("Control+k")
    field.press_sequentially("audit")
    options = page.locator("#search [role=option]")
    expect(options).to_have_text(["Audit", "Launch Audit of orders", "Audit of orders"])
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "search-launchable-1")
    sound(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Audit")


def test_without_javascript_the_search_is_a_page(window: Window, users: people.Users, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Audit of orders")]
    stub_engine.rows |= {"/app-connections": [], "/tables": [], "/mcp-servers": []}
    page = window(users.owner, viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page.goto("/w/sales/credentials/")
    page.locator("header.topbar").get_by_role("link", name="Search").click()
    page.get_by_role("searchbox", name="Search").fill("audit")
    page.locator("main").get_by_role("button", name="Search").click()
    expect(page.locator("main .search-entry")).to_have_text(["Audit", "Launch Audit of orders", "Audit of orders"])
