"""A new user's first hour, on the real thing: `make run` as it starts, a real browser, and the engine asked what really arrived."""

import functools

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import Browser, Locator, Page, expect

from practice_engine.samples import sample_flows
from tests.browser.looks import PHONE
from tests.browser.running_console import Desk
from tests.project.console_process import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("desk")]


def test_the_first_account_signs_in_launches_a_flow_and_reads_its_answer(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, signed_in=False) as window:
        page = window.page
        page.goto("/")
        page.get_by_label("Username or email address").fill(desk.name)
        page.get_by_label("Password").fill(desk.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator("h1")).to_have_text("Home")
        page.get_by_label("Search the flows by name").fill("Greet")
        expect(page.locator("#home-flows .launchable")).to_have_count(1)
        page.get_by_role("link", name="Greet a customer", exact=True).click()
        expect(page.locator("h1")).to_have_text("Launch Greet a customer")
        page.locator("#launch-form").get_by_label("Name").fill("Trần Thị Lan")
        page.locator("#launch-form .launch-more > summary").last.click()
        page.get_by_text("Start and wait for the answer").click()
        page.get_by_role("button", name="Launch", exact=True).click()
        window.ends("Succeeded")
        expect(page.locator("#answer-text")).to_contain_text('"name": "Trần Thị Lan"')
        page.get_by_role("link", name="Show the run's steps").click()
        expect(page.locator("#live")).to_contain_text("It finished")
        expect(page.locator("#live")).to_contain_text("Compose the greeting")
        page.get_by_role("link", name="See the launch").click()
        expect(page.locator("h1")).to_have_text("Launch of Greet a customer")
        page.get_by_role("link", name="Home").click()
        expect(page.get_by_role("region", name="Favourites and recent")).to_contain_text("Greet a customer")


@pytest.mark.slow
def test_a_launch_that_outlasts_the_wait_limit_is_carried_on_to_its_result(desk: Desk, browser: Browser) -> None:
    with desk.window(browser) as window, desk.practice.set(wait_limit=5):
        window.launch("slow", wait=True)
        expect(window.page.locator("#state-title")).to_have_text("Still running")
        expect(window.page.locator("#launch-live")).to_contain_text("the run continues")
        window.ends("Succeeded")
        expect(window.page.locator("#answer-text")).to_contain_text('"reconciled": true')
        assert desk.practice.triggers("slow") == 1


@pytest.mark.slow
def test_a_launch_that_fails_says_where_and_why(desk: Desk, browser: Browser) -> None:
    with desk.window(browser) as window:
        # Values of its own: those of another test, which the form would offer, would be asked about.
        window.launch("failing", {"why": "told where and why"})
        window.ends("Failed")
        expect(window.page.locator("#failure-title")).to_have_text("“Đọc tệp” failed")
        expect(window.page.locator("#failure-message")).to_have_text("Dòng 7: thiếu cột sku")
        expect(window.page.get_by_text("earlier steps would run a second time")).to_be_hidden()
        window.page.locator("#failure-all > summary").click()
        expect(window.page.get_by_text("earlier steps would run a second time")).to_be_visible()


@pytest.mark.slow
def test_a_launch_that_pauses_says_so_and_goes_on_automatically(desk: Desk, browser: Browser) -> None:
    with desk.window(browser) as window:
        window.launch("pausing", {"why": "resumes automatically"})
        window.ends("Paused")
        expect(window.page.locator("#launch-live")).to_contain_text("It continues automatically.")
        window.ends("Succeeded")


