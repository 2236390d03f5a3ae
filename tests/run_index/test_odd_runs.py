"""Runs that no engine should send, clocks that are wrong, and errors in the console's own reading: the other runs are still read."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from practice_engine import ids
from tests.run_index.index_scene import add_past, read_all, start, turn
from tests.stage import Stage, stage
from workflows_ui.engine_objects.runs import Run
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import rows

__all__ = ["stage"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
DEEP: dict[str, Any] = {}
for _level in range(200):
    DEEP = {"deeper": DEEP}
ODD: dict[str, dict[str, Any]] = {
    "failed step is a text": {"failedStep": "step_1"},
    "failed step is a list": {"failedStep": ["step_1", {"message": "x"}]},
    "failed step is deep": {"failedStep": {"name": DEEP, "displayName": [DEEP], "message": DEEP}},
    "long failed step": {
        "failedStep": {"name": "\x00" * 10_000, "displayName": "😀" * 10_000, "message": "\x00é" * 10_000}
    },
    "odd tags": {"tags": [{"a": 1}, None, "two\nlines", "\n\n", "", "\x00", "x" * 10_000, *map(str, range(200))]},
    "tags are a text": {"tags": "one"},
    "HTML": {"failedStep": {"displayName": "<script>alert(1)</script>" * 1000, "message": "<script>alert(1)</script>"}},
    "odd parents": {"parentRunId": "\x00" * 100, "triggeredBy": {"id": 1}},
    "odd times": {"startTime": "0001-01-01T00:00:00Z", "finishTime": "9999-12-31T23:59:59Z", "updated": 5},
    "ends before it starts": {"startTime": "2998-01-01T00:00:00Z", "finishTime": "1971-01-01T00:00:00Z"},
    "archived in no time": {"archivedAt": "soon"},
}


def make(stage: Stage, **values: Any) -> str:
    """An ended run with these values in the engine's store; its id."""
    [run] = add_past(stage, 1, back=timedelta(hours=2))
    stage.practice.engine.state.runs[run].update(values)
    return run


def indexed_ids() -> set[str]:
    """The ids of the index's runs."""
    return set(IndexedRun.objects.values_list("run_id", flat=True))


@pytest.mark.both_databases
def test_invalid_values_of_a_run_are_cut_or_left_out_and_its_page_is_read(stage: Stage) -> None:
    made = {make(stage, **values): name for name, values in ODD.items()}
    start(stage)
    read_all(stage)
    assert not RunIndex.objects.get().trouble
    assert not [made[run] for run in set(made) - indexed_ids()]
    for query in ("", "?archived=only", "?sort=flow", "?sort=-length", "?sort=state", "?search=lines"):
        response = stage.browser.get(f"/w/sales/runs/{query}")
        assert response.status_code == 200, query
        assert "<script>alert(1)" not in response.content.decode()


def test_runs_without_a_usable_id_or_time_do_not_keep_others_from_being_read(stage: Stage) -> None:
    for run_id in (None, 5, "", "x" * 10_000, "nul\x00"):
        make(stage, id=run_id)
    for created in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-02-31", "today"):
        make(stage, created=created)
    good = add_past(stage, 3)
    start(stage)
    index = turn(stage)
    assert not index.trouble
    assert set(good) <= indexed_ids()


@pytest.mark.both_databases
def test_an_invalid_status_is_cut_or_left_out(stage: Stage) -> None:
    statuses: list[Any] = [["FAILED"], None, 7, {}, "X" * 10_000]
    for place, status in enumerate(statuses):
        run = {"id": f"run{place}", "created": ids.stamp(), "status": status}
        assert rows.save(RunIndex(workspace=stage.users.workspace), [Run(run)], timezone.now(), "key")[:2] == (1, 1), (
            status
        )
    assert stage.browser.get("/w/sales/runs/").status_code == 200


def test_an_invalid_version_of_a_flow_is_cut_or_left_out(stage: Stage) -> None:
    versions: list[Any] = [None, [], "name", {}, {"displayName": 7}, {"displayName": "<b>" * 10_000}]
    for place, version in enumerate(versions):
        run = {"id": f"run{place}", "created": ids.stamp(), "flowVersion": version, "flowVersionId": version}
        assert rows.save(RunIndex(workspace=stage.users.workspace), [Run(run)], timezone.now(), "key")[:2] == (1, 1), (
            version
        )


