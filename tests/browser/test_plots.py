"""Plots in a browser: values on hover and by keyboard, marks that lead to their launches, and the clocks of what runs."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.launches.launch_scene import Scene, scene
from workflows_ui.launches.models import State

__all__ = ["scene"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_plot_shows_its_values_by_mouse_and_keyboard_and_leads_to_the_launches(window: Window, scene: Scene) -> None:
    now = timezone.now()
    for number in range(25):
        state, at = State.FAILED if number % 6 == 0 else State.SUCCEEDED, now - timedelta(hours=11 * number)
        ended = at + timedelta(seconds=1 + number % 4)
        row = scene.row(flow_id="f", state=state, asked_at=at, run_started_at=at, run_finished_at=ended, ended_at=ended)
    scene.row(state=State.RUNNING, asked_at=now - timedelta(seconds=58))
    page = window(scene.users.owner)
    page.goto("/w/sales/")
    expect(page.locator(".clock")).to_have_text(re.compile("^1:"))
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
