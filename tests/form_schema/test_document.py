"""A form is written as JSON Schema and read back without loss; what is not understood is refused in words."""

import json
from typing import Any

import pytest
from django.utils import translation
from jsonschema import Draft202012Validator

from workflows_ui.form_schema import rules, schema_in, schema_out
from workflows_ui.form_schema.document import (
    BadForm,
    Blank,
    Choice,
    Column,
    Field,
    FieldKind,
    Form,
    Limits,
    Moment,
    PieceChoices,
    ShowIf,
    TableChoices,
    When,
    Why,
    name_for,
)
from workflows_ui.form_schema.labels import label_from

ALL = Form(
    fields=(
        Field("no", ("order", "no"), label="Number", kind=FieldKind.NUMBER, required=True, limits=Limits(low=1, high=3)),
        Field("lines", ("order", "lines"), kind=FieldKind.TABLE, columns=(
            Column("at", "at at", kind=FieldKind.DATETIME, moment=Moment.UTC, required=True),
            Column("qty", "qty", kind=FieldKind.NUMBER, blank=Blank.NULL),
            Column("size", "size", kind=FieldKind.CHOICE, choices=(Choice("Small", "s"),)),
        )),
        Field("state", ("state",), kind=FieldKind.CHOICE, choices=(Choice("X", "x"), Choice("1", 1)), blank=Blank.NULL,
              show_if=ShowIf("no", When.IS, 2), default="x"),
        Field("open", ("open",), kind=FieldKind.CHOICE, choices=(Choice("X", "x"),), other=True, group="More"),
        Field("many", ("many",), kind=FieldKind.CHOICES, choices=(Choice("X", "x"),), limits=Limits(least=1, most=4)),
        Field("who", ("who",), kind=FieldKind.CHOICE, choices_from=TableChoices("t1", "f1", "f2")),
        Field("line", ("line",), kind=FieldKind.CHOICE, choices_from=PieceChoices("step_1", "channel"), folded=True),
        Field("fixed", ("fixed",), hidden_value=None),
        Field("day", ("day",), kind=FieldKind.DATE, limits=Limits(low="2026-01-01"), show_if=ShowIf("no", When.FILLED)),
        Field("code", ("code",), limits=Limits(pattern="[A-Z]+|b", max_length=9, pattern_words="large letters"),
              blank=Blank.TEXT, example="AB", searchable=True, help="Help", why=Why(("Send",), 3, 4, 2, sample=True)),
        Field("numbers", ("numbers",), kind=FieldKind.LIST, item=FieldKind.INTEGER, blank=Blank.LIST),
        Field("raw", ("raw",), kind=FieldKind.JSON, default={"a": [None]}),
        Field("paper", ("paper",), kind=FieldKind.FILE, accept=("pdf",), max_size=3_000_000),
        *(Field(kind.value, (f"k_{kind.value}",), kind=kind) for kind in (
            FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.INTEGER, FieldKind.YES_NO, FieldKind.TIME, FieldKind.DATETIME,
            FieldKind.EMAIL, FieldKind.PHONE, FieldKind.URL, FieldKind.SECRET)),
    ),
    note="**Read** me",
    button="Send the order",
)  # fmt: skip


def test_a_form_with_everything_in_it_comes_back_unchanged() -> None:
    schema = schema_out.to_schema(ALL)
    Draft202012Validator.check_schema(schema)
    assert schema_in.from_schema(json.loads(json.dumps(schema))) == ALL


def test_evidence_of_a_file_comes_back_unchanged_even_if_its_counts_do_not_fit() -> None:
    form = Form((Field("no", ("no",), why=Why(seen=3, values=2)),))
    assert schema_in.from_schema(schema_out.to_schema(form)) == form


@pytest.mark.parametrize("form", [Form(), Form((Field("all", (), kind=FieldKind.LIST, label="All"),))])
def test_a_form_without_fields_and_one_of_the_whole_body_come_back_unchanged(form: Form) -> None:
    assert schema_in.from_schema(schema_out.to_schema(form)) == form