@pytest.mark.both_databases
def test_halves_of_surrogate_pairs_are_replaced(stage: Stage) -> None:
    half = "\ud800"
    created = ids.stamp()
    values: dict[str, Any] = {"id": half, "created": created, "status": half, "flowId": half, "tags": [half]}
    values |= {"failedStep": {"name": half, "message": half}, "flowVersion": {"displayName": half}}
    assert rows.save(RunIndex(workspace=stage.users.workspace), [Run(values)], timezone.now(), "key")[:2] == (1, 1)


def test_a_run_from_the_future_does_not_keep_new_runs_from_being_read(stage: Stage) -> None:
    future = make(stage, created="2998-01-01T00:00:00.000Z")
    start(stage)
    read_all(stage)
    turn(stage)
    [new] = add_past(stage, 1, seconds=0)
    turn(stage)
    assert new in indexed_ids()
    assert future not in indexed_ids(), "with it, a limit of rows would keep nothing else"
    asked = stage.practice.journal.all("GET", "/v1/flow-runs/count-by-status")
    assert len(asked) < 400


def test_a_run_does_not_end_long_after_now(stage: Stage) -> None:
    run = {"id": "run", "created": ids.stamp(), "status": "FAILED", "finishTime": "2998-01-01T00:00:00.000Z"}
    row = rows.from_engine(stage.users.workspace.pk, Run(run), timezone.now(), "key")
    assert row
    assert (row.finished, row.duration) == (None, -1)


def test_a_single_run_of_tomorrow_is_not_taken_for_the_clock_of_the_engine(stage: Stage) -> None:
    start(stage)
    read_all(stage)
    make(stage, created=ids.stamp(timezone.now() + timedelta(hours=20)))
    turn(stage)
    for _turn in range(3):
        [new] = add_past(stage, 1, seconds=0)
        turn(stage)
        assert new in indexed_ids()


@pytest.mark.parametrize("hours", [-23, 7, 23])
def test_new_runs_are_read_from_an_engine_whose_clock_is_wrong(stage: Stage, hours: int) -> None:
    state, ahead = stage.practice.engine.state, timedelta(hours=hours)
    latest = ids.stamp(timezone.now() + ahead)
    state.runs = {run: row for run, row in state.runs.items() if row["created"] < latest}
    start(stage)
    read_all(stage)
    for _turn in range(3):
        [new] = add_past(stage, 1, seconds=0, back=-ahead)
        turn(stage)
        assert new in indexed_ids()


def test_an_error_of_the_reading_itself_is_a_failure_that_is_shown_and_tried_more_and_more_seldom(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(stage)
    read_all(stage)
    make(stage, created=ids.stamp())
    real = rows.from_engine

    def broken(*args: Any) -> Any:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(rows, "from_engine", broken)
    first = turn(stage)
    assert (first.failures, first.trouble, first.lease_until) == (1, "OverflowError", None)
    second = turn(stage)
    assert second.failures == 2
    assert second.due_at - timezone.now() > timedelta(seconds=8)
    page = stage.browser.get("/w/sales/run-index/")
    assert page.status_code == 200
    monkeypatch.setattr(rows, "from_engine", real)
    assert not turn(stage).failures


def test_ten_years_are_compared_by_a_few_hundred_counts_while_the_lease_is_held(stage: Stage) -> None:
    stage.practice.engine.settings.version = "0.83.0"
    start(stage, keep_days=3650)
    read_all(stage)
    RunIndex.objects.update(compared_at=None)
    before = len(stage.practice.journal.all("GET", "/v1/flow-runs/count-by-status"))
    turn(stage)
    asked = len(stage.practice.journal.all("GET", "/v1/flow-runs/count-by-status")) - before
    assert 90 < asked < 600
    assert RunIndex.objects.get().compared_at


def test_a_search_without_any_word_finds_nothing(stage: Stage) -> None:
    start(stage)
    read_all(stage)
    for text in ("😀", "%", "\\", '"', "'", "- - -"):
        found = stage.browser.get("/w/sales/runs/", {"search": text})
        assert found.status_code == 200
        assert "data-tick" not in found.content.decode().split("<tbody", 1)[-1], text
        assert "Runs with these words" not in stage.browser.get("/w/sales/search/", {"q": text}).content.decode(), text
