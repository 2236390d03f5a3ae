"""References in the texts of steps: read, written, found in values; and the steps that a step may refer to."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from workflows_ui.flow_editing.expressions import (
    MISSING,
    Expression,
    parse,
    reference,
    steps_before,
    steps_before_place,
    value_at,
)


@pytest.mark.parametrize(
    ("inner", "root", "path"),
    [
        ("step_1", "step_1", ()),
        (" trigger.body.total ", "trigger", ("body", "total")),
        ("trigger['body']['items'][0]", "trigger", ("body", "items", 0)),
        ('step_1["a b"]', "step_1", ("a b",)),
        ("step_1[ 'a' ] . b", "step_1", ("a", "b")),
        ("step_1.số_tiền['ngày']", "step_1", ("số_tiền", "ngày")),
        (r"step_1['it\'s']['a\\b']['\u0041\x42\n\u{1F600}']", "step_1", ("it's", r"a\b", "AB\n\U0001f600")),
        ("step_1['a.b'][\"x']\"]", "step_1", ("a.b", "x']")),
        ("connections['slack']", "connections", ("slack",)),
    ],
)
def test_a_reference_by_path_is_read(inner: str, root: str, path: tuple[str | int, ...]) -> None:
    assert list(parse(f"{{{{{inner}}}}}")) == [Expression(f"{{{{{inner}}}}}", root, path)]


@pytest.mark.parametrize(
    "inner",
    ["", "step_1.total * 2", "step_1.a-b", "f(step_1)", "step_1[x]", "step_1['a", "1", "`a`", "step_1?.a", "a" * 6000],
)
def test_anything_else_is_another_expression(inner: str) -> None:
    assert list(parse(f"{{{{{inner}}}}}")) == [Expression(f"{{{{{inner}}}}}")]


def test_a_text_around_expressions_is_kept() -> None:
    total, mail = Expression("{{step_1.total}}", "step_1", ("total",)), Expression("{{trigger}}", "trigger")
    assert list(parse("Order {{step_1.total}} of {{trigger}}.")) == ["Order ", total, " of ", mail, "."]
    assert list(parse("{not} an {{expression")) == ["{not} an {{expression"]


@pytest.mark.slow
@given(st.lists(st.text() | st.integers(0, 10**8), max_size=4))
def test_what_is_written_is_read_back(path: list[str | int]) -> None:
    text = reference("step_1", tuple(path))
    assert list(parse(f"before {text}")) == ["before ", Expression(text, "step_1", tuple(path))]


def test_it_is_written_as_the_engines_own_editor_does() -> None:
    assert reference("trigger", ("body", "items", 0)) == "{{trigger['body']['items'][0]}}"
    assert reference("step_1", ("it's }} here",)) == r"{{step_1['it\'s \u007d\u007d here']}}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), {"a": [{"b": 1}, "x"], "0": "zero", "length": 5}),
        (("a", 0, "b"), 1),
        (("a", "1"), "x"),
        ((0,), "zero"),
        (("a", "length"), 2),
        (("length",), 5),
        (("a", 2), MISSING),
        (("a", 0, "b", "c"), MISSING),
        (("b",), MISSING),
    ],
)
def test_a_value_is_found_as_javascript_finds_it(path: tuple[str | int, ...], value: Any) -> None:
    assert value_at({"a": [{"b": 1}, "x"], "0": "zero", "length": 5}, path) == value


def step(name: str, type: str = "CODE", **inner: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "settings": {}} | inner


TREE = step(
    "trigger",
    "PIECE_TRIGGER",
    nextAction=step(
        "step_1",
        "LOOP_ON_ITEMS",
        firstLoopAction=step("step_2", nextAction=step("step_3")),
        nextAction=step(
            "step_4",
            "ROUTER",
            settings={"branches": [{"branchName": "Big"}, {"branchName": "Else"}]},
            children=[step("step_5", nextAction=step("step_6")), None],
            nextAction=step("step_7"),
        ),
    ),
)


def names_and_loops(found: Any) -> list[tuple[str, bool]]:
    return [(one.name, one.around) for one in found]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("trigger", []),
        ("step_1", ["trigger"]),
        ("step_3", ["trigger", "step_1*", "step_2"]),
        ("step_4", ["trigger", "step_1"]),
        ("step_6", ["trigger", "step_1", "step_4", "step_5"]),
        ("step_7", ["trigger", "step_1", "step_4"]),
    ],
)
def test_a_step_may_refer_to_the_steps_before_and_around_it(name: str, expected: list[str]) -> None:
    assert names_and_loops(steps_before(TREE, name)) == [(one.rstrip("*"), one.endswith("*")) for one in expected]


def test_a_new_step_may_refer_to_the_step_before_its_place_and_the_loop_around_it() -> None:
    assert names_and_loops(steps_before_place(TREE, "AFTER", "step_1")) == [("trigger", False), ("step_1", False)]
    assert names_and_loops(steps_before_place(TREE, "INSIDE_LOOP", "step_1")) == [("trigger", False), ("step_1", True)]
    assert steps_before_place(TREE, "AFTER", "gone") is None
    assert steps_before("no tree", "step_1") is None


def test_steps_of_one_name_do_not_hold_up_the_search() -> None:
    twice = step("trigger", nextAction=step("trigger", nextAction=step("step_1")))
    assert [name for name, _around in names_and_loops(steps_before(twice, "step_1"))] == ["trigger"]
