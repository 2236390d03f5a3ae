"""One value: from the text of a control to what is sent, and back to the text that a control shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from workflows_ui.forming import json_text, moments, numbers
from workflows_ui.forming.document import NUMBERS, Choice, Column, Field, Kind, key_of

_MAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\".]+")
_PHONE = re.compile(r"\+?[\d\s().\-/]{5,30}(?:\s?(?:x|ext\.?|#)\s?\d{1,6})?", re.IGNORECASE | re.ASCII)
YES = frozenset({"true", "yes", "1", "on", "có"})
NO = frozenset({"false", "no", "0", "off", "không"})


class BadValue(Exception):
    """A text that does not fit. Its words say in the reader's language what to do."""


def read(
    one: Field | Column,
    text: str,
    *,
    kind: Kind | None = None,
    options: Sequence[Choice] | None = None,
    zone: tzinfo = UTC,
) -> Any:
    """What a filled control of this field or column sends. The text is not empty. Limits are not looked at. Raises BadValue.

    Args:
        kind: instead of the field's own: that of a list's items.
        options: the live choices; None where they are not known.
    """
    kind = kind or one.kind
    if "\0" in text:
        raise BadValue(_("This holds a letter that cannot be sent. Delete it and type it again."))
    if kind in (Kind.CHOICE, Kind.CHOICES):
        return _chosen(one, text, options)
    try:
        if kind in NUMBERS:
            return numbers.read(text, whole=kind is Kind.INTEGER)
        if kind is Kind.DATE:
            return moments.read_day(text)
        if kind is Kind.TIME:
            return moments.read_time(text)
        if kind is Kind.DATETIME:
            return moments.read_moment(text, one.moment, zone)
    except (numbers.BadNumber, moments.BadMoment) as problem:
        raise BadValue(str(problem)) from None
    return _read_other(kind, text)


def _read_other(kind: Kind, text: str) -> Any:
    if kind is Kind.YES_NO:
        word = text.strip().lower()
        if word not in YES | NO:
            raise BadValue(_("Choose yes or no."))
        return word in YES
    if kind is Kind.EMAIL:
        return _like(text, is_mail, _("Type an e-mail address, such as name@example.com."))
    if kind is Kind.PHONE:
        return _like(text, is_phone, _("Type a phone number, such as +84 28 3823 4567."))
    if kind is Kind.URL:
        return _like(text, is_url, _("Type a web address that starts with https:// or http://."))
    if kind is Kind.JSON:
        return _json(text)
    return text.replace("\r\n", "\n")


def show(one: Field | Column, value: Any, *, kind: Kind | None = None, zone: tzinfo = UTC) -> str:
    """The text that a control shows for a value, from which `read` makes the same value. One that does not fit is shown as it is."""
    kind = kind or one.kind
    if kind in (Kind.CHOICE, Kind.CHOICES):
        return key_of(value)
    if kind is Kind.JSON:
        return json_text.pretty(value) if plain_text(value) else json_text.dump(value)
    if kind in NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        return numbers.show(value)
    if not isinstance(value, str):
        return key_of(value)
    return moments.show_moment(value, one.moment, zone) if kind is Kind.DATETIME else value


def is_mail(text: str) -> bool:
    """Whether it looks like an e-mail address."""
    return len(text) <= 320 and _MAIL.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether it looks like a phone number: 6 to 15 digits with what people write between them."""
    return _PHONE.fullmatch(text) is not None and 6 <= sum(letter.isdigit() for letter in text) <= 21


def is_url(text: str) -> bool:
    """Whether it is an address of the web."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)
    except ValueError:
        return False


def plain_text(value: Any) -> bool:
    """Whether all letters of a value come back from a page as they were: no carriage return, no NUL or other control, no half pair."""
    return not _ODD.search(json_text.pretty(value) if not isinstance(value, str) else value)


# json_text.pretty writes controls and half pairs as escapes, except those that JSON lets stand: DEL, C1, separators, non-characters.
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufffe\uffff]")


def _like(text: str, looks_right: Any, words: str) -> str:
    text = text.strip()
    if not looks_right(text):
        raise BadValue(words)
    return text


def _json(text: str) -> Any:
    try:
        return json_text.parse(text)
    except json_text.BadPayload as problem:
        if problem.line is not None:
            raise BadValue(
                _("This is not JSON: look at line %(line)s, letter %(column)s.")
                % {"line": problem.line, "column": problem.column}
            ) from None
        raise BadValue(
            _("This JSON cannot be sent: it is too large, too deep, or has a number out of range.")
        ) from None


def _chosen(one: Field | Column, text: str, options: Sequence[Choice] | None) -> Any:
    text = text.replace("\r\n", "\n")
    live = isinstance(one, Field) and one.choices_from is not None
    choices = options if live and options is not None else one.choices
    for choice in choices:
        if key_of(choice.value) == text:
            return choice.value
    free = isinstance(one, Field) and (one.other or (live and options is None))
    if not free:
        raise BadValue(_("Choose one of the listed values."))
    values = [choice.value for choice in choices]
    if values and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        try:
            return numbers.read(text)
        except numbers.BadNumber as problem:
            raise BadValue(str(problem)) from None
    return text
