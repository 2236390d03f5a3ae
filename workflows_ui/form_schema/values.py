"""Conversion of single values: from the text of a control to the sent value, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext as _, gettext_lazy

from workflows_ui.core import json_errors, json_text
from workflows_ui.form_schema import moments
from workflows_ui.form_schema.document import NUMBERS, BadValue, Choice, Column, Field, FieldKind, is_number, key_of

_MAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\".]+")
_PHONE = re.compile(r"\+?[\d\s().\-/]{5,30}(?:\s?(?:x|ext\.?|#)\s?\d{1,6})?", re.IGNORECASE | re.ASCII)
_SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'](?=\d)")
#: One separator and exactly three digits: thousands to some readers, decimals to others.
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
#: Notations of numbers, with their separators of thousands and of decimals.
_NOTATIONS = (
    (re.compile(r"[+-]?(\d+)(\.\d+)?([eE][+-]?\d{1,4})?"), "", "."),
    (re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?"), ",", "."),
    (re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?"), ".", ","),
    (re.compile(r"[+-]?\d+,\d+"), "", ","),
)
#: Most characters of a number; Python does not parse integers of more than 4,300 digits.
_MOST = 4_000
YES = frozenset({"true", "yes", "1", "on", "có"})
NO = frozenset({"false", "no", "0", "off", "không"})


def read(field: Field | Column, text: str, *, options: Sequence[Choice] | None = None, zone: tzinfo = UTC) -> object:
    """The value that a filled control sends for this field, for one item of this list, or for a column's cell. Limits are not checked.

    The text is not empty; `options` are the live choices, None if they are not known. Raises BadValue.
    """
    kind = _value_kind(field)
    if "\0" in text:
        raise BadValue(_("This contains a character that cannot be sent. Delete it and enter it again."))
    if kind in (FieldKind.CHOICE, FieldKind.CHOICES):
        return _read_choice(field, text, options)
    if kind is FieldKind.DATETIME:
        return moments.read_moment(text, field.moment, zone)
    if kind in _ADDRESSES:
        is_valid, message = _ADDRESSES[kind]
        if not is_valid(text.strip()):
            raise BadValue(str(message))
        return text.strip()
    read_text = _READERS.get(kind)
    return read_text(text) if read_text else text.replace("\r\n", "\n")


def _value_kind(field: Field | Column) -> FieldKind:
    return field.item if isinstance(field, Field) and field.kind is FieldKind.LIST else field.kind


def show(field: Field | Column, value: object, *, zone: tzinfo = UTC) -> str:
    """The text of a control for a value, from which `read` makes the same value. Unsuitable values are displayed unchanged."""
    kind = _value_kind(field)
    if kind in (FieldKind.CHOICE, FieldKind.CHOICES):
        return key_of(value)
    if kind is FieldKind.JSON:
        return json_text.pretty(value) if plain_text(value) else json_text.dump(value)
    if kind in NUMBERS and is_number(value):
        return show_number(value)
    if not isinstance(value, str):
        return key_of(value)
    return moments.show_moment(value, field.moment, zone) if kind is FieldKind.DATETIME else value


def is_mail(text: str) -> bool:
    return len(text) <= 320 and _MAIL.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether the text looks like a phone number: 6 to 15 digits, an extension, and usual separators."""
    return _PHONE.fullmatch(text) is not None and 6 <= sum(character.isdigit() for character in text) <= 21


def is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)
    except ValueError:
        return False


def plain_text(value: object) -> bool:
    """Whether a page returns all characters of a value unchanged: no carriage return, no control character, no half surrogate pair."""
    return not _ODD.search(json_text.pretty(value) if not isinstance(value, str) else value)


# json_text.pretty escapes control characters and half pairs, except those that JSON allows: DEL, C1, separators, non-characters.
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufffe\uffff]")


def _yes_no(text: str) -> bool:
    word = text.strip().lower()
    if word not in YES | NO:
        raise BadValue(_("Choose yes or no."))
    return word in YES


def _json(text: str) -> object:
    try:
        return json_text.parse(text, settings.LAUNCH_JSON_BYTES)
    except json_text.BadPayload as problem:
        raise BadValue(json_errors.describe(problem, text)) from None


