"""Many things done at once, as a person does it: with the mouse, with the keyboard alone, on a phone, and without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import LOOKS, sound
from tests.browser.windows import Window
from tests.stage import Stage, stage
from workflows_ui.jobs.models import ItemState, Job
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resources import BY_NAME

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
FLOWS = "/w/sales/flows/?status=ENABLED"


def work() -> Job:
    """What a worker makes of the newest job."""
    job = Job.objects.latest("asked_at")
    while worker.turn(job.pk, BY_NAME):
        pass
    job.refresh_from_db()
    return job


def rows(page: Page) -> int:
    return page.locator("input[data-tick]").count()


@pytest.mark.parametrize("look", ["desk", pytest.param("phone", marks=pytest.mark.slow)])
def test_rows_are_ticked_confirmed_and_done_and_found_again(stage: Stage, window: Window, look: str) -> None:
    page = window(stage.users.owner, **LOOKS[look])
    page.goto(FLOWS)
    button = page.locator("#bulk").get_by_role("button", name="Turn off")
    expect(button).to_be_hidden()
    page.locator("input[data-tick]").nth(0).check()
    page.locator("input[data-tick]").nth(2).check()
    expect(page.get_by_text("2 selected").first).to_be_visible()
    sound(page)
    # Looking again keeps what is ticked, the focus, and how far the page is scrolled.
    page.evaluate("document.getElementById('refresh').focus(); window.scrollTo(0, 120)")
    before = page.evaluate("window.scrollY")
    with page.expect_response(lambda answer: "flows" in answer.url):
        page.keyboard.press("Enter")
    expect(page.get_by_text("2 selected").first).to_be_visible()
    expect(page.locator("input[data-tick]:checked")).to_have_count(2)
    expect(page.locator("#refresh")).to_be_focused()
    assert page.evaluate("window.scrollY") == before
    button.click()
    expect(page.get_by_text("2 objects will be affected.")).to_be_visible()
    sound(page)
    page.get_by_role("button", name="Turn off (2)").click()
    expect(page.get_by_text("0 of 2 processed")).to_be_visible()
    sound(page)
    work()
    expect(page.get_by_text("2 of 2 processed").first).to_be_visible()
    expect(page.locator("#job-badge")).to_contain_text("Finished")
    sound(page)
    page.goto("/w/sales/jobs/")
    sound(page)
    page.get_by_role("link", name="Turn off: Flows").click()
    expect(page.get_by_role("link", name="Succeeded (2)")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#results")).to_be_visible()


def test_everything_that_matches_is_deleted_only_after_the_safe_choice_was_passed_by(
    stage: Stage, window: Window
) -> None:
    page = window(stage.users.owner)
    page.goto("/w/sales/flows/?rows=20")
    expect(page.locator("#bulk")).to_be_hidden()
    page.locator("[data-tick]").first.check()
    expect(page.locator("#filters")).to_be_hidden()
    page.get_by_label(re.compile(r"Select all \d+")).check()
    with page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_label(re.compile(r"Select all \d+"))).to_be_checked()
    page.locator("#bulk").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Being prepared")).to_be_visible()
    job = work()
    number = job.items.filter(state=ItemState.WAITING).count()
    expect(page.get_by_role("heading", name=f"{number} objects will be affected.")).to_be_visible()
    expect(page.get_by_text("Also affected").first).to_be_visible()
    sound(page)
    page.reload()
    safe = page.get_by_role("button", name="Leave everything as it is")
    expect(safe).to_be_focused()
    safe.click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    assert not stage.writes()


def test_the_keyboard_alone_is_enough(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner)
    page.goto(FLOWS)
    # Rows exchanged while a key is down would lose the key.
    expect(page.locator("[data-late]")).to_have_count(0)
    page.locator("#tick-page").focus()
    page.keyboard.press("Space")
    expect(page.locator("input[data-tick]:checked")).to_have_count(rows(page))
    page.keyboard.press("Space")
    expect(page.locator("input[data-tick]:checked")).to_have_count(0)
    for number in (0, 1):
        page.locator("input[data-tick]").nth(number).focus()
        page.keyboard.press("Space")
    page.locator("#bulk").get_by_role("button", name="Turn off").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 objects will be affected.")).to_be_visible()


def test_without_javascript_many_are_done_and_the_failed_ones_tried_again(stage: Stage, window: Window) -> None:
    page = window(stage.users.owner, java_script_enabled=False)
    page.goto(FLOWS)
    page.locator("#bulk").get_by_role("button", name="Turn off").click()
    expect(page.get_by_text("Select the rows first")).to_be_visible()
    page.goto(FLOWS)
    for number in (0, 1):
        page.locator("input[data-tick]").nth(number).check()
    refused = page.locator("input[data-tick]").nth(0).get_attribute("value")
    page.locator("#bulk").get_by_role("button", name="Turn off").click()
    stage.practice.engine.faults.add("status", "POST", f"*{refused}", status=400, body="invalid")
    page.get_by_role("button", name="Turn off (2)").click()
    expect(page.get_by_text("0 of 2 processed")).to_be_visible()
    work()
    page.reload()
    expect(page.get_by_text("The engine refused it.")).to_be_visible()
    stage.practice.engine.faults.clear()
    page.get_by_role("button", name="Try the failed ones again").click()
    expect(page.get_by_text("1 object will be affected.")).to_be_visible()
    page.get_by_role("button", name="Turn off (1)").click()
    work()
    page.reload()
    expect(page.get_by_text("1 of 1 processed")).to_be_visible()
    page.get_by_role("link", name="It tries the failed items again.").click()
    expect(page.get_by_role("link", name="Failed (1)")).to_be_visible()
