"""A field that is opened and saved without a change stays exactly what it was, whatever it holds."""

import dataclasses
import json
from pathlib import Path

import pytest
from django.http import QueryDict
from django.test import override_settings
from django.utils import timezone

from tests.form_schema import bad_input
from tests.launch_forms import golden
from workflows_ui.form_schema import rules, schema_in
from workflows_ui.form_schema.document import (
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
)
from workflows_ui.launch_forms.editor.field_form import FieldForm
from workflows_ui.launch_forms.editor.kind_forms import field_form

OTHER = Field("other", ("other",), kind=FieldKind.CHOICES, choices=(Choice("One", 1), Choice("Nothing", None)))
FIELDS = [
    Field("a", ("a",), label="A label", help="One line\nand another", example="For example", required=True),
    Field(
        "a", ("b", "c"), kind=FieldKind.LONG_TEXT, default="two\nlines", blank=Blank.TEXT, limits=Limits(max_length=50)
    ),
    Field("a", ("a",), kind=FieldKind.NUMBER, default=0, limits=Limits(low=-1.5, high=1e6), blank=Blank.NULL),
    Field("a", ("a",), kind=FieldKind.NUMBER, default=1.234),
    Field("a", ("a",), kind=FieldKind.INTEGER, hidden_value=7),
    Field("a", ("a",), kind=FieldKind.YES_NO, default=False),
    Field("a", ("a",), kind=FieldKind.DATE, default="2026-02-28", limits=Limits(low="2026-01-01")),
    Field("a", ("a",), kind=FieldKind.TIME, default="09:30"),
    Field("a", ("a",), kind=FieldKind.DATETIME, moment=Moment.UTC_MILLIS, default="2026-03-01T02:30:00.000Z"),
    Field("a", ("a",), kind=FieldKind.DATETIME, moment=Moment.LOCAL, default="2026-03-01T02:30:00"),
    Field("a", ("a",), kind=FieldKind.EMAIL, default="lan@example.com", folded=True, group="People"),
    Field("a", ("a",), kind=FieldKind.PHONE, limits=Limits(min_length=6, pattern="\\d{6,}", pattern_words="digits")),
    Field("a", ("a",), kind=FieldKind.URL, searchable=True),
    Field("a", ("a",), kind=FieldKind.FILE, accept=("pdf", "docx"), max_size=1_500_000),
    Field("a", ("a",), kind=FieldKind.LIST, item=FieldKind.NUMBER, default=[1, 2.5], limits=Limits(least=1, most=9)),
    Field("a", ("a",), kind=FieldKind.LIST, hidden_value=[], blank=Blank.LIST),
    Field("a", ("a",), kind=FieldKind.JSON, default={"deep": [1, None]}),
    Field("a", ("a",), kind=FieldKind.JSON, hidden_value=None),
    Field("a", ("a",), kind=FieldKind.TEXT, hidden_value=""),
    Field(
        "a",
        ("a",),
        kind=FieldKind.CHOICE,
        choices=(
            Choice("Text", "x"),
            Choice("Empty", ""),
            Choice("Number", 2.5),
            Choice("Yes", value=True),
            Choice("Nothing", None),
            Choice("Object", {"id": 1}),
            Choice("Lines", "a\nb"),
        ),
        default=2.5,
        other=True,
    ),
    Field("a", ("a",), kind=FieldKind.CHOICES, choices=(Choice("One", 1), Choice("Two", "2")), default=[1, "2"]),
    Field("a", ("a",), kind=FieldKind.CHOICE, choices_from=TableChoices("T", "C1", "C2"), default="x"),
    Field("a", ("a",), kind=FieldKind.CHOICES, choices_from=PieceChoices("step_1", "channel")),
    Field(
        "a",
        ("a",),
        kind=FieldKind.TABLE,
        columns=(
            Column("sku", "sku", "Article", required=True, blank=Blank.NULL),
            Column("when", "when", kind=FieldKind.DATETIME, moment=Moment.UTC),
            Column("how", "how", kind=FieldKind.CHOICE, choices=(Choice("By mail", "mail"),)),
        ),
        default=[{"sku": "A"}],
    ),
    Field("a", ("a",), show_if=ShowIf("other", When.IS, 1)),
    Field("a", ("a",), show_if=ShowIf("other", When.IS_NOT, None)),
    Field("a", ("a",), show_if=ShowIf("other", When.FILLED)),
]


def sent(editor: FieldForm) -> QueryDict:
    """What a browser sends for the page as it was opened."""
    data = QueryDict(mutable=True)
    for name in editor.fields:
        value = editor[name].value()
        if value is True:
            data[name] = "on"
        elif value not in (None, False):
            data[name] = str(value).replace("\n", "\r\n")
    for form in (editor.rows.management_form, *editor.rows.forms) if editor.rows else ():
        for one in form:
            if one.value() not in (None, False):
                data[one.html_name] = str(one.value())
    return data


@pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
@pytest.mark.parametrize("field", FIELDS, ids=lambda one: f"{one.kind}-{FIELDS.index(one)}")
@override_settings(USE_TZ=True)
def test_nothing_is_lost_by_opening_and_saving(field: Field, zone: str) -> None:
    form = Form((OTHER, field))
    rules.check(form)
    with timezone.override(zone):
        opened = field_form(field=field, form=form)
        saved = field_form(sent(opened), field=field, form=form)
        assert saved.is_valid(), saved.errors
        assert dataclasses.asdict(saved.to_field("a")) == dataclasses.asdict(field)


GOLDEN = sorted(Path(golden.__file__).parent.joinpath("golden").glob("*.json"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda one: str(one.stem))
def test_no_field_of_a_real_flow_is_changed_by_opening_and_saving(file: Path) -> None:
    for document in json.loads(file.read_text(encoding="utf-8")).values():
        if not isinstance(document, dict) or "$schema" not in document:
            continue
        form = schema_in.read_trusted(document)
        for field in form.fields:
            opened = field_form(field=field, form=form)
            saved = field_form(sent(opened), field=field, form=form)
            assert saved.is_valid(), (field, saved.errors)
            assert saved.to_field(field.name) == field


def test_every_kind_of_field_has_a_form_in_the_builder_and_a_case_of_bad_input() -> None:
    tried = {case.field.kind for case in bad_input.CASES}
    for kind in FieldKind:
        field = Field("field", ("field",), kind=kind)
        assert isinstance(field_form(field=field, form=Form((field,))), FieldForm)
        assert kind in tried