def _read_choice(field: Field | Column, text: str, options: Sequence[Choice] | None) -> object:
    text = text.replace("\r\n", "\n")
    live = isinstance(field, Field) and field.choices_from is not None
    choices = options if live and options is not None else field.choices
    for choice in choices:
        if key_of(choice.value) == text:
            return choice.value
    free = isinstance(field, Field) and (field.other or (live and options is None))
    if not free:
        raise BadValue(_("Choose one of the listed values."))
    values = [choice.value for choice in choices]
    if values and all(map(is_number, values)):
        return read_number(text)
    return text


# --- Numbers ---------------------------------------------------------------------------------------
# In English and Vietnamese notation. Ambiguous numbers are rejected, never guessed.


def read_number(text: str, *, whole: bool = False) -> int | float:
    """The number in a text: an int if it has no decimals, else a float. Raises BadValue.

    `1234.5`, `1234,5`, `1,234.5`, `1.234,5`, `1 234,5`, `-3` and `1e3` are accepted. `1,234` is rejected, as is `1.234`, except from a
    Vietnamese reader, who writes thousands with a dot.
    """
    text = _SPACES.sub("", text.strip()).replace("\u2212", "-")
    if len(text) > _MOST:
        raise BadValue(_("This number is too long."))
    if "." in text and _AMBIGUOUS.fullmatch(text) and (get_language() or "").startswith("vi"):
        text = text.replace(".", "")
    if _AMBIGUOUS.fullmatch(text):
        digits = re.sub("[.,]", "", text)
        message = _("This could be two numbers. Enter %(large)s, or %(small)s if you mean the smaller one.")
        if whole:
            message = _("Is this %(large)s? Enter it without a dot or comma.")
        decimal = "," if (get_language() or "").startswith("vi") else "."
        raise BadValue(message % {"large": digits, "small": f"{digits[:-3]}{decimal}{digits[-3:]}0"})
    for pattern, thousands, decimal in _NOTATIONS:
        if pattern.fullmatch(text):
            return _number(text.replace(thousands, "").replace(decimal, "."), whole=whole)
    raise BadValue(_("Enter a whole number, such as 12.") if whole else _("Enter a number, such as 12 or 12.5."))


def _number(plain: str, *, whole: bool) -> int | float:
    if plain.lstrip("+-").isdecimal():
        return int(plain)
    value = float(plain)
    if not math.isfinite(value):
        raise BadValue(_("This number is too large."))
    if whole and not value.is_integer():
        raise BadValue(_("Enter a whole number, without decimals."))
    return int(value) if whole else value


def show_number(value: float) -> str:
    """A text that `read_number` converts to the same number. An ambiguous one is padded with a zero (1.234: `1.2340`)."""
    text = str(value) if isinstance(value, int) else repr(value)
    return f"{text}0" if _AMBIGUOUS.fullmatch(text) else text


def understood(field: Field | Column, text: str) -> str:
    """How a typed number is understood, such as `= 120 000`; "" if it is typed like this, if it is wrong, and for other kinds."""
    if field.kind not in NUMBERS or not text.strip():
        return ""
    try:
        value = read_number(text, whole=field.kind is FieldKind.INTEGER)
    except BadValue:
        return ""
    decimal = "," if (get_language() or "").startswith("vi") else "."
    shown = f"{value:_}".removesuffix(".0").replace(".", decimal)
    if _SPACES.sub("", text.strip()) in (shown.replace("_", ""), str(value)):
        return ""
    return "= " + shown.replace("_", "\u00a0")


#: Kinds of addresses, with the message for other texts.
_ADDRESSES: dict[FieldKind, tuple[Callable[[str], bool], Promise]] = {
    FieldKind.EMAIL: (is_mail, gettext_lazy("Enter an email address, such as name@example.com.")),
    FieldKind.PHONE: (is_phone, gettext_lazy("Enter a phone number, such as +84 28 3823 4567.")),
    FieldKind.URL: (is_url, gettext_lazy("Enter a web address that starts with https:// or http://.")),
}
_READERS: dict[FieldKind, Callable[[str], object]] = {
    FieldKind.NUMBER: read_number,
    FieldKind.INTEGER: partial(read_number, whole=True),
    FieldKind.DATE: moments.read_day,
    FieldKind.TIME: moments.read_time,
    FieldKind.YES_NO: _yes_no,
    FieldKind.JSON: _json,
}
