"""Runs found by words of their errors, steps and tags, by ids and by the names of flows; and what a copy of the database gives away."""

import hashlib
import html
import re
from typing import Any

import pytest
from django.test import Client

from tests.run_index.index_scene import launched, read_all, start, turn
from tests.run_index.test_indexed_list import RUNS, page
from tests.stage import Stage, stage
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import Role
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex, RunWord, Search
from workflows_ui.run_index.services import words
from workflows_ui.runs import indexed

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def listed(browser: Client, text: str) -> set[str]:
    """The ids of the runs that a search of the list finds."""
    response = browser.get(RUNS, {"search": text})
    assert response.status_code == 200
    return set(re.findall(r"/w/sales/runs/(\w{21})/", response.content.decode()))


def fail(stage: Stage, number: int, message: str, **columns: Any) -> list[str]:
    """Runs of the engine that failed with this message; their ids."""
    state = stage.practice.engine.state
    project = stage.users.workspace.project_id
    failed = [row for row in state.runs.values() if row["status"] == "FAILED" and row["projectId"] == project]
    assert len(failed) >= number
    for row in failed[:number]:
        row["failedStep"] = {"name": "step_1", "displayName": "Charge the card", "message": message}
        row.update(columns)
    return [row["id"] for row in failed[:number]]


@pytest.mark.slow
@pytest.mark.both_databases
def test_words_of_an_error_find_its_runs_in_any_order_without_case_and_accents(stage: Stage) -> None:
    found = fail(stage, 2, "Đơn hàng 4711 was REFUSED by payments.example.com", tags=["night-run"])
    start(stage)
    read_all(stage)
    for text in ("4711", "refused don hang", "payments.example.com", "example", "night-run", "charge card 4711"):
        assert listed(stage.browser, text) == set(found), text
    assert listed(stage.browser, "4711 nothing") == set()
    assert listed(stage.browser, "471") == set()


@pytest.mark.slow
def test_the_field_of_the_search_says_what_it_finds_for_this_person(stage: Stage) -> None:
    def said(browser: Client) -> str:
        found = re.search(r'placeholder="([^"]+)"[^>]*id="id_search"', browser.get(RUNS).content.decode())
        assert found
        return html.unescape(found[1])

    sharing.write(stage.users.credential, stage.users.colleague.groups.create(name="Reporting"), stage.users.owner)
    names = "Flow's name, or an ID"
    assert said(stage.browser) == names
    start(stage)
    read_all(stage)
    assert said(stage.browser) == "Flow, words of an error, or ID"
    start(stage, kept=Kept.VALUES)
    assert said(stage.browser) == "Flow, words of an error, input or output, or ID"
    RunIndex.objects.update(search=Search.PLAIN)
    assert said(stage.browser) == "Flow, part of an error, input or output, or ID"
    assert said(stage.as_role(Role.LAUNCHER)) == names


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_run_is_found_by_its_id_and_by_the_name_of_its_flow(stage: Stage) -> None:
    start(stage)
    read_all(stage)
    run = IndexedRun.objects.filter(archived=None).order_by("-created")[0]
    assert listed(stage.browser, run.run_id) == {run.run_id}
    same = set(IndexedRun.objects.filter(archived=None, flow_id=run.flow_id).values_list("run_id", flat=True)[:20])
    assert listed(stage.browser, run.flow_name.lower()) == same


@pytest.mark.slow
def test_only_builders_find_words_of_errors_since_those_may_be_inputs(stage: Stage) -> None:
    fail(stage, 1, "Customer 4711 is unknown")
    start(stage)
    read_all(stage)
    assert listed(stage.browser, "4711")
    assert not listed(stage.as_role(Role.LAUNCHER), "4711")
    assert "Runs with these words" in stage.browser.get("/w/sales/search/", {"q": "4711"}).content.decode()
    assert (
        "Runs with these words"
        not in stage.as_role(Role.LAUNCHER).get("/w/sales/search/", {"q": "4711"}).content.decode()
    )


def test_errors_of_launches_with_secret_inputs_have_no_words(stage: Stage) -> None:
    (run,) = fail(stage, 1, "The code hunter2 is wrong")
    launched(stage, run, '{"code": "hunter2"}', secret_marks=[{"path": ["code"]}])
    start(stage)
    read_all(stage)
    assert not listed(stage.browser, "hunter2")
    assert listed(stage.browser, "charge card") == {run}


