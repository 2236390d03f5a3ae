"""Values to read: names, tables, lists, folds; and that anything JSON can hold comes out small enough."""

from typing import Any

import pytest
from django.template.loader import get_template
from django.utils import translation
from hypothesis import given, strategies as st

from workflows_ui.core import readable


def html(value: Any) -> str:
    return " ".join(get_template("web/readable.html").render({"node": readable.readable_node(value)}).split())


def test_an_object_is_names_with_values_and_what_is_inside_is_inside() -> None:
    node = readable.readable_node({"name": "Lan", "address": {"city": "Huế"}})
    assert [(name, inner.kind) for name, inner in node.entries] == [("name", "plain"), ("address", "fields")]
    assert node.entries[1][1].entries[0][1].text == "Huế"


def test_rows_that_are_alike_are_a_table_with_blanks_where_a_name_is_missing() -> None:
    node = readable.readable_node([{"sku": "A", "qty": 1, "note": "x"}, {"sku": "B", "qty": 2}])
    assert (node.kind, node.columns) == ("table", ["sku", "qty", "note"])
    assert [[cell.text for cell in row] for row in node.rows] == [["A", "1", "x"], ["B", "2", ""]]


def test_a_list_of_one_object_is_a_row_or_the_object_itself_without_a_box() -> None:
    assert readable.readable_node([{"sku": "A", "qty": 1}]).kind == "table"
    many = {f"name{number}": number for number in range(9)}
    for value in (many, {"a": {"b": 1}}):
        assert readable.readable_node([value]) == readable.readable_node(value)


def test_rows_that_differ_or_hold_more_are_a_list() -> None:
    for value in (
        [{"a": 1}, {"b": 2}, {"c": 3}],
        [{"a": {"b": 1}}, {"a": {"b": 2}}],
        [{"a": 1}, 5],
    ):
        assert readable.readable_node(value).kind == "list"


def test_plain_values_are_a_simple_list() -> None:
    assert readable.readable_node([1, "x", None]).kind == "items"
    assert readable.readable_node(["x", "long " * 100]).kind == "list"


NOTHING_AND_MORE: list[Any] = [None, "", [], {}, True, False, 0]


def test_nothing_and_yes_and_no_are_words() -> None:
    words = [readable.readable_node(value).text for value in NOTHING_AND_MORE]
    assert words == ["empty", "empty", "empty", "empty", "yes", "no", "0"]


def test_large_numbers_have_the_separators_of_the_language_and_years_none() -> None:
    with translation.override("vi"):
        texts = [readable.readable_node(value).text for value in (14_400_000, 2026, 1234567.5)]
    assert texts == ["14.400.000", "2026", "1.234.567,5"]


def test_a_long_text_is_folded_and_cut_and_the_cut_is_counted() -> None:
    node = readable.readable_node("word " * 2000)
    assert (node.kind, len(node.text), node.cut) == ("long", readable.LONGEST, 10_000 - readable.LONGEST)
    assert "6000 more characters are not shown" in html("word " * 2000)


def test_long_lists_and_deep_objects_say_what_is_left_out() -> None:
    assert readable.readable_node(list(range(1000))).left_out == 1000 - readable.MOST_ENTRIES
    deep: Any = {"x": 1}
    for _level in range(50):
        deep = {"in": deep}
    assert "1 value inside" in html(deep)


def test_markup_and_links_stay_text_and_each_text_has_its_own_direction() -> None:
    page = html({"<b>": "<script>alert(1)</script>", "to": "https://example.com/", "name": "שלום"})
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<a " not in page
    assert '<span class="long" dir="auto">שלום</span>' in page


def test_what_a_page_has_room_for_is_shared() -> None:
    room = readable.Room(values=20)
    first, second = readable.readable_node(list(range(50)), room), readable.readable_node(list(range(50)), room)
    assert (len(first.entries), first.left_out) == (20, 30)
    assert second.kind == "deep"


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=40,
)


@pytest.mark.slow
@given(_json)
def test_nothing_that_json_can_hold_breaks_it(odd: Any) -> None:
    assert html(odd)


def test_lone_surrogates_can_be_sent() -> None:
    html({"\ud800": ["\ud800", "\ud800" * 500]}).encode()
