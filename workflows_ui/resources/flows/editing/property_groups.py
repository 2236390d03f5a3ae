"""Groups of properties, and the properties that have groups: lists of entries with fields, and fields that come from the app."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from workflows_ui.core import redaction
from workflows_ui.resources.flows.editing.app_answers import Answer
from workflows_ui.resources.flows.editing.app_fields import AppChoice, AppNode
from workflows_ui.resources.flows.editing.expressions import MISSING
from workflows_ui.resources.flows.editing.property_fields import (
    APP_CHOICES,
    TEXTS,
    Choice,
    Host,
    Json,
    Node,
    Note,
    Plain,
    Property,
)
from workflows_ui.resources.flows.editing.property_rows import MOST_ROWS, Listed, Pairs, Texts
from workflows_ui.resources.pieces.options import value_of
from workflows_ui.web.paths import dict_at

_MOST_PROPERTIES = 200
_CHOICES = ("STATIC_DROPDOWN", "STATIC_MULTI_SELECT_DROPDOWN")


class Group:
    """The properties of a map, in its order. `path` is the prefix of their fields' names, `id` that of their elements' ids."""

    def __init__(
        self, host: Host, schema: Mapping[str, Any], path: str, id: str, shown: Json, *, fresh: bool, top: bool = False
    ) -> None:
        self.nodes: list[Node] = []
        for number, (key, one) in enumerate(list(schema.items())[:_MOST_PROPERTIES]):
            if isinstance(one, Mapping):
                value = shown.get(key, MISSING)
                if value is MISSING and fresh and one.get("defaultValue") is not None:
                    value = one["defaultValue"]
                prop = Property(host, key, one, f"{path}{key}", f"{id}-{number}", value, fresh, top)
                # The field of a secret text would show a value of another type as JSON.
                is_odd = prop.type == "SECRET_TEXT" and value is not MISSING and not isinstance(value, str | None)
                if is_odd or (value == redaction.MASK and prop.type not in TEXTS):
                    prop = replace(prop, shown=MISSING, hidden=True)
                self.nodes.append(_node(prop))

    def collect(self, cleaned: Mapping[str, Any], kept: Json) -> Json:
        """The values of the properties that are set, and kept values without a property, in the order of the kept ones."""
        values = {
            node.key: node.collect(cleaned, kept.get(node.key, MISSING)) for node in self.nodes if any(node.names())
        }
        merged = {key: values.pop(key, value) for key, value in kept.items()} | values
        return {key: value for key, value in merged.items() if value is not MISSING}

    def names(self) -> Iterator[str]:
        for node in self.nodes:
            yield from node.names()
            if node.expression:
                yield node.expression


def _node(prop: Property) -> Node:
    type_, shown = prop.type, prop.shown
    if type_ == "MARKDOWN":
        return Note(prop)
    if type_ in _CHOICES or (type_ in APP_CHOICES and prop.top):
        if type_.find("MULTI") < 0 or shown is MISSING or shown is None or isinstance(shown, list | str):
            return AppChoice(prop) if type_ in APP_CHOICES else Choice(prop)
    elif type_ == "DYNAMIC" and prop.top and (shown is MISSING or isinstance(shown, dict | str)):
        return Dynamic(prop)
    elif type_ == "OBJECT" and _is_short(shown, dict):
        return Pairs(prop)
    elif type_ == "ARRAY" and _is_short(shown, list):
        entries = shown if isinstance(shown, list) else []
        if not dict_at(prop.schema, "properties"):
            return Texts(prop) if not any(isinstance(item, dict | list) for item in entries) else Plain(prop)
        # Lists inside lists of lists are edited as JSON.
        if prop.name.count(".") < 3 and all(isinstance(item, dict) for item in entries):
            return Rows(prop)
    return Plain(prop)


def _is_short(shown: Any, kind: type[dict[str, Any]] | type[list[Any]]) -> bool:
    if isinstance(shown, kind):
        return len(shown) <= MOST_ROWS
    return shown is MISSING or shown is None or isinstance(shown, str)


class Rows(Listed):
    """A list of entries with properties of their own."""

    template = "resources/flows/editing/rows.html"
    starts_with_row = False

    def __init__(self, prop: Property) -> None:
        self.groups: dict[int, Group] = {}
        super().__init__(prop)

    def add_row(self, number: int) -> None:
        schema = dict_at(self.prop.schema, "properties")
        known = number < len(self.entries)
        self.groups[number] = Group(
            self.host,
            schema,
            f"{self.row_name(number)}.",
            f"{self.id}-{number}",
            self.entries[number] if known else {},
            fresh=not known,
        )

    def names(self) -> Iterator[str]:
        yield self._field
        for group in self.groups.values():
            yield from group.names()

    def read(self, cleaned: Mapping[str, Any], kept: Any) -> Any:
        kept = self.current(kept)
        old = kept if isinstance(kept, list) else []
        read = [
            (number, self.groups[number].collect(cleaned, old[number] if number < len(old) else {}))
            for number in self.numbers
        ]
        entries = [entry for number, entry in read if entry or number < len(old)]
        self.check_required(entries)
        return entries

    def collect(self, cleaned: Mapping[str, Any], kept: Any) -> Any:
        # Each row has restored its own parts already.
        if self.is_expression:
            return super().collect(cleaned, kept)
        entries = self.read(cleaned, kept)
        if self.prop.hidden and not entries:
            return kept
        return MISSING if not entries and kept is MISSING and not self.prop.required else entries

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return [(str(number), self.groups[number]) for number in self.numbers]


class Dynamic(AppNode):
    """Fields that the app gives; a hidden field has their schema, so that what was typed is read by what was shown."""

    template = "resources/flows/editing/dynamic.html"
    #: Whether the fields are others than those of the current value, because a value that they depend on was changed.
    is_replaced = False

    def __init__(self, prop: Property) -> None:
        super().__init__(prop)
        self.group: Group | None = None
        self._field = f"schema-{self.name}"
        self.host.add(self._field, forms.CharField(required=False, widget=forms.HiddenInput))
        self.add_expression(self.shown if isinstance(self.shown, str) else "")
        if posted := self.host.posted(self._field):
            found = value_of(posted)
            if isinstance(found, dict):
                self.set_schema(found)

    def set_schema(self, schema: Json) -> None:
        """Show the fields of this schema."""
        values = self.shown if isinstance(self.shown, dict) else {}
        self.schema = schema
        hidden = self.prop.hidden
        shown = {
            key: {**one, "required": False} if hidden else one for key, one in schema.items() if isinstance(one, dict)
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

    @property
    def schema_field(self) -> Any:
        return self.host.form[self._field]

    def names(self) -> Iterator[str]:
        yield self._field
        if self.group:
            yield from self.group.names()

    def collect(self, cleaned: Mapping[str, Any], kept: Any) -> Any:
        if self.is_expression:
            return super().collect(cleaned, kept)
        if self.group is None:
            if kept is MISSING and self.prop.required and not self.host.optional:
                self.host.form.add_error(self._field, _("Load its fields first, or use an expression."))
            return kept
        old = kept if isinstance(kept, dict) else {}
        if self.prop.hidden:
            typed = self.group.collect(cleaned, {})
            return kept if not typed else typed if self.is_replaced else {**old, **typed}
        if self.is_replaced:
            old = {node.key: old[node.key] for node in self.group.nodes if node.key in old}
        new = self.group.collect(cleaned, old)
        return MISSING if kept is MISSING and not new and not self.prop.required else new
