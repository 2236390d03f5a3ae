"""Properties of an app's action or trigger that are one field of a form (api.md 11.3), and their values again.

A property becomes a node. What was not changed keeps its value exactly, also a secret that the page shows masked. Any property but a
text can be an expression instead, in a second field. Those of several fields are in property_groups.py.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core import json_text, redaction
from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.json_values import JsonType, changed_at, json_type
from workflows_ui.core.paths import dicts_at, text_at, text_of
from workflows_ui.core.readers import as_items, mapping_of
from workflows_ui.core.text import Text
from workflows_ui.engine_objects import pieces
from workflows_ui.flow_editing.app_answers import key_of, label_of
from workflows_ui.flow_editing.expressions import MISSING
from workflows_ui.pieces.fields import property_input, words
from workflows_ui.web.schema_forms import Input, InputKind, Option, form_field

EXPRESSION = "expr-"
#: Longer lists of choices have a box that scrolls.
_MANY = 8
_LONGEST = 100_000
_MOST_FIELDS = 20_000
_OWN_HELP: dict[str, Text] = {
    "FILE": gettext_lazy("The address of a file, or an expression with a file of an earlier step."),
    "COLOR": gettext_lazy("Such as #1f6feb."),
    "DATE_TIME": gettext_lazy("In your time zone."),
}
#: Types for which any text is a value, so that an expression needs no other field.
TEXTS = {
    "SHORT_TEXT": InputKind.TEXT,
    "LONG_TEXT": InputKind.LONG_TEXT,
    "FILE": InputKind.TEXT,
    "COLOR": InputKind.TEXT,
    "SECRET_TEXT": InputKind.TEXT,
}
#: Types that are shown as JSON where their own rows and choices are impossible, such as inside of another property.
_EDITED_AS_JSON = ("DROPDOWN", "MULTI_SELECT_DROPDOWN", "STATIC_MULTI_SELECT_DROPDOWN", "DYNAMIC", "OBJECT", "ARRAY")
APP_CHOICES = ("DROPDOWN", "MULTI_SELECT_DROPDOWN")


@dataclass
class Host:
    """The form to which the fields are added, and the posted data, None if the form is not bound."""

    form: forms.Form
    data: QueryDict | None
    #: Nothing is required: the step is saved although something is missing.
    optional: bool = False
    #: All nodes, with those of groups and rows.
    nodes: list["Node"] = field(default_factory=list)
    #: The names of the fields that the person has seen, while others are added to a bound form; the others get their initial values.
    seen: frozenset[str] | None = None

    def add(self, name: str, field: forms.Field) -> None:
        """Add a field. Raises TooManyFieldsSent: rows inside of rows multiply."""
        if len(self.form.fields) >= _MOST_FIELDS:
            raise TooManyFieldsSent
        field.required = field.required and not self.optional
        self.form.fields[name] = field
        if self.data is None or self.seen is None or name in self.seen or name in self.data:
            return
        value = field.prepare_value(field.initial)
        if isinstance(value, list):
            self.data.setlist(name, value)
        elif isinstance(field.widget, forms.CheckboxInput):
            self.data.update({name: "on"} if value else {})
        else:
            shown = field.widget.format_value(value)
            self.data[name] = (shown[0] if isinstance(shown, list) and shown else shown) or ""

    @contextmanager
    def adding(self, seen: Iterable[str] = ()) -> Iterator[None]:
        """Within this context, added fields are new to the person, except for those in `seen`."""
        before, self.seen = self.seen, frozenset(seen)
        try:
            yield
        finally:
            self.seen = before

    def posted(self, name: str) -> str:
        return str(self.data.get(name) or "").replace("\r\n", "\n") if self.data is not None else ""


@dataclass(frozen=True)
class Property:
    """A property in a form.

    Attributes:
        name: of its field, and the beginning of the names of its parts; `id` is that of its element.
        shown: the current value with secrets masked, or MISSING; the default for what is new (`fresh`).
        top: whether the app can be asked about it, as it can about no part of another property.
        hidden: whether the current value is masked as a whole, so that `shown` is MISSING: left empty, it stays.
    """

    host: Host
    key: str
    schema: Mapping[str, object]
    name: str
    id: str
    shown: object
    fresh: bool = False
    top: bool = False
    hidden: bool = False

    @property
    def type(self) -> str:
        return text_at(self.schema, "type")

    @property
    def label(self) -> str:
        return words(text_at(self.schema, "displayName"))[:200] or self.key[:200] or self.name

    @property
    def required(self) -> bool:
        return self.schema.get("required") is True and not self.hidden

    @property
    def help(self) -> Text:
        if self.hidden:
            return _("The value is hidden. It stays as it is if you leave this empty.")
        return words(text_at(self.schema, "description")) or _OWN_HELP.get(self.type, "")


class Node:
    """A property with its fields in the form, and its template."""

    template: ClassVar[str] = "flow_editing/field.html"
    #: The name of a hidden field, if it has one.
    _field: str
    #: Attributes of its element for htmx, once the form knows what depends on it.
    attributes: object = ""

    def __init__(self, prop: Property) -> None:
        self.prop, self.host = prop, prop.host
        self.host.nodes.append(self)
        self.key, self.name, self.id, self.shown = prop.key, prop.name, prop.id, prop.shown
        self.label, self.expression = prop.label, ""

    def names(self) -> Iterator[str]:
        """The names of the node's own fields, without that of the expression."""
        yield self.name

    def read(self, cleaned: Cleaned, stored: object) -> object:
        """The value that the node's own fields mean; `stored` is the current one, with its secrets."""
        raise NotImplementedError

    def is_unchanged(self) -> bool:
        """Whether the node's own fields are unchanged."""
        return False

    def collect(self, cleaned: Cleaned, stored: object) -> object:
        """The value, or MISSING."""
        if self.is_expression:
            new: object = self.read_expression(self.host.posted(self.expression))
        elif stored is not MISSING and self.is_unchanged():
            return stored
        else:
            new = self.read(cleaned, stored)
        if self.prop.hidden and (new is MISSING or new in (None, "", [], {})):
            return stored
        if new is MISSING or new is None or new == "":
            return stored if stored in (None, "") else MISSING
        if stored is MISSING and not self.prop.required and (new in ([], {}) or (new is False and not self.prop.fresh)):
            return MISSING
        return restored(new, self.shown, stored)

    def draft(self, stored: object) -> object:
        """The value before the form is validated, for asking the app; MISSING without one."""
        return stored

    # --- The expression --------------------------------------------------------------------------

    def add_expression(self, text: str) -> None:
        """Add the field for an expression, with this text."""
        self.expression = f"{EXPRESSION}{self.name}"
        label = _("Expression for “%(field)s”") % {"field": self.prop.label[:100]}
        field = text_field(self.expression, label, text)
        field.widget.attrs["placeholder"] = "{{…}}"
        self.host.add(self.expression, field)

    @property
    def is_expression(self) -> bool:
        if not self.expression:
            return False
        if self.host.data is not None:
            return bool(self.host.posted(self.expression).strip())
        return bool(self.host.form.fields[self.expression].initial)

    def read_expression(self, text: str) -> object:
        return text

    # --- For templates ---------------------------------------------------------------------------

    @property
    def field(self) -> forms.BoundField:
        return self.host.form[self.name]

    @property
    def hidden_field(self) -> forms.BoundField:
        return self.host.form[self._field]

    @property
    def expression_field(self) -> forms.BoundField | None:
        return self.host.form[self.expression] if self.expression else None


