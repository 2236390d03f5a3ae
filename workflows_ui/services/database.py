"""What databases demand: connections given back before long calls and held by a handful of threads; and what they make of texts.

Hundreds of threads wait for engines at the same time; each holding a connection would exhaust PostgreSQL.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.db import connection, transaction

from workflows_ui.models import User

#: Threads of one process that may use the database at the same moment, where they ask for a turn.
TURNS = 8
_turns = BoundedSemaphore(TURNS)


def storable(text: str) -> str:
    """The text as every database can keep it: PostgreSQL refuses U+0000, and none takes half of a surrogate pair."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def spellings(text: str) -> set[str]:
    """A text to be searched for, in both ways of writing letters with marks (NFC, and NFD as from macOS): databases tell them apart."""
    return {unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}


@contextmanager
def one_at_a_time(user: User) -> Iterator[None]:
    """A transaction of which there is one a person at a time: two tabs, or two clicks at the same moment, see each other."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # on SQLite every transaction that writes is the only one
        yield


@contextmanager
def turn() -> Iterator[None]:
    """Waits for one of the process's turns; on leaving, this thread's connection is closed (unless a transaction surrounds it)."""
    with _turns:
        try:
            yield
        finally:
            if not connection.in_atomic_block:
                connection.close()
