"""Forms for records: one input for every column, and conditions to filter records."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Unpack

from django import forms
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.resource_admin.resource import Row, Text
from workflows_ui.tables import reading
from workflows_ui.web.schema_forms import Input, InputKind, Option, form_field

#: The engine's comparisons (api.md section 13; recordings `records_list_filter`, `records_list_filter_gt`), and two of the console.
OPERATORS: dict[str, Text] = {
    "eq": _("is"),
    "neq": _("is not"),
    "co": _("contains"),
    "gt": _("is more than"),
    "gte": _("is at least"),
    "lt": _("is less than"),
    "lte": _("is at most"),
    reading.HAS_VALUE: _("has a value"),
    reading.HAS_NONE: _("is empty"),
}
_WITHOUT_VALUE = frozenset({reading.HAS_VALUE, reading.HAS_NONE})
#: The engine compares what it cannot read as numbers or days as text, and so finds other records than are meant.
_ORDERING = frozenset({"gt", "gte", "lt", "lte"})
#: Maximum number of conditions.
CONDITIONS = 3
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(rf"{_DAY.pattern}([T ][0-9:.]+(Z|[+-][0-9:]+)?)?")
#: Maximum length of a column's name as a label; the table's page shows it in full.
LABEL = 120


@dataclass(frozen=True)
class Condition:
    """One comparison for the engine's client; as text it is what the page shows for it."""

    query: dict[str, str]
    words: str

    def __str__(self) -> str:
        return self.words


class RecordFilters(forms.Form):
    """Conditions that a record must match, all of them. `value1`, or `how1` if no value is needed, become Conditions, or None."""

    columns: ClassVar[Sequence[Row]] = ()

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        self._names = {reading.key_of(field): column_label(field) for field in self.columns}
        self._fields = {reading.key_of(field): field for field in self.columns}
        #: One condition a row (lists/filters.py).
        self.field_rows = [(f"column{number}", f"how{number}", f"value{number}") for number in range(1, CONDITIONS + 1)]
        for number in range(1, CONDITIONS + 1):
            words = {"number": number}
            self.fields[f"column{number}"] = forms.ChoiceField(
                label=_("Condition %(number)d: column") % words,
                required=False,
                choices=[("", _("Any")), *self._names.items()],
            )
            self.fields[f"how{number}"] = forms.ChoiceField(
                label=_("Condition %(number)d: comparison") % words, required=False, choices=[*OPERATORS.items()]
            )
            self.fields[f"value{number}"] = forms.CharField(
                label=_("Condition %(number)d") % words,
                required=False,
                max_length=500,
                strip=False,
                widget=forms.TextInput(attrs={"dir": "auto"}),
            )

    def clean(self) -> dict[str, object]:
        """Combine the three fields into one Condition, so that an active filter is shown and removed as a whole."""
        cleaned = super().clean() or self.cleaned_data
        for number in range(1, CONDITIONS + 1):
            column, how, value = (cleaned.pop(f"{name}{number}", None) for name in ("column", "how", "value"))
            bare = how in _WITHOUT_VALUE
            if not (value or bare) or f"column{number}" in self.errors or f"how{number}" in self.errors:
                continue
            if not column:
                self.add_error(f"column{number}", _("Choose the column that the value is looked for in."))
                continue
            how, value = how or "eq", "" if bare else value
            text = f"{self._names[column]} {OPERATORS[how]} {value}".rstrip()
            field = self._fields[column]
            if field.get("type") in (reading.NUMBER, reading.DATE):
                value = value.strip()
            if field.get("type") == reading.NUMBER and how in _ORDERING | {"eq", "neq"}:
                value = _without_separators(value)
            problem = _problem(field, value) if how in _ORDERING else ""
            if problem:
                self.add_error(f"value{number}", str(problem))
                continue
            query = {"fieldId": column, "operator": how, "value": value}
            cleaned[f"how{number}" if bare else f"value{number}"] = Condition(query, text)
        return cleaned


