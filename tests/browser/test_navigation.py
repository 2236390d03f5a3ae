"""Links without full reloads: one document for many pages, and nothing lost that a browser gives."""

from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect

from tests import caches, users as people
from tests.browser.looks import sound
from tests.browser.windows import Window
from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow, identity

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def _mark(page: Page) -> None:
    page.evaluate("window.marked = true")


def _is_marked(page: Page) -> bool:
    return bool(page.evaluate("window.marked === true"))


@pytest.fixture
def page(window: Window, users: people.Users, stub_engine: StubEngine) -> Page:
    stub_engine.flows = [flow(number, f"Flow {number}") for number in range(1, 40)]
    opened = window(users.owner, expected=("status of 404", "status of 502"))
    opened.goto("/w/sales/flows/")
    _mark(opened)
    return opened


def _menu(page: Page, name: str) -> None:
    page.get_by_role("complementary").get_by_role("link", name=name, exact=True).click()


def test_a_link_keeps_the_document_moves_the_focus_to_the_heading_and_announces_the_title(page: Page) -> None:
    _menu(page, "Credentials")
    expect(page.locator("h1")).to_have_text("Credentials")
    assert page.url.endswith("/w/sales/credentials/")
    expect(page.locator("h1")).to_be_focused()
    expect(page).to_have_title("Credentials · Sales · Workflow console")
    expect(page.locator("#announcer")).to_have_text("Credentials · Sales · Workflow console")
    assert _is_marked(page)
    sound(page)


def test_styles_that_scripts_and_browsers_set_are_not_copied_to_the_next_page_which_would_refuse_them(
    page: Page,
) -> None:
    page.evaluate(
        "for (const field of document.querySelectorAll('[id]')) field.style.setProperty('caret-color', 'red')"
    )
    _menu(page, "Credentials")
    expect(page.locator("h1")).to_have_text("Credentials")
    # What is refused is said in the browser's console, which ends the test.
    assert page.locator("main [style]").count() == 0


def test_back_restores_the_page_and_how_far_it_was_scrolled(page: Page) -> None:
    page.evaluate("window.scrollTo(0, 200)")
    _menu(page, "Credentials")
    expect(page.locator("h1")).to_have_text("Credentials")
    assert page.evaluate("window.scrollY") == 0
    page.go_back()
    expect(page.locator("h1")).to_have_text("Flows")
    expect(page.locator("html")).to_have_js_property("scrollTop", 200)
    assert _is_marked(page)


def test_another_page_of_a_list_replaces_its_rows_only_and_back_returns(page: Page, stub_engine: StubEngine) -> None:
    frame = page.locator("#filters").element_handle()
    with page.expect_response("**/flows/?at=*") as answer:
        page.get_by_role("link", name="Next page", exact=True).click()
    expect(page.locator("[data-range]")).to_contain_text("21–39")
    assert "<html" not in answer.value.text()
    assert "?at=" in page.url
    expect(page.locator("#announcer")).to_contain_text("21–39")
    expect(page.locator("h1")).to_be_focused()
    assert page.evaluate("window.scrollY") == 0
    assert frame.evaluate("filters => filters.isConnected")
    assert _is_marked(page)
    sound(page)
    page.go_back()
    expect(page.locator("[data-range]")).to_contain_text("1–20")
    expect(page.locator("html")).not_to_have_js_property("scrollTop", 0)
    stub_engine.faults["/flows"] = Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}})
    page.get_by_role("link", name="Next page", exact=True).click()
    expect(page.locator("#alerts")).to_contain_text("The engine refuses the credential")
    expect(page.locator("[data-range]")).to_contain_text("1–20")
    assert page.url.endswith("/flows/")
    assert _is_marked(page)


def test_back_restores_what_was_typed_after_a_link_and_after_the_browsers_own_buttons(page: Page) -> None:
    page.goto("/w/sales/settings/")
    page.locator("#id_name").fill("Changed by half")
    _menu(page, "Credentials")
    expect(page.locator("h1")).to_have_text("Credentials")
    page.go_back()
    expect(page.locator("#id_name")).to_have_value("Changed by half")
    # The same within one document.
    page.goto("/w/sales/credentials/")
    _mark(page)
    _menu(page, "Settings")
    page.locator("#id_name").fill("Changed by half")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Credentials")
    page.go_forward()
    expect(page.locator("#id_name")).to_have_value("Changed by half")
    assert _is_marked(page)


def test_an_error_is_a_whole_page(page: Page, stub_engine: StubEngine) -> None:
    # Still in the list, so that its second look does not take the row away.
    stub_engine.faults[f"/flows/{identity(2)}"] = Reply(404, {})
    page.locator("main").get_by_role("link", name="Flow 2", exact=True).click()
    expect(page.locator("h1")).not_to_have_text("Flows")
    expect(page.locator("h1")).to_be_focused()
    assert page.url.endswith(f"/flows/{identity(2)}/")
    assert page.locator("#sidebar").count() == page.locator("main").count() == 1
    assert _is_marked(page)


