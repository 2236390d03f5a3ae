"""Limits on database connections, and the handling of texts in databases.

Hundreds of threads wait for engines at the same time; if each held a connection, PostgreSQL would run out of them.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction

#: The most threads of one process that use the database at the same time, if they use `turn`.
TURNS = 8
_turns = BoundedSemaphore(TURNS)
#: Errors of a database that does not answer. PostgreSQL ends a session that is idle in a transaction with an InternalError.
AWAY = (OperationalError, InterfaceError, InternalError)


def storable(text: str) -> str:
    """The text in a form that every database can store: PostgreSQL refuses U+0000, and none accepts half of a surrogate pair."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def spellings(text: str) -> set[str]:
    """A text to search for, in both normal forms (NFC, and NFD as from macOS), which databases distinguish."""
    return {unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}


@contextmanager
def one_at_a_time(user: AbstractBaseUser) -> Iterator[None]:
    """A transaction that is exclusive for a person, so that two tabs, or two clicks at the same time, see each other's changes."""
    with transaction.atomic():
        # On SQLite every transaction that writes is the only one.
        get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)
        yield


@contextmanager
def turn(*, large: bool = False) -> Iterator[None]:
    """Wait for one of the process's turns; at the end, close this thread's connection (except inside a transaction).

    `large`: a value of many megabytes is read. Its connection does not return to a pool, since the driver's buffer never shrinks.
    """
    with _turns:
        try:
            yield
        finally:
            if not connection.in_atomic_block:
                if large and connection.connection is not None:
                    connection.connection.close()
                connection.close()
