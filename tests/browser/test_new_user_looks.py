"""The pages that a new user sees first, on a console as it starts, at both widths in both themes: sound for axe, and silent in the console.

All other pages are in test_every_page, in two of these looks.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from practice_engine.samples import sample_flows
from tests.browser.looks import DESK, PHONE
from tests.browser.running_console import Desk, Window

pytestmark = pytest.mark.browser


def _visit(window: Window) -> Iterator[None]:
    """Opens one page after the other, and makes a launch of each kind."""
    page, space = window.page, window.space()
    orders, off = (f"{space}flows/{sample_flows()[slug].id}/" for slug in ("orders", "disabled"))
    form = f"{orders}launch/?_as=json"
    for address in ("/?all=1", f"{space}flows/", orders, off, form, f"{space}runs/"):
        page.goto(address)
        yield
    for slug, state in (("quick", "Succeeded"), ("failing", "Failed"), ("refusing", "Succeeded")):
        window.launch(slug, {"why": f"how {slug} looks"}, wait=True)
        window.ends(state)
        yield
        if state == "Failed":
            page.locator("#more-steps > summary").click()
            page.locator("#run-open").click()
            expect(page.locator("#live")).to_contain_text("It failed at")
            yield
    page.goto(f"{space}launches/")
    yield
    page.goto(form)
    page.locator("[name=payload]").fill("{'id': 1}")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("#field-0-error")).to_contain_text("Line 1, column 2")
    yield


@pytest.mark.slow
def test_the_first_pages_are_sound_at_a_desk_and_on_a_phone_in_light_and_dark(desk: Desk, browser: Browser) -> None:
    options: dict[str, Any] = {"viewport": DESK, "color_scheme": "light", "reduced_motion": "reduce"}
    with desk.window(browser, **options) as window:
        for _page in _visit(window):
            _look_at(window)
    with desk.window(browser, signed_in=False, **options) as window:
        window.page.goto("/?all=1")
        _look_at(window)


def _look_at(window: Window) -> None:
    for size in (PHONE, DESK):
        window.page.set_viewport_size({"width": size["width"], "height": size["height"]})
        window.sound()
        window.darken()
        window.theme("light")