def test_a_link_leads_where_it_says_though_the_second_look_at_its_row_comes_meanwhile(page: Page) -> None:
    held: dict[str, Route] = {}
    expect(page.locator("[data-late]")).to_have_count(0)
    page.route("**/flows/?late=1*", lambda route: held.setdefault("rows", route))
    page.route(f"**/flows/{identity(1)}/", lambda route: held.setdefault("link", route))
    # What the first page asked for late may have been kept.
    caches.forget_answers()
    with page.expect_request("**/flows/?late=1*"):
        page.goto("/w/sales/flows/")
    with page.expect_request(f"**/flows/{identity(1)}/"):
        page.locator("main").get_by_role("link", name="Flow 1", exact=True).click()
    with page.expect_response("**/flows/?late=1*"):
        held["rows"].continue_()
    held["link"].continue_()
    expect(page.locator("h1")).to_have_text("Flow 1")
    assert page.url.endswith(f"/flows/{identity(1)}/")
    expect(page.locator("html.going")).to_have_count(0)


def test_a_button_that_is_pressed_while_the_second_look_comes_is_clicked_and_then_the_second_look_is_shown(
    page: Page,
) -> None:
    held: list[Route] = []
    expect(page.locator("[data-late]")).to_have_count(0)
    page.route("**/flows/?late=1*", lambda route: held.append(route), times=1)  # noqa: PLW0108: the list has no attributes
    caches.forget_answers()
    with page.expect_request("**/flows/?late=1*"):
        page.goto("/w/sales/flows/")
    menu = page.locator("#results .list-table tbody details.menu").first
    menu.locator("summary").hover()
    page.mouse.down()
    with page.expect_event("requestfinished", lambda request: "late=1" in request.url):
        held[0].continue_()
    expect(page.locator("[data-late]")).to_have_count(1)
    page.mouse.up()
    expect(menu).to_have_attribute("open", "")
    expect(page.locator("[data-late]")).to_have_count(0)
    expect(menu).to_have_attribute("open", "")


def test_the_next_rows_of_a_list_are_shown_though_the_second_look_at_the_first_ones_comes_meanwhile(page: Page) -> None:
    held: dict[str, Route] = {}
    expect(page.locator("[data-late]")).to_have_count(0)
    page.route("**/flows/?late=1*", lambda route: held.setdefault("rows", route))
    page.route("**/flows/?at=*", lambda route: held.setdefault("link", route))
    caches.forget_answers()
    with page.expect_request("**/flows/?late=1*"):
        page.goto("/w/sales/flows/")
    with page.expect_request("**/flows/?at=*"):
        page.get_by_role("link", name="Next page", exact=True).click()
    with page.expect_event("requestfinished", lambda request: "late=1" in request.url):
        held["rows"].continue_()
    held["link"].continue_()
    expect(page.locator("[data-range]")).to_contain_text("21–39")
    assert "?at=" in page.url


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_page_that_takes_long_shows_bars_until_it_is_there(
    page: Page, motion: Literal["no-preference", "reduce"]
) -> None:
    page.emulate_media(reduced_motion=motion)
    held: dict[str, Route] = {}
    page.route(f"**/flows/{identity(1)}/", lambda route: held.setdefault("link", route))
    with page.expect_request(f"**/flows/{identity(1)}/"):
        page.locator("main").get_by_role("link", name="Flow 1", exact=True).click()
    bars = "getComputedStyle(document.getElementById('content'), '::before').content"
    expect(page.locator(".page-header")).to_have_css("opacity", "0")
    assert page.evaluate(bars) == '""'
    held["link"].continue_()
    expect(page.locator("h1")).to_have_text("Flow 1")
    expect(page.locator("h1")).to_be_in_viewport()
    expect(page.locator(".page-header")).to_have_css("opacity", "1")
    assert page.evaluate(bars) == "none"


def test_pages_with_scripts_files_and_accounts_are_loaded_by_the_browser(page: Page) -> None:
    page.get_by_role("link", name="Launch: Flow 1", exact=True).click()
    expect(page.locator("h1")).to_contain_text("Flow 1")
    assert not _is_marked(page)
    _mark(page)
    _menu(page, "Credentials")
    expect(page.locator("h1")).to_have_text("Credentials")
    assert not _is_marked(page)
    _mark(page)
    page.locator("header.topbar details.menu").last.locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    assert not _is_marked(page)


def test_no_page_is_kept_in_the_browsers_storage(page: Page) -> None:
    _menu(page, "Credentials")
    expect(page.locator("h1")).to_have_text("Credentials")
    storage = page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    assert "<" not in storage
