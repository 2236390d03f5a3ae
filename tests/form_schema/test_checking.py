"""What is typed becomes what the flow expects; what cannot be sent is refused at its control, in words, in every language."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from tests.form_schema import bad_input
from tests.form_schema.bad_input import CASES, HIDDEN_BY_RULE, Case, file
from workflows_ui.form_schema import checking, moments
from workflows_ui.form_schema.document import (
    NOTHING,
    BadValue,
    Blank,
    Choice,
    Column,
    Field,
    FieldKind,
    Form,
    Limits,
    Moment,
    ShowIf,
    TableChoices,
    When,
)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def sent(field: Field, *typed: str, **said: Any) -> Any:
    """What a form of one field sends."""
    checked = checking.Checked(Form((field,)), {field.name: typed}, zone=ZONE, **said)
    assert checked.errors == {}
    return checked.payload


def refused(field: Field, typed: str) -> str:
    """What is said at the field of a form of one field."""
    return str(checking.Checked(Form((field,)), {field.name: [typed]}, zone=ZONE).errors[field.name])


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case.field.kind.value}" for number, case in enumerate(CASES)])
def test_bad_input_is_refused_at_its_control_in_words(case: Case) -> None:
    checked = case.check()
    assert checked.payload is NOTHING
    assert not checked.good
    assert set(checked.errors) == {case.control}
    assert len(case.said()) > 5


def test_the_table_in_the_docs_is_the_one_made_from_these_cases() -> None:
    page = bad_input.PAGE.read_text("utf-8")
    assert page == bad_input.table(), "python -m tests.form_schema.bad_input writes it"
    taken = [what for what, file in bad_input.FORM_FILES.items() if not bad_input.said_of(file)]
    assert taken == [], "a file that is no form is never taken for one"


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (FieldKind.TEXT, " two  words ", " two  words "),
        (FieldKind.TEXT, "007", "007"),
        (FieldKind.LONG_TEXT, "a\r\nb", "a\nb"),
        (FieldKind.NUMBER, "12", 12),
        (FieldKind.NUMBER, "-3", -3),
        (FieldKind.NUMBER, "\u22123", -3),
        (FieldKind.NUMBER, "1234.5", 1234.5),
        (FieldKind.NUMBER, "1234,5", 1234.5),
        (FieldKind.NUMBER, "1,234.5", 1234.5),
        (FieldKind.NUMBER, "1.234,5", 1234.5),
        (FieldKind.NUMBER, "1 234,5", 1234.5),
        (FieldKind.NUMBER, "1\u202f234", 1234),
        (FieldKind.NUMBER, "1.234.567", 1234567),
        (FieldKind.NUMBER, "0,125", 0.125),
        (FieldKind.NUMBER, "1.2340", 1.234),
        (FieldKind.NUMBER, "1e3", 1000.0),
        (FieldKind.INTEGER, "3.0", 3),
        (FieldKind.YES_NO, "true", True),
        (FieldKind.YES_NO, "Không", False),
        (FieldKind.DATE, "2026-03-31", "2026-03-31"),
        (FieldKind.DATE, "31/3/2026", "2026-03-31"),
        (FieldKind.DATE, "3/31/2026", "2026-03-31"),
        (FieldKind.DATE, "4.4.2026", "2026-04-04"),
        (FieldKind.TIME, "9:30", "09:30"),
        (FieldKind.TIME, "9h30", "09:30"),
        (FieldKind.TIME, "9:30 pm", "21:30"),
        (FieldKind.TIME, "12:00 am", "00:00"),
        (FieldKind.EMAIL, " lan@example.com ", "lan@example.com"),
        (FieldKind.PHONE, "+84 (28) 3823-4567", "+84 (28) 3823-4567"),
        (FieldKind.URL, "https://example.com/a?b=c", "https://example.com/a?b=c"),
        (FieldKind.JSON, '{"a": [1, null]}', {"a": [1, None]}),
        (FieldKind.JSON, "null", None),
    ],
)
def test_each_kind_is_sent_as_the_flow_expects_it(kind: FieldKind, typed: str, value: Any) -> None:
    payload = sent(Field("x", ("x",), kind=kind), typed)
    assert payload == {"x": value}
    assert type(payload["x"]) is type(value)


def test_a_dot_before_three_digits_means_thousands_to_a_vietnamese_reader() -> None:
    with translation.override("vi"):
        assert sent(Field("x", ("x",), kind=FieldKind.INTEGER), "120.000") == {"x": 120_000}
        assert sent(Field("x", ("x",), kind=FieldKind.NUMBER), "120.000") == {"x": 120_000}
        assert "120000" in refused(Field("x", ("x",), kind=FieldKind.NUMBER), "120,000")
        assert "120,0000" in refused(Field("x", ("x",), kind=FieldKind.NUMBER), "120,000")
        assert sent(Field("x", ("x",), kind=FieldKind.NUMBER), "120,0000") == {"x": 120.0}
    assert "120000" in refused(Field("x", ("x",), kind=FieldKind.NUMBER), "120.000")


@pytest.mark.parametrize(
    ("moment", "value"),
    [
        (Moment.LOCAL_MINUTES, "2026-03-01T09:30"),
        (Moment.LOCAL, "2026-03-01T09:30:00"),
        (Moment.UTC, "2026-03-01T02:30:00Z"),
        (Moment.UTC_MILLIS, "2026-03-01T02:30:00.000Z"),
    ],
)
@pytest.mark.parametrize(
    "typed", ["2026-03-01T09:30", "1/3/2026 9:30", "2026-03-01 09:30:00+07:00", "2026-03-01T02:30Z"]
)
def test_a_moment_is_typed_in_the_persons_zone_and_sent_as_the_flow_writes_it(
    moment: Moment, value: str, typed: str
) -> None:
    if typed == "1/3/2026 9:30":
        typed = "31/3/2026 9:30"
        value = value.replace("-03-01", "-03-31")
    assert sent(Field("x", ("x",), kind=FieldKind.DATETIME, moment=moment), typed) == {"x": value}


@pytest.mark.parametrize("typed", ["2026-03-01 ０９:３０", "２０２６-03-01 09：30", "2026-03-01T09:30:００"])
def test_a_moment_may_be_typed_in_wide_letters(typed: str) -> None:
    field = Field("x", ("x",), kind=FieldKind.DATETIME, moment=Moment.LOCAL_MINUTES)
    assert sent(field, typed) == {"x": "2026-03-01T09:30"}


@pytest.mark.parametrize("typed", ["2026-03-01 ٠٩:٣٠", "٢٠٢٦-03-01 09:30"])
def test_digits_that_the_console_does_not_read_are_refused_in_words(typed: str) -> None:
    with pytest.raises(BadValue):
        moments.read_moment(typed, Moment.LOCAL, ZoneInfo("Asia/Ho_Chi_Minh"))


def test_a_time_that_the_clocks_leave_out_is_refused() -> None:
    with pytest.raises(BadValue):
        moments.read_moment("2026-03-29 02:30", Moment.UTC, ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(("blank", "payload"), [(Blank.ABSENT, {}), (Blank.NULL, {"x": None}), (Blank.TEXT, {"x": ""})])
def test_an_empty_optional_field_sends_what_its_flow_expects_of_empty_ones(blank: Blank, payload: Any) -> None:
    field = Field("x", ("x",), blank=blank, limits=Limits(min_length=3))
    assert sent(field, "") == payload


def test_a_default_counts_where_no_control_was_sent_and_not_where_it_was_emptied() -> None:
    field = Field("x", ("x",), default="a")
    assert checking.Checked(Form((field,)), {}).payload == {"x": "a"}
    assert sent(field, "") == {}
    assert checking.initial(Form((field,))) == {"x": "a"}


def test_values_go_where_the_paths_say_and_hidden_ones_go_too() -> None:
    form = Form((
        Field("phone", ("customer", "phone")),
        Field("source", ("customer", "source"), hidden_value={"by": "console"}),
        Field("tags", ("tags",), kind=FieldKind.LIST),
        Field("sizes", ("sizes",), kind=FieldKind.CHOICES, choices=(Choice("One", 1), Choice("One as text", "one"))),
    ))  # fmt: skip
    data = {"phone": ["0900"], "tags": ["a", "", "b"], "sizes": ["one", "1"], "source": ["forged"]}
    assert checking.Checked(form, data).payload == {
        "customer": {"phone": "0900", "source": {"by": "console"}},
        "tags": ["a", "b"],
        "sizes": ["one", 1],
    }


def test_a_table_sends_its_filled_rows_in_order_typed() -> None:
    columns = (Column("sku", "sku"), Column("qty", "how many", kind=FieldKind.NUMBER, blank=Blank.NULL))
    form = Form((Field("rows", ("rows",), kind=FieldKind.TABLE, columns=columns),))
    data = {
        "rows[7][sku]": ["b"],
        "rows[7][qty]": ["2"],
        "rows[2][sku]": ["a"],
        "rows[3][sku]": [""],
        "rows[x][sku]": ["no"],
    }
    assert checking.Checked(form, data).payload == {
        "rows": [{"sku": "a", "how many": None}, {"sku": "b", "how many": 2}]
    }


@pytest.mark.parametrize(
    ("gift", "data", "payload"),
    [
        ("false", {}, {"gift": False}),
        ("", {"card": ["typed before"]}, {}),
        ("true", {"card": ["Hi"]}, {"gift": True, "card": "Hi"}),
    ],
)
def test_a_field_that_a_rule_hides_is_neither_asked_for_nor_sent(gift: str, data: Any, payload: Any) -> None:
    checked = checking.Checked(HIDDEN_BY_RULE, {"gift": [gift], **data})
    assert checked.payload == payload
    assert checked.shown["card"] is (gift == "true")


@pytest.mark.parametrize(("gift", "payload"), [("true", {"gift": True, "card": "A"}), ("", {})])
def test_a_fixed_value_is_sent_only_where_its_rule_holds(gift: str, payload: Any) -> None:
    card = Field("card", ("card",), hidden_value="A", show_if=ShowIf("gift", When.FILLED))
    checked = checking.Checked(Form((Field("gift", ("gift",), kind=FieldKind.YES_NO), card)), {"gift": [gift]})
    assert (checked.errors, checked.payload) == ({}, payload)


def test_a_field_that_a_rule_shows_is_asked_for() -> None:
    assert set(checking.Checked(HIDDEN_BY_RULE, {"gift": ["true"]}).errors) == {"card"}


@pytest.mark.parametrize(
    ("test", "value", "other", "holds"),
    [
        (When.IS, 1, 1, True), (When.IS, 1, True, False), (When.IS, "a", ["b", "a"], True), (When.IS, "a", NOTHING, False),
        (When.IS_NOT, "a", "b", True), (When.IS_NOT, "a", NOTHING, True), (When.FILLED, None, "", False),
        (When.FILLED, None, 0, True), (When.FILLED, None, False, True), (When.EMPTY, None, [], True), (When.EMPTY, None, NOTHING, True),
    ],
)  # fmt: skip
def test_rules_look_at_what_is_sent(test: When, value: Any, other: Any, holds: bool) -> None:
    assert checking.holds(ShowIf("x", test, value), other) is holds


def test_live_choices_send_their_value_and_take_any_text_while_they_are_not_known() -> None:
    field = Field("x", ("x",), kind=FieldKind.CHOICE, choices_from=TableChoices("t", "l", "v"))
    known = {"x": [Choice("Lan", "c-1")]}
    assert sent(field, "c-1", options=known) == {"x": "c-1"}
    assert set(checking.Checked(Form((field,)), {"x": ["c-2"]}, options=known).errors) == {"x"}
    assert sent(field, "c-2") == {"x": "c-2"}


def test_a_good_file_is_left_to_its_sender() -> None:
    field = Field("x", ("x",), kind=FieldKind.FILE, required=True, accept=("pdf",), max_size=10)
    assert sent(field, files={"x": file("Price list.PDF", 10)}) == {}


def test_everything_that_was_typed_is_shown_again() -> None:
    columns = (Column("sku", "sku"), Column("qty", "qty", kind=FieldKind.NUMBER))
    form = Form((
        Field("n", ("n",), kind=FieldKind.NUMBER),
        Field("l", ("l",), kind=FieldKind.LIST),
        Field("t", ("t",), kind=FieldKind.TABLE, columns=columns),
    ))  # fmt: skip
    data = {"n": ["twelve"], "l": ["a", ""], "t[4][qty]": ["x"]}
    assert checking.typed(form, data) == {"n": "twelve", "l": ["a", ""], "t": [{"qty": "x"}]}


def test_what_a_form_has_no_field_for_is_shown() -> None:
    form = Form((Field("a", ("a", "b")), Field("c", ("c",), kind=FieldKind.JSON)))
    payload = {"a": {"b": 1, "new": 2}, "c": {"any": 1}, "d": {"e": 1}, "f": {}}
    assert checking.paths_without_field(form, payload) == [("a", "new"), ("d",), ("f",)]
    assert checking.paths_without_field(form, {}) == []
    assert checking.paths_without_field(form, [1]) == [()]


def test_a_value_of_another_kind_than_the_field_is_shown_as_it_is() -> None:
    form = Form(
        (Field("n", ("n",), kind=FieldKind.NUMBER), Field("t", ("t",)), Field("l", ("l",), kind=FieldKind.LIST))
    )
    assert checking.initial(form, {"n": "many", "t": {"a": 1}, "l": "x"}) == {"n": "many", "t": '{"a":1}', "l": []}
    assert checking.initial(form, "no object") == {"n": "", "t": "", "l": []}
