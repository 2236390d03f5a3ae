"""A day with the engine down: what the console knows is shown, a launch is kept, and its answer is there once the engine is back."""

import re

import pytest
from playwright.sync_api import Browser, expect

from practice_engine.samples import sample_flows
from tests.browser.running_console import Desk
from tests.project.console_process import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("desk"), pytest.mark.timeout(300)]
#: What Chromium writes about pages that an engine could not be asked for.
_DOWN = "the server responded with a status of 503"


def test_a_day_with_the_engine_down(desk: Desk, browser: Browser) -> None:
    with desk.run_index(), desk.window(browser) as window:
        window.expected.append(_DOWN)
        page, space = window.page, window.space()

        def shown(text: str) -> bool:
            page.goto(f"{space}runs/")
            return text in page.locator("main").inner_text()

        wait_for(lambda: shown("Succeeded") and shown("of "), "the index is read")
        before = desk.practice.triggers("quick")
        with desk.engine_stopped():
            wait_for(lambda: shown("The engine does not answer. These are the runs as of"), "the silence is known")
            page.locator("main .card-table tbody a").first.click()
            expect(page.locator("main")).to_contain_text("The engine does not give this run now")
            page.goto(f"{space}flows/{sample_flows()['quick'].id}/launch/")
            expect(page.locator("main .alert").first).to_contain_text(re.compile(r"has not answered since \d\d:\d\d"))
            page.locator("[name=payload]").fill('{"name": "Lan"}')
            consent = page.get_by_label("Send it as soon as the engine is back")
            expect(consent).not_to_be_checked()
            consent.check()
            window.sound()
            page.locator(".btn[data-launch]").click()
            expect(page.locator("#state-title")).to_contain_text(
                re.compile(r"Kept until .*\d\d:\d\d: the engine does not answer")
            )
            window.sound()
            home = page.context.new_page()
            home.goto(space)
            expect(home.locator(".number").filter(has_text="Kept until the engine is back")).to_contain_text("1")
            home.close()
        expect(page.locator("#launch-badge")).not_to_contain_text("Kept", timeout=90_000)
        window.ends("Succeeded")
        expect(page.locator("#answer-title")).to_be_visible()
        assert desk.practice.triggers("quick") == before + 1
