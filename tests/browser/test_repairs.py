"""A failed step is repaired on one page, with the actions counted: from the mail to the failed runs started again."""

import re

import pytest
from playwright.sync_api import Dialog, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import flows
from tests.browser.looks import PHONE, sound_in_every_look
from tests.browser.test_counted_journeys import Journey
from tests.browser.windows import Window
from tests.flow_editing.test_repairs import address, run, work
from tests.run_index.index_scene import read_all, start
from tests.stage import Stage, stage
from workflows_ui.flow_editing.models import FlowEdit
from workflows_ui.launches.models import RunRetry

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
GOOD = "// practice: echo\nexport const code = async (inputs) => inputs;"


def make(stage: Stage) -> tuple[str, list[str]]:
    """A published flow whose second step fails, and three failed runs of it in the run index."""
    charge = flows.code(
        "fail The card of order 4711 has expired", total="{{step_1.total}}", file="{{trigger.body.file}}"
    )
    steps = (flows.code("echo", total="{{trigger.body.total}}"), charge | {"displayName": "Charge the card"})
    key = flows.make(stage.session.workflows, "Orders of the online shop", *steps)
    failed = run(stage, key, 120, 71, 5)
    start(stage)
    read_all(stage)
    return key, failed


def write_code(page: Page, code: str) -> None:
    expect(page.locator(".code-editor .ace_line").first).to_be_visible()
    page.locator(".code-editor textarea").first.focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)


def test_from_a_failures_mail_to_repaired_and_retried_takes_five_actions(stage: Stage, window: Window) -> None:
    _key, failed = make(stage)
    page = window(stage.users.owner, expected=("htmx:",))
    journey = Journey(page, "from a failure's mail to repaired and retried")
    journey.open(address(failed[0]))
    expect(page.locator("#step-1-in, #step-2-in")).to_have_count(1)
    sound_in_every_look(page)
    write_code(page, GOOD)
    journey.actions += 1
    journey.click(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("The code is saved.")).to_be_visible()
    expect(page.get_by_role("heading", name="What the edit changed")).to_be_visible()
    expect(page.locator("[aria-current=step]")).to_contain_text("Test")
    sound_in_every_look(page)
    journey.click(page.get_by_role("button", name="Publish", exact=True))
    expect(page.locator("[aria-current=step]")).to_contain_text("Retry the failed runs")
    sound_in_every_look(page)
    journey.click(page.get_by_role("button", name="Retry these 3"))
    expect(page.get_by_text("3 runs are being started again.").first).to_be_visible()
    sound_in_every_look(page)
    work()
    expect(page.get_by_text("3 runs were started again.")).to_be_visible()
    expect(page.locator("#repair-runs li")).to_contain_text("Succeeded 3")
    sound_in_every_look(page)
    assert RunRetry.objects.count() == 3
    journey.end(at_most=5)


def test_the_step_is_tested_with_the_failing_input_on_the_page(stage: Stage, window: Window) -> None:
    _key, failed = make(stage)
    page = window(stage.users.owner, expected=("htmx:",))
    page.goto(address(failed[0]))
    page.get_by_role("button", name="Test the step with this input").click()
    expect(page.locator("#step-test-live")).to_contain_text("The card of order 4711 has expired")
    sound_in_every_look(page)
    write_code(page, GOOD)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The code is saved.")).to_be_visible()
    page.get_by_role("button", name="Test again with this input").click()
    expect(page.locator("#step-test-live")).to_contain_text("It finished")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_visible()
    sound_in_every_look(page)


def test_leaving_a_form_with_unsaved_changes_asks_and_undo_takes_one_press(stage: Stage, window: Window) -> None:
    _key, failed = make(stage)
    page = window(stage.users.owner, expected=("htmx:",))
    page.goto(address(failed[0]))
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    write_code(page, GOOD)
    with page.expect_event("dialog"):
        page.locator("#repair-failed").locator("xpath=../..").get_by_role("link").first.click()
    assert asked == ["beforeunload"]
    expect(page).to_have_url(re.compile(r"/repair/$"))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The code is saved.")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("The flow is as it was before.")).to_be_visible()
    assert asked == ["beforeunload"]
    assert set(FlowEdit.objects.values_list("state", flat=True)) == {"undone"}


def test_a_repair_on_a_phone_in_vietnamese(stage: Stage, window: Window, live_server: LiveServer) -> None:
    _key, failed = make(stage)
    page = window(stage.users.owner, expected=("htmx:",), viewport=PHONE)
    page.context.add_cookies([{"name": "django_language", "value": "vi", "url": live_server.url}])
    page.goto(address(failed[0]))
    expect(page.locator(".repair-part")).to_have_count(5)
    sound_in_every_look(page)
    page.goto(f"/w/sales/runs/{failed[0]}/")
    page.locator("#repair-open").click()
    expect(page.locator(".repair-part")).to_have_count(5)