def test_without_an_index_the_list_says_how_runs_are_found(stage: Stage) -> None:
    text = page(stage.browser, "?search=refused")
    assert "Without a run index, runs are found by their ID or their flow’s name only." in text.replace(
        "&#x27;", "’"
    ).replace("'", "’")
    run = stage.practice.runs()[0]["id"]
    assert listed(stage.browser, run) == {run}


@pytest.mark.slow
def test_a_list_of_words_finds_nothing_in_a_copy_of_the_database(stage: Stage) -> None:
    fail(stage, 1, "Customer 471182930017 is unknown")
    start(stage)
    read_all(stage)
    index = RunIndex.objects.get()
    stored = set(RunWord.objects.values_list("word", flat=True))
    spoken = words.split("Customer 471182930017 is unknown charge the card step_1")
    assert set(words.hashes(index.open("word_key"), spoken)) <= stored
    guesses = {int.from_bytes(hashlib.sha256(word.encode()).digest()[:8]) >> 1 for word in spoken}
    guesses |= set(words.hashes("", spoken)) | set(words.hashes(words.new_key(), spoken))
    assert not guesses & stored
    assert "471182930017" not in repr(list(IndexedRun.objects.values())) + repr(list(RunWord.objects.values()))


@pytest.mark.slow
def test_a_launcher_of_the_credentials_team_finds_and_counts_nothing_by_words(stage: Stage) -> None:
    fail(stage, 1, "Customer 4711 is unknown")
    team = stage.users.colleague.groups.create(name="Reporting")
    sharing.write(stage.users.credential, team, stage.users.owner)
    start(stage)
    read_all(stage)
    browser = stage.as_role(Role.LAUNCHER)
    assert " of " in page(browser)
    assert listed(browser, "4711") == set()
    plots = browser.get(f"{RUNS}plots/", {"search": "4711"})
    assert plots.status_code == 200
    assert "4711 is unknown" not in plots.content.decode()


@pytest.mark.slow
def test_a_key_of_words_that_cannot_be_opened_leaves_the_rest_of_the_search(stage: Stage) -> None:
    start(stage)
    read_all(stage)
    RunIndex.objects.update(word_key="garbage")
    assert stage.browser.get("/w/sales/search/", {"q": "refused"}).status_code == 200
    assert page(stage.browser)


def test_an_error_that_repeats_inputs_is_withheld_from_other_launchers_also_while_the_engine_is_down(
    stage: Stage,
) -> None:
    (run,) = fail(stage, 1, "The code hunter2 is wrong")
    launched(stage, run, '{"code": "hunter2"}')
    team = stage.users.colleague.groups.create(name="Reporting")
    sharing.write(stage.users.credential, team, stage.users.owner)
    start(stage)
    read_all(stage)
    browser = stage.as_role(Role.LAUNCHER)
    stage.practice.server.stop()
    turn(stage)
    for url in (RUNS, f"{RUNS}?search={run}", f"{RUNS}{run}/", f"/w/sales/search/?q={run}"):
        assert "hunter2" not in browser.get(url).content.decode(), url
    assert "hunter2" in stage.browser.get(f"{RUNS}{run}/").content.decode()


@pytest.mark.slow
def test_a_frequent_word_finds_as_many_runs_as_are_counted_and_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = fail(stage, 2, "Refused by the bank")
    start(stage)
    read_all(stage)
    assert "The search matches" not in text_of(stage.browser, "refused")
    monkeypatch.setattr(indexed, "MOST_FOUND", 1)
    page_text = text_of(stage.browser, "refused")
    assert "The search matches at least 1 runs; the first 1 are listed." in page_text
    assert len(listed(stage.browser, "refused")) == 1
    assert listed(stage.browser, "refused") < set(found)


@pytest.mark.slow
def test_runs_that_a_run_has_started_are_found_by_its_id(stage: Stage) -> None:
    parent = "P" * 21
    children = fail(stage, 2, "Refused", parentRunId=parent)
    start(stage)
    read_all(stage)
    # Each row leads to the run that has started it, too.
    assert listed(stage.browser, parent) == {*children, parent}


def text_of(browser: Client, text: str) -> str:
    """The words of a search's page."""
    return re.sub(r"<[^>]*>", "", browser.get(RUNS, {"search": text}).content.decode())
