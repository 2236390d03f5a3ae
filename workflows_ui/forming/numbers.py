"""Numbers as people type them, in English and Vietnamese ways; what could mean two numbers is refused, never guessed."""

from __future__ import annotations

import math
import re

from django.utils.translation import gettext as _

_SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'](?=\d)")
_PLAIN = re.compile(r"[+-]?(\d+)(\.\d+)?([eE][+-]?\d{1,4})?")
#: One separator and exactly three digits: a thousand and more to one reader, a number with decimals to another.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_COMMAS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_DOTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
#: Digits of a whole number; Python refuses to read more than 4,300.
_MOST = 4_000


class BadNumber(Exception):
    """Not one number. Its text says in the reader's language what to do."""


def read(text: str, *, whole: bool = False) -> int | float:
    """The number of a text: an int where it has no decimals, else a float. Raises BadNumber.

    `1234.5`, `1234,5`, `1,234.5`, `1.234,5`, `1 234,5`, `-3` and `1e3` are read. `1.234` and `1,234` are refused.
    """
    text = _SPACES.sub("", text.strip()).replace("\u2212", "-")
    if len(text) > _MOST:
        raise BadNumber(_("This number is too long."))
    if _EITHER.fullmatch(text):
        sign = text[0] if text[0] in "+-" else ""
        digits = text.removeprefix(sign).replace(".", "").replace(",", "")
        large, small = f"{sign}{digits}", f"{sign}{digits[:-3]}.{digits[-3:]}0"
        if whole:
            raise BadNumber(_("Is this %(large)s? Type it without a dot or comma.") % {"large": large})
        raise BadNumber(
            _("This could be two numbers. Type %(large)s, or %(small)s if you mean the smaller one.")
            % {"large": large, "small": small}
        )
    value = _value(_plain(text, whole=whole))
    if whole and isinstance(value, float):
        if not value.is_integer():
            raise BadNumber(_("Type a whole number, without decimals."))
        value = int(value)
    return value


def show(value: float) -> str:
    """The text that `read` gives back as this very number; one that could be misread gets a nought at its end (1.234: `1.2340`)."""
    text = str(value) if isinstance(value, int) else repr(value)
    return f"{text}0" if _EITHER.fullmatch(text) else text


def _plain(text: str, *, whole: bool) -> str:
    if _PLAIN.fullmatch(text):
        return text
    if _COMMAS.fullmatch(text):
        return text.replace(",", "")
    if _DOTS.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _COMMA.fullmatch(text):
        return text.replace(",", ".")
    raise BadNumber(_("Type a whole number, such as 12.") if whole else _("Type a number, such as 12 or 12.5."))


def _value(plain: str) -> int | float:
    if plain.lstrip("+-").isdecimal():
        return int(plain)
    value = float(plain)
    if not math.isfinite(value):
        raise BadNumber(_("This number is too large."))
    return value
