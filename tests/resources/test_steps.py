"""A run's steps: loops by iteration, errors, and what a page cannot carry."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workflows_ui.kit import show
from workflows_ui.resources import steps


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


def test_a_loop_is_shown_by_iteration_and_tells_which_failed() -> None:
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


def test_too_many_steps_are_cut_and_it_is_said() -> None:
    reader = steps.Reader({})
    assert len(reader.read({f"s{number}": ran() for number in range(5000)})) == steps.MOST_STEPS
    assert reader.cut


def test_ids_are_unique_in_the_page() -> None:
    found = steps.Reader({}).read({"a": loop([{"x": ran()}, {"x": ran()}]), "b": ran()})
    ids = [found[0].id, found[1].id, *(one.steps[0].id for one in found[0].iterations)]
    assert len(set(ids)) == len(ids)


def test_a_router_tells_which_branches_were_taken() -> None:
    output = {"branches": [{"branchName": "Big", "evaluation": True}, {"branchName": "Else", "evaluation": False}, 5]}
    (view,) = steps.Reader({}).read({"r": ran(type="ROUTER", output=output)})
    assert view.branches == [("Big", True), ("Else", False)]


def test_the_first_line_of_an_error_leaves_out_the_stack() -> None:
    text = steps.error_text("\n  Error: row 7\n    at Object.w (index.js:1)")
    assert show.first_line(text) == "Error: row 7"
    assert show.first_line(steps.error_text({"message": "no"})) == '"message": "no"'
    assert show.first_line(steps.error_text(None)) == ""


def test_a_failure_inside_a_loop_counts() -> None:
    assert steps.any_failed({"a": loop([{"b": loop([{"c": ran("FAILED")}])}])})
    assert not steps.any_failed({"a": loop([{"b": ran()}]), "odd": 5})


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
    assert isinstance(steps.Reader({}).read(odd), list)
    assert steps.any_failed(odd) in {True, False}
