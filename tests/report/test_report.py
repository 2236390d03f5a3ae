"""The report of a week: what it counts, for whom, in which time zone, as a page and as a file."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags
from python_calamine import CalamineWorkbook

from practice_engine import ids
from tests.run_index.index_scene import launched, start
from tests.stage import Stage, outcomes, stage
from workflows_ui.credentials.services import sharing
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Role
from workflows_ui.run_index.models import IndexedRun, RunIndex

__all__ = ["stage"]
pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
PAGE, WEEK = "/w/sales/report/", "?week=2026-W10"
MONDAY = datetime(2026, 3, 1, 17, tzinfo=UTC)  # Midnight in Vietnam.


#: The week before of a line that had nothing in it.
NONE = ["0", "0", "", "0", ""]


def row(stage: Stage, moment: datetime, status: str = "SUCCEEDED", **values: Any) -> str:
    """A run in the index; its id."""
    flow = {"flow_id": "F" * 21, "flow_name": "Invoices <b>daily</b>", "duration": 1_800_000}
    values = flow | {"run_id": ids.new_id(), "created": moment, "status": status} | values
    return IndexedRun.objects.create(workspace=stage.users.workspace, **values).run_id


def ready(stage: Stage) -> None:
    """An index that has been read; the owner and the colleague live in Vietnam."""
    start(stage)
    RunIndex.objects.update(read_at=timezone.now(), keep_days=3650)
    for person in (stage.users.owner, stage.users.colleague):
        person.time_zone = "Asia/Ho_Chi_Minh"
        person.save()


def page(browser: Client, query: str = WEEK) -> str:
    response = browser.get(PAGE + query)
    assert response.status_code == 200
    return re.sub(r"\\s+", " ", strip_tags(response.content.decode()).replace("\xa0", " "))


def rows_of(browser: Client, query: str = WEEK) -> list[list[str]]:
    response = browser.get(f"{PAGE}file/data/{query}")
    assert response.headers["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))[1:]


def test_a_week_of_the_workspaces_days_is_counted_by_flow_with_archived_runs(stage: Stage) -> None:
    ready(stage)
    row(stage, MONDAY)
    row(stage, MONDAY + timedelta(days=7, seconds=-1), "FAILED", duration=-1)
    row(stage, MONDAY - timedelta(seconds=1))
    row(stage, MONDAY + timedelta(days=7))
    row(stage, MONDAY, archived=MONDAY)
    row(stage, MONDAY, erased_at=MONDAY)
    row(stage, MONDAY, flow_id="G" * 21, flow_name="=HYPERLINK(1)", duration=0)
    days = ["Sales", "2026-03-02", "2026-03-08", "Asia/Ho_Chi_Minh", ""]
    assert rows_of(stage.browser) == [
        ["Flow", "Invoices <b>daily</b>", "F" * 21, "3", "1", "33.3", "3600", "", "1", "0", "0", "1800", "", *days],
        ["Flow", "'=HYPERLINK(1)", "G" * 21, "1", "0", "0", "0", "", *NONE, *days],
    ]
    assert outcomes()[-1] == ("report.export", "done")
    content = stage.browser.get(PAGE + WEEK).content.decode()
    assert "Invoices &lt;b&gt;daily" in content
    assert "since=2026-03-02&amp;until=2026-03-08" in content
    assert "Sales, week 10: 2 Mar 2026 to 8 Mar 2026" in content
    assert "Days of the time zone Asia/Ho_Chi_Minh." in content
    assert "So far" not in content
    assert "?week=2026-W09" in content
    assert "?week=2026-W11" in content
    assert "No one launched a flow" in content


def test_each_number_stands_beside_that_of_the_week_before(stage: Stage) -> None:
    ready(stage)
    for status in ("SUCCEEDED", "SUCCEEDED", "FAILED"):
        row(stage, MONDAY, status)
    row(stage, MONDAY - timedelta(days=1), "FAILED")
    row(stage, MONDAY - timedelta(days=1), flow_id="G" * 21, flow_name="Only last week")
    found = stage.browser.get(PAGE + WEEK).context
    lines = {line["name"]: [(each["week"], each["before"]) for each in line["numbers"]] for line in found["flows"]}
    took = ("1 h 30 min", "30 min")
    assert lines == {
        "Invoices <b>daily</b>": [("3", "1"), ("1", "1"), ("33.3 %", "100 %"), took],
        "Only last week": [("0", "1"), ("0", "0"), ("–", "0 %"), ("–", "30 min")],
    }
    assert [(each["week"], each["before"]) for each in found["total"]["numbers"]][:3] == [
        ("3", "2"),
        ("1", "1"),
        ("33.3 %", "50 %"),
    ]
    # The week before, on its own page, is the same.
    earlier = stage.browser.get(f"{PAGE}?week=2026-W09").context
    assert [each["week"] for each in earlier["total"]["numbers"]] == ["2", "1", "50 %", "1 h"]


def test_the_file_has_the_numbers_of_the_page_in_every_format(stage: Stage) -> None:
    ready(stage)
    row(stage, MONDAY, "FAILED", duration=90_500)
    (record,) = stage.browser.get(f"{PAGE}file/json/{WEEK}").json()
    assert (record["count"], record["failure_percent"], record["running_seconds"]) == (1, 100, 90.5)
    assert (record["before_count"], record["from"]) == (0, "2026-03-02")
    content = stage.browser.get(f"{PAGE}file/semicolon/{WEEK}").content.decode("utf-8-sig")
    assert ";1;1;100;90,5;" in content
    assert "Running time (seconds);" in content
    book = CalamineWorkbook.from_filelike(io.BytesIO(stage.browser.get(f"{PAGE}file/xlsx/{WEEK}").content))
    assert book.get_sheet_by_index(0).to_python()[1][3:7] == [1, 1, 100, 90.5]
    assert ["Days", "Asia/Ho_Chi_Minh"] in book.get_sheet_by_index(1).to_python()
    assert stage.browser.get(f"{PAGE}file/pdf/{WEEK}").status_code == 404


def test_readers_in_every_time_zone_see_the_same_numbers(stage: Stage) -> None:
    ready(stage)
    row(stage, MONDAY)
    here = rows_of(stage.browser), page(stage.browser)
    stage.users.owner.time_zone = "America/New_York"
    stage.users.owner.save()
    assert rows_of(stage.browser) == here[0]
    away = page(stage.browser)
    assert "2 Mar 2026 to 8 Mar 2026" in away
    # The lists behind the links have days of the reader's own zone.
    assert "Lists count days of your time zone, America/New_York" in away
    assert "Lists count days of your time zone" not in here[1]


def test_an_unfinished_week_says_until_when_it_was_counted(stage: Stage) -> None:
    ready(stage)
    row(stage, timezone.now())
    assert "So far, until " in page(stage.browser, "")
    assert rows_of(stage.browser, "")[0][-1].startswith(f"{timezone.localdate():%Y-%m-%d}T")


def test_launches_are_counted_by_person_for_those_who_may_open_them(stage: Stage) -> None:
    ready(stage)
    sharing.write(stage.users.credential, stage.users.colleague.groups.create(name="Reporting"), stage.users.owner)
    times = {"run_started_at": MONDAY, "run_finished_at": MONDAY + timedelta(hours=2)}
    launched(stage, "1" * 21, "{}", state="succeeded", **times)
    launched(stage, "2" * 21, "{}", state="failed", user=stage.users.colleague)
    Launch.objects.update(asked_at=MONDAY)
    owner, colleague = stage.users.owner, stage.users.colleague
    days = ["Sales", "2026-03-02", "2026-03-08", "Asia/Ho_Chi_Minh", ""]
    people = [["Person", owner.label, str(owner.pk), "1", "0", "0", "7200", "", *NONE, *days]]
    people += [["Person", colleague.label, str(colleague.pk), "1", "1", "100", "0", "", *NONE, *days]]
    assert sorted(rows_of(stage.browser)) == sorted(people)
    viewer = stage.as_role(Role.VIEWER)
    assert rows_of(viewer) == people[1:]
    assert "Your launches" in page(viewer)


def test_time_saved_is_counted_of_runs_that_succeeded_where_the_flow_has_a_figure(stage: Stage) -> None:
    stage.practice.engine.settings.version = "0.83.0"
    flow = next(
        row
        for row in stage.practice.engine.state.flows.values()
        if row["projectId"] == stage.users.workspace.project_id
    )
    flow["timeSavedPerRun"] = 90
    ready(stage)
    for status in ("SUCCEEDED", "SUCCEEDED", "FAILED"):
        row(stage, MONDAY, status, flow_id=flow["id"])
    row(stage, MONDAY)
    assert [line[7] for line in rows_of(stage.browser)] == ["10800", ""]
    assert "3 h" in page(stage.browser)


def test_without_the_index_nothing_is_counted_and_the_menu_leaves_it_out(stage: Stage) -> None:
    assert "You cannot see the report of this workspace yet" in page(stage.browser)
    assert "A manager of the workspace starts it" in page(stage.as_role(Role.VIEWER))
    ready(stage)
    row(stage, MONDAY)
    assert f'href="{PAGE}"' in stage.browser.get("/w/sales/runs/").content.decode()
    viewer = stage.as_role(Role.VIEWER)
    assert "runs, but its credential is not shared with your team" in page(viewer)
    assert viewer.get(f"{PAGE}file/csv/{WEEK}").headers["Location"] == PAGE


@pytest.mark.parametrize("week", ["", "2026-W99", "9999-W52", "<b>"])
def test_an_invalid_week_is_the_current_one(stage: Stage, week: str) -> None:
    ready(stage)
    row(stage, timezone.now())
    assert "Invoices" in page(stage.browser, f"?week={week}")


def test_the_report_takes_as_many_queries_for_many_flows_as_for_one(stage: Stage) -> None:
    ready(stage)
    row(stage, MONDAY)
    page(stage.browser)
    RunIndex.objects.update(version=1)
    with CaptureQueriesContext(connection) as few:
        page(stage.browser)
    for number in range(20):
        row(stage, MONDAY, flow_id=f"{number:021}")
    RunIndex.objects.update(version=2)
    with CaptureQueriesContext(connection) as many:
        page(stage.browser)
    assert len(few) == len(many)
