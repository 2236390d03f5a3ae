"""Every page of a console as it starts, in every look: sound for axe, and silent in the console.

Where SCREENSHOTS names a folder pictures are kept there, one a page and look.
"""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.looks import DESK, PHONE
from tests.browser.running_console import Desk, Window
from tests.browser.shots import PICTURES
from workflows_ui.practice_engine.samples import sample_flows

pytestmark = pytest.mark.browser

WIDTHS = {"desk": DESK, "phone": PHONE}
#: What Chromium writes about a page that does not exist.
_NOT_THERE = "the server responded with a status of 404"


@pytest.fixture(scope="module")
def addresses(desk: Desk, browser: Browser) -> dict[str, str]:
    """Every page of the slice by the name of its picture, and a launch of each kind."""
    with desk.window(browser) as window:
        space = window.space()
        found = {
            "home": "/?all=1",
            "flows": f"{space}flows/",
            "flows-none": f"{space}flows/?name=nothing-is-called-so",
            "flow": f"{space}flows/{sample_flows()['orders'].id}/",
            "flow-off": f"{space}flows/{sample_flows()['disabled'].id}/",
            "launch-form": f"{space}flows/{sample_flows()['orders'].id}/launch/?_as=json",
            "launch-form-off": f"{space}flows/{sample_flows()['disabled'].id}/launch/",
            "runs": f"{space}runs/",
            "runs-mistake": f"{space}runs/?since=2026-02-30",
            "launches": f"{space}launches/",
            "credentials": f"{space}credentials/",
            "credential-add": "/credentials/add/",
            "members": f"{space}members/",
            "settings": f"{space}settings/",
            "profile": "/profile/",
            "notification-settings": "/profile/notifications/",
            "password": "/accounts/password/change/",
            "not-there": f"{space}flows/{'x' * 21}/",
        }
        for name, slug, state in (
            ("done", "quick", "Succeeded"),
            ("failed", "failing", "Failed"),
            ("422", "refusing", "Succeeded"),
        ):
            window.launch(slug, {"why": f"a picture of {name}"}, wait=True)
            window.ends(state)
            found[f"launch-{name}"] = window.page.url
            if name == "failed":
                window.page.locator("#run-open").click()
                expect(window.page.locator("#live")).to_contain_text("It failed at")
                found["run-failed"] = window.page.url
        window.page.goto(found["credentials"])
        found["credential"] = window.page.locator("main td a").first.get_attribute("href") or ""
        return found


@pytest.mark.slow
def test_every_page_is_sound_at_a_desk_and_on_a_phone_in_light_and_dark(
    desk: Desk, browser: Browser, addresses: dict[str, str]
) -> None:
    options: dict[str, Any] = {"viewport": DESK, "color_scheme": "light", "reduced_motion": "reduce"}
    with desk.window(browser, **options) as window:
        window.expected.append(_NOT_THERE)
        for name, address in addresses.items():
            window.page.goto(address)
            _look_at(window, name)
        window.page.goto(addresses["launch-form"])
        window.page.locator("[name=payload]").fill("{'id': 1}")
        window.page.get_by_role("button", name="Launch", exact=True).click()
        expect(window.page.locator("#field-0-error")).to_contain_text("Line 1, column 2")
        _look_at(window, "launch-form-mistake")
    with desk.window(browser, signed_in=False, **options) as window:
        window.page.goto("/?all=1")
        _look_at(window, "sign-in")


def _look_at(window: Window, name: str) -> None:
    for width, size in WIDTHS.items():
        window.page.set_viewport_size({"width": size["width"], "height": size["height"]})
        window.sound()
        _photograph(window, f"{name}.{width}.light.png")
        window.darken()
        _photograph(window, f"{name}.{width}.dark.png")
        window.theme("light")


def _photograph(window: Window, name: str) -> None:
    if PICTURES is not None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        window.page.screenshot(path=PICTURES / name, full_page=True)