class Note(Node):
    """A hint of the app between the fields, as plain text."""

    template = "flow_editing/note.html"

    def names(self) -> Iterator[str]:
        yield from ()

    @property
    def text(self) -> str:
        return words(text_at(self.prop.schema, "description"))


class Plain(Node):
    """A text, a number, yes or no, a moment, or JSON."""

    def __init__(self, prop: Property) -> None:
        if prop.type == "SECRET_TEXT" and (secret := text_of(prop.shown)) and "{{" not in secret:
            prop = replace(prop, shown=redaction.MASK)
        super().__init__(prop)
        shown, kind, about = prop.shown, _KINDS.get(prop.type, InputKind.JSON), str(prop.help)
        expression: str | None = ""
        initial: object = None if shown is MISSING else shown
        current = json_type(initial)
        if prop.type in TEXTS and current not in (JsonType.LIST, JsonType.OBJECT):
            expression = None
            initial = json.dumps(initial) if current in (JsonType.NUMBER, JsonType.TRUTH) else initial
            kind = kind if not _needs_lines(text_of(initial)) else InputKind.LONG_TEXT
        elif current is JsonType.TEXT:
            moment = _moment(text_of(initial)) if kind is InputKind.DATE_TIME else None
            expression, initial = ("", moment) if moment else (text_of(initial), None)
        elif not _fits(kind, initial):
            kind, about = (
                InputKind.JSON,
                _("The value is of another type than the app expects, so it is shown as JSON."),
            )
        elif prop.type in _EDITED_AS_JSON:
            about = " ".join(filter(None, (about, _("Write it as JSON."))))
        elif prop.type not in _KINDS:
            explained = _("The console does not know this type of field. Write its value as JSON.")
            about = " ".join(filter(None, (about, explained)))
        if kind is InputKind.JSON:
            initial = "" if initial is None else initial
        declared = property_input(prop.key, pieces.Property(prop.schema), about)
        length = max(_LONGEST, len(text_of(initial)))
        text = kind in (InputKind.TEXT, InputKind.LONG_TEXT)
        field = form_field(
            replace(
                declared,
                name=prop.name,
                kind=kind,
                initial=initial,
                verbatim=text,
                secret=False,
                max_length=length,
                rows=_rows(kind, initial),
                expression=text or kind is InputKind.JSON,
            )
        )
        if kind is InputKind.JSON:
            field.widget.attrs |= {"class": "font-monospace", "spellcheck": "false"}
        self.host.add(prop.name, field)
        if expression is not None:
            self.add_expression(expression)

    def read(self, cleaned: Cleaned, stored: object) -> object:
        value = cleaned.get(self.name)
        return text_of(value).replace("\r\n", "\n") or value

    def is_unchanged(self) -> bool:
        return is_unchanged(self.field)

    def draft(self, stored: object) -> object:
        if self.host.data is None:
            return stored
        if self.is_expression:
            return self.host.posted(self.expression)
        if stored is not MISSING and self.is_unchanged():
            return stored
        try:
            value = self.host.form.fields[self.name].clean(self.field.data)
        except forms.ValidationError:
            return MISSING
        if value in (None, "", []):
            return stored if self.prop.hidden else MISSING
        return restored(value, self.shown, stored)


