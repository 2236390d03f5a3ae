"""Failures in a browser: from the list to a note, which the next run that fails alike shows, and to handled."""

import pytest
from playwright.sync_api import expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.failures.test_failures import only
from tests.resources.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def test_a_failure_is_noted_and_handled(stage: Stage, window: Window) -> None:
    run, *_others = only(stage, "Order 4711 was refused", "Order 4712 was refused", "The card has expired")
    page = window(stage.users.owner)
    page.goto("/w/sales/failures/?sort=-number")
    sound_in_every_look(page)
    page.locator("#results tbody a").first.click()
    sound_in_every_look(page)
    page.get_by_role("textbox", name="What to do").fill("Ask billing for a new limit, then use “Run again”.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Ask billing").first).to_be_visible()
    page.goto(f"/w/sales/runs/{run}/")
    expect(page.get_by_text("What helped before")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("link", name="All runs that failed like this").click()
    page.get_by_role("button", name="Mark as handled").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    sound_in_every_look(page)
