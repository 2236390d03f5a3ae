"""Properties with rows: lists of texts, and objects as names with values."""

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.resources.flows.editing.expressions import MISSING
from workflows_ui.resources.flows.editing.property_fields import Json, Node, Property, text_field
from workflows_ui.resources.pieces.options import value_of
from workflows_ui.web.messages import Text

#: Longer lists are edited as JSON.
MOST_ROWS = 200
#: New rows are numbered from here on, so that they differ from the current entries.
_NEW = 1000


class Listed(Node):
    """A property with rows. A hidden field has the numbers of the rows in order; current entries have their positions as numbers."""

    #: On the button that adds a row.
    add_label: ClassVar[Text] = gettext_lazy("Add an entry")
    most_rows = MOST_ROWS
    #: Whether an empty list is shown with a row to fill in, although it may stay empty.
    starts_with_row: ClassVar[bool] = True
    #: What the names of a row's fields end with.
    parts: ClassVar[tuple[str, ...]] = ("",)

    def __init__(self, prop: Property) -> None:
        super().__init__(prop)
        text = prop.shown if isinstance(prop.shown, str) else ""
        #: Of an object, pairs of a name and a value.
        self.entries: list[Any] = list(self.shown.items()) if isinstance(self.shown, dict) else []
        if isinstance(self.shown, list):
            self.entries = self.shown
        starts = (self.starts_with_row or prop.required) and not text
        first = list(range(len(self.entries))) or ([0] if starts else [])
        self._field = f"rows-{self.name}"
        self.host.add(self._field, forms.CharField(required=False, widget=forms.HiddenInput, initial=_joined(first)))
        if self.host.data is not None:
            first = _numbers(self.host.data.get(self._field))
        self.numbers = first
        for number in self.numbers:
            with self.host.adding() if self.is_added(number) else nullcontext():
                self.add_row(number)
        self.add_expression(text)

    def add_row(self, number: int) -> None:
        """Add the fields of a row."""
        raise NotImplementedError

    @property
    def is_full(self) -> bool:
        return len(self.numbers) >= self.most_rows

    @property
    def rows_field(self) -> Any:
        return self.host.form[self._field]

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The number of each row, and what it has."""
        form = self.host.form
        return [(str(number), *(form[name] for name in self.field_names(number))) for number in self.numbers]

    def names(self) -> Iterator[str]:
        yield self._field
        for number in self.numbers:
            yield from self.field_names(number)

    def row_name(self, number: int) -> str:
        return f"{self.name}.{number}"

    def field_names(self, number: int) -> list[str]:
        return [f"{self.row_name(number)}{part}" for part in self.parts]

    def is_added(self, number: int) -> bool:
        """Whether a button has just added the row."""
        return self.host.posted("added") == self.row_name(number)

    def current(self, kept: Any) -> Any:
        """The current value; MISSING if it is hidden, since its entries are not shown."""
        return MISSING if self.prop.hidden else kept

    def check_required(self, value: list[Any]) -> None:
        if not value and self.prop.required and not self.host.optional and not self.is_expression:
            self.host.form.add_error(self._field, _("Add at least one entry."))


class Texts(Listed):
    """A list of texts."""

    template = "resources/flows/editing/texts.html"

    def add_row(self, number: int) -> None:
        entry = self.entries[number] if number < len(self.entries) else ""
        text = entry if isinstance(entry, str) else json.dumps(entry)
        place = self.numbers.index(number) + 1
        label = _("%(field)s, entry %(number)d") % {"field": self.label[:100], "number": place}
        field = text_field(self.row_name(number), label, text)
        if self.is_added(number):
            field.widget.attrs["data-focus"] = True
        self.host.add(self.row_name(number), field)

    def read(self, cleaned: Mapping[str, Any], kept: Any) -> Any:
        kept = self.current(kept)
        old = kept if isinstance(kept, list) else []
        entries = []
        for number in self.numbers:
            text = str(cleaned.get(self.row_name(number)) or "").replace("\r\n", "\n")
            shown = self.entries[number] if number < len(self.entries) else ""
            if text == (shown if isinstance(shown, str) else json.dumps(shown)):
                if number < len(old):
                    entries.append(old[number])
            elif text:
                entries.append(text)
        self.check_required(entries)
        return entries


class Pairs(Listed):
    """An object as rows of a name and a value."""

    template = "resources/flows/editing/pairs.html"
    add_label = gettext_lazy("Add a name and a value")
    parts = (".name", ".value")

    def add_row(self, number: int) -> None:
        name, value = self.entries[number] if number < len(self.entries) else ("", "")
        labels, texts = (_("Name"), _("Value")), (str(name), _text(value))
        for field_name, label, text in zip(self.field_names(number), labels, texts, strict=True):
            field = text_field(field_name, label, text)
            field.widget.attrs["placeholder"] = label
            self.host.add(field_name, field)
        attributes = self.host.form.fields[self.field_names(number)[0]].widget.attrs
        del attributes["data-expression"]
        if self.is_added(number):
            attributes["data-focus"] = True

    def read(self, cleaned: Mapping[str, Any], kept: Any) -> Any:
        kept = self.current(kept)
        old = list(kept.items()) if isinstance(kept, dict) else []
        pairs: Json = {}
        for number in self.numbers:
            name_field, value_field = self.field_names(number)
            name = str(cleaned.get(name_field) or "")
            text = str(cleaned.get(value_field) or "").replace("\r\n", "\n")
            if number >= len(old) and not name and not text:
                continue
            value: Any = text
            if number < len(old):
                before = self.entries[number][1]
                # Other values than texts are shown as JSON.
                value = old[number][1] if text == _text(before) else text if isinstance(before, str) else value_of(text)
            if name in pairs:
                self.host.form.add_error(name_field, _("This name is used twice."))
            pairs[name] = value
        return pairs


def apply_row_change(data: QueryDict, verb: str, target: str) -> None:
    """Apply a button of a list to its rows: `add`, or `remove`, `up` or `down` with the row's number after the name."""
    name, _dot, last = (target, "", "") if verb == "add" else target.rpartition(":")
    field = f"rows-{name}"
    numbers = _numbers(data.get(field))
    if verb == "add" and len(numbers) < MOST_ROWS:
        numbers.append(max([*numbers, _NEW - 1]) + 1)
        data["added"] = f"{name}.{numbers[-1]}"
    elif (found := _numbers(last)) and found[0] in numbers:
        at = numbers.index(found[0])
        if verb == "remove":
            del numbers[at]
        elif 0 <= (other := at - 1 if verb == "up" else at + 1) < len(numbers):
            numbers[at], numbers[other] = numbers[other], numbers[at]
    data[field] = _joined(numbers)


def _numbers(text: Any) -> list[int]:
    numbers = [
        int(part) for part in str(text or "").split(",") if part.isascii() and part.isdecimal() and len(part) < 6
    ]
    return list(dict.fromkeys(numbers))[:MOST_ROWS]


def _joined(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
