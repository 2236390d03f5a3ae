"""What only a browser shows of lists: filters that apply while one types, the bar of the ticked rows, and the keyboard."""

import re

import pytest
from playwright.sync_api import expect

from tests import users as people
from tests.browser.looks import LOOKS, sound
from tests.browser.windows import Window
from tests.stub_engine import StubEngine, flow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FLOWS = "/w/sales/flows/"


@pytest.fixture(autouse=True)
def _flows(stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(number, f"Flow {number}") for number in range(1, 26)]


def test_a_search_applies_while_it_is_typed_and_keeps_the_focus_and_the_address(
    window: Window, users: people.Users
) -> None:
    page = window(users.owner)
    page.goto(FLOWS)
    expect(page.get_by_role("button", name="Apply")).to_be_hidden()
    page.locator("#id_name").press_sequentially("Flow 7")
    expect(page.locator(".chips")).to_contain_text("Flow 7")
    expect(page.locator("#id_name")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/flows/\?name=Flow(\+|%20)7$"))
    sound(page)


def test_on_a_phone_the_filters_open_by_one_button_and_stay_open_while_one_is_on(
    window: Window, users: people.Users
) -> None:
    page = window(users.owner, **LOOKS["phone"])
    page.goto(FLOWS)
    state = page.locator("#id_status")
    expect(state).to_be_hidden()
    page.locator("#filters").get_by_text("Filters", exact=True).click()
    state.select_option("ENABLED")
    expect(page.locator(".chips")).to_be_visible()
    page.reload()
    expect(state).to_be_visible()
    sound(page)


def test_a_heading_sorts_in_place_and_keeps_the_focus(window: Window, users: people.Users) -> None:
    page = window(users.owner)
    page.goto(FLOWS)
    page.get_by_role("link", name="Name", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Name")
    expect(page.get_by_role("link", name="Name", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Name")
    assert "sort=-name_of" in page.url


def test_arrows_move_between_rows_x_ticks_them_and_enter_opens_one(window: Window, users: people.Users) -> None:
    page = window(users.owner)
    page.goto(FLOWS)
    links = page.locator("td.first a")
    links.nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator("#bulk")).to_contain_text("2 selected")
    expect(page.locator("#filters")).to_be_hidden()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator("#bulk")).to_be_hidden()
    links.nth(3).focus()
    page.keyboard.press("ArrowUp")
    expect(links.nth(2)).to_be_focused()
    name = links.nth(2).inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(name)


def test_j_and_k_lead_to_rows_from_anywhere_and_a_question_mark_shows_the_keys(
    window: Window, users: people.Users
) -> None:
    page = window(users.owner)
    page.goto(FLOWS)
    # What takes longer replaces the rows once.
    page.wait_for_load_state("networkidle")
    links = page.locator("td.first a")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Select the row")
    page.keyboard.press("j")
    keys.get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(links.nth(1)).to_be_focused()
    expect(keys).to_be_hidden()


def test_the_first_row_is_a_few_tabs_away(window: Window, users: people.Users) -> None:
    page = window(users.owner)
    page.goto(FLOWS)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the rows")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("td.first a").nth(0)).to_be_focused()
