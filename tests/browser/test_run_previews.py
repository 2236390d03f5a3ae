"""The list of runs in a browser: how many rows the first screen has, and the preview by key, by click, and on a phone."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.stub_engine import StubEngine, flow, identity, run
from tests.users import Users
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOTEBOOK, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)


@pytest.fixture
def failed_runs(stub_engine: StubEngine) -> None:
    """Twenty runs, every other of which failed."""
    stub_engine.flows = [flow()]
    step = {"name": "send", "displayName": "Send", "message": "Line 7: column sku is missing"}
    stub_engine.runs = [
        run(number, "FAILED", failedStep=step) if number % 2 else run(number) for number in range(1, 21)
    ]


def rows_in_view(page: Page) -> int:
    """The rows that are wholly in the window."""
    found = "(rows) => rows.filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length"
    return int(page.locator("#rows tr").evaluate_all(found))


def test_twelve_runs_fit_on_a_notebook_below_the_folded_plot(
    window: Window, users: Users, stub_engine: StubEngine
) -> None:
    indexes.start(CONSOLE, users.workspace, users.credential, 90)
    now = timezone.now()
    RunIndex.objects.update(read_at=now, read_until=now, spans=[])
    for number in range(20):
        found = {"run_id": f"run{number}", "flow_id": "f", "flow_name": "Orders", "status": "SUCCEEDED"}
        IndexedRun.objects.create(workspace=users.workspace, created=now - timedelta(hours=number), **found)
    page = window(users.owner)
    page.set_viewport_size(NOTEBOOK)
    page.goto("/w/sales/runs/")
    expect(page.locator("#run-days-plot")).to_be_visible()
    expect(page.locator("#run-days-plot .chart-drawing")).to_be_hidden()
    assert rows_in_view(page) >= 12


def test_a_preview_opens_by_key_follows_the_rows_and_closes_with_escape(
    window: Window, users: Users, failed_runs: None
) -> None:
    page = window(users.owner)
    page.set_viewport_size(NOTEBOOK)
    page.goto("/w/sales/runs/")
    preview, title = page.locator("#preview"), page.locator("#preview-title")
    page.locator("#rows td.first a").first.focus()
    page.keyboard.press("p")
    expect(preview).to_contain_text("Line 7: column sku is missing")
    expect(page).to_have_url(re.compile(rf"show={identity(1)}$"))
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(rf"show={identity(2)}$"))
    expect(page.locator("tr.previewed")).to_have_count(1)
    sound_in_every_look(page)
    page.reload()
    expect(title).to_be_visible()
    page.locator("#rows tr").nth(4).locator(".kind-when").click()
    expect(page).to_have_url(re.compile(rf"show={identity(5)}$"))
    page.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    expect(page.locator("#rows td.first a").nth(4)).to_be_focused()
    assert "show=" not in page.url


def test_on_a_phone_a_preview_lies_over_the_list_and_gives_the_focus_back(
    window: Window, users: Users, failed_runs: None
) -> None:
    page = window(users.owner)
    page.set_viewport_size(PHONE)
    page.goto("/w/sales/runs/")
    heights = page.locator("#rows tr").evaluate_all("(rows) => rows.map((row) => row.offsetHeight)")
    assert max(heights) <= 100
    page.locator("#rows [data-preview]").first.click()
    close = page.locator("[data-close-preview]")
    expect(close).to_be_focused()
    close.click()
    expect(page.locator("#preview")).to_be_hidden()
    expect(page.locator("#rows td.first a").first).to_be_focused()
