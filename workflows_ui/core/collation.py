"""Texts without accents, for searching; and the sort order of names in Vietnamese and English: a, ă, â, b, c, d, đ, e, ê ...

Tones and capitals only break ties.
"""

import unicodedata
from functools import lru_cache
from typing import Any

from django.db.models.functions import Collate

#: The collation of names in the database: Vietnamese by ICU on PostgreSQL, where a migration creates it, and `sort_key` on SQLite.
NAMES = "console_names"

#: Longer texts are not kept.
_LONGEST = 200
#: Combining marks that form a separate letter, in alphabetical order; all others are tones.
_LETTERS = {"\u0306": "\uf001", "\u0302": "\uf002", "\u031b": "\uf003"}


def plain(text: str) -> str:
    """A text for searching: without case and accents.

    >>> plain("Đơn HÀNG")
    'don hang'
    """
    parts = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def sort_key(text: str) -> tuple[str, str]:
    """The sort key of a name: its letters without tones, then the name itself.

    >>> sorted(["e", "đa", "dz", "Da"], key=sort_key)
    ['Da', 'dz', 'đa', 'e']
    """
    return _sort_key(text) if len(text) <= _LONGEST else _sort_key.__wrapped__(text)


@lru_cache(maxsize=20_000)
def _sort_key(text: str) -> tuple[str, str]:
    folded = text.casefold()
    parts = unicodedata.normalize("NFD", folded.replace("đ", "d\uf001"))
    letters = "".join(_LETTERS.get(part, "" if unicodedata.combining(part) else part) for part in parts)
    return letters, folded


def by_name(*fields: str) -> tuple[Collate, ...]:
    """Text fields to order rows of the database by, as names are ordered."""
    return tuple(Collate(field, NAMES) for field in fields)


def install(connection: Any, **_options: Any) -> None:
    """Give a new connection to SQLite the collation. Receives the signal `connection_created`."""
    if connection.vendor == "sqlite":
        connection.connection.create_collation(NAMES, _compared)


def _compared(first: str, second: str) -> int:
    one, other = sort_key(first), sort_key(second)
    return (one > other) - (one < other)
