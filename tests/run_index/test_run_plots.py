"""Plots of runs from the index: the engine's numbers, days of the reader's zone, marks that lead to what they count, and who has them."""

import html
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from practice_engine import ids
from tests.run_index.index_scene import add_past, read_all, start
from tests.stage import Stage, stage
from tests.users import credential, person
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core.days import days_until
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.launches.services.runs import FAILED
from workflows_ui.launches.services.statistics import midnights
from workflows_ui.members.models import LaunchRight
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes, rows, statistics

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
LIST, PLOTS = "/w/sales/runs/", "/w/sales/runs/plots/"
DAYS = {"HX-Request": "true", "HX-Target": "run-days"}
TABLE = IndexedRun._meta.db_table


def indexed(stage: Stage) -> RunIndex:
    """The index of a workspace that has run for some days: 40 runs, three hours apart, of all states and two flows."""
    state = stage.practice.engine.state
    flows = sorted({run["flowId"] for run in stage.practice.runs()})[:2]
    outcomes = ["SUCCEEDED", "SUCCEEDED", "FAILED", "TIMEOUT", "CANCELED", "PAUSED"]
    for place, run in enumerate(add_past(stage, 40, seconds=3 * 3600)):
        row = state.runs[run]
        ended = datetime.fromisoformat(row["startTime"]) + timedelta(seconds=place + 1)
        row |= {"status": outcomes[place % 6], "flowId": flows[place % 2], "finishTime": ended.isoformat()}
    start(stage)
    read_all(stage)
    return RunIndex.objects.get()


def of_engine(stage: Stage) -> list[dict[str, Any]]:
    """The runs that the list shows, from the engine's store."""
    project = stage.users.workspace.project_id
    rows = stage.practice.engine.state.runs.values()
    listed = [run for run in rows if (run["environment"], run["projectId"]) == ("PRODUCTION", project)]
    return [run for run in listed if not run["archivedAt"]]


def text(browser: Client, url: str, headers: dict[str, str] | None = None) -> str:
    """The page's HTML."""
    response = browser.get(url, headers=headers or {})
    assert response.status_code == 200
    return response.content.decode()


def marks(page: str, plot: str) -> dict[str, str]:
    """The addresses of a plot's marks, by what a mark says."""
    drawing = page.partition(f'id="{plot}"')[2].partition("<details")[0].partition('class="chart-drawing"')[2]
    found = re.findall(r'<a href="([^"]+)"[^>]* aria-label="([^"]+)"', drawing)
    return {html.unescape(label): html.unescape(url) for url, label in found}


def total(browser: Client, url: str) -> int:
    """The number of runs that a list says it has."""
    return int(re.findall(r"\d+–\d+ of ([\d,]+)", text(browser, url))[0].replace(",", ""))


@pytest.mark.slow
@pytest.mark.both_databases
def test_the_numbers_of_days_are_those_of_the_engine(stage: Stage) -> None:
    index = indexed(stage)
    days = days_until(timezone.localdate(), 62)
    counted = statistics.by_day(index, statistics.listed(index), days)
    expected = Counter(
        (timezone.localtime(datetime.fromisoformat(run["created"])).date(), run["status"]) for run in of_engine(stage)
    )
    assert expected == {
        (day, status): number for day, counts in zip(days, counted, strict=True) for status, number in counts.items()
    }


@pytest.mark.slow
@pytest.mark.both_databases
def test_every_mark_leads_to_a_list_of_as_many_runs_as_it_shows(stage: Stage) -> None:
    indexed(stage)
    for query in ("", "?status=FAILED&status=TIMEOUT", "?period=7"):
        page = text(stage.browser, PLOTS + query, DAYS)
        assert "<html" not in page
        found = marks(page, "run-days-plot")
        assert len(found) > 8
        for label, url in found.items():
            number = re.findall(r": (?:.* )?(\d+)(?: runs?)?$", label)[0]
            assert total(stage.browser, url) == int(number), (label, url)
        # A series of the legend leads to all of its days.
        legend = page.partition("chart-legend")[2].partition("</figcaption>")[0]
        for url, number in re.findall(r'<a href="([^"]+)">.*?text-secondary">(\d+)<', legend):
            assert total(stage.browser, html.unescape(url)) == int(number)
        assert ("Succeeded" in legend) == ("status" not in query)


