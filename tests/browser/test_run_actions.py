"""What a person does with runs in a real browser: finds one that failed, tries it again, archives it, finds it among archived ones."""

import pytest
from playwright.sync_api import expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.stage import Stage, stage

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
RUNS = "/w/sales/runs/"


def test_a_failed_run_is_found_tried_again_and_archived(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner)
    failing = stage.practice.sample("failing").id
    before = {row["id"] for row in stage.practice.runs(failing)}
    page.goto(f"{RUNS}?status=FAILED&flow={failing}")
    first = page.locator("td.first a").first
    address = first.get_attribute("href") or ""
    first.click()
    expect(page.locator("#live")).to_contain_text("It failed at")
    for name in ("retry", "retry-latest", "archive"):
        page.goto(f"{RUNS}do/{name}/{address.removeprefix(RUNS)}")
        sound_in_every_look(page)
    page.goto(f"{RUNS}do/retry-latest/{address.removeprefix(RUNS)}")
    page.locator("main form [type=submit]").last.click()
    expect(page.get_by_text("A new run was started. This page shows it.")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("It failed at")
    assert len({row["id"] for row in stage.practice.runs(failing)} - before) == 1
    page.goto(f"{RUNS}do/archive/{address.removeprefix(RUNS)}")
    page.locator("main form [type=submit]").last.click()
    expect(page.get_by_text("The run is archived.")).to_be_visible()
    page.goto(f"{RUNS}?flow={failing}&rows=100")
    expect(page.locator(f"td.first a[href='{address}']")).to_have_count(0)
    page.goto(f"{RUNS}?flow={failing}&rows=100&archived=only")
    expect(page.locator(f"td.first a[href='{address}']")).to_have_count(1)
    sound_in_every_look(page)
