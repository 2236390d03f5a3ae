"""Where a run's time went: queue, work, waiting, and what the engine needs around the steps."""

import datetime
from typing import Any

import pytest

from tests.stub_engine import run
from workflows_ui.engine_objects.runs import Run, StepResult
from workflows_ui.runs import times as run_times

NOW = datetime.datetime(2026, 11, 24, 22, 40, 25, 786_000, tzinfo=datetime.UTC)
DELAY = {"settings": {"pieceName": "@activepieces/piece-delay", "actionName": "delayFor"}}


def delay(amount: Any = 60, **more: Any) -> dict[str, Any]:
    """A step as recording `run_get_PAUSED` has it."""
    given = {"unit": "seconds", "delayFor": amount}
    return {"type": "PIECE", "status": "SUCCEEDED", "input": given, "output": {}, "duration": 73.2} | more


def code(duration: Any = 10) -> dict[str, Any]:
    return {"type": "CODE", "status": "SUCCEEDED", "duration": duration}


def lasting(seconds: float, steps: Any, **more: Any) -> dict[str, Any]:
    start = datetime.datetime.fromisoformat("2026-11-24T22:38:25.786Z")
    end = (start + datetime.timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return run(finishTime=end, steps=steps, **more)


def durations(found: dict[str, Any], known: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    return [(part.kind, part.duration) for part in run_times.Times(Run(found), known or {}, NOW).parts()]


def test_what_the_steps_leave_over_is_the_engines_own_time() -> None:
    assert durations(lasting(2.064, {"a": code(195)})) == [("work", "195 ms"), ("around", "1.9 s")]


def test_the_queue_stands_first_where_the_run_had_to_wait_for_its_start() -> None:
    parts = durations(lasting(1, {"a": code(1000)}, created="2026-11-24T22:38:23.786Z"))
    assert parts == [("before", "2.0 s"), ("work", "1.0 s")]


def test_a_running_runs_time_goes_on_and_a_queued_ones_is_the_queue() -> None:
    found = run(status="RUNNING", finishTime=None, steps={"a": code(1000), "b": {"status": "RUNNING"}})
    assert durations(found) == [("work", "1.0 s"), ("current", "1 min 59 s")]
    assert durations(run(status="QUEUED", startTime=None, finishTime=None, steps={})) == [("queue", "2 min")]


def test_a_long_time_before_the_start_may_be_that_of_earlier_tries() -> None:
    parts = durations(lasting(1, {"a": code(1000)}, created="2026-11-24T22:36:00.000Z"))
    assert parts == [("long-before", "2 min 26 s"), ("work", "1.0 s")]


def test_a_delay_makes_the_rest_waiting_and_the_step_says_how_long() -> None:
    found = lasting(60.1, {"trigger": {}, "step_1": delay(), "step_2": code(26.8)})
    times = run_times.Times(Run(found), {}, NOW)
    assert durations(found) == [("work", "100 ms"), ("waiting", "1 min")]
    assert times.waits == {"step_1": pytest.approx(60_000)}


def test_a_paused_run_waits_until_now() -> None:
    found = run(status="PAUSED", finishTime="", steps={"step_1": delay(9000, status="PAUSED")})
    assert durations(found) == [("work", "73 ms"), ("waiting", "2 min")]


def test_of_several_pauses_each_has_its_set_time_and_one_without_has_the_rest() -> None:
    approval = {"settings": {"pieceName": "@activepieces/piece-approval", "actionName": "wait_for_approval"}}
    steps = {"a": delay(10), "b": code(0), "c": delay(20)}
    times = run_times.Times(Run(lasting(100, steps)), {"b": approval}, NOW)
    assert times.waits == {"a": 10_000, "c": 20_000, "b": pytest.approx(69_853.6)}


def test_of_several_pauses_that_say_nothing_no_one_is_guessed_at() -> None:
    known = {"a": DELAY, "b": DELAY}
    times = run_times.Times(Run(lasting(100, {"a": code(0), "b": code(0)})), known, NOW)
    assert times.waits == {}
    assert [part.kind for part in times.parts()] == ["waiting"]


def test_a_step_that_never_ended_took_the_rest_of_a_run_that_was_stopped() -> None:
    steps = {"trigger": {"status": "SUCCEEDED"}, "step_1": {"type": "CODE", "status": "RUNNING"}}
    assert durations(lasting(20, steps, status="TIMEOUT")) == [("unended", "20.0 s")]
    steps["step_1"]["status"] = "FAILED"
    assert durations(lasting(20, steps, status="LOG_SIZE_EXCEEDED")) == [("unended", "20.0 s")]


def test_a_loop_without_a_time_of_its_own_worked_as_long_as_its_steps() -> None:
    rounds = {"output": {"iterations": [{"x": code(1), "y": code(2)}, {"x": code(3)}, "odd"]}}
    assert run_times.worked(StepResult(rounds)) == 6
    assert run_times.worked(StepResult(rounds | {"duration": 50})) == 50


ODD: list[Any] = [
    None,
    "",
    [],
    "odd",
    {"a": 5},
    {"a": {"duration": -1}},
    {"a": {"duration": "x"}},
    {"a": {"duration": 1e300}},
]
ODD += [{"a": delay("x")}, {"a": delay(-5)}, {"a": delay(float("inf"))}, {"a": delay(None, unit=[])}]


@pytest.mark.parametrize("steps", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("more", [{}, {"startTime": "", "finishTime": ""}, {"finishTime": "2026-01-01T00:00:00Z"}])
def test_odd_steps_and_times_break_nothing(steps: Any, more: dict[str, str]) -> None:
    times = run_times.Times(Run(run(steps=steps) | more), {"a": 5}, NOW)
    for part in times.parts():
        assert 0 <= part.bar.x <= part.bar.x + part.bar.width <= run_times.WIDTH
    assert all(wait >= 0 for wait in times.waits.values())


def test_a_bar_is_never_too_thin_to_be_seen_nor_outside_of_its_box() -> None:
    assert run_times.bar(0, 0, 0) is None
    for begin, took in ((0, 0.001), (100, 1), (99.9, 0.1), (500, 1), (0, 500)):
        found = run_times.bar(begin, took, 100)
        assert found
        assert found.width >= 6
        assert found.x + found.width <= run_times.WIDTH
    assert run_times.bar(100, 0, 100) == run_times.Bar(994, 0)