@pytest.mark.slow
def test_the_list_loads_its_plot_with_its_filters(stage: Stage) -> None:
    indexed(stage)
    flow = IndexedRun.objects.filter(status="FAILED", archived=None)[0].flow_id
    assert f'hx-get="{PLOTS}?flow={flow}&amp;status=FAILED"' in text(stage.browser, f"{LIST}?flow={flow}&status=FAILED")
    assert "style=" not in text(stage.browser, f"{PLOTS}?flow={flow}").partition("<figure")[2].partition("</main>")[0]
    assert "cannot be used" in text(stage.browser, f"{PLOTS}?since=x")
    assert "chart-drawing" not in text(stage.browser, f"{PLOTS}?since=x", DAYS)


@pytest.mark.slow
def test_any_period_is_a_page(stage: Stage) -> None:
    indexed(stage)
    for query in ("since=0001-01-01&until=9999-12-31", "since=3000-01-01", "until=0001-01-01", "archived=only&flow=x"):
        text(stage.browser, f"{PLOTS}?{query}")


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("zone", "day", "hour"), [("UTC", 1, 20), ("Asia/Ho_Chi_Minh", 2, 3), ("Asia/Kathmandu", 2, 2)]
)
def test_days_and_hours_are_the_readers(stage: Stage, zone: str, day: int, hour: int) -> None:
    start(stage)
    read_all(stage)
    index = RunIndex.objects.get()
    with timezone.override("UTC"):
        # What is kept for one zone is not shown in another.
        days = days_until(datetime(2026, 3, 3, tzinfo=UTC).date(), 3)
        statistics.by_day(index, statistics.listed(index), days)
    IndexedRun.objects.filter(pk=IndexedRun.objects.filter(archived=None)[0].pk).update(
        created=datetime(2026, 3, 1, 20, 40, tzinfo=UTC)
    )
    rows.count_change(index.pk)
    index.refresh_from_db()
    with timezone.override(zone):
        listed = statistics.listed(index)
        assert [sum(counts.values()) for counts in statistics.by_day(index, listed, days)].index(1) == day - 1
        hours = statistics.by_hour(index, listed, days)
    expected = days[day - 1].weekday()
    assert [(weekday, at) for weekday, row in enumerate(hours) for at, number in enumerate(row) if number] == [
        (expected, hour)
    ]


@pytest.mark.slow
def test_a_state_that_is_not_known_is_counted_and_leads_nowhere(stage: Stage) -> None:
    index = indexed(stage)
    IndexedRun.objects.filter(pk=statistics.listed(index).order_by("-created")[0].pk).update(status="HIBERNATING")
    rows.count_change(index.pk)
    page = text(stage.browser, PLOTS, DAYS)
    assert re.search(r"Unknown state <span[^>]*>1<", page)
    assert not any("Unknown" in label for label in marks(page, "run-days-plot"))


@pytest.mark.slow
def test_archived_and_erased_runs_are_left_out(stage: Stage) -> None:
    index = indexed(stage)
    days = days_until(timezone.localdate())

    def number() -> int:
        index.refresh_from_db()
        return sum(sum(counts.values()) for counts in statistics.by_day(index, statistics.listed(index), days))

    before = number()
    first, second = statistics.listed(index).filter(created__gte=timezone.now() - timedelta(days=3))[:2]
    indexes.erase(CONSOLE, stage.users.workspace, first.run_id)
    IndexedRun.objects.filter(pk=second.pk).update(archived=timezone.now())
    rows.count_change(index.pk)
    assert number() == before - 2


@pytest.mark.slow
def test_without_an_index_for_the_reader_there_is_no_plot_and_no_count(stage: Stage) -> None:
    indexed(stage)
    credential(stage.users.workspace, stage.users.colleague, stage.secret, name="Mine")
    CredentialShare.objects.all().delete()
    browser = Client()
    browser.force_login(stage.users.colleague)
    flow = stage.practice.runs()[0]["flowId"]
    with CaptureQueriesContext(connection) as queries:
        pages = [
            text(browser, LIST),
            text(browser, PLOTS),
            text(browser, PLOTS, DAYS),
            text(browser, f"/w/sales/flows/{flow}/"),
            text(browser, "/w/sales/flows/"),
            text(browser, "/w/sales/?flows=1"),
        ]
    assert not any(TABLE in query["sql"] for query in queries)
    assert not any("chart-drawing" in page or "run-days-plot" in page for page in pages)
    assert f'hx-get="{PLOTS}' not in "".join(pages)
    assert "This workspace has none" in pages[1]


