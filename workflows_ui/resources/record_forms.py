"""Forms about records: one input for every column, and conditions by which records are looked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.kit.resource import Row, Text
from workflows_ui.resources import table_reading as reading

#: How the engine compares (api.md section 13; recordings `records_list_filter`, `records_list_filter_gt`).
OPERATORS: dict[str, Text] = {
    "eq": gettext_lazy("is"),
    "neq": gettext_lazy("is not"),
    "co": gettext_lazy("contains"),
    "gt": gettext_lazy("is more than"),
    "gte": gettext_lazy("is at least"),
    "lt": gettext_lazy("is less than"),
    "lte": gettext_lazy("is at most"),
}
#: How many conditions may be asked for together.
CONDITIONS = 3
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: A column's name as a label; the whole one stands on the table's page.
LABEL = 120


@dataclass(frozen=True)
class Condition:
    """One comparison; as text it is what the page says about it."""

    field: str
    operator: str
    value: str
    words: str

    def __str__(self) -> str:
        return self.words

    @property
    def asked(self) -> dict[str, str]:
        """As the engine's client takes it."""
        return {"fieldId": self.field, "operator": self.operator, "value": self.value}


class RecordFilters(forms.Form):
    """Conditions that a record must fit, all of them. `value1` and so on become Conditions, or None."""

    columns: ClassVar[Sequence[Row]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names = {reading.key_of(field): _label(field) for field in self.columns}
        for number in range(1, CONDITIONS + 1):
            words = {"number": number}
            self.fields[f"column{number}"] = forms.ChoiceField(
                label=_("Condition %(number)d: column") % words,
                required=False,
                choices=[("", _("Any")), *self._names.items()],
                widget=forms.Select(attrs={"class": "form-select"}),
            )
            self.fields[f"how{number}"] = forms.ChoiceField(
                label=_("Condition %(number)d: comparison") % words,
                required=False,
                choices=[*OPERATORS.items()],
                widget=forms.Select(attrs={"class": "form-select"}),
            )
            self.fields[f"value{number}"] = forms.CharField(
                label=_("Condition %(number)d") % words,
                required=False,
                max_length=500,
                strip=False,
                widget=forms.TextInput(attrs={"class": "form-control", "dir": "auto"}),
            )

    def clean(self) -> dict[str, Any]:
        """Makes one Condition of the three fields, so that a filter that is on is one thing to see and to remove."""
        found = super().clean() or self.cleaned_data
        for number in range(1, CONDITIONS + 1):
            column, how, value = (found.pop(f"{name}{number}", None) for name in ("column", "how", "value"))
            if not value or f"column{number}" in self.errors or f"how{number}" in self.errors:
                continue
            if not column:
                self.add_error(f"column{number}", _("Choose the column that the value is looked for in."))
                continue
            how = how or "eq"
            words = f"{self._names[column]} {OPERATORS[how]} {value}"
            found[f"value{number}"] = Condition(column, how, value, words)
        return found


class _DayInput(forms.DateInput):
    input_type = "date"


class RecordForm(forms.Form):
    """A record: one input for every column, of its kind. Cleaned, it holds what is to be written, by the column's id.

    The engine keeps any text in any column (recordings `records_create_invalid_number_text`, `records_create_bad_dropdown_value`), so
    what is typed is checked here, and what stands there already and is odd stays as it is until somebody changes it.
    """

    columns: ClassVar[Sequence[Row]] = ()

    def __init__(self, *args: Any, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._new = not row
        self._before = {reading.key_of(field): reading.cell(row, reading.key_of(field)) for field in self.columns}
        for field in self.columns:
            key = reading.key_of(field)
            self.fields[key] = _input(field, self._before[key])
            self.fields[key].initial = self._before[key]

    def clean(self) -> dict[str, Any]:
        """Leaves only what was changed: a cell that nobody touched is not written over what others wrote meanwhile."""
        typed = super().clean() or self.cleaned_data
        found: dict[str, Any] = {}
        for field in self.columns:
            key = reading.key_of(field)
            if key not in typed or _plain(typed[key]) == _plain(self._before[key]):
                continue
            value = _plain(typed[key])
            if field.get("type") in (reading.NUMBER, reading.DATE):
                value = value.strip()
            problem = _problem(field, value)
            if problem:
                self.add_error(key, problem)
            found[key] = value
        if not found and not self.errors:
            self.add_error(None, _("Fill in at least one column.") if self._new else _("Nothing was changed."))
        return found


def _label(field: Row) -> str:
    return reading.name_of(field)[:LABEL] or reading.key_of(field)


def _plain(text: str) -> str:
    """Browsers send line ends as two characters."""
    return text.replace("\r\n", "\n")


def _input(field: Row, value: str) -> forms.Field:
    """The input for a column, which can also show the value that stands there now."""
    kind, label = field.get("type"), _label(field)
    if kind == reading.DROPDOWN:
        options = reading.options_of(field)
        listed = [*options, value] if value and value not in options else options
        return forms.ChoiceField(label=label, required=False, choices=[("", "–"), *((one, one) for one in listed)])
    widget: forms.Widget = forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    if kind == reading.NUMBER and "\n" not in value:
        widget = forms.TextInput(attrs={"inputmode": "decimal"})
    if kind == reading.DATE and "\n" not in value:
        widget = _DayInput() if not value or _DAY.fullmatch(value) else forms.TextInput()
    return forms.CharField(label=label, required=False, strip=False, widget=widget)


def _problem(field: Row, value: str) -> str:
    """What is wrong with a value that somebody typed; "" for nothing."""
    kind = field.get("type")
    if not value:
        return ""
    if kind == reading.NUMBER and not _NUMBER.fullmatch(value):
        return _("This is no number. Write it in digits, with a point before the decimals: 1200.5")
    if kind == reading.DATE:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return _("This is no date. Write it as year-month-day: 2026-03-31")
    return ""
