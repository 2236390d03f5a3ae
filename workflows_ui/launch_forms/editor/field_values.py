"""Conversion between a builder's text and a field's value, for defaults, fixed values and the values of rules.

Builders type values as launchers do (form_schema/values.py).
"""

import json
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _, pgettext_lazy

from workflows_ui.form_schema import values
from workflows_ui.form_schema.document import NOTHING, BadValue, Field, FieldKind, key_of

#: Kinds with several values, one per line.
LINES = frozenset({FieldKind.LIST, FieldKind.CHOICES})


def text_of(value: object, field: Field) -> str:
    """The text of the input for a value of this field; "" for none."""
    if value is NOTHING:
        return ""
    zone = timezone.get_current_timezone()
    if field.kind in LINES and isinstance(value, list):
        return "\n".join(values.show(field, item, zone=zone) for item in value)
    return values.show(field, value, zone=zone)


def value_of(text: str, field: Field) -> object:
    """The field's value for a text; NOTHING for an empty one. Raises ValidationError with advice."""
    if not text.strip():
        return NOTHING
    if field.kind in LINES:
        return [_read(field, line.strip()) for line in text.splitlines() if line.strip()]
    return _read(field, text if field.kind is FieldKind.LONG_TEXT else text.strip())


def _read(field: Field, text: str) -> object:
    """One value. A choice can also be typed by its label."""
    if field.kind in {FieldKind.CHOICE, FieldKind.CHOICES}:
        labels = {choice.label: choice.value for choice in field.choices}
        known = {key_of(choice.value) for choice in field.choices}
        if text in labels and text not in known:
            return labels[text]
        if text not in known and field.choices_from is None and not field.other:
            listed = ", ".join(choice.label or key_of(choice.value) for choice in field.choices[:5])
            message = _("“%(text)s” is not among the choices (%(known)s).")
            raise ValidationError(message % {"text": text[:60], "known": listed[:200]})
    try:
        return values.read(field, text, zone=timezone.get_current_timezone())
    except BadValue as problem:
        raise ValidationError(str(problem)) from problem


def single(field: Field) -> Field:
    """The field as compared by a rule, which tests a single choice."""
    return replace(field, kind=FieldKind.CHOICE) if field.kind is FieldKind.CHOICES else field


def comparable(field: Field, text: str) -> object:
    """The value that a rule compares with a field's value. Raises ValidationError."""
    if field.kind in {FieldKind.TABLE, FieldKind.JSON, FieldKind.FILE, FieldKind.LIST, FieldKind.SECRET}:
        raise ValidationError(
            _("A value of this kind cannot be compared. Choose “is filled in” or “is empty”, or another field.")
        )
    value = value_of(text, single(field))
    if value is NOTHING:
        raise ValidationError(_("Enter the value to compare with."))
    return value


class SentAs(TextChoices):
    """The type of a choice's value, selected next to the value. JSON cannot be typed: a list, an object."""

    TEXT = "text", pgettext_lazy("sent as", "text")
    NUMBER = "number", pgettext_lazy("sent as", "number")
    YES_NO = "yes_no", pgettext_lazy("sent as", "yes or no")
    NOTHING = "null", pgettext_lazy("sent as", "no value")
    JSON = "json", ""


_TYPES = {str: SentAs.TEXT, int: SentAs.NUMBER, float: SentAs.NUMBER, bool: SentAs.YES_NO, type(None): SentAs.NOTHING}


def sort_of(value: object) -> SentAs:
    return _TYPES.get(type(value), SentAs.JSON)


def sent_as(text: str, sort: str, was: str = "") -> object:
    """The value to send for a choice's row; `was` is the JSON of a list or an object, which cannot be typed.

    Raises ValidationError.
    """
    if sort == SentAs.NOTHING:
        return None
    if sort == SentAs.YES_NO:
        if text.strip().lower() not in {"true", "false", _("yes"), _("no")}:
            raise ValidationError(_("Enter true or false."))
        return text.strip().lower() in {"true", _("yes")}
    try:
        if sort == SentAs.NUMBER:
            return values.read_number(text)
        return json.loads(was) if sort == SentAs.JSON else text
    except BadValue as problem:
        raise ValidationError(str(problem)) from problem
    except (ValueError, RecursionError) as problem:
        raise ValidationError(_("Choose how the value is sent: as text, as a number, or as yes or no.")) from problem
