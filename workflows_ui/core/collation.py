"""Texts without accents, for searching; and the sort order of names in Vietnamese and English: a, ă, â, b, c, d, đ, e, ê ...

Tones and capitals only break ties.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from django.db import connection
from django.db.models import Func

#: The collations of names: of PostgreSQL with ICU, and of SQLite, where `install` gives it to each connection.
_ICU, _SQLITE = "vi-x-icu", "console_names"

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


def has_words(words: Iterable[str], *texts: object) -> bool:
    """Whether each of these words, which are plain, is in one of the texts.

    >>> has_words(["hang", "4711"], "Đơn hàng", 4711)
    True
    """
    found = plain(" ".join(map(str, texts)))
    return all(word in found for word in words)


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


class Name(Func):
    """A text field to order rows by, as names are ordered: `Name("flow_name")`.

    No column and no index has the collation: the database stays readable with any tool, and after any upgrade of ICU.
    """

    template = '%(expressions)s COLLATE "%(collation)s"'
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, collation=_SQLITE, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> object:
        if not _has_icu():
            return compiler.compile(self.source_expressions[0])
        return self.as_sql(compiler, connection, collation=_ICU, **context)


def by_name(*fields: str) -> tuple[Name, ...]:
    return tuple(map(Name, fields))


@cache
def _has_icu() -> bool:
    """Whether this PostgreSQL has the collation; otherwise its own order has to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_collation WHERE collname = %s) AND getdatabaseencoding() = 'UTF8'", [_ICU]
        )
        return bool(cursor.fetchone()[0])


def install(connection: Any, **_options: object) -> None:
    """Give a new connection to SQLite the collation. Receives the signal `connection_created`."""
    if connection.vendor == "sqlite":
        connection.connection.create_collation(_SQLITE, _compared)


def _compared(first: str, second: str) -> int:
    one, other = sort_key(first), sort_key(second)
    return (one > other) - (one < other)
