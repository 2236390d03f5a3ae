"""JSON values of any type: which one they are of, and copies in which only what is known is changed."""

from collections import OrderedDict
from http import HTTPStatus

import pytest
from django.utils.safestring import SafeString

from workflows_ui.core.json_values import JsonType, changed_at, changed_object, changed_texts, json_type


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, JsonType.NULL),
        ("", JsonType.TEXT),
        (0, JsonType.NUMBER),
        (0.5, JsonType.NUMBER),
        (False, JsonType.TRUTH),
        ([], JsonType.LIST),
        ({}, JsonType.OBJECT),
        (SafeString("x"), JsonType.TEXT),
        (HTTPStatus.OK, JsonType.NUMBER),
        (OrderedDict(), JsonType.OBJECT),
        (object(), JsonType.NONE),
    ],
)
def test_each_value_is_of_one_type_and_true_is_no_number(value: object, found: JsonType) -> None:
    assert json_type(value) is found


def test_what_is_at_a_path_is_changed_in_a_copy() -> None:
    value = {"branches": [{"conditions": 1, "name": "A"}, {"conditions": 2}], "other": [3]}
    assert changed_at(value, "branches.*.conditions", lambda number: [number]) == {
        "branches": [{"conditions": [1], "name": "A"}, {"conditions": [2]}],
        "other": [3],
    }
    assert value["branches"] == [{"conditions": 1, "name": "A"}, {"conditions": 2}]


@pytest.mark.parametrize("odd", [None, 5, "branches", [], {}, {"branches": None}, {"branches": {"conditions": 1}}])
def test_where_the_path_does_not_lead_the_value_stays_as_it_is(odd: object) -> None:
    assert changed_at(odd, "branches.*.conditions", lambda _value: "changed") == odd


def test_among_odd_items_only_those_with_the_path_are_changed() -> None:
    value = {"branches": [None, {"name": "B"}, {"conditions": 1}, 5]}
    assert changed_at(value, "branches.*.conditions", lambda _value: "changed") == {
        "branches": [None, {"name": "B"}, {"conditions": "changed"}, 5]
    }


def test_only_an_object_is_changed_as_one() -> None:
    assert changed_object({"a": 1}, list) == ["a"]
    assert changed_object(["a"], len) == ["a"]


def test_texts_are_changed_at_any_depth_but_no_keys() -> None:
    assert changed_texts({"a": ["b", {"c": "d"}], "e": 1}, str.upper) == {"a": ["B", {"c": "D"}], "e": 1}