def test_a_schema_from_elsewhere_becomes_a_form() -> None:
    form = schema_in.from_schema({
        "$schema": schema_out.DRAFT, "type": "object", "description": "Fill in this field", "required": ["who", "maybe"],
        "properties": {
            "who": {"type": "object", "required": ["mail"], "properties": {
                "mail": {"type": "string", "format": "email", "title": "E-mail", "pattern": "^[a-z@.]+$"},
                "age": {"type": "integer", "minimum": 18}}},
            "maybe": {"type": ["string", "null"], "maxLength": 5},
            "size": {"enum": ["s", "m", 3]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
            "free": {},
        },
    })  # fmt: skip
    assert form.note == "Fill in this field"
    assert {field.name: (field.kind.value, field.required) for field in form.fields} == {
        "who.mail": ("email", True),
        "who.age": ("integer", False),
        "maybe": ("text", False),
        "size": ("choice", False),
        "tags": ("list", False),
        "lines": ("table", False),
        "free": ("json", False),
    }
    mail, age, maybe, size, *_ = form.fields
    assert (mail.limits.pattern, age.limits.low, maybe.blank) == ("[a-z@.]+", 18, Blank.NULL)
    assert [choice.value for choice in size.choices] == ["s", "m", 3]
    assert schema_in.from_schema(schema_out.to_schema(form)) == form


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "an object"),
        ({"properties": {"x": {"$ref": "#/y"}}}, "ref"),
        ({"properties": {"x": {"type": "string", "pattern": "(?=a)b"}}}, "pattern"),
        ({"properties": {"x": {"type": "strange"}}}, "type is not known"),
        ({"properties": {"x": {"type": "string", "maxLength": "5"}}}, "whole number"),
        ({"properties": {"x": {"type": "string", "maxLength": 2, "minLength": 3}}}, "lower limit is above"),
        ({"properties": {"x": {"type": ["string", "number"]}}}, "only one type"),
        ({"properties": {"x": {"anyOf": [{"type": "string"}, {"type": "number"}]}}}, "empty value"),
        ({"properties": {str(number): {} for number in range(201)}}, "at most 200"),
        ({"properties": {"x": {"enum": []}}}, "at least one value"),
        ({"properties": {"x": {}}, "required": ["y"]}, "“y” is not among the properties"),
        ({"x-console": {"form": 2}}, "newer console"),
        ({"properties": {"x": {"x-console": {"name": "_x", "kind": "json"}}}}, "cannot be a field's name"),
        ({"properties": {"x": {"x-console": {"name": "ticket", "kind": "json"}}}}, "cannot be a field's name"),
        ({"properties": {"x": {"x-console": {"name": "x", "kind": "poem"}}}}, "one of these"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(document: Any, words: str) -> None:
    with pytest.raises(BadForm, match=words):
        schema_in.from_schema(document)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"{", "not JSON"),
        (b" ", "is empty"),
        (b"[" * 100_000, "too deeply"),
        (rb'{"properties": {"x": {"type": "string", "title": "\ud800"}}}', "half of a character"),
        (b'{"properties": {"x": {"type": "number", "minimum": NaN}}}', "a number that is invalid"),
        (b"[" * 70 + b"]" * 70, "too deeply"),
        (b" " * 1_100_000, "too large"),
    ],
)
def test_a_file_that_is_no_form_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(BadForm, match=words):
        schema_in.read(content)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((Field("a", ("a",)), Field("a", ("b",))), "Two fields have the name"),
        ((Field("a", ("a",)), Field("b", ("a",))), "same place"),
        ((Field("a", ("a",)), Field("b", ("a", "b"))), "inside another field"),
        ((Field("a", ()), Field("b", ("b",))), "inside another field"),
        ((Field("a", ("a",), show_if=ShowIf("gone")),), "not there"),
        ((Field("a", ("a",), show_if=ShowIf("a")),), "in a circle"),
        ((Field("a", ("a",), show_if=ShowIf("b")), Field("b", ("b",), show_if=ShowIf("a"))), "in a circle"),
        ((Field("a", ("a",), kind=FieldKind.TABLE),), "1 to 30 columns"),
        ((Field("a", ("a",), accept=("pdf",)),), "only a file"),
        ((Field("a", ("a",), limits=Limits(pattern="(a")),), "pattern is not understood"),
        ((Field("a", ("a",), kind=FieldKind.DATE, limits=Limits(low="soon")),), "must be dates"),
        ((Field("a", ("a",), kind=FieldKind.CHOICE, choices=(Choice("1", "1"), Choice("one", 1))),), "the same value"),
    ],
)
def test_a_form_that_breaks_a_rule_is_refused_in_words(fields: tuple[Field, ...], words: str) -> None:
    with pytest.raises(BadForm, match=words):
        rules.check(Form(fields))


