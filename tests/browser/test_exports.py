"""A list becomes a file and an engine's gaps are explained, as a person meets it: by mouse, by keyboard, on a phone, without JavaScript."""

import csv
import io
import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looks import PHONE
from tests.browser.running_console import Desk

pytestmark = pytest.mark.browser
#: Colours must have arrived before they are looked at.
_STILL: dict[str, Any] = {"reduced_motion": "reduce", "color_scheme": "light"}


def taken(page: Page, link: Any) -> tuple[str, bytes]:
    """The name and the content of the file that a click brings."""
    with page.expect_download() as download:
        link.click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_this_page_and_everything_that_matches_are_downloaded_on_a_phone(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, **_STILL, viewport=PHONE) as window:
        page = window.page
        page.goto(f"{window.space()}flows/?status=ENABLED")
        # The second look makes rows taller, which moves what is below them.
        expect(page.locator("[data-late]")).to_have_count(0)
        page.locator("summary", has_text="Export").click()
        menu = page.locator("#export-menu .dropdown-menu")
        expect(menu).to_be_in_viewport(ratio=1)
        expect(menu).to_contain_text("Everything that matches the filters", ignore_case=True)
        window.sound()
        name, content = taken(page, menu.get_by_role("link", name="This page as CSV with commas"))
        assert name.startswith("flows-")
        shown = rows_of(content)
        assert len(shown) == page.locator(".list-table tbody tr").count()
        assert {row["State"] for row in shown} == {"On"}
        if not menu.is_visible():
            page.locator("summary", has_text="Export").click()
        menu.get_by_role("button", name="Everything as JSON").click()
        expect(page.get_by_role("heading", name="Export: Flows")).to_be_visible()
        expect(page.get_by_role("heading", name="The file is ready")).to_be_visible()
        window.sound()
        window.darken()
        _name, content = taken(page, page.get_by_role("link", name="Download JSON"))
        assert {flow["status"] for flow in json.loads(content)} == {"ENABLED"}
        page.goto(f"{window.space()}jobs/")
        page.get_by_role("link", name="Export: Flows").first.click()
        expect(page.get_by_role("heading", name="The file is ready")).to_be_visible()


def test_without_javascript_the_page_asks_again_automatically(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, java_script_enabled=False) as window:
        page = window.page
        page.goto(f"{window.space()}folders/")
        page.locator("summary", has_text="Export").click()
        page.get_by_role("button", name="Everything as CSV with commas").click()
        expect(page.get_by_role("heading", name="The file is ready")).to_be_visible()
        _name, content = taken(page, page.get_by_role("link", name="Download CSV"))
        assert rows_of(content)


def test_what_the_engine_lacks_is_said_and_looked_at_again(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, **_STILL) as window:
        page = window.page
        space = window.space()
        page.goto(f"{space}abilities/")
        with desk.practice.set(missing_routes=["/v1/tables"]):
            page.get_by_role("button", name="Check again").click()
            expect(page.get_by_text("The engine was asked again.")).to_be_visible()
            expect(page.get_by_role("row", name="Tables This engine does not have it")).to_be_visible()
            window.sound()
            window.darken()
            page.goto(f"{space}tables/")
            expect(page.get_by_text("This engine has no tables.")).to_be_visible()
            window.sound()
            window.darken()
        page.get_by_role("button", name="Check again").click()
        expect(page.get_by_text("This engine has no tables.")).to_have_count(0)
        expect(page.locator(".list-table tbody tr").first).to_be_visible()


def test_an_action_that_the_plan_leaves_out_says_so_in_its_place(desk: Desk, browser: Browser) -> None:
    with desk.window(browser, **_STILL) as window:
        page = window.page
        page.goto(f"{window.space()}runs/?status=FAILED")
        page.locator(".list-table tbody td.first a").first.click()
        expect(page).to_have_url(re.compile(r"/runs/\w+/$"))
        run = page.url
        with desk.practice.set(retries_disabled=True):
            page.locator("main .page-actions").get_by_role("link", name="Retry from failed step").click()
            page.get_by_role("button", name="Retry the run").click()
            expect(page.get_by_text("Checking whether it was done").first).to_be_visible()
        page.goto(run)
        page.locator(".page-actions summary").click()
        lacking = page.locator(".lacking").first
        expect(lacking).to_contain_text("The plan of this engine does not include retrying of runs.")
        window.sound()
        window.darken()
        page.goto(f"{window.space()}abilities/")
        page.get_by_role("button", name="Check again").click()
        page.goto(run)
        expect(page.locator("main .page-actions").get_by_role("link", name="Retry from failed step")).to_have_count(1)
