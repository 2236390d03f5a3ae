"""Groups of properties, and properties of several fields: with rows (lists of texts or of entries with fields, and objects as names with
values), and with fields that come from the app.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import ClassVar, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core import redaction
from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import dict_at, text_of
from workflows_ui.core.readers import as_count, as_items, mapping_of, objects_by_name
from workflows_ui.core.text import Text
from workflows_ui.engine_objects import pieces
from workflows_ui.flow_editing.app_answers import Answer
from workflows_ui.flow_editing.app_fields import AppChoice, AppNode
from workflows_ui.flow_editing.expressions import MISSING
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flow_editing.property_fields import (
    APP_CHOICES,
    TEXTS,
    Choice,
    Host,
    Node,
    Note,
    Plain,
    Property,
    text_field,
)
from workflows_ui.pieces.options import value_of

_MOST_PROPERTIES = 200
_CHOICES = ("STATIC_DROPDOWN", "STATIC_MULTI_SELECT_DROPDOWN")
#: Longer lists are edited as JSON.
MOST_ROWS = 200
_TEXT_OR_NOTHING = (JsonType.NONE, JsonType.NULL, JsonType.TEXT)
#: New rows are numbered from here on, so that they differ from the current entries.
_NEW = 1000


class Group:
    """The properties of a map, in its order. `path` is the prefix of their fields' names, `id` that of their elements' ids."""

    def __init__(
        self,
        host: Host,
        schema: Mapping[str, object],
        path: str,
        id: str,
        shown: Mapping[str, object],
        *,
        fresh: bool,
        top: bool = False,
    ) -> None:
        self.nodes: list[Node] = []
        listed = list(objects_by_name(schema, pieces.Property).items())[:_MOST_PROPERTIES]
        for number, (key, one) in enumerate(listed):
            value = shown.get(key, MISSING)
            if value is MISSING and fresh and one.default is not None:
                value = one.default
            prop = Property(host, key, one.raw, f"{path}{key}", f"{id}-{number}", value, fresh, top)
            # The field of a secret text would show a value of another type as JSON.
            is_odd = one.is_secret and json_type(value) not in _TEXT_OR_NOTHING
            if is_odd or (value == redaction.MASK and prop.type not in TEXTS):
                prop = replace(prop, shown=MISSING, hidden=True)
            self.nodes.append(_node(prop))

    def collect(self, cleaned: Cleaned, stored: Mapping[str, object]) -> Json:
        """The values of the properties that are set, and stored values without a property, in the order of the stored ones."""
        values = {
            node.key: node.collect(cleaned, stored.get(node.key, MISSING)) for node in self.nodes if any(node.names())
        }
        merged = {key: values.pop(key, value) for key, value in stored.items()} | values
        return {key: value for key, value in merged.items() if value is not MISSING}

    def names(self) -> Iterator[str]:
        for node in self.nodes:
            yield from node.names()
            if node.expression:
                yield node.expression


def _node(prop: Property) -> Node:
    type_, current = prop.type, json_type(prop.shown)
    if type_ == "MARKDOWN":
        return Note(prop)
    if type_ in _CHOICES or (type_ in APP_CHOICES and prop.top):
        if "MULTI" not in type_ or current in (*_TEXT_OR_NOTHING, JsonType.LIST):
            return AppChoice(prop) if type_ in APP_CHOICES else Choice(prop)
    elif type_ == "DYNAMIC" and prop.top and current in (JsonType.NONE, JsonType.OBJECT, JsonType.TEXT):
        return Dynamic(prop)
    elif type_ == "OBJECT" and _is_short(prop.shown, JsonType.OBJECT):
        return Pairs(prop)
    elif type_ == "ARRAY" and _is_short(prop.shown, JsonType.LIST):
        entries = {json_type(item) for item in as_items(prop.shown)}
        if not dict_at(prop.schema, "properties"):
            return Plain(prop) if entries & {JsonType.OBJECT, JsonType.LIST} else Texts(prop)
        # Lists inside lists of lists are edited as JSON.
        if prop.name.count(".") < 3 and entries <= {JsonType.OBJECT}:
            return Rows(prop)
    return Plain(prop)


def _is_short(shown: object, wanted: JsonType) -> bool:
    current = json_type(shown)
    return current in _TEXT_OR_NOTHING or (current is wanted and (as_count(shown) or 0) <= MOST_ROWS)


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
        text = text_of(prop.shown)
        #: Of an object, pairs of a name and a value.
        self.entries: list[object] = [*mapping_of(self.shown).items(), *as_items(self.shown)]
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
    def rows(self) -> list[tuple[object, ...]]:
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

    def current(self, stored: object) -> object:
        """The current value; MISSING if it is hidden, since its entries are not shown."""
        return MISSING if self.prop.hidden else stored

    def check_required(self, value: Sequence[object]) -> None:
        if not value and self.prop.required and not self.host.optional and not self.is_expression:
            self.host.form.add_error(self._field, _("Add at least one entry."))


class Texts(Listed):
    template = "flow_editing/texts.html"

    def add_row(self, number: int) -> None:
        entry = self.entries[number] if number < len(self.entries) else ""
        place = self.numbers.index(number) + 1
        label = _("%(field)s, entry %(number)d") % {"field": self.label[:100], "number": place}
        field = text_field(self.row_name(number), label, _text(entry))
        if self.is_added(number):
            field.widget.attrs["data-focus"] = True
        self.host.add(self.row_name(number), field)

    def read(self, cleaned: Cleaned, stored: object) -> object:
        old = as_items(self.current(stored))
        entries = []
        for number in self.numbers:
            text = str(cleaned.get(self.row_name(number)) or "").replace("\r\n", "\n")
            shown = self.entries[number] if number < len(self.entries) else ""
            if text == _text(shown):
                if number < len(old):
                    entries.append(old[number])
            elif text:
                entries.append(text)
        self.check_required(entries)
        return entries


class Pairs(Listed):
    """An object as rows of a name and a value."""

    template = "flow_editing/pairs.html"
    add_label = gettext_lazy("Add a name and a value")
    parts = (".name", ".value")

    def pair(self, number: int) -> tuple[object, object]:
        """The name and the value of a current entry."""
        return cast("tuple[object, object]", self.entries[number])

    def add_row(self, number: int) -> None:
        name, value = self.pair(number) if number < len(self.entries) else ("", "")
        labels, texts = (_("Name"), _("Value")), (str(name), _text(value))
        for field_name, label, text in zip(self.field_names(number), labels, texts, strict=True):
            field = text_field(field_name, label, text)
            field.widget.attrs["placeholder"] = label
            self.host.add(field_name, field)
        attributes = self.host.form.fields[self.field_names(number)[0]].widget.attrs
        del attributes["data-expression"]
        if self.is_added(number):
            attributes["data-focus"] = True

    def read(self, cleaned: Cleaned, stored: object) -> object:
        old = list(mapping_of(self.current(stored)).items())
        pairs: Json = {}
        for number in self.numbers:
            name_field, value_field = self.field_names(number)
            name = str(cleaned.get(name_field) or "")
            text = str(cleaned.get(value_field) or "").replace("\r\n", "\n")
            if number >= len(old) and not name and not text:
                continue
            value: object = text
            if number < len(old):
                before = self.pair(number)[1]
                if text == _text(before):
                    value = old[number][1]
                elif json_type(before) is not JsonType.TEXT:
                    # Other values than texts are shown as JSON.
                    value = value_of(text)
            if name in pairs:
                self.host.form.add_error(name_field, _("This name is used twice."))
            pairs[name] = value
        return pairs


class Rows(Listed):
    """A list of entries with properties of their own."""

    template = "flow_editing/rows.html"
    starts_with_row = False

    def __init__(self, prop: Property) -> None:
        self.groups: dict[int, Group] = {}
        super().__init__(prop)

    def add_row(self, number: int) -> None:
        known = number < len(self.entries)
        schema = dict_at(self.prop.schema, "properties")
        shown = cast("Json", self.entries[number]) if known else {}
        path = f"{self.row_name(number)}."
        self.groups[number] = Group(self.host, schema, path, f"{self.id}-{number}", shown, fresh=not known)

    def names(self) -> Iterator[str]:
        yield self._field
        for group in self.groups.values():
            yield from group.names()

    def read(self, cleaned: Cleaned, stored: object) -> object:
        old = as_items(self.current(stored))
        read = [
            (number, self.groups[number].collect(cleaned, mapping_of(old[number]) if number < len(old) else {}))
            for number in self.numbers
        ]
        entries = [entry for number, entry in read if entry or number < len(old)]
        self.check_required(entries)
        return entries

    def collect(self, cleaned: Cleaned, stored: object) -> object:
        # Each row has restored its own parts already.
        if self.is_expression:
            return super().collect(cleaned, stored)
        entries = self.read(cleaned, stored)
        if self.prop.hidden and not entries:
            return stored
        return MISSING if not entries and stored is MISSING and not self.prop.required else entries

    @property
    def rows(self) -> list[tuple[object, ...]]:
        return [(str(number), self.groups[number]) for number in self.numbers]


class Dynamic(AppNode):
    """Fields that the app gives; a hidden field has their schema, so that what was typed is read by what was shown."""

    template = "flow_editing/dynamic.html"
    #: Whether the fields are others than those of the current value, because a value that they depend on was changed.
    is_replaced = False

    def __init__(self, prop: Property) -> None:
        super().__init__(prop)
        self.group: Group | None = None
        self._field = f"schema-{self.name}"
        self.host.add(self._field, forms.CharField(required=False, widget=forms.HiddenInput))
        self.add_expression(text_of(self.shown))
        if posted := self.host.posted(self._field):
            found = value_of(posted)
            if json_type(found) is JsonType.OBJECT:
                self.set_schema(cast("Json", found))

    def set_schema(self, schema: Json) -> None:
        """Show the fields of this schema."""
        values = mapping_of(self.shown)
        self.schema = schema
        hidden = self.prop.hidden
        shown = {
            key: {**one.raw, "required": False} if hidden else one.raw
            for key, one in objects_by_name(schema, pieces.Property).items()
        }
        fresh = (self.prop.fresh or not values) and not hidden
        self.group = Group(self.host, shown, f"{self.name}.", self.id, values, fresh=fresh)
        text = json.dumps(schema, ensure_ascii=False)
        self.host.form.fields[self._field].initial = text
        if self.host.data is not None:
            self.host.data[self._field] = text
        self.state = "ready"

    def fill(self, answer: Answer, *, asked: bool, replaced: bool) -> None:
        if asked or self.group is None:
            seen = list(self.group.names()) if self.group else []
            self.forget()
            with self.host.adding(seen):
                self.set_schema(dict(answer.schema))

    def take(self, answer: Answer | None, *, needs: list[str], asked: bool = False, replaced: bool = False) -> None:
        if self.group is not None and not asked and not (replaced and needs):
            return
        if replaced:
            self.forget()
        super().take(answer, needs=needs, asked=asked, replaced=replaced)

    def forget(self) -> None:
        """Show no fields."""
        for name in self.group.names() if self.group else ():
            self.host.form.fields.pop(name, None)
        self.group = None
        if self.host.data is not None:
            self.host.data[self._field] = ""

    def names(self) -> Iterator[str]:
        yield self._field
        if self.group:
            yield from self.group.names()

    def collect(self, cleaned: Cleaned, stored: object) -> object:
        if self.is_expression:
            return super().collect(cleaned, stored)
        if self.group is None:
            if stored is MISSING and self.prop.required and not self.host.optional:
                self.host.form.add_error(self._field, _("Load its fields first, or use an expression."))
            return stored
        old = mapping_of(stored)
        if self.prop.hidden:
            typed = self.group.collect(cleaned, {})
            return stored if not typed else typed if self.is_replaced else {**old, **typed}
        if self.is_replaced:
            old = {node.key: old[node.key] for node in self.group.nodes if node.key in old}
        new = self.group.collect(cleaned, old)
        return MISSING if stored is MISSING and not new and not self.prop.required else new


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


def _numbers(text: object) -> list[int]:
    numbers = [
        int(part) for part in str(text or "").split(",") if part.isascii() and part.isdecimal() and len(part) < 6
    ]
    return list(dict.fromkeys(numbers))[:MOST_ROWS]


def _joined(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


def _text(value: object) -> str:
    return text_of(value) if json_type(value) is JsonType.TEXT else json.dumps(value, ensure_ascii=False)
