"""Plots in a browser: values on hover and by keyboard, marks that lead to their launches, and the clocks of what runs."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.launches.launch_scene import Scene, scene
from tests.stub_engine import StubEngine
from tests.users import Users
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.launches.models import State
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes

__all__ = ["scene"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_plot_shows_its_values_by_mouse_and_keyboard_and_leads_to_the_launches(window: Window, scene: Scene) -> None:
    now = timezone.now()
    for number in range(25):
        state, at = State.FAILED if number % 6 == 0 else State.SUCCEEDED, now - timedelta(hours=11 * number)
        ended = at + timedelta(seconds=1 + number % 4)
        row = scene.row(flow_id="f", state=state, asked_at=at, run_started_at=at, run_finished_at=ended, ended_at=ended)
    page = window(scene.users.owner)
    page.goto("/w/sales/")
    plot = page.locator("#home-days")
    mark = plot.locator("rect.chart-succeeded").last
    mark.hover()
    expect(plot.locator("a:hover > .chart-caption")).to_be_visible()
    page.mouse.move(0, 0)
    day = plot.locator("a:not([tabindex])[aria-label*=launch]").last
    day.focus()
    expect(day.locator(".chart-caption")).to_be_visible()
    sound_in_every_look(page)
    mark.click()
    expect(page).to_have_url(re.compile(r"/launches/\?since=.*state=succeeded$"))
    expect(page.locator("#launch-days-plot")).to_be_visible()
    sound_in_every_look(page)
    page.goto(f"/w/sales/launches/{row.pk}/")
    expect(page.locator("#launch-durations-plot")).to_contain_text("Median:")
    sound_in_every_look(page)


def test_the_runs_of_a_workspace_are_plotted_above_their_list_and_in_full(
    window: Window, users: Users, stub_engine: StubEngine
) -> None:
    indexes.start(CONSOLE, users.workspace, users.credential, 90)
    now = timezone.now()
    RunIndex.objects.update(read_at=now, read_until=now, spans=[])
    states = ("SUCCEEDED", "SUCCEEDED", "FAILED", "CANCELED", "RUNNING", "HIBERNATING")
    for number in range(60):
        at, took = now - timedelta(hours=5 * number), 1000 + 137 * (number % 9)
        run = {"run_id": f"run{number}", "flow_id": "f", "flow_name": "Orders", "status": states[number % 6]}
        IndexedRun.objects.create(workspace=users.workspace, created=at, duration=took, **run)
    page = window(users.owner)
    page.goto("/w/sales/runs/")
    with page.expect_response("**/list-plot/"):
        page.locator("#plot-fold > summary").click()
    mark = page.locator("#run-days-plot rect.chart-failed").last
    mark.hover()
    expect(page.locator("#run-days-plot a:hover > .chart-caption")).to_be_visible()
    sound_in_every_look(page)
    mark.click()
    expect(page).to_have_url(re.compile(r"/runs/\?status=FAILED.*&since="))
    page.get_by_role("link", name="Durations and busiest hours").click()
    expect(page.locator("#run-hours-plot")).to_contain_text("1 day")
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("#run-durations-plot")).to_contain_text("Median:")
    expect(page.locator("#run-hours-plot")).to_contain_text("Busiest:")
    sound_in_every_look(page)
