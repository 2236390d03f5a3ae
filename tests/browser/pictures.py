"""Takes the pictures in docs/, which the README shows: `.venv/bin/python -m tests.browser.pictures`

Starts a console in a folder of its own, as `make run` does, does there what the pictures show, and leaves nothing running. Chromium is
found as the tests find it.
"""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.desk import Desk, Window
from tests.ground.running import ROOT, RUNNER, console, free_port
from tests.needs import chromium

DOCS = ROOT / "docs"
SIZE = {"width": 1280, "height": 800}
_SLOW = 30_000


def flows(window: Window) -> None:
    """The list of flows."""
    window.page.goto(f"{window.space()}flows/")
    expect(window.page.locator("[data-late]")).to_have_count(0)


def launch_form(window: Window) -> None:
    """The form that launches a flow."""
    window.open_form("orders")


def launch(window: Window) -> None:
    """A launch that is done, with its answer."""
    window.launch("orders", wait=True)
    window.ends("Done")


def run(window: Window) -> None:
    """A run that failed, with the step and why."""
    window.launch("failing", wait=True)
    window.ends("Failed")
    window.page.locator("#run-open").click()
    expect(window.page.locator("#live")).to_contain_text("It failed at")


def job(window: Window) -> None:
    """Many flows turned off, one of which somebody was editing."""
    page = window.page
    page.goto(f"{window.space()}flows/?status=ENABLED&rows=20")
    expect(page.locator("[data-late]")).to_have_count(0)
    ticks = page.locator("input[data-tick]")
    for number in range(6):
        ticks.nth(number).check()
    with window.desk.practice.set(flow_in_use=[ticks.nth(1).input_value()]):
        page.locator("#bulk").get_by_role("button", name="Turn off").click()
        page.get_by_role("button", name=re.compile(r"^Turn off \(\d+\)$")).click()
        expect(page.locator("#job-badge")).to_contain_text("Finished", timeout=_SLOW)


def trigger(window: Window) -> None:
    """An app's triggers: what worked and what failed, day by day."""
    window.page.goto(f"{window.space()}triggers/@activepieces/piece-webhook/")


PICTURES: tuple[Callable[[Window], None], ...] = (flows, launch_form, launch, run, trigger, job)


def main() -> None:
    """Takes all of them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        with console(RUNNER, Path(folder), free_port(), PRACTICE_CLOCK_SCALE="1") as started:
            started.says("The password is shown this once only")
            with Desk(started).window(browser, viewport=SIZE, color_scheme="light", reduced_motion="reduce") as window:
                for take in PICTURES:
                    take(window)
                    window.page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
                    window.page.screenshot(path=DOCS / f"{take.__name__.replace('_', '-')}.png")
            started.interrupt()
        browser.close()


if __name__ == "__main__":
    main()
