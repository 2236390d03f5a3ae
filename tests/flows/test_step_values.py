"""A step's values as people read them: nothing is lost, references are named, odd values break nothing."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from workflows_ui.flows import outline, step_values
from workflows_ui.flows.step_values import Names

NAMES = Names({"trigger": "Catch <it>", "step_1": "Each line"}, {"mail": ("c1", "Sales mail")}, "sales")


def kinds_and_texts(text: str) -> list[tuple[str, str]]:
    return [(part.kind, part.text) for part in step_values.parts(text, NAMES)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{trigger}}", [("step", "from “Catch <it>”")]),
        ("{{ trigger['body'][0].name }}", [("step", "body › 0 › name from “Catch <it>”")]),
        ('{{step_1["item"]["sku"]}}', [("step", "item › sku from “Each line”")]),
        ("{{connections['mail']}}", [("connection", "Sales mail")]),
        ("{{connections['lost']}}", [("connection", "lost")]),
        ("{{connections}}", [("text", "{{connections}}")]),
        ("{{step_9.x}}", [("text", "{{step_9.x}}")]),
        ("{{trigger.a + 1}}", [("text", "{{trigger.a + 1}}")]),
        ("{{}} {{", [("text", "{{}} {{")]),
        ("a {{trigger.b}} c", [("text", "a "), ("step", "b from “Catch <it>”"), ("text", " c")]),
        ("", []),
    ],
)
def test_references_are_shown_where_they_are_known(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds_and_texts(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{{connections['mail']}}", "mail"),
        (' {{ connections["mail"] }} ', "mail"),
        ("{{connections.2-mail}}", "2-mail"),
        ("{{connections['. it is [new] ']}}", ". it is [new] "),
        ("{{connections['mail'].token}}", ""),
        ("{{trigger['mail']}}", ""),
        ("a {{connections['mail']}}", ""),
        ("mail", ""),
        (None, ""),
    ],
)
def test_the_id_of_a_connection_is_read_exactly(value: Any, expected: str) -> None:
    assert step_values.external_id(value) == expected


@given(st.text(st.sampled_from("{}[]'\". abtrigestp_1\n"), max_size=200))
def test_no_character_of_a_value_is_lost(text: str) -> None:
    assert "".join(part.raw or part.text for part in step_values.parts(text, NAMES)) == text


def test_very_many_references_and_very_long_ones_end() -> None:
    assert len(list(step_values.parts("{{trigger.a}}" * 5000, NAMES))) < 200
    assert list(step_values.parts("{{trigger" + "['a']" * 100_000, NAMES))


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=40,
)


@pytest.mark.slow
@given(_JSON)
def test_any_value_has_lines(value: Any) -> None:
    lines, left = step_values.lines(value, NAMES)
    assert len(lines) <= step_values.MOST
    assert left >= 0


@pytest.mark.slow
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("settings", "name", "displayName", "type", "skip"), _JSON)))
def test_any_step_has_settings(step: dict[str, Any]) -> None:
    outline.lines(step, NAMES, {})


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"operator": "TEXT_CONTAINS", "firstValue": "{{trigger.a}}", "secondValue": "x"}, "{{trigger.a}} contains x"),
        ({"operator": "EXISTS", "firstValue": "{{trigger.a}}", "secondValue": "left over"}, "{{trigger.a}} is there"),
        ({"operator": "SOMETHING_NEW", "firstValue": "a", "secondValue": "b"}, "a SOMETHING_NEW b"),
        ({"firstValue": "", "secondValue": 7}, "(nothing) 7"),
        (None, "(nothing)"),
    ],
)
def test_conditions_are_sentences(found: Any, words: str) -> None:
    assert outline.condition(found) == words


def test_branches_show_their_conditions_with_and_and_or() -> None:
    one = {"operator": "BOOLEAN_IS_TRUE", "firstValue": "a"}
    branches = [
        {"branchName": "Big", "branchType": "CONDITION", "conditions": [[one, one], [one]]},
        {"branchName": "Rest", "branchType": "FALLBACK"},
        {"branchType": "CONDITION", "conditions": "odd"},
        7,
    ]
    lines, _left = outline.lines({"settings": {"branches": branches}}, NAMES, {})
    assert [(line.label, line.whole) for line in lines] == [
        ("Branch › Big", "a is true and a is true, or a is true"),
        ("Branch › Rest", "If no other branch matches"),
        ("Branch › 3", "No condition is set"),
        ("Branch › 4", "No condition is set"),
    ]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("body_type", "Body type"),
        ("packageJson", "Package json"),
        ("Số điện thoại", "Số điện thoại"),
        ("__", "__"),
        ("", ""),
    ],
)
def test_a_field_without_a_label_is_called_by_its_name_made_readable(name: str, label: str) -> None:
    assert step_values.label_of(name, {}) == label
