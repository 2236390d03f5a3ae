"""One value of a field as a builder types it (what it starts with, what a rule compares with), and the typed value it stands for."""

import datetime
import json
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.utils.translation import gettext as _

from workflows_ui.forming.document import NOTHING, NUMBERS, Choice, Field, Kind, key_of

#: Kinds whose value can be typed into one input. Tables, JSON and files start empty, or with what was proposed.
TYPED = frozenset(Kind) - {Kind.TABLE, Kind.JSON, Kind.FILE}
#: Kinds whose value is several values, a line each.
LINES = frozenset({Kind.LIST, Kind.CHOICES})
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?")


def text_of(value: Any, kind: Kind) -> str:
    """What stands in the input for a value; "" for none."""
    if value is NOTHING:
        return ""
    if kind in LINES and isinstance(value, list):
        return "\n".join(key_of(one) for one in value)
    return key_of(value)


def value_of(
    text: str, kind: Kind, *, choices: tuple[Choice, ...] = (), other: bool = True, item: Kind = Kind.TEXT
) -> Any:
    """The typed value of a text; NOTHING where it is empty. `other`: what is not among the choices is taken too.

    Raises ValidationError with what to type instead.
    """
    if not text.strip():
        return NOTHING
    if kind is Kind.CHOICES:
        return [_chosen(line, choices, other=other) for line in _lines(text)]
    if kind is Kind.LIST:
        return [_one(line, item) for line in _lines(text)]
    if kind is Kind.CHOICE:
        return _chosen(text.strip(), choices, other=other)
    return _one(text if kind is Kind.LONG_TEXT else text.strip(), kind)


def number_of(text: str, *, whole: bool = False) -> int | float:
    """A number as it is typed in English: `-1250.5`. Raises ValidationError."""
    if not _NUMBER.fullmatch(text):
        raise ValidationError(_("Type a number with digits and a point, such as 1250.5, without spaces or commas."))
    if "." not in text:
        return int(text)
    if whole:
        raise ValidationError(_("Type a whole number, such as 12."))
    return float(text)


def comparable(field: Field, text: str) -> Any:
    """What a rule compares a field's value with. Raises ValidationError."""
    if field.kind in {Kind.TABLE, Kind.JSON, Kind.FILE, Kind.LIST}:
        raise ValidationError(
            _("A value of this kind cannot be compared. Choose “is filled in” or “is empty”, or another field.")
        )
    kind = Kind.CHOICE if field.kind is Kind.CHOICES else field.kind
    other = field.other or field.choices_from is not None or not field.choices
    found = value_of(text, kind, choices=field.choices, other=other)
    if found is NOTHING:
        raise ValidationError(_("Type the value to compare with."))
    return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _chosen(text: str, choices: tuple[Choice, ...], *, other: bool) -> Any:
    for choice in choices:
        if text in (key_of(choice.value), choice.label):
            return choice.value
    if other:
        return text
    known = ", ".join(choice.label or key_of(choice.value) for choice in choices[:5])
    raise ValidationError(
        _("“%(text)s” is not among the choices (%(known)s).") % {"text": text[:60], "known": known[:200]}
    )


def _one(text: str, kind: Kind) -> Any:
    if kind in NUMBERS:
        return number_of(text, whole=kind is Kind.INTEGER)
    if kind is Kind.YES_NO:
        if text not in {"true", "false"}:
            raise ValidationError(_("Choose yes or no."))
        return text == "true"
    if kind is Kind.EMAIL:
        EmailValidator(_("Type an e-mail address, such as name@example.com."))(text)
    if kind is Kind.URL:
        URLValidator(["http", "https"], message=_("Type a web address that starts with https:// or http://."))(text)
    if kind in {Kind.DATE, Kind.TIME, Kind.DATETIME}:
        _moment(text, kind)
    return text


def _moment(text: str, kind: Kind) -> None:
    readers = {
        Kind.DATE: (datetime.date.fromisoformat, _("Type a date as year-month-day, such as 2026-03-31.")),
        Kind.TIME: (datetime.time.fromisoformat, _("Type a time, such as 09:30.")),
        Kind.DATETIME: (
            datetime.datetime.fromisoformat,
            _("Type a date and a time, such as 2026-03-31T09:30."),
        ),
    }
    read, words = readers[kind]
    try:
        read(text)
    except ValueError as problem:
        raise ValidationError(words) from problem


#: How a choice's value is sent, as the builder chooses it beside the value.
AS_TEXT, AS_NUMBER, AS_YES_NO, AS_NOTHING, AS_IT_IS = "text", "number", "yes_no", "null", "json"


def sort_of(value: Any) -> str:
    """How a choice's value is sent."""
    if value is None:
        return AS_NOTHING
    if isinstance(value, bool):
        return AS_YES_NO
    if isinstance(value, int | float):
        return AS_NUMBER
    return AS_TEXT if isinstance(value, str) else AS_IT_IS


def sent_as(text: str, sort: str, was: str = "") -> Any:
    """The value to send for what a choice's row holds; `was` is the JSON of a list or an object, which nobody types.

    Raises ValidationError.
    """
    if sort == AS_NUMBER:
        return number_of(text.strip())
    if sort == AS_YES_NO:
        if text.strip().lower() not in {"true", "false", _("yes"), _("no")}:
            raise ValidationError(_("Type true or false."))
        return text.strip().lower() in {"true", _("yes")}
    if sort == AS_NOTHING:
        return None
    if sort == AS_IT_IS:
        try:
            return json.loads(was)
        except (ValueError, RecursionError) as problem:
            raise ValidationError(
                _("Choose how the value is sent: as text, as a number, or as yes or no.")
            ) from problem
    return text
