"""The practice engine is killed under a running console: pages say so, nothing typed is lost, and all goes on when it is back."""

import pytest
from playwright.sync_api import Browser, Page, expect

from practice_engine.samples import sample_flows
from tests.browser.running_console import Desk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("desk")]
TYPED = '{"name": "typed while it was down"}'
#: What Chromium writes about pages that an engine could not be asked for.
_DOWN = "the server responded with a status of 503"


def test_an_engine_that_stops_is_shown_and_nothing_is_lost(desk: Desk, browser: Browser) -> None:
    with desk.window(browser) as window:
        window.expected.append(_DOWN)
        page, space = window.page, window.space()
        form = f"{space}flows/{sample_flows()['quick'].id}/launch/?_as=json"
        page.goto(form)
        page.locator("[name=payload]").fill(TYPED + ",")
        with desk.engine_stopped():
            for path in ("flows/", f"flows/{sample_flows()['quick'].id}/", "runs/"):
                other = page.context.new_page()
                other.goto(space + path)
                expect(other.locator("h1")).to_have_text("The engine cannot be reached")
                expect(other.locator("main")).to_contain_text("nothing was sent and nothing was changed")
                expect(other.locator("main")).to_contain_text("Try again in a moment.")
                other.close()
            for path in ("/", f"{space}launches/", f"{space}credentials/"):
                other = page.context.new_page()
                answer = other.goto(path)
                assert answer is not None
                assert answer.status == 200
                other.close()
            _send_past_the_browsers_own_check(page)
            expect(page.locator("main .alert").filter(has_text="The engine cannot be reached")).to_be_visible()
            expect(page.locator("#field-0-error")).to_contain_text("Line 1")
            expect(page.locator("[name=payload]")).to_have_value(TYPED + ",")
            page.locator("[name=payload]").fill(TYPED)
            page.get_by_role("button", name="Launch", exact=True).click()
            window.ends("Waiting to be sent")
            expect(page.locator("#state-title")).to_have_text("The engine cannot be reached right now")
            expect(page.locator("#launch-live")).to_contain_text("nothing has been sent")
        window.ends("Succeeded")
        assert desk.practice.triggers("quick") == 1
        page.goto(f"{space}flows/")
        expect(page.locator("h1")).to_have_text("Flows")


def _send_past_the_browsers_own_check(page: Page) -> None:
    page.evaluate("HTMLFormElement.prototype.submit.call(document.getElementById('launch-form'))")