def test_names_and_labels_are_made_from_paths() -> None:
    assert label_from("customer_phone") == "Customer phone"
    assert label_from("customerPhone") == "Customer phone"
    assert label_from("đơn hàng") == "Đơn hàng"
    assert label_from("") == ""


@pytest.mark.parametrize(
    ("key", "english", "vietnamese"),
    [
        ("sku", "SKU", "SKU"),
        ("qty", "Quantity", "Số lượng"),
        ("so_luong", "Quantity", "Số lượng"),
        ("orderNo", "Order number", "Số đơn hàng"),
        ("ORDER_NO", "Order number", "Số đơn hàng"),
        ("customerId", "Customer ID", "Customer ID"),
        ("callback_url", "Callback URL", "Callback URL"),
        ("order_qty", "Order quantity", "Order quantity"),
        # What may mean several things is left as it is.
        ("no", "No", "No"),
        ("so", "So", "So"),
        ("ma", "Ma", "Ma"),
        ("constructor", "Constructor", "Constructor"),
    ],
)
def test_labels_are_words_where_their_meaning_is_certain(key: str, english: str, vietnamese: str) -> None:
    assert label_from(key) == english
    with translation.override("vi"):
        assert label_from(key) == vietnamese
    assert name_for(("customer", "phone"), set()) == "customer.phone"
    assert name_for(("đơn hàng",), set()) == "n_h_ng"
    assert name_for(("ticket",), set()) == "ticket_2"
    assert name_for(("a",), {"a", "a_2"}) == "a_3"
    assert name_for(("??",), set()) == "field"


def test_fields_are_moved_replaced_and_grouped() -> None:
    form = Form((Field("a", ("a",), group="G"), Field("b", ("b",)), Field("c", ("c",), group="G")))
    assert [field.name for field in form.moved("c", -9).fields] == ["c", "a", "b"]
    assert [field.name for field in form.moved("a", 1).fields] == ["b", "a", "c"]
    assert [(name, [field.name for field in fields]) for name, fields in form.groups] == [
        ("G", ["a", "c"]),
        ("", ["b"]),
    ]
    assert form.without("b").field("b") is None


@pytest.mark.parametrize(
    ("said", "limits"),
    [
        ({"type": "string", "format": "password"}, Limits()),
        ({"type": "string", "writeOnly": True, "minLength": 6}, Limits(min_length=6)),
        ({"type": "string", "format": "password", "writeOnly": True, "maxLength": 9}, Limits(max_length=9)),
    ],
)
def test_a_secret_of_another_schema_is_a_secret_here(said: dict[str, Any], limits: Limits) -> None:
    form = schema_in.from_schema({"type": "object", "properties": {"door": said}})
    assert form.fields == (Field("door", ("door",), kind=FieldKind.SECRET, limits=limits),)
    assert schema_out.to_schema(form)["properties"]["door"].items() >= {"format": "password", "writeOnly": True}.items()


@pytest.mark.parametrize(
    "field",
    [
        Field("door", ("door",), kind=FieldKind.SECRET, default="open sesame"),
        Field("door", ("door",), kind=FieldKind.SECRET, hidden_value="open sesame"),
        Field("door", ("door",), kind=FieldKind.SECRET, example="open sesame"),
        Field("door", ("door",), kind=FieldKind.SECRET, searchable=True),
        Field("door", (), kind=FieldKind.SECRET),
        Field("rows", ("rows",), kind=FieldKind.TABLE, columns=(Column("door", "door", kind=FieldKind.SECRET),)),
    ],
)
def test_a_secret_stands_nowhere_in_a_form(field: Field) -> None:
    with pytest.raises(BadForm):
        rules.check(Form((field,)))


@pytest.mark.parametrize(
    ("test", "good"), [(When.IS, False), (When.IS_NOT, False), (When.FILLED, True), (When.EMPTY, True)]
)
def test_what_a_secret_is_decides_nothing_on_the_page(test: When, *, good: bool) -> None:
    form = Form(
        (Field("door", ("door",), kind=FieldKind.SECRET), Field("a", ("a",), show_if=ShowIf("door", test, "x")))
    )
    if good:
        return rules.check(form)
    with pytest.raises(BadForm, match="depending on the value of a secret"):
        rules.check(form)
    return None