@pytest.mark.both_databases
@pytest.mark.slow
def test_a_flow_has_its_days_durations_and_hours_in_place_of_its_launches(stage: Stage) -> None:
    index = indexed(stage)
    flow = IndexedRun.objects.filter(status="TIMEOUT")[0].flow_id
    page = text(stage.browser, f"/w/sales/flows/{flow}/")
    assert f'hx-get="{PLOTS}?flow={flow}"' in page
    assert "launch-days" not in page
    page = text(stage.browser, f"{PLOTS}?flow={flow}", {**DAYS, "HX-Target": "run-plots"})
    assert "<html" not in page
    mine = [run for run in of_engine(stage) if run["flowId"] == flow]
    found = marks(page, "run-durations-plot")
    ended = statistics.listed(index).filter(flow_id=flow, duration__gte=0).exclude(status__in=["CANCELED", "PAUSED"])
    assert sorted(found.values()) == sorted(f"{LIST}{run}/" for run in ended.values_list("run_id", flat=True))
    assert "Median:" in page
    hours = page.partition('id="run-hours-plot"')[2]
    assert sum(int(number) for number in re.findall(r'aria-hidden="true">(\d+)</span></a></td>', hours)) == len(mine)
    assert re.search(r"Busiest: \w+, \d\d:00–\d\d:00, \d+ run", hours)


@pytest.mark.slow
def test_a_flow_without_runs_in_the_index_has_no_plot(stage: Stage) -> None:
    indexed(stage)
    ran = set(IndexedRun.objects.values_list("flow_id", flat=True))
    never = next(flow["id"] for flow in stage.session.workflows.list_flows(limit=50)["data"] if flow["id"] not in ran)
    assert "run-plots" not in text(stage.browser, f"/w/sales/flows/{never}/")


@pytest.mark.slow
def test_the_list_of_flows_has_small_plots_of_runs(stage: Stage) -> None:
    index = indexed(stage)
    flow = IndexedRun.objects.filter(status="TIMEOUT")[0].flow_id
    page = text(stage.browser, "/w/sales/flows/?late=1")
    link, caption = next(
        (html.unescape(link), caption)
        for link, caption in re.findall(r'<a class="chart-spark" href="([^"]+)" title="([^"]+)"', page)
        if flow in link
    )
    since = midnights(days_until(timezone.localdate()))[0]
    recent = statistics.listed(index).filter(flow_id=flow, created__gte=since)
    good, bad = (recent.filter(status__in=states).count() for states in (["SUCCEEDED"], FAILED))
    assert caption == f"Last 14 days: {good} succeeded, {bad} went wrong"
    assert total(stage.browser, link) == recent.count()


@pytest.mark.slow
def test_the_home_page_has_the_runs_of_the_workspace(stage: Stage) -> None:
    indexed(stage)
    page = text(stage.browser, "/w/sales/")
    assert page.count('<figure class="chart"') == 1
    assert len(marks(page, "home-days")) > 8
    assert "Runs per day by outcome" in page


@pytest.mark.slow
def test_each_plot_takes_two_queries_until_a_run_changes_and_one_if_that_is_recent(stage: Stage) -> None:
    index = indexed(stage)
    flows = list(IndexedRun.objects.values_list("flow_id", flat=True).distinct())
    days = days_until(timezone.localdate())

    def queries() -> int:
        listed = statistics.listed(index)
        with CaptureQueriesContext(connection) as captured:
            statistics.by_day(index, listed, days)
            statistics.by_flow(index, flows, days)
            statistics.by_hour(index, listed, days)
            statistics.latest(index, listed)
        assert all("created" in query["sql"] for query in captured)
        return len(captured)

    # Recent runs and those of the past are counted apart, but for the latest.
    assert [queries(), queries()] == [7, 0]
    rows.count_change(index.pk)
    index.refresh_from_db()
    assert queries() == 7
    rows.count_change(index.pk, past=False)
    index.refresh_from_db()
    assert queries() == 4


