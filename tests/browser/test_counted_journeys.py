"""The journeys that people make daily, with their actions counted: an address opened, a click, a text typed, a key."""

import csv
import io
import json
import re
import time

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from practice_engine.samples import sample_flows
from tests.browser.running_console import Desk, Window
from tests.browser.shots import PICTURES
from tests.project.console_process import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("desk")]
FAILING = "failing"


class Journey:
    """Counts what a person does in a window; with SCREENSHOTS, actions and seconds are kept beside the pictures."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name, self.actions, self._begun = page, name, 0, time.monotonic()

    def open(self, address: str) -> None:
        self.actions += 1
        self.page.goto(address)

    def click(self, what: Locator) -> None:
        self.actions += 1
        what.click()

    def type(self, where: Locator, text: str) -> None:
        self.actions += 1
        where.fill(text)

    def keys(self, text: str) -> None:
        self.actions += 1
        self.page.keyboard.type(text)

    def choose(self, label: str, option: str) -> None:
        self.actions += 1
        filters = self.page.locator("#filters")
        with self.page.expect_response(lambda answer: "hx-request" in answer.request.headers):
            filters.get_by_role("combobox", name=label, exact=True).select_option(label=option)

    def end(self, at_most: int) -> None:
        if PICTURES is not None:
            PICTURES.mkdir(parents=True, exist_ok=True)
            with (PICTURES / "journeys.jsonl").open("a", encoding="utf-8") as file:
                seconds = round(time.monotonic() - self._begun, 1)
                file.write(json.dumps({"journey": self.name, "actions": self.actions, "seconds": seconds}) + "\n")
        assert self.actions <= at_most


def _fail_once(window: Window, file: str) -> str:
    """Launches the failing flow; returns the address of the launch, which the mail about it holds."""
    window.launch(FAILING, {"file": file})
    window.ends("Failed")
    return window.page.url


def test_from_the_mail_of_a_failure_to_a_run_with_changed_inputs_takes_four_actions(
    desk: Desk, browser: Browser
) -> None:
    with desk.window(browser) as window:
        address = _fail_once(window, "week-47.csv")
        window.page.goto("about:blank")
        journey = Journey(window.page, "from a failure's mail to a run with changed inputs")
        journey.open(address)
        journey.click(window.page.locator("#change-first"))
        journey.type(window.page.get_by_label("File"), "week-49.csv")
        journey.click(window.page.locator(".btn[data-launch]"))
        expect(window.page.locator("#launch-payload")).to_contain_text("week-49.csv")
        journey.end(at_most=4)


def test_from_home_to_the_failed_launches_of_a_flow_this_week_as_csv_takes_six_actions(
    desk: Desk, browser: Browser
) -> None:
    with desk.window(browser) as window:
        _fail_once(window, "week-48.csv")
        window.page.goto(window.space())
        journey = Journey(window.page, "from home to the failed launches of a flow this week as CSV")
        # Filters are chosen faster than plots arrive, whose requests end then.
        window.expected.append("htmx:")
        journey.click(window.page.get_by_role("complementary").get_by_role("link", name="Launches", exact=True))
        journey.choose("State", "Failed")
        journey.choose("Flow", sample_flows()[FAILING].name)
        journey.choose("Period", "Last 7 days")
        expect(window.page.locator(".chip")).to_have_count(3)
        journey.click(window.page.locator("#export-menu > summary"))
        with window.page.expect_download() as download:
            journey.click(window.page.get_by_role("link", name=re.compile("CSV with commas")))
        rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
        assert {(row["Flow"], row["State"]) for row in rows} == {(sample_flows()[FAILING].name, "Failed")}
        journey.end(at_most=6)


def test_whether_an_order_went_through_is_known_from_home_in_two_actions(desk: Desk, browser: Browser) -> None:
    desk.practice.start("quick", {"name": "Lan", "orderNo": "ORD-471182", "mail": "lan@example.com"})
    with desk.run_index(setting=2), desk.window(browser) as window:
        page = window.page
        # While somebody looks at the list, new runs are read every few seconds.
        page.goto("/w/practice/runs/?search=ORD-471182")
        found = page.locator("#results .list-table tbody tr")
        wait_for(lambda: bool(page.reload() and found.count()), "the run's values")
        for text in ("ORD-471182", "471182", "lan@example.com"):
            page.goto(window.space())
            journey = Journey(page, "did order 471182 go through?")
            # A slash opens the search, wherever one is.
            journey.keys(f"/{text}")
            hit = page.locator("#search [role=option]", has_text=sample_flows()["quick"].name).first
            expect(hit).to_contain_text(re.compile(r"Succeeded, (today|yesterday) \d\d:\d\d"))
            journey.click(hit)
            expect(page.locator("main")).to_contain_text("ORD-471182")
            journey.end(at_most=2)


def test_a_failure_is_handled_from_its_mail_with_what_helped_before_in_nine_actions(
    desk: Desk, browser: Browser
) -> None:
    note = "The month is closed: choose the file of an open one."
    with desk.run_index(), desk.window(browser) as window:
        page, space = window.page, window.space()
        _fail_once(window, "week-50.csv")
        page.goto(f"{space}failures/")
        failure = page.locator("#results tbody a", has_text=sample_flows()[FAILING].name).first
        wait_for(lambda: bool(page.reload() and failure.count()), "the failure is in the index")
        failure.click()
        page.get_by_role("textbox", name="What to do").fill(note)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text(note).first).to_be_visible()
        address = _fail_once(window, "week-51.csv")
        with desk.window(browser, signed_in=False) as other:
            page = other.page
            journey = Journey(page, "from a failure's mail to handled")
            journey.open(address)
            journey.type(page.locator("[name=login]"), desk.name)
            journey.type(page.locator("[name=password]"), desk.password)
            journey.click(page.locator("main [type=submit]").first)
            expect(page.locator("#launch-helped")).to_contain_text(note)
            journey.click(page.locator("#change-first"))
            journey.type(page.get_by_label("File"), "week-52.csv")
            journey.click(page.locator(".btn[data-launch]"))
            other.ends("Failed")
            expect(page.locator("#launch-helped")).to_contain_text(note)
            journey.click(page.get_by_role("link", name="All runs that failed like this"))
            journey.click(page.get_by_role("button", name="Mark as handled"))
            expect(page.get_by_role("button", name="Reopen")).to_be_visible()
            journey.end(at_most=9)
