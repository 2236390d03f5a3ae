"""A run's steps: loops by iteration, errors, and what a page cannot carry."""

from typing import Any

from hypothesis import given, strategies as st

from workflows_ui.core import formats
from workflows_ui.engine import run_tree
from workflows_ui.engine_objects.runs import Run, any_failed
from workflows_ui.runs import steps, times as run_times

STARTED = "2026-11-24T22:38:25.786Z"


def ran(status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    return {"type": "CODE", "status": status, "input": {}} | more


def loop(rounds: list[Any]) -> dict[str, Any]:
    return ran(type="LOOP_ON_ITEMS", output={"item": 1, "index": 1, "iterations": rounds})


def test_a_step_has_its_flows_name_and_its_own() -> None:
    known = {"step_1": {"name": "step_1", "displayName": "Parse"}}
    (view,) = steps.Reader(known).read({"step_1": ran(duration=2.29)})
    assert (view.title, view.name, view.duration) == ("Parse", "step_1", "2 ms")
    (view,) = steps.Reader({}).read({"step_1": ran()})
    assert view.title == "step_1"


def test_a_loop_is_shown_by_iteration_and_shows_which_failed() -> None:
    (view,) = steps.Reader({}).read({"step_1": loop([{"step_2": ran()}, {"step_2": ran("FAILED")}])})
    assert [(one.number, one.failed, one.steps[0].name) for one in view.iterations] == [
        (1, False, "step_2"),
        (2, True, "step_2"),
    ]


def test_of_many_iterations_the_failed_ones_are_shown() -> None:
    rounds = [{"s": ran("FAILED" if number == 900 else "SUCCEEDED")} for number in range(1000)]
    (view,) = steps.Reader({}).read({"loop": loop(rounds)})
    assert [one.number for one in view.iterations] == [*range(1, steps.MOST_ITERATIONS + 1), 901]
    assert view.iterations_left_out == 1000 - len(view.iterations)


def test_too_many_steps_are_cut_and_counted_and_the_failed_one_is_still_there() -> None:
    reader = steps.Reader({})
    found = reader.read({f"s{number}": ran("FAILED" if number == 1700 else "SUCCEEDED") for number in range(2000)})
    assert [len(found), reader.left_out] == [steps.MOST_STEPS + 1, 2000 - steps.MOST_STEPS - 1]
    assert (found[-1].name, found[-1].position) == ("s1700", "1700")


def test_values_beyond_what_a_page_carries_have_a_page_of_their_own_unless_they_failed() -> None:
    chain = {f"s{number}": ran("FAILED" if number == 99 else "SUCCEEDED", output="y" * 19_000) for number in range(100)}
    found = steps.Reader({}).read(chain)
    assert found[0].output is not None
    assert (found[98].output, found[98].full, found[98].empty) == (None, True, False)
    assert found[99].output is not None


def test_a_place_leads_to_its_step_and_to_no_other() -> None:
    chain = {"a": ran(), "b": loop([{"x": ran()}, {"x": ran("FAILED"), "y": loop([{"z": ran(duration=3)}])}])}
    (_first, view) = steps.Reader({}).read(chain)
    inner = view.iterations[1].steps[1].iterations[0].steps[0]
    assert (inner.position, run_tree.step_at(chain, inner.position)) == ("1-2-1-1-0", ("z", ran(duration=3)))
    for place in ("", "2", "-1", "1-3-0", "1-0-0", "1-2", "0-1-0", "x", "99999999999", "1-2-1-1-0-1-0"):
        assert run_tree.step_at(chain, place) is None
    assert run_tree.step_at("odd", "0") is None
    assert run_tree.step_at({"a": {"output": {"iterations": ["odd"]}}}, "0-1-0") is None


def test_one_step_alone_has_the_iterations_that_are_asked_for() -> None:
    long = loop([{"s": ran()} for _number in range(1000)])
    view = steps.Reader({}).read_step(long, "loop", "3", 991, 30)
    assert ([one.number for one in view.iterations], view.iterations_in_all) == ([*range(991, 1001)], 1000)
    assert view.iterations[0].steps[0].position == "3-991-0"
    assert steps.Reader({}).read_step(long, "loop", "3", 1001, 30).iterations == []


def test_bars_are_laid_one_after_another_and_inside_loops_too() -> None:
    chain = {
        "a": ran(duration=50),
        "b": loop([{"x": ran(duration=10)}, {"x": ran(duration=20)}]) | {"duration": 30},
        "c": ran("FAILED", duration=20),
    }
    found = steps.Reader({}, run_times.Times(Run({"steps": chain}), {})).read(chain)
    assert [(view.bar.x, view.bar.width) for view in found if view.bar] == [(0, 500), (500, 300), (800, 200)]
    second = found[1].iterations[1].steps[0].bar
    assert second == run_times.Bar(600, 200)
    assert [view.began for view in found] == ["", "50 ms", "80 ms"]


def test_ids_are_unique_in_the_page() -> None:
    found = steps.Reader({}).read({"a": loop([{"x": ran()}, {"x": ran()}]), "b": ran()})
    ids = [found[0].id, found[1].id, *(one.steps[0].id for one in found[0].iterations)]
    assert len(set(ids)) == len(ids)


def test_a_router_shows_which_branches_were_taken() -> None:
    output = {"branches": [{"branchName": "Big", "evaluation": True}, {"branchName": "Else", "evaluation": False}, 5]}
    (view,) = steps.Reader({}).read({"r": ran(type="ROUTER", output=output)})
    assert view.branches == [("Big", True), ("Else", False)]


def test_the_first_line_of_an_error_leaves_out_the_stack() -> None:
    text = steps.error_text("\n  Error: row 7\n    at Object.w (index.js:1)")
    assert formats.first_line(text) == "Error: row 7"
    assert formats.first_line(steps.error_text({"message": "no"})) == '"message": "no"'
    assert formats.first_line(steps.error_text(None)) == ""


def test_a_failure_inside_a_loop_counts() -> None:
    assert any_failed({"a": loop([{"b": loop([{"c": ran("FAILED")}])}])})
    assert not any_failed({"a": loop([{"b": ran()}]), "odd": 5})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "status", "input", "output", "iterations", "branches", "errorMessage", "duration", "s"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(_json)
def test_no_steps_break_the_reader(odd: Any) -> None:
    times = run_times.Times(Run({"steps": odd, "status": "PAUSED", "startTime": STARTED}), {"s": odd})
    assert isinstance(steps.Reader({}, times).read(odd), list)
    assert all(0 <= part.bar.x < part.bar.x + part.bar.width <= run_times.WIDTH + 4 for part in times.parts())
    assert any_failed(odd) in {True, False}