def test_a_double_click_a_refresh_and_the_back_button_are_one_launch(desk: Desk, browser: Browser) -> None:
    with desk.window(browser) as window:
        page = window.page
        window.open_form("orders")
        page.get_by_role("button", name="Launch", exact=True).dblclick()
        expect(page.locator("#launch-live")).to_be_visible()
        launched = page.url
        page.reload()
        assert page.url == launched
        page.go_back()
        expect(page.locator("[name=payload]")).to_be_visible()
        page.reload()
        page.get_by_role("button", name="Launch", exact=True).click()
        # The very form again leads to its launch; a fresh one with the same values is asked about. Neither launches.
        expect(
            page.locator("#launch-live").or_(page.get_by_text("You launched the same values moments ago"))
        ).to_be_visible()
        page.goto(launched)
        window.ends("Succeeded")
        assert desk.practice.triggers("orders") == 1
        page.goto(f"{window.space()}launches/?flow={sample_flows()['orders'].id}")
        expect(page.locator("#results .list-table tbody tr")).to_have_count(1)


def test_the_same_values_in_a_second_tab_are_asked_about_first(desk: Desk, browser: Browser) -> None:
    with desk.window(browser) as window:
        page = window.page
        window.launch("looping")
        window.ends("Succeeded")
        second = page.context.new_page()
        second.goto(f"{window.space()}flows/{sample_flows()['looping'].id}/launch/?_as=json")
        expect(second.get_by_text("Your last values for this flow")).to_be_visible()
        second.get_by_role("button", name="Launch", exact=True).click()
        expect(second.locator("main .alert-warning")).to_contain_text("You launched the same values moments ago")
        expect(second.get_by_role("link", name="See that launch")).to_be_focused()
        assert desk.practice.triggers("looping") == 1
        second.get_by_role("button", name="Launch again anyway").click()
        expect(second.locator("#launch-badge")).to_contain_text("Succeeded")
        assert desk.practice.triggers("looping") == 2


@pytest.mark.slow
def test_everything_can_be_in_vietnamese(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, signed_in=False) as window:
        page = window.page
        page.goto("/?all=1")
        _speak(page, "Tiếng Việt")
        window.sign_in()
        space = window.space()
        try:
            orders = f"{space}flows/{sample_flows()['orders'].id}/"
            for path in (
                "/?all=1",
                f"{space}flows/",
                orders,
                f"{orders}launch/",
                f"{space}runs/",
                f"{space}launches/",
                f"{space}credentials/",
                f"{space}members/",
                f"{space}settings/",
                "/credentials/add/",
                "/profile/",
            ):
                page.goto(path)
                _is_vietnamese(page)
            window.launch("refusing", {"taxCode": "tiếng Việt"}, wait=True)
            window.ends("Thành công")
            _is_vietnamese(page)
            page.locator("#run-open").click()
            expect(page.locator("#live")).to_be_visible()
            _is_vietnamese(page)
        finally:
            _speak(page, "English")
        expect(page.locator("html")).to_have_attribute("lang", "en")


def _is_vietnamese(page: Page) -> None:
    """Says so, and shows no text in English for which there is a Vietnamese one."""
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    texts = page.evaluate(
        """() => {
            const found = [], walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
            // What a flow has in its steps, what it reads and what it answers is its own: English words of the console may be among it.
            const own = ".step-settings td, table.readable, #launch-form .form-label";
            while (walk.nextNode()) if (!walk.currentNode.parentElement.closest(own)) found.push(walk.currentNode.textContent);
            for (const name of ["aria-label", "title", "placeholder"])
                for (const element of document.querySelectorAll(`[${name}]`)) found.push(element.getAttribute(name));
            return found.map((text) => text.trim().replace(/\\s+/g, " "));
        }"""
    )
    english = sorted({text for text in texts if text in _translated()})
    assert english == [], page.url


@functools.cache
def _translated() -> frozenset[str]:
    """Texts of the console, in English, whose Vietnamese is another."""
    with (ROOT / "locale" / "vi" / "LC_MESSAGES" / "django.po").open("rb") as file:
        return frozenset(
            entry.id
            for entry in read_po(file)
            if isinstance(entry.id, str) and entry.id and entry.string not in ("", entry.id)
        )


def _speak(page: Page, language: str) -> None:
    """Choose a language: in the person's menu, or on the page where nobody is signed in."""
    menu = page.locator("header.topbar details.menu").last
    if menu.count():
        menu.locator("summary").click()
    page.get_by_role("button", name=language).click()