@pytest.mark.slow
def test_the_plot_of_a_list_takes_two_counts(stage: Stage) -> None:
    indexed(stage)
    with CaptureQueriesContext(connection) as queries:
        text(stage.browser, PLOTS, DAYS)
    assert sum(TABLE in query["sql"] for query in queries) == 2
    with CaptureQueriesContext(connection) as queries:
        text(stage.browser, PLOTS, DAYS)
    assert sum(TABLE in query["sql"] for query in queries) == 0


@pytest.mark.slow
def test_a_guest_whose_team_may_use_the_credential_sees_nothing_of_the_index(stage: Stage) -> None:
    index = indexed(stage)
    guest = person("guest")
    team = guest.groups.create(name="Partners")
    sharing.write(stage.users.credential, team, stage.users.owner)
    flow = stage.practice.runs()[0]["flowId"]
    LaunchRight.objects.create(workspace=stage.users.workspace, flow_id=flow, user=guest)
    assert indexes.readable(stage.users.workspace, guest.pk) == index
    browser = Client()
    browser.force_login(guest)
    home = browser.get("/w/sales/")
    assert home.status_code == 200
    assert "Runs per day" not in home.content.decode()
    for path in (LIST, PLOTS, f"/w/sales/flows/{flow}/"):
        assert browser.get(path).status_code in (403, 404)


def test_runs_at_the_same_time_are_counted_by_hour(stage: Stage) -> None:
    start(stage)
    RunIndex.objects.update(read_at=timezone.now())
    index = RunIndex.objects.get()
    day = timezone.localdate() - timedelta(days=2)
    begin = midnights([day])[0]

    def ran(first: float, last: float | None, **values: Any) -> None:
        started, finished = (
            begin + timedelta(minutes=first),
            begin + timedelta(minutes=last) if last is not None else None,
        )
        columns = {"run_id": ids.new_id(), "flow_id": "F" * 21, "status": "SUCCEEDED", "created": started} | values
        IndexedRun.objects.create(workspace=index.workspace, started=started, finished=finished, **columns)

    ran(-30, 10)
    ran(5, 130)
    ran(125, 125)
    ran(130, 140)
    ran(200, None, status="PAUSED")
    ran(240, 239)
    found = statistics.at_once(index, statistics.listed(index), [day])
    assert [number for _moment, number in found] == [2, 1, 2, *[0] * 21]
    assert found[0][0] == begin
    ran(23 * 60, None, status="RUNNING")
    RunIndex.objects.update(version=1, past_version=1)
    index.refresh_from_db()
    found = statistics.at_once(index, statistics.listed(index), [day, day + timedelta(days=1), day + timedelta(days=2)])
    assert {number for moment, number in found if moment >= begin + timedelta(hours=23)} == {1}
    assert found[-1][0] <= timezone.now()


@pytest.mark.slow
def test_hours_lead_to_the_runs_that_they_count(stage: Stage) -> None:
    indexed(stage)
    page = stage.browser.get(PLOTS).content.decode()
    assert "Runs at the same time" in page
    cells = re.findall(r'href="([^"]*hour=[^"]*)"><span class="visually-hidden">[^<]*: (\d+)</span>', page)
    assert cells
    for url, number in cells[:3]:
        assert f"of {number}<" in stage.browser.get(html.unescape(url)).content.decode()
    assert stage.browser.get(f"{LIST}?hour=7-99").status_code == 200
    CredentialShare.objects.all().delete()
    RunIndex.objects.all().delete()
    assert "with a run index only" in stage.browser.get(f"{LIST}?hour=0-09").content.decode()


@pytest.mark.slow
def test_a_refreshed_list_keeps_its_plot_until_the_filters_change(stage: Stage) -> None:
    indexed(stage)
    live = {"HX-Request": "true", "HX-Target": "results"}
    found = [
        re.findall(r'id="(plot-[^"]+)" hx-preserve', stage.browser.get(LIST + query, headers=headers).content.decode())
        for query, headers in (("", None), ("", live), ("?status=FAILED", live))
    ]
    assert [len(ids_of) for ids_of in found] == [1, 1, 1]
    assert found[0] == found[1] != found[2]
