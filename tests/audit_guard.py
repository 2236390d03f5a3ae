"""The triggers that keep the audit log's rows as they are: taken away for a moment, and put back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

TABLES = ("workflows_ui_auditevent", "workflows_ui_auditcheckpoint")


def away_and_back(database: Any) -> tuple[list[str], list[str]]:
    """Statements that take the triggers away, and those that put the same ones back."""
    if database.vendor == "postgresql":
        with database.cursor() as cursor:
            there = set(database.introspection.table_names(cursor))
        tables = [table for table in TABLES if table in there]
        return (
            [f"ALTER TABLE {table} DISABLE TRIGGER USER;" for table in tables],
            [f"ALTER TABLE {table} ENABLE TRIGGER USER;" for table in tables],
        )
    found = triggers(database)
    return [f"DROP TRIGGER {name};" for name in found], list(found.values())


def triggers(database: Any) -> dict[str, str]:
    """SQLite: the triggers by name, with what made them."""
    with database.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit_%'")
        return dict(cursor.fetchall())


@contextmanager
def away() -> Iterator[None]:
    """Within it the database lets everything be done to the log, as for somebody who has the database."""
    before, after = away_and_back(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in before:
            cursor.execute(statement)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in after:
                cursor.execute(statement)
