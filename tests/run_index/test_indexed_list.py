"""The list of runs from the index: totals, any order, numbered pages, and what is left while the engine is down."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from tests.run_index.index_scene import add_past, everything, read_all, start, turn
from tests.stage import Stage, stage
from tests.users import credential
from workflows_ui.core.caching import answers
from workflows_ui.core.paths import id_at
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.resource_admin import pagination
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.run_index.models import IndexedRun, RunIndex

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
RUNS = "/w/sales/runs/"


def page(browser: Client, query: str = "") -> str:
    """The list as text, in one line."""
    response = browser.get(RUNS + query)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", strip_tags(response.content.decode()))


def received(browser: Client, query: str) -> list[str]:
    """The ids of the page's rows, in its order."""
    response = browser.get(RUNS + query)
    return re.findall(r'data-tick[^>]*value="(\w{21})"|value="(\w{21})"[^>]*data-tick', response.content.decode())


@pytest.mark.slow
def test_the_list_has_a_total_and_numbered_pages_without_a_call_of_the_run_list(stage: Stage) -> None:
    start(stage)
    add_past(stage, 300)
    read_all(stage)
    total = len([run for run in everything(stage) if not stage.practice.engine.state.runs[run]["archivedAt"]])
    before = len(stage.practice.journal.all("GET", "/v1/flow-runs"))
    assert f"1–20 of {total}" in page(stage.browser)
    assert f"281–300 of {total}" in page(stage.browser, "?at=280")
    assert len(stage.practice.journal.all("GET", "/v1/flow-runs")) == before


@pytest.mark.slow
@pytest.mark.both_databases
def test_any_column_of_the_index_sorts_rows_without_a_value_last(stage: Stage) -> None:
    start(stage)
    read_all(stage)
    rows = IndexedRun.objects.filter(archived__isnull=True)
    longest = rows.filter(duration__gte=0).order_by("-duration", "-created").values_list("run_id", flat=True)
    content = stage.browser.get(f"{RUNS}?sort=-length").content.decode()
    first = re.findall(r"/w/sales/runs/(\w{21})/", content)[0]
    assert first == longest[0]
    named = stage.browser.get(f"{RUNS}?sort=flow").content.decode()
    first = re.findall(r"/w/sales/runs/(\w{21})/", named)[0]
    assert IndexedRun.objects.get(run_id=first).flow_name == min(rows.values_list("flow_name", flat=True))


@pytest.mark.slow
@pytest.mark.both_databases
def test_filters_choose_the_same_runs_as_the_engine(stage: Stage) -> None:
    failed = IndexedRun.objects
    flow = stage.practice.runs()[0]["flowId"]
    queries = ("?status=FAILED", f"?flow={flow}", "?archived=only", "?period=7", "?tag=nothing")
    from_engine = [re.findall(r"/runs/(\w{21})/\"", stage.browser.get(RUNS + one).content.decode()) for one in queries]
    start(stage)
    read_all(stage)
    assert failed.exists()
    from_index = [re.findall(r"/runs/(\w{21})/\"", stage.browser.get(RUNS + one).content.decode()) for one in queries]
    assert from_index == from_engine


def test_only_people_who_may_use_the_credential_see_the_index(stage: Stage) -> None:
    """The colleague has a credential of their own, and sees what the engine shows to that one."""
    start(stage)
    read_all(stage)
    credential(stage.users.workspace, stage.users.colleague, stage.secret, name="Mine")
    browser = Client()
    browser.force_login(stage.users.colleague)
    CredentialShare.objects.all().delete()
    before = len(stage.practice.journal.all("GET", "/v1/flow-runs"))
    page(browser)
    assert len(stage.practice.journal.all("GET", "/v1/flow-runs")) > before
    team = stage.users.colleague.groups.create(name="Reporting")
    sharing.write(stage.users.credential, team, stage.users.owner)
    before = len(stage.practice.journal.all("GET", "/v1/flow-runs"))
    assert " of " in page(browser)
    assert len(stage.practice.journal.all("GET", "/v1/flow-runs")) == before
    # A share that was written to the database directly.
    CredentialShare.objects.update(mark="")
    page(browser)
    assert len(stage.practice.journal.all("GET", "/v1/flow-runs")) > before


@pytest.mark.slow
def test_while_the_engine_is_down_the_list_says_as_of_when_it_is(stage: Stage) -> None:
    start(stage)
    read_all(stage)
    run = IndexedRun.objects.filter(status="FAILED").order_by("-created")[0]
    stage.practice.server.stop()
    turn(stage)
    text = page(stage.browser)
    assert "The engine does not answer. These are the runs as of" in text
    assert f"of {IndexedRun.objects.filter(archived=None).count()}" in text
    one = stage.browser.get(f"{RUNS}{run.run_id}/")
    assert one.status_code == 200
    assert "The engine does not give this run now" in one.content.decode()


@pytest.mark.slow
def test_a_run_that_the_engine_has_deleted_is_still_there(stage: Stage) -> None:
    start(stage)
    past = add_past(stage, 5, back=timedelta(hours=3))
    read_all(stage)
    del stage.practice.engine.state.runs[past[0]]
    RunIndex.objects.update(compared_at=timezone.now() - timedelta(days=2))
    turn(stage)
    read_all(stage)
    assert "No longer in the engine" in page(stage.browser)
    one = stage.browser.get(f"{RUNS}{past[0]}/")
    assert one.status_code == 200
    assert "The engine has deleted this run" in one.content.decode()


@pytest.mark.slow
def test_whoever_looks_has_the_runs_read_every_few_seconds(stage: Stage) -> None:
    start(stage)
    read_all(stage)
    RunIndex.objects.update(compared_at=timezone.now())
    index = turn(stage)
    assert index.due_at - timezone.now() > timedelta(seconds=30)
    page(stage.browser)
    assert RunIndex.objects.get().due_at <= timezone.now()
    index = turn(stage)
    assert index.due_at - timezone.now() < timedelta(seconds=5)


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_walk_over_the_list_meets_every_run_once_while_new_ones_arrive(stage: Stage) -> None:
    start(stage)
    add_past(stage, 500)
    add_past(stage, 500, seconds=0, back=timedelta(days=2))
    read_all(stage)
    runs = stage.practice.engine.state.runs
    wanted = {run for run in everything(stage) if not runs[run]["archivedAt"]}
    met: list[str] = []
    for batch in pagination.walk(RESOURCES["runs"], stage.session, {}):
        met += [id_at(row) for row in batch.rows]
        if len(met) < 400:
            add_past(stage, 7, seconds=1)
            turn(stage)
    assert len(met) == len(set(met))
    assert wanted <= set(met)


@pytest.mark.slow
def test_a_list_or_run_that_the_index_has_waits_for_no_engine(stage: Stage) -> None:
    start(stage)
    read_all(stage)
    answers.clear()
    before = len(stage.practice.journal.all())
    assert "1–20 of" in page(stage.browser)
    page(stage.browser, "?status=FAILED")
    assert stage.practice.journal.all()[before:] == []
    # The names of flows for the filter come with the second request.
    page(stage.browser, "?late=1")
    assert [one.path for one in stage.practice.journal.all()[before:]] == ["/v1/flows"]
    RunIndex.objects.update(failures=1, trouble="Unreachable")
    before = len(stage.practice.journal.all("GET", "/v1/flow-runs/*"))
    run = IndexedRun.objects.filter(status="FAILED")[0]
    assert "The engine does not give this run now" in page(stage.browser, f"{run.run_id}/")
    assert len(stage.practice.journal.all("GET", "/v1/flow-runs/*")) == before
