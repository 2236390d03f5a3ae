"""A form proposed from what was sent accepts it and gives it back."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings, strategies as st
from jsonschema import Draft202012Validator

from tests import step_trees
from tests.launch_forms.browser import submitted
from workflows_ui.core.secret_names import names_secret
from workflows_ui.form_schema import checking, rules, schema_in, schema_out
from workflows_ui.form_schema.document import Blank, FieldKind, Form, Moment
from workflows_ui.launch_forms.proposal.proposing import propose

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", "2026-03-01", "09:30", "2026-03-01T09:30", "2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000Z",
                     "2024-02-30",
                     "lan@example.com", "+84 28 3823 4567", "0900000001", "https://example.com/a",
                     "a\nb", "a\r\nb", "\ud7ff", "null", "true", "1.234", "007"]),
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
# Fields of secrets are never filled in, which a test of their own shows.
KEYS = st.one_of(
    st.text(max_size=6), st.sampled_from(["ticket", "a", "b", "a.b", "phone", "note", "length", "0"])
).filter(lambda key: not names_secret(key))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


def again(form: Form, payload: Any) -> Any:
    """What comes of filling a form from a payload and submitting the page as it is."""
    checked = checking.Checked(form, submitted(form, checking.initial(form, payload, zone=ZONE)), zone=ZONE)
    assert checked.errors == {}
    return checked.payload


@pytest.mark.slow
@given(payload=JSON)
@example(payload={"a": 1.234, "b": 1e22, "c": -0.0, "d": 10**30})
@example(payload={"rows": [{"a": None}, {}, {"a": ""}]})
@example(payload={"a": {"b": {"c": {}}}})
@settings(max_examples=250)
def test_a_form_from_any_payload_accepts_it_and_gives_it_back_unchanged(payload: Any) -> None:
    form = propose(payloads=[payload])
    rules.check(form)
    assert schema_in.from_schema(schema_out.to_schema(form)) == form
    assert Draft202012Validator(schema_out.to_schema(form)).is_valid(payload)
    assert same(again(form, payload), payload)


@pytest.mark.slow
@given(payloads=st.lists(JSON, min_size=2, max_size=5))
@settings(max_examples=200)
def test_a_form_from_many_payloads_gives_each_back_up_to_how_nothing_is_written(payloads: list[Any]) -> None:
    form = propose(payloads=payloads)
    rules.check(form)
    for payload in payloads:
        assert same(filled(again(form, payload)), filled(payload))


def same(one: Any, two: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and bool(one == two)


def filled(value: Any) -> Any:
    """A value without what is empty: nulls, empty texts, lists and objects of objects."""
    if isinstance(value, dict):
        inner = {key: filled(held) for key, held in value.items()}
        return {key: held for key, held in inner.items() if held not in (None, "", [], {}) or held is False}
    if isinstance(value, list):
        return [filled(held) for held in value]
    return value


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["Lan", "Hùng"], FieldKind.TEXT),
        (["a\nb"], FieldKind.LONG_TEXT),
        ([1, 2.5], FieldKind.NUMBER),
        (["12", "13"], FieldKind.TEXT),
        ([True, False], FieldKind.YES_NO),
        (["2026-03-01"], FieldKind.DATE),
        (["09:30"], FieldKind.TIME),
        (["2026-03-01T09:30:00.000Z"], FieldKind.DATETIME),
        (["lan@example.com"], FieldKind.EMAIL),
        (["+84 28 3823 4567"], FieldKind.PHONE),
        (["https://example.com"], FieldKind.URL),
        ([["a"], ["b", "c"]], FieldKind.LIST),
        ([[{"sku": "a", "qty": 1}]], FieldKind.TABLE),
        ([{}], FieldKind.JSON),
        ([1, "a"], FieldKind.JSON),
        ([[1, "a"]], FieldKind.JSON),
        ([[[1]]], FieldKind.JSON),
        ([None], FieldKind.TEXT),
        (["s", "m"] * 8, FieldKind.CHOICE),
        (["s", "m"] * 2, FieldKind.TEXT),
    ],
)
def test_kinds_follow_from_values(values: list[Any], kind: FieldKind) -> None:
    form = propose(payloads=[{"x": value} for value in values])
    assert [field.kind for field in form.fields] == [kind]


def test_why_counts_what_was_seen() -> None:
    payloads = [{"size": "sm"[number % 2], **({"note": "x"} if number < 48 else {})} for number in range(50)]
    form = propose(payloads=payloads)
    size, note = form.field("size"), form.field("note")
    assert size is not None
    assert note is not None
    assert (size.why.seen, size.why.payloads, size.why.values, size.required) == (50, 50, 2, True)
    assert (note.why.seen, note.why.payloads, note.required, note.blank) == (48, 50, False, Blank.ABSENT)


def test_what_people_sent_is_never_shown_as_an_example_but_a_sample_is() -> None:
    assert [field.example for field in propose(payloads=[{"name": "Lan"}]).fields] == [""]
    assert [field.example for field in propose(samples=[{"name": "Lan"}]).fields] == ["Lan"]


def test_too_many_fields_become_fewer_fields_of_json() -> None:
    payload = {f"k{number}": {f"i{inner}": inner for inner in range(30)} for number in range(30)}
    form = propose(payloads=[payload])
    assert len(form.fields) == 30
    assert {field.kind for field in form.fields} == {FieldKind.JSON}
    wide = {f"k{number}": number for number in range(500)}
    assert [field.path for field in propose(payloads=[wide]).fields] == [()]
    assert again(propose(payloads=[wide]), wide) == wide


def test_a_moment_is_shown_in_the_persons_zone_and_sent_as_it_was() -> None:
    payload = {"at": "2026-03-01T02:30:00Z"}
    form = propose(payloads=[payload])
    assert form.fields[0].moment is Moment.UTC
    assert checking.initial(form, payload, zone=ZONE) == {"at": "2026-03-01T09:30"}
    assert again(form, payload) == payload


def test_what_the_flow_reads_stays_whatever_was_sent() -> None:
    """Bad values once made "Anything (JSON)" of the whole form, or of a table of items."""
    reads = {"first": "{{trigger.body.items[0].sku}}", "amount": "{{trigger.body.items[0].qty}}"}
    reading = step_trees.code("step_1", "Read", "echo", **reads, who="{{trigger.body.customer}}")
    trigger = step_trees.chain(step_trees.webhook(), reading)
    good = [{"items": [{"sku": "A-1"}], "customer": "Lan"}] * 3
    for bad in (
        ["x"],
        "text",
        7,
        {"items": "A-1, A-2", "customer": 5},
        {"items": [1, 2]},
        {f"key{number}": 1 for number in range(500)},
    ):
        for payloads in ([bad], [*good, bad], [bad] * 6):
            form = propose(trigger, payloads)
            by_path = {field.path: field for field in form.fields}
            assert {("items",), ("customer",)} <= set(by_path), (bad, form)
            if len(payloads) > 1:
                items = by_path["items",]
                assert items.kind is FieldKind.TABLE, (bad, items)
                assert [column.key for column in items.columns] == ["sku", "qty"]