class Choice(Plain):
    """One choice or several from a list in the schema."""

    def __init__(self, prop: Property) -> None:
        Node.__init__(self, prop)
        self.many = prop.type in ("STATIC_MULTI_SELECT_DROPDOWN", "MULTI_SELECT_DROPDOWN")
        self.options = _options(prop.schema)
        values = [option.value for option in self.options]
        shown = None if prop.shown is MISSING else prop.shown
        is_text = json_type(shown) is JsonType.TEXT and not any(same(shown, value) for value in values)
        as_expression = is_text and (self.many or "{{" in str(shown))
        self._initial: object = None if as_expression else shown
        self.offer(self.options)
        self.add_expression(str(shown) if as_expression else "")

    def offer(self, options: list[Option]) -> None:
        """Set the choices: these, and the current values that are not among them."""
        prop, initial = self.prop, self._initial
        several = self.many and json_type(initial) is JsonType.LIST
        current = as_items(initial) if several else [] if initial in (None, "") else [initial]
        if self.host.data is not None and prop.type in APP_CHOICES:
            # The choices that the person saw stay valid without another call.
            current = [*current, *(json.loads(key) for key in self.host.data.getlist(self.name) if _is_json(key))]
        known = {option.key for option in options}
        extra = {key_of(value): Option(key_of(value), label_of(value), value) for value in current}
        self.options = [*options, *(option for key, option in extra.items() if key not in known)]
        choices = [(option.key, option.label) for option in self.options]
        if self.many:
            keys = [key_of(value) for value in as_items(initial)]
            widget = forms.CheckboxSelectMultiple({"class": "scroll-box" if len(choices) > _MANY else ""})
            field: forms.Field = forms.TypedMultipleChoiceField(
                label=prop.label,
                help_text=str(prop.help),
                required=prop.required,
                coerce=json.loads,
                choices=choices,
                widget=widget,
                initial=keys,
            )
        else:
            key = "" if initial is None else key_of(initial)
            field = forms.TypedChoiceField(
                label=prop.label,
                help_text=str(prop.help),
                required=prop.required,
                coerce=json.loads,
                choices=[("", "–"), *choices],
                initial=key,
                empty_value=None,
            )
        self.host.add(self.name, field)

    def read(self, cleaned: Cleaned, stored: object) -> object:
        return cleaned.get(self.name)

    def read_expression(self, text: str) -> object:
        """Several choices may be typed as a list, if the app does not return them."""
        typed = json.loads(text) if self.many and "{{" not in text and _is_json(text) else None
        return typed if json_type(typed) is JsonType.LIST else text


