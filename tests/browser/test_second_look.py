"""A list whose decorations come afterwards, in a real browser: nothing that the person has done meanwhile is lost."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.looks import LOOKS, sound
from tests.browser.windows import Window
from tests.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
FLOWS = "/w/sales/flows/?rows=50"


def held(page: Page) -> list[Route]:
    """The second looks of the page, which wait until the test lets them go on."""
    found: list[Route] = []
    page.route(lambda url: "late=1" in url, lambda route: found.append(route))
    return found


def let_go(page: Page, waiting: list[Route]) -> None:
    with page.expect_response(lambda answer: "late=1" in answer.url):
        waiting[0].continue_()
    expect(page.locator("#results .results").first).to_be_visible()


def test_ticks_focus_scroll_and_address_stay(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner, **LOOKS["phone"])
    waiting = held(page)
    page.goto(FLOWS)
    expect(page.locator("[data-late]")).to_be_attached()
    expect(page.locator("#results .results")).to_have_count(0)
    expect(page.locator("#id_connection option")).to_have_count(1)
    address = page.url
    page.locator("input[data-tick]").nth(1).check()
    page.locator("input[data-tick]").nth(3).check()
    page.locator("td.first a").nth(2).focus()
    page.evaluate("window.scrollTo(0, 240)")
    before = page.evaluate("window.scrollY")
    let_go(page, waiting)
    expect(page.locator("[data-late]")).to_have_count(0)
    expect(page.locator("input[data-tick]:checked")).to_have_count(2)
    expect(page.get_by_text("2 selected").first).to_be_visible()
    expect(page.locator("td.first a").nth(2)).to_be_focused()
    assert page.evaluate("window.scrollY") == before
    assert page.url == address
    assert page.locator("#id_connection option").count() > 1
    assert len(waiting) == 1
    assert page.locator("#announcer").text_content() == "2 selected"
    sound(page)


def test_an_open_menu_of_a_row_stays_open(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner)
    waiting = held(page)
    page.goto(FLOWS)
    menu = page.locator("details.row-menu").first
    menu.locator("summary").click()
    let_go(page, waiting)
    expect(menu.locator(".dropdown-menu")).to_be_visible()
    expect(menu.locator("summary")).to_be_focused()


def test_a_filter_that_is_chosen_meanwhile_wins(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner)
    waiting = held(page)
    page.goto(FLOWS)
    expect(page.locator("[data-late]")).to_be_attached()
    with page.expect_request(lambda sent: "folder=NULL" in sent.url and "late=1" in sent.url):
        page.locator("#id_folder").select_option("NULL")
    expect(page.locator(".chips")).to_contain_text("In no folder")
    chosen = page.locator("#id_folder").input_value()
    assert chosen == "NULL"
    # The answer for the list as it was before comes too late.
    for route in waiting[:2]:
        with page.expect_response(lambda answer: "late=1" in answer.url):
            route.continue_()
        expect(page.locator(".chips")).to_contain_text("In no folder")
    expect(page.locator("#id_connection option")).not_to_have_count(1)
    assert page.locator("#id_folder").input_value() == chosen
    expect(page.locator("[data-late]")).to_have_count(0)
    assert len(waiting) == 2


def test_a_filter_whose_answer_is_on_its_way_is_not_lost_to_the_second_look(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner)
    waiting = held(page)
    filters: list[Route] = []
    page.route(lambda url: "folder=NULL" in url and "late=1" not in url, lambda route: filters.append(route))
    page.goto(FLOWS)
    expect(page.locator("[data-late]")).to_be_attached()
    with page.expect_request(lambda sent: "folder=NULL" in sent.url):
        page.locator("#id_folder").select_option("NULL")
    with page.expect_response(lambda answer: "late=1" in answer.url):
        waiting[0].continue_()
    page.route(lambda url: "late=1" in url, lambda route: route.continue_())
    filters[0].continue_()
    expect(page.locator(".chips")).to_contain_text("In no folder")
    expect(page.locator("[data-late]")).to_have_count(0)
    assert page.locator("#id_folder").input_value() == "NULL"


def test_what_fails_afterwards_is_shown_once_and_leaves_the_list(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner, expected=("Failed to load", "htmx:"))
    waiting = held(page)
    page.goto(FLOWS)
    expect(page.locator("[data-late]")).to_be_attached()
    waiting[0].abort()
    expect(page.locator("#alerts")).not_to_be_empty()
    expect(page.locator("td.first a").first).to_be_visible()
    assert len(waiting) == 1
