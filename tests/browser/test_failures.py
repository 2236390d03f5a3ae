"""Failures in a browser: from the list to a note, which the next run that fails alike shows, and to handled."""

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.failures.test_failures import only, share
from tests.stage import Stage, stage

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
    expect(page.get_by_text("How it was handled before")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("link", name="All runs that failed like this").click()
    page.get_by_role("button", name="Mark as handled").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    sound_in_every_look(page)


def test_a_failure_that_is_assigned_reaches_the_person_at_the_bell_in_their_language(
    stage: Stage, window: Window, live_server: LiveServer
) -> None:
    only(stage, "Order 4711 was refused")
    share(stage)
    page = window(stage.users.owner)
    page.goto("/w/sales/failures/")
    page.locator("#results tbody a").first.click()
    page.locator("select[name=person]").select_option(label=stage.users.colleague.label)
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text(f"Assigned to {stage.users.colleague.label}.")).to_be_visible()
    other = window(stage.users.colleague)
    other.context.add_cookies([{"name": "django_language", "value": "vi", "url": live_server.url}])
    other.goto("/w/sales/")
    expect(other.locator("#bell")).to_contain_text("1 thông báo chưa đọc")
    other.locator("#bell").click()
    other.get_by_role("button", name=f"{stage.users.owner.label} đã giao cho bạn một lỗi").click()
    expect(other.get_by_text("Order 4711 was refused")).to_be_visible()
