"""A launch, a retry and a cancelled run in a real browser, on the engines of both generations."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.running_console import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("desk"),
    pytest.mark.parametrize("version", [pytest.param("0.72.4", marks=pytest.mark.slow), "0.83.0"]),
]
RUN = re.compile(r"/runs/\w+/$")


def test_a_failed_launch_is_read_and_its_run_tried_again(desk: Desk, browser: Browser, version: str) -> None:
    with desk.window(browser) as window, desk.practice.set(version=version):
        page = window.page
        window.launch("failing", {"version": version})
        window.ends("Failed")
        expect(page.locator("#failure-message")).to_contain_text("Dòng 7: thiếu cột sku")
        page.locator("#more-steps > summary").click()
        page.get_by_role("link", name="Show the run's steps").click()
        expect(page).to_have_url(RUN)
        run = page.url
        _choose(page, "Retry from failed step")
        expect(page).to_have_url(run)
        expect(page.locator("#live")).to_contain_text("It was retried and failed at “Đọc tệp” after")
        page.get_by_role("link", name="See the launch").click()
        window.ends("Failed")


def test_a_launch_that_waits_in_the_engine_is_cancelled_and_says_so(desk: Desk, browser: Browser, version: str) -> None:
    with desk.window(browser) as window, desk.practice.set(version=version, queue_time=3600.0):
        page = window.page
        window.launch("pausing", {"version": version})
        window.ends("Queued in the engine")
        page.get_by_role("link", name="Show the run's steps").click()
        expect(page).to_have_url(RUN)
        _choose(page, "Cancel the run")
        expect(page.locator("#object-badge")).to_contain_text("Cancelled")
        page.get_by_role("link", name="See the launch").click()
        window.ends("Cancelled")


def _choose(page: Page, action: str) -> None:
    """Chooses an action of the run's page, from its menu where it is folded away, and confirms it."""
    link = page.locator("main").get_by_role("link", name=action).first
    menu = page.get_by_label("More that can be done")
    expect(link.or_(menu).first).to_be_visible()
    if not link.is_visible():
        menu.first.click()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(action)
    page.locator("main form [type=submit]").last.click()
