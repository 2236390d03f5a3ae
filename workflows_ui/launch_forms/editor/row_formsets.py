"""Formsets in the page of a field: choices, and columns of a table. Without JavaScript each button posts the page."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext as _

from workflows_ui.form_schema.document import (
    CELLS,
    MOST_CHOICES,
    MOST_COLUMNS,
    SHORT,
    Choice,
    Column,
    FieldKind,
    key_of,
    name_for,
)
from workflows_ui.launch_forms.editor import field_values
from workflows_ui.launch_forms.editor.field_values import SentAs

#: `was` of a choice that sends an empty text: without it an empty input means "the same as the label".
_EMPTY = '""'
#: Number of empty rows if there are no rows yet.
_FIRST_ROWS = 2


class _Row(forms.Form):
    #: The object made from a filled row; None for an empty one.
    item: object = None

    def __init__(self, *args: Any, judged: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not judged:
            self._errors = ErrorDict()

    @property
    def error(self) -> str:
        """The first error of the row."""
        return next((str(text) for texts in self.errors.values() for text in texts), "")


class ChoiceRow(_Row):
    """A typed choice; `was` holds a value that cannot be typed (a list, an object, an empty text) as JSON."""

    label = forms.CharField(required=False, max_length=SHORT)
    value = forms.CharField(required=False, strip=False)
    sort = forms.ChoiceField(required=False, choices=SentAs.choices, initial=SentAs.TEXT)
    was = forms.CharField(required=False, widget=forms.HiddenInput())

    def clean(self) -> dict[str, object]:
        """Make the choice. A missing label defaults to the value, a missing value to the label."""
        data = super().clean() or {}
        label, value, sort = data.get("label", ""), data.get("value", ""), data.get("sort", "")
        if label or value.strip() or sort == SentAs.JSON:
            needs_value = sort not in {"", SentAs.TEXT} or data["was"] == _EMPTY
            sent = field_values.sent_as(value or ("" if needs_value else label), sort, data["was"])
            self.item = Choice((label or key_of(sent))[:SHORT], sent)
        return data


class ColumnRow(_Row):
    """A typed column of a table. `choices` has one choice per line: `label = value`, or one text for both."""

    name = forms.CharField(required=False, widget=forms.HiddenInput())
    key = forms.CharField(required=False, max_length=SHORT)
    label = forms.CharField(required=False, max_length=SHORT)
    kind = forms.TypedChoiceField(
        required=False,
        choices=[(kind.value, kind.label) for kind in FieldKind if kind in CELLS],
        coerce=FieldKind,
        empty_value=FieldKind.TEXT,
        initial=FieldKind.TEXT.value,
    )
    required = forms.BooleanField(required=False)
    choices = forms.CharField(required=False)

    def __init__(self, *args: Any, known: Mapping[str, Column], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known

    def clean(self) -> dict[str, object]:
        """Make the column, with the properties of an existing column that the page does not have."""
        data = super().clean() or {}
        key, kind = data.get("key") or data.get("label"), data.get("kind", FieldKind.TEXT)
        if key:
            was = self.known.get(data["name"]) or Column("", key)
            choices = _choices_of(data["choices"], was.choices) if kind is FieldKind.CHOICE else ()
            label, required = data.get("label", ""), data["required"]
            self.item = replace(was, key=key, label=label, kind=kind, required=required, choices=choices)
        return data


class Rows(forms.BaseFormSet):  # type: ignore[type-arg]  # only its stub is generic
    """Rows with buttons that add or remove one; `pressed` is the pressed button: add, remove or ""."""

    part = ""

    def __init__(self, data: QueryDict | None, *, rows: Sequence[Mapping[str, object]], **kwargs: Any) -> None:
        self.pressed, self.extra = "", 0 if rows else _FIRST_ROWS if data is None else 1
        if data is not None:
            data, self.pressed = _apply_button(data, self.part)
        super().__init__(data, prefix=self.part, initial=[*rows] if data is None else None, form_kwargs=kwargs)

    def cleaned_items(self, wrong: str) -> list[object]:
        """The objects of the filled rows. Raises ValidationError with the text `wrong` if a row is invalid."""
        if self.is_bound and not self.is_valid():
            raise ValidationError([*self.non_form_errors()] or wrong)
        return [row.item for row in self.forms if self.is_bound and row.item is not None]


class ChoiceRows(Rows):
    part = "choice"

    def clean(self) -> None:
        """Check that the values of choices are unique."""
        seen: set[str] = set()
        for row in self.forms:
            if row.item is not None and key_of(row.item.value) in seen:
                row.add_error("value", _("This value is already listed above. Each choice needs its own value."))
            elif row.item is not None:
                seen.add(key_of(row.item.value))
        if len(seen) > MOST_CHOICES:
            text = _("A form has at most %(n)d choices for one field. Use a table instead.")
            raise ValidationError(text % {"n": MOST_CHOICES})


class ColumnRows(Rows):
    part = "column"

    def clean(self) -> None:
        """Check that keys are unique, and give new columns unique names."""
        filled = [row for row in self.forms if row.item is not None]
        taken = {row.item.name for row in filled}
        keys: set[str] = set()
        for row in filled:
            if row.item.key in keys:
                row.add_error("key", _("Another column already has this name."))
            keys.add(row.item.key)
            if not row.item.name:
                row.item = replace(row.item, name=name_for((row.item.key,), taken))
            taken.add(row.item.name)
        if len(filled) > MOST_COLUMNS:
            raise ValidationError(_("A table of rows has at most %(n)d columns.") % {"n": MOST_COLUMNS})

    @property
    def choosing(self) -> bool:
        return any(row["kind"].value() == FieldKind.CHOICE for row in self.forms)


ChoiceFormSet: Any = forms.formset_factory(
    ChoiceRow, ChoiceRows, absolute_max=MOST_CHOICES + 1, max_num=MOST_CHOICES + 1
)
ColumnFormSet: Any = forms.formset_factory(
    ColumnRow, ColumnRows, absolute_max=MOST_COLUMNS + 1, max_num=MOST_COLUMNS + 1
)


def choice_rows(choices: Sequence[Choice]) -> list[dict[str, object]]:
    """Initial data of the rows of a field's choices."""
    rows: list[dict[str, object]] = []
    for choice in choices:
        sort = field_values.sort_of(choice.value)
        value = "" if sort is SentAs.NOTHING else key_of(choice.value)
        if sort is SentAs.TEXT and ("\n" in value or "\r" in value):
            sort = SentAs.JSON  # an input of one line would lose the break
        was = json.dumps(choice.value) if sort is SentAs.JSON or choice.value == "" else ""
        rows.append({"label": choice.label, "value": value, "sort": sort.value, "was": was})
    return rows


