"""Back shows no page of a session that has ended, and what was typed as long as it has not."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, BrowserType, Page, Route, expect

from tests import prerequisites, users as people
from tests.browser.windows import Window
from tests.stub_engine import StubEngine, flow
from workflows_ui.accounts.services import sessions

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """A Chromium that keeps pages to go back to in its memory, as those of people do; Playwright's does not."""
    options = browser_type_launch_args | {
        "executable_path": prerequisites.chromium(complete=True),
        "ignore_default_args": ["--disable-back-forward-cache", "--headless"],
        "args": [*browser_type_launch_args["args"], "--headless=new"],
    }
    with browser_type.launch(**options) as started:
        yield started


@pytest.fixture
def page(window: Window, users: people.Users, stub_engine: StubEngine) -> Page:
    """A page of the signed-in owner, with others before it: the documents of two pages, and one that took the place of the second."""
    stub_engine.flows = [flow()]
    opened = window(users.owner, expected=("status of 422",))
    _browse(opened)
    return opened


def _browse(page: Page) -> None:
    page.goto("/w/sales/flows/")
    page.goto("/profile/")
    page.get_by_role("complementary").get_by_role("link", name="Credentials", exact=True).click()
    expect(page.locator("h1")).to_have_text("Credentials")


def _go(page: Page, direction: str = "back") -> None:
    # Playwright's own waits for an event that a kept page does not have.
    page.evaluate(f"setTimeout(() => history.{direction}())")


def _sign_out(page: Page) -> None:
    page.locator("header.topbar details.menu").last.locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")


def _shows_sign_in_all_the_way_back(page: Page) -> None:
    for _page in range(2):
        _go(page)
        expect(page.locator("h1")).to_have_text("Sign in")
        expect(page.locator("[name=login]")).to_be_visible()


def test_back_after_a_sign_out_leads_to_the_sign_in_page(page: Page) -> None:
    _sign_out(page)
    _shows_sign_in_all_the_way_back(page)


def test_back_in_a_second_tab_leads_to_the_sign_in_page(page: Page) -> None:
    other = page.context.new_page()
    _browse(other)
    _sign_out(page)
    _shows_sign_in_all_the_way_back(other)


def test_back_after_a_session_was_ended_elsewhere_leads_to_the_sign_in_page(page: Page, users: people.Users) -> None:
    sessions.close(users.owner)
    Session.objects.all().delete()
    _shows_sign_in_all_the_way_back(page)


def test_a_page_that_a_browser_keeps_in_its_memory_nevertheless_is_not_shown_either(page: Page) -> None:
    def without_no_store(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers=answer.headers | {"cache-control": "private, no-cache"})

    page.route("**/profile/", without_no_store, times=1)
    page.goto("/profile/")
    page.evaluate(
        "addEventListener('pageshow', () => { sessionStorage.shown = document.querySelector('h1').checkVisibility(); })"
    )
    page.goto("/accounts/sessions/")
    Session.objects.all().delete()
    _go(page)
    expect(page.locator("h1")).to_have_text("Sign in")
    assert page.evaluate("sessionStorage.shown") in {"false", None}, "the page was visible until it was loaded again"


def test_back_and_a_reload_keep_what_was_typed_and_a_refused_form(page: Page, users: people.Users) -> None:
    name, paused = page.locator("[name=name]"), page.get_by_label("Pause launching")
    page.goto("/w/sales/settings/")
    name.fill("Changed by half")
    page.goto("/profile/")
    _go(page)
    expect(name).to_have_value("Changed by half")
    page.reload()
    expect(name).to_have_value("Changed by half")
    name.fill("")
    page.locator("main [type=submit]").first.click()
    expect(name).to_have_attribute("aria-invalid", "true")
    paused.check()
    page.goto("/profile/")
    _go(page)
    expect(paused).to_be_checked()
    expect(name).to_have_value("")
    page.goto("/w/sales/settings/")
    expect(name).to_have_value("Sales")


def test_what_one_person_typed_is_not_shown_to_the_next_one_in_this_tab(page: Page, users: people.Users) -> None:
    page.goto("/profile/")
    typed = page.locator("main input[type=text]").first
    typed.fill("Half typed")
    page.goto("about:blank")
    other = page.context.new_page()
    other.goto("/w/sales/")
    _sign_out(other)
    other.locator("[name=login]").fill("colleague")
    other.locator("[name=password]").fill("correct horse battery")
    other.locator("main [type=submit]").first.click()
    expect(other.locator("#sidebar")).to_be_visible()
    _go(page)
    expect(page.locator("h1")).to_be_visible()
    # The state of the entry is changed after the reset.
    page.wait_for_function(
        "document.readyState === 'complete' && history.state?.user === document.documentElement.dataset.user"
    )
    expect(typed).to_have_value("")
    assert "Half typed" not in page.evaluate("JSON.stringify(sessionStorage)")
