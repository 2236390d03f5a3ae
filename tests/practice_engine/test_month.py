"""The month of runs that the practice engine of `make run` starts with, and goes on with."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from practice_engine import PracticeEngine, ids
from practice_engine.http import Json
from practice_engine.samples import month, sample_flows


@pytest.fixture(scope="module")
def engine() -> Iterator[PracticeEngine]:
    made = PracticeEngine(0.01, month=True)
    yield made
    made.close()


def planned(engine: PracticeEngine) -> list[Json]:
    return [row for row in engine.state.runs.values() if row.get("planned")]


def test_the_runs_follow_office_hours_and_weeks(engine: PracticeEngine) -> None:
    starts = [ids.parse(row["created"]).astimezone(month.ZONE) for row in planned(engine)]
    days = Counter(start.date() for start in starts)
    weekdays = [number for day, number in days.items() if day.weekday() < 5]
    weekends = [number for day, number in days.items() if day.weekday() >= 5]
    assert len(days) >= month.DAYS
    assert sorted(weekdays)[len(weekdays) // 2] > 2 * max(weekends)
    assert sum(7 <= start.hour < 18 for start in starts) > 0.8 * len(starts)


@pytest.mark.slow
def test_two_engines_have_runs_of_the_same_shape(engine: PracticeEngine) -> None:
    until = ids.now()
    one, other = (sorted(month.past(until - timedelta(days=month.DAYS), until)) for _ in range(2))
    assert one == other
    assert len(one) > 1000


def test_failures_come_in_groups_with_messages_and_steps(engine: PracticeEngine) -> None:
    failed = [row for row in planned(engine) if row["status"] == "FAILED"]
    causes = Counter((row["flowName"], row["failedStep"]["displayName"]) for row in failed)
    assert len(causes) >= 4
    assert max(causes.values()) >= 5
    for row in failed:
        step = row["steps"][row["failedStep"]["name"]]
        assert (step["status"], step["errorMessage"]) == ("FAILED", row["failedStep"]["message"])
        assert list(row["steps"])[-1] == row["failedStep"]["name"]


def test_one_flow_has_stopped_and_the_latest_runs_of_another_failed(engine: PracticeEngine) -> None:
    latest = {row["flowId"]: row for row in sorted(planned(engine), key=lambda row: row["created"])}
    flows = sample_flows()
    assert ids.now() - ids.parse(latest[flows["eight"].id]["created"]) > timedelta(hours=10)
    assert latest[flows["changed"].id]["status"] == "FAILED"


def test_runs_go_on_unless_their_flow_is_off_or_gone() -> None:
    engine = PracticeEngine(0.01, month=True)
    flows, state = sample_flows(), engine.state
    state.flows[flows["orders"].id]["status"] = "DISABLED"
    del state.flows[flows["silent"].id]
    before = set(state.runs)
    for day in range(1, 8):
        engine.month.go_on(ids.now() + timedelta(days=day))
    new = Counter(row["flowId"] for key, row in state.runs.items() if key not in before)
    assert new[flows["quick"].id] > 1
    assert not new[flows["orders"].id] + new[flows["silent"].id] + new[flows["eight"].id]
    engine.close()


def test_a_restart_adds_what_would_have_run_meanwhile_and_nothing_twice(tmp_path: Path) -> None:
    file = tmp_path / "engine.json"
    PracticeEngine(state_file=file, month=True).close()
    first = PracticeEngine(state_file=file, month=True)
    number = len(planned(first))
    latest = max(row["created"] for row in planned(first))
    assert number == len({(row["flowId"], row["created"]) for row in planned(first)})
    for row in planned(first):
        if ids.parse(row["created"]) > ids.now() - timedelta(days=3):
            del first.state.runs[row["id"]]
    first.close()
    second = PracticeEngine(state_file=file, month=True)
    again = [row for row in planned(second) if ids.parse(row["created"]) > ids.now() - timedelta(days=3)]
    assert len(again) > 20
    assert max(row["created"] for row in again) <= max(latest, ids.stamp())
    second.close()


def test_without_the_month_an_engine_has_few_runs_and_starts_none() -> None:
    engine = PracticeEngine()
    assert not planned(engine)
    assert len(engine.state.runs) < 200
    engine.close()