def test_without_javascript_a_launch_is_made_and_watched_to_its_end(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, signed_in=False, java_script_enabled=False) as window:
        window.sign_in()
        window.open_form("eight")
        window.page.locator("[name=payload]").fill("{'sku': 1}")
        window.page.get_by_role("button", name="Launch", exact=True).click()
        expect(window.page.locator("#field-0-error")).to_contain_text("Line 1, column 2")
        expect(window.page.locator("[name=payload]")).to_have_value("{'sku': 1}")
        before = desk.practice.triggers("eight")
        window.launch("eight", {"sku": "TRA-01"})
        window.ends("Succeeded")
        assert desk.practice.triggers("eight") == before + 1
        expect(window.page.locator("#answer-text")).to_contain_text('"available": 14')


def test_the_keyboard_alone_is_enough(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, signed_in=False) as window:
        page = window.page
        page.goto("/")
        _tab_to(page, page.locator("[name=login]"))
        page.keyboard.type(desk.name)
        _tab_to(page, page.locator("[name=password]"))
        page.keyboard.type(desk.password)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Home")
        # The flows are loaded when they come into view.
        _tab_to(page, page.locator("#home-q"))
        _tab_to(page, page.locator("main").get_by_role("link", name="Text message, carry on").first)
        page.keyboard.press("Enter")
        expect(page.locator("[name=phone]")).to_be_visible()
        _tab_to(page, page.locator("[name=phone]"))
        page.keyboard.press("Control+A")
        page.keyboard.type("0900000009")
        _tab_to(page, page.locator("#launch-form .launch-more > summary").last)
        page.keyboard.press("Enter")
        _tab_to(page, page.locator("[name=_how]:checked"))
        page.keyboard.press("ArrowDown")
        expect(page.locator("#how-start")).to_be_focused()
        _tab_to(page, page.get_by_role("button", name="Launch", exact=True))
        page.keyboard.press("Enter")
        window.ends("Succeeded")
        _tab_to(page, page.get_by_role("link", name="Show the run's steps"))
        page.keyboard.press("Enter")
        expect(page.locator("#live")).to_contain_text("although a step failed")


def _tab_to(page: Page, wanted: Locator) -> None:
    """Presses Tab until the focus is there; everything on the way must show that it has it."""
    fields = "input:not([type=checkbox]), select, textarea, main, body"
    for _ in range(120):
        unseen = page.evaluate(
            "fields => { const now = document.activeElement; "
            "const shape = now.closest('svg') && now.querySelector('rect, circle, path'); "
            "const ring = shape ? getComputedStyle(shape).stroke : getComputedStyle(now).outlineStyle; "
            "return now.matches(fields) || ring !== 'none' ? '' : now.outerHTML }",
            fields,
        )
        assert unseen == "", f"no ring around {unseen[:300]}"
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


@pytest.mark.slow
def test_a_phone_is_enough(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, viewport=PHONE, has_touch=True, is_mobile=True) as window:
        page = window.page
        page.goto(f"{window.space()}flows/")
        page.get_by_role("link", name="Nhập bảng giá").first.tap()
        button = page.get_by_role("link", name="Launch", exact=True)
        expect(button).to_be_in_viewport()
        button.tap()
        expect(page.get_by_role("button", name="Launch", exact=True)).to_be_in_viewport()
        page.get_by_label("File").fill("bang-gia.csv")
        page.get_by_role("button", name="Launch", exact=True).tap()
        # The failing flow of another test: the same values may be asked about.
        again = page.get_by_role("button", name="Launch again anyway")
        expect(page.locator("#launch-live").or_(again)).to_be_visible()
        if again.is_visible():
            again.tap()
        window.ends("Failed")
        page.locator("[data-toggle-menu]").tap()
        page.get_by_role("link", name="Runs", exact=True).tap()
        expect(page.locator("h1")).to_have_text("Runs")
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