class RecordForm(forms.Form):
    """A record: one input for every column, by its type. The cleaned data holds the values to write, by the column's
    id.

    The engine stores any text in any column (recordings `records_create_invalid_number_text`,
    `records_create_bad_dropdown_value`), so input is validated here, and existing invalid values are kept until
    somebody changes them.
    """

    columns: ClassVar[Sequence[Row]] = ()

    def __init__(self, *, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        self._new = not row
        self._before = {reading.key_of(field): reading.cell(row, reading.key_of(field)) for field in self.columns}
        for field in self.columns:
            key = reading.key_of(field)
            self.fields[key] = form_field(_input(field, self._before[key]))

    def clean(self) -> dict[str, object]:
        """Keep only the changed cells: an unchanged cell must not overwrite changes that others made meanwhile."""
        typed = super().clean() or self.cleaned_data
        result: dict[str, object] = {}
        for field in self.columns:
            key = reading.key_of(field)
            if key not in typed or _plain(typed[key]) == _plain(self._before[key]):
                continue
            value = _plain(typed[key])
            if field.get("type") in (reading.NUMBER, reading.DATE):
                value = value.strip()
            problem = _problem(field, value)
            if problem:
                self.add_error(key, str(problem))
            result[key] = value
        if not result and not self.errors:
            self.add_error(None, _("Fill in at least one column.") if self._new else _("Nothing was changed."))
        return result


def column_label(field: Row) -> str:
    return reading.name_of(field)[:LABEL] or reading.key_of(field)


def _without_separators(value: str) -> str:
    """A number that is written as lists show it in the person's language, as the engine stores it; any other text as it is.

    Lists show separators from five digits on: 1.125 is not 1125 in any language.
    """
    thousands, decimals = str(get_format("THOUSAND_SEPARATOR")), str(get_format("DECIMAL_SEPARATOR"))
    point = re.escape(decimals)
    group = rf"{re.escape(thousands)}[0-9]{{3}}"
    shown = rf"[+-]?(([0-9]{{2,3}}({group})+|[0-9]({group}){{2,}})({point}[0-9]+)?|[0-9]+{point}[0-9]+)"
    return value.replace(thousands, "").replace(decimals, ".") if re.fullmatch(shown, value) else value


def _plain(text: str) -> str:
    """Browsers send line ends as two characters."""
    return text.replace("\r\n", "\n")


def _input(field: Row, value: str) -> Input:
    """The input for a column, which can also show the current value."""
    kind, shape = field.get("type"), InputKind.LONG_TEXT
    known = reading.options_of(field) if kind == reading.DROPDOWN else []
    if kind == reading.DROPDOWN:
        shape = InputKind.CHOICE
    elif kind == reading.NUMBER and "\n" not in value:
        shape = InputKind.NUMBER
    elif kind == reading.DATE and "\n" not in value:
        shape = InputKind.DATE if not value or _DAY.fullmatch(value) else InputKind.TEXT
    options = [Option(item, item, item) for item in dict.fromkeys([*known, value]) if item]
    return Input(
        reading.key_of(field),
        column_label(field),
        shape,
        initial=value,
        options=options,
        verbatim=True,
        rows=2,
        max_length=None,
    )


def _problem(field: Row, value: str) -> Text:
    """What is wrong with an entered value; "" for nothing."""
    kind = field.get("type")
    if not value:
        return ""
    if kind == reading.NUMBER and not _NUMBER.fullmatch(value):
        return _("This is not a number. Write it in digits, with a point before the decimals: 1200.5")
    if kind == reading.DATE:
        try:
            readable = _MOMENT.fullmatch(value) and datetime.fromisoformat(value)
        except ValueError:
            readable = None
        if not readable:
            return _("This is not a date. Write it as year-month-day: 2026-03-31")
    return ""
