"""Django form fields from declared inputs: the only conversion of the schemas of apps, tables and steps into forms.

A caller maps its schema to a list of `Input`; cleaned data then holds JSON values (an uploaded file for `InputKind.FILE`) by their names.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.forms.renderers import BaseRenderer
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.text import Text
from workflows_ui.web import elements
from workflows_ui.web.json_field import JsonField
from workflows_ui.web.requests import SECRETS

_LONGEST = 100_000
_PLAIN = {"autocomplete": "off", "dir": "auto"}
_SECRET = {"autocomplete": "new-password", "spellcheck": "false"}


class InputKind(StrEnum):
    """Kinds of inputs. OBJECT is a JSON object, LINES a list with one text per line, DATE a text."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    YES_NO = "yes_no"
    DATE = "date"
    DATE_TIME = "date_time"
    COLOR = "color"
    FILE = "file"
    CHOICE = "choice"
    CHOICES = "choices"
    LINES = "lines"
    OBJECT = "object"
    JSON = "json"


@dataclass(frozen=True)
class Option:
    """A choice: `key` is the posted value, `value` (any JSON) its meaning."""

    key: str
    label: Text
    value: object


@dataclass(frozen=True)
class Input:
    """One declared input.

    Attributes:
        help: escaped unless it is a SafeString, since crispy does not escape help texts.
        initial: a value in the format of cleaned data.
        empty_label: the option for none of the choices; "" for no such option.
        secret: never shown on a page again (`InputKind.TEXT` and `LONG_TEXT` only).
        verbatim: kept as the typed text; the kind only selects the control.
        rows: height of a multi-line input.
        expression: a text that may hold expressions of the engine, `{{...}}`, which pages help to write.
    """

    name: str
    label: Text
    kind: InputKind = InputKind.TEXT
    help: Text = ""
    required: bool = False
    initial: object = None
    options: Sequence[Option] = ()
    empty_label: str = "–"
    secret: bool = False
    verbatim: bool = False
    disabled: bool = False
    max_length: int | None = _LONGEST
    rows: int = 4
    expression: bool = False


class _SecretInput(forms.PasswordInput):
    def render(
        self, name: str, value: object, attrs: dict[str, object] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        """Render the input, with a marker that prevents error pages from showing its value."""
        return super().render(name, value, attrs, renderer) + elements.hidden(SECRETS, name)


class _SecretArea(_SecretInput):
    template_name = "django/forms/widgets/textarea.html"


class _NumberField(forms.DecimalField):
    def clean(self, value: object) -> int | float | None:
        cleaned = super().clean(value)
        if cleaned is None:
            return None
        number = float(cleaned)
        if math.isinf(number):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return int(number) if number.is_integer() else number


class _MomentField(forms.DateTimeField):
    widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def clean(self, value: object) -> str:
        cleaned = super().clean(value)
        return cleaned.isoformat() if cleaned else ""


class _LinesField(forms.CharField):
    widget = forms.Textarea

    def prepare_value(self, value: object) -> object:
        return "\n".join(str(item) for item in value) if isinstance(value, list) else value

    def clean(self, value: object) -> list[str]:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class _ObjectField(JsonField):
    def clean(self, value: object) -> object:
        cleaned = super().clean(value)
        if cleaned is not None and not isinstance(cleaned, dict):
            raise ValidationError(_("Write names with values, as a JSON object."), code="invalid")
        return cleaned


#: Fields for kinds with a value other than text.
_FIELDS: dict[InputKind, type[forms.Field]] = {
    InputKind.NUMBER: _NumberField,
    InputKind.DATE_TIME: _MomentField,
    InputKind.FILE: forms.FileField,
    InputKind.LINES: _LinesField,
    InputKind.OBJECT: _ObjectField,
    InputKind.JSON: JsonField,
}
_COLOR = RegexValidator(
    re.compile(r"#[0-9a-fA-F]{6}\Z"), gettext_lazy("Write a colour as # and six hexadecimal digits.")
)


def form_fields(inputs: Iterable[Input]) -> dict[str, forms.Field]:
    return {item.name: form_field(item) for item in inputs}


def form_field(declared: Input) -> forms.Field:
    field = _form_field(declared)
    if declared.expression:
        field.widget.attrs["data-expression"] = True
    return field


def _form_field(declared: Input) -> forms.Field:
    arguments: dict[str, Any] = {
        "label": declared.label[:200],
        "help_text": conditional_escape(declared.help),
        "required": declared.required,
        "initial": declared.initial,
        "disabled": declared.disabled,
    }
    if declared.kind is InputKind.YES_NO:
        return forms.BooleanField(**arguments | {"required": False, "initial": declared.initial is True})
    if declared.kind in (InputKind.CHOICE, InputKind.CHOICES):
        return _choice_field(declared, arguments)
    if declared.kind in _FIELDS and not declared.verbatim:
        field = _FIELDS[declared.kind](**arguments)
        field.widget.attrs |= _PLAIN
        return field
    # A secret may begin or end with a blank, so only visible values are trimmed.
    strip = not (declared.secret or declared.verbatim)
    validators = [_COLOR] if declared.kind is InputKind.COLOR else []
    return forms.CharField(
        **arguments, widget=_text_widget(declared), max_length=declared.max_length, strip=strip, validators=validators
    )


def _text_widget(declared: Input) -> forms.Widget:
    if declared.secret:
        area = declared.kind is InputKind.LONG_TEXT
        return _SecretArea({**_SECRET, "rows": "6", "cols": "40"}) if area else _SecretInput(_SECRET)
    if declared.kind is InputKind.LONG_TEXT:
        return forms.Textarea({**_PLAIN, "rows": declared.rows})
    if declared.kind is InputKind.NUMBER:
        return forms.TextInput({**_PLAIN, "inputmode": "decimal"})
    return forms.TextInput(
        {**_PLAIN, "type": {InputKind.DATE: "date", InputKind.COLOR: "color"}.get(declared.kind, "text")}
    )


def _choice_field(declared: Input, arguments: Mapping[str, Any]) -> forms.Field:
    values = {option.key: option.value for option in declared.options}
    choices = [(option.key, option.label) for option in declared.options]
    if declared.kind is InputKind.CHOICES:
        selected = declared.initial if isinstance(declared.initial, list) else []
        keys = [key for key, value in values.items() if value in selected]
        return forms.TypedMultipleChoiceField(
            **{**arguments, "initial": keys}, choices=choices, coerce=values.__getitem__
        )
    if declared.empty_label:
        choices.insert(0, ("", declared.empty_label))
    selected_key = next((key for key, value in values.items() if value == declared.initial), "")
    return forms.TypedChoiceField(
        **{**arguments, "initial": selected_key}, choices=choices, coerce=values.__getitem__, empty_value=""
    )
