"""The plots of launches: days of the reader's zone, every mark a link to its launches, nobody else's launches, one query."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.launches.launch_scene import Scene, text_of
from workflows_ui.core import days as plot_days
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches, statistics

pytestmark = pytest.mark.both_databases

DAYS = "/w/sales/launches/days/"
FRAGMENT = {"HX-Request": "true", "HX-Target": "launch-days"}


def _links(page: str) -> list[str]:
    """The addresses of all marks."""
    drawing = page.partition('class="chart-drawing"')[2].partition("<details")[0]
    return [html.unescape(address) for address in re.findall(r'<a href="([^"]+)"', drawing)]


@pytest.mark.slow
def test_every_mark_leads_to_the_launches_that_it_counts(scene: Scene) -> None:
    now = timezone.now()
    for age, state, number in (
        (0, State.SUCCEEDED, 3),
        (0, State.FAILED, 2),
        (2, State.RUNNING, 1),
        (5, State.UNKNOWN, 1),
    ):
        for _ in range(number):
            scene.row(state=state, asked_at=now - timedelta(days=age))
    page = text_of(scene.browser.get(DAYS))
    assert "<style" not in page
    assert "style=" not in page.partition("<figure")[2].partition("</figure>")[0]
    links = _links(page)
    assert len(links) == 3 + 4  # of days, and of their states
    counts = [text_of(scene.browser.get(link)).count('data-label="State"') for link in links]
    assert sorted(counts) == [1, 1, 1, 1, 2, 3, 5]
    assert "<html" not in text_of(scene.browser.get(DAYS, headers=FRAGMENT))
    # The list loads it after itself, with its own filters.
    listed = text_of(scene.browser.get("/w/sales/launches/?state=failed"))
    assert f'hx-get="{DAYS}?state=failed"' in listed
    assert "Succeeded" not in text_of(scene.browser.get(f"{DAYS}?state=failed", headers=FRAGMENT))


def test_a_launcher_sees_their_own_and_an_empty_plot_is_a_sentence(scene: Scene) -> None:
    scene.row(state=State.FAILED, user=scene.users.owner)
    assert "Nothing was launched in these days." in text_of(scene.browser.get(DAYS))
    assert "chart-drawing" not in text_of(scene.browser.get(DAYS, headers=FRAGMENT))
    assert "chart-drawing" in text_of(scene.sign_in(scene.users.owner).get(DAYS, headers=FRAGMENT))
    assert scene.sign_in(scene.users.stranger).get(DAYS).status_code == 404


@pytest.mark.parametrize(
    "query", ["?since=2020-01-01&until=9000-12-31", "?since=3000-01-01", "?until=1970-01-01", "?since=x", "?state=no"]
)
def test_any_period_is_a_page(scene: Scene, query: str) -> None:
    scene.row(state=State.FAILED)
    assert scene.browser.get(DAYS + query).status_code == 200


def test_a_day_is_the_readers(scene: Scene) -> None:
    row = scene.row(state=State.SUCCEEDED)
    Launch.objects.filter(pk=row.pk).update(asked_at=datetime(2026, 3, 1, 20, 0, tzinfo=UTC))
    days = plot_days.days_until(datetime(2026, 3, 2, tzinfo=UTC).date(), 3)
    rows = launches.visible_launches(scene.users.place(scene.users.owner))
    for zone, position in (("UTC", 1), ("Asia/Ho_Chi_Minh", 2)):
        with timezone.override(zone):
            assert [sum(counts.values()) for counts in statistics.by_day(rows, days)][position] == 1


def test_durations_are_dots_with_median_and_the_launch_of_the_page_stands_out(scene: Scene) -> None:
    start = timezone.now() - timedelta(hours=1)
    address = "/w/sales/launches/durations/?flow=timed"
    for seconds in range(1, 25):
        state = State.FAILED if seconds == 7 else State.SUCCEEDED
        row = scene.row(flow_id="timed", state=state, asked_at=start + timedelta(minutes=seconds))
        took = {"run_started_at": start, "run_finished_at": start + timedelta(seconds=seconds)}
        Launch.objects.filter(pk=row.pk).update(**took)
        if seconds == 2:
            assert "Too few launches" in text_of(scene.browser.get(address))
    page = text_of(scene.browser.get(f"{address}&launch={row.pk}"))
    assert "Median: 12.5 s" in page
    assert "95th percentile: 23.0 s" in page
    assert len(_links(page)) == 24
    assert page.count("chart-current") == 1
    assert f"flow=timed&amp;launch={row.pk}" in text_of(scene.browser.get(f"/w/sales/launches/{row.pk}/"))


def test_one_query_counts_the_days_of_all_flows(scene: Scene) -> None:
    for number in range(30):
        scene.row(flow_id=f"flow{number % 3}", state=State.FAILED if number % 5 == 0 else State.SUCCEEDED)
    rows = launches.visible_launches(scene.users.place(scene.users.owner))
    days = plot_days.days_until(timezone.localdate())
    with CaptureQueriesContext(connection) as queries:
        counted = statistics.by_flow(rows, ["flow0", "flow1", "flow2", "never"], days)
        by_day = statistics.by_day(rows, days)
    assert len(queries) == 2
    assert sum(bad for _good, bad in counted["flow0"]) == 2
    assert "never" not in counted
    assert sum(by_day[-1].values()) == 30