def column_rows(columns: Sequence[Column]) -> list[dict[str, object]]:
    """Initial data of the rows of a table's columns."""
    return [
        {**vars(column), "kind": column.kind.value, "choices": "\n".join(_lines_of(column.choices))}
        for column in columns
    ]


def _lines_of(choices: Sequence[Choice]) -> list[str]:
    """Choices as lines to edit; line breaks inside of a choice become spaces."""
    keys = [key_of(choice.value) for choice in choices]
    lines = (
        key if choice.label in ("", key) else f"{choice.label} = {key}"
        for choice, key in zip(choices, keys, strict=True)
    )
    return [" ".join(line.split()) for line in lines]


def _choices_of(text: str, before: Sequence[Choice]) -> tuple[Choice, ...]:
    """The choices made from lines. An unchanged line keeps its choice; a changed one sends a number if all previous choices did, else a
    text. Raises ValidationError."""
    known = dict(zip(_lines_of(before), before, strict=True))
    sorts = {field_values.sort_of(choice.value) for choice in before}
    sort = SentAs.NUMBER if sorts == {SentAs.NUMBER} else SentAs.TEXT
    choices: dict[str, Choice] = {}
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        label, _separator, sent = line.rpartition(" = ")
        choice = known.get(line) or Choice((label or line)[:SHORT], field_values.sent_as(sent or line, sort, ""))
        if key_of(choice.value) in choices:
            message = _("“%(text)s” is sent by two of the choices. Each sends a value of its own.")
            raise ValidationError(message % {"text": key_of(choice.value)[:60]})
        choices[key_of(choice.value)] = choice
    if not choices:
        raise ValidationError(_("Enter the choices, one per line."))
    if len(choices) > MOST_CHOICES:
        raise ValidationError(_("A column has at most %(n)d choices.") % {"n": MOST_CHOICES})
    return tuple(choices.values())


def _apply_button(data: QueryDict, part: str) -> tuple[QueryDict | None, str]:
    """The data after the pressed button, and the button: `add-PART` adds an empty row, `remove-PART` removes the row of its number.

    The data is None for a page without such rows.
    """
    total, number = str(data.get(f"{part}-TOTAL_FORMS", "")), str(data.get(f"remove-{part}", ""))
    if not total.isdecimal() or len(total) > 3:
        return None, ""
    data, count = data.copy(), int(total)
    if data.get(f"add-{part}"):
        data[f"{part}-TOTAL_FORMS"] = str(count + 1)
        return data, "add"
    if not number.isdecimal() or len(number) > 3 or int(number) >= count:
        return data, ""
    removed = int(number)
    data[f"{part}-TOTAL_FORMS"] = str(max(1, count - 1))
    row_names = (re.fullmatch(rf"{part}-(\d{{1,3}})-(.+)", name, re.DOTALL) for name in [*data])
    rows = sorted((int(match[1]), match[2], data.pop(match[0])[-1]) for match in row_names if match)
    for at, key, text in rows:
        if at != removed and at < count:
            data[f"{part}-{at - (at > removed)}-{key}"] = text
    return data, "remove"