_KINDS = {
    **TEXTS,
    "NUMBER": InputKind.NUMBER,
    "CHECKBOX": InputKind.YES_NO,
    "DATE_TIME": InputKind.DATE_TIME,
    "JSON": InputKind.JSON,
}


def text_field(name: str, label: Text, text: str) -> forms.Field:
    """A field for a text or an expression, of several lines if the text has them; it is shown without a label of its own."""
    long = _needs_lines(text)
    field = form_field(
        Input(
            name,
            label,
            InputKind.LONG_TEXT if long else InputKind.TEXT,
            initial=text,
            max_length=max(_LONGEST, len(text)),
            verbatim=True,
            rows=_rows(InputKind.LONG_TEXT, text),
            expression=True,
        )
    )
    field.widget.attrs |= {"class": "form-control", "aria-label": label}
    return field


def is_unchanged(bound: forms.BoundField) -> bool:
    """Whether the posted value of a field is the one that the page showed first."""
    posted, first = bound.data, bound.field.prepare_value(bound.initial)
    if isinstance(bound.field.widget, forms.CheckboxInput):
        return bool(posted) == bool(first)
    if isinstance(posted, list):
        return set(posted) == set(first or [])
    text = bound.field.widget.format_value(first)
    return str(posted or "").replace("\r\n", "\n") == str(text or "").replace("\r\n", "\n")


def restored(new: object, shown: object, stored: object) -> object:
    """The new value, with the current one in each part that was posted as it was shown, such as a masked secret."""
    if stored is not MISSING and same(new, shown):
        return stored
    if members := mapping_of(new):
        seen, old = mapping_of(shown), mapping_of(stored)
        return {
            name: restored(inner, seen[name], old[name]) if name in seen and name in old else inner
            for name, inner in members.items()
        }
    entries, current = as_items(shown), as_items(stored)
    if len(entries) != len(current):
        return new
    pairs = list(zip(entries, current, strict=True))
    # Entries may have been moved: only a whole one is recognised.
    return changed_at(new, "*", lambda item: next((kept for entry, kept in pairs if same(item, entry)), item))


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON; true is not 1."""
    if one is MISSING or other is MISSING:
        return one is other
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def _fits(kind: InputKind, value: object) -> bool:
    """Whether the control of a kind can show a value that is not a text."""
    if value is None or kind is InputKind.JSON:
        return True
    wanted = {InputKind.NUMBER: JsonType.NUMBER, InputKind.YES_NO: JsonType.TRUTH}.get(kind)
    return json_type(value) is wanted


def _moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def _options(schema: Mapping[str, object]) -> list[Option]:
    pairs = [item for item in dicts_at(schema, "options.options") if "value" in item]
    return [
        Option(key_of(item["value"]), words(text_at(item, "label"))[:300] or label_of(item["value"]), item["value"])
        for item in pairs
    ]


def _is_json(text: str) -> bool:
    try:
        json_text.parse(text, settings.LAUNCH_JSON_BYTES)
    except json_text.BadPayload:
        return False
    return bool(text.strip())


def _needs_lines(text: str) -> bool:
    """Whether a text does not survive, or fit, an input of one line."""
    return "\n" in text or "\r" in text or len(text) > 200


def _rows(kind: InputKind, value: object) -> int:
    text = text_of(value)
    return min(16, max(3 if kind is InputKind.LONG_TEXT else 4, text.count("\n") + 2, len(text) // 70 + 1))
