"""Runs and launches found by parts of words, where their words are stored as plain text.

The database has an index of trigrams of the texts: pg_trgm on PostgreSQL, FTS5 on SQLite. Each `migrate` makes sure of it, since a
database may lack the means; without it, plain text is not offered. An index is slow for parts that very many rows have, since it finds all
of them; so the newest rows are looked through first, and the index is limited to as many rows as can be listed.
"""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from workflows_ui.launches.models import LaunchText
from workflows_ui.run_index.models import RunText
from workflows_ui.run_index.services import words

log = structlog.get_logger(__name__)

Texts = type[RunText] | type[LaunchText]
_MODELS: tuple[Texts, ...] = (RunText, LaunchText)

#: So many of the newest rows are looked through one by one; so many found among them are enough.
NEWEST, ENOUGH = 3000, 500
#: The most rows that the index finds.
FOUND = 3000
#: A part is frequent if more than this share of the newest rows has it.
FREQUENT = 0.02
#: The letters of a trigram. Shorter words are found as whole words.
SHORTEST = 3
_POSTGRESQL = "CREATE INDEX IF NOT EXISTS {table}_parts ON {table} USING gin (text gin_trgm_ops)"
#: A table of the trigrams only, kept by triggers.
_SQLITE = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS {table}_parts
    USING fts5(text, content='{table}', content_rowid='{key}', tokenize='trigram')""",
    """CREATE TRIGGER IF NOT EXISTS {table}_added AFTER INSERT ON {table} BEGIN
        INSERT INTO {table}_parts(rowid, text) VALUES (new.{key}, new.text);
    END""",
    """CREATE TRIGGER IF NOT EXISTS {table}_deleted AFTER DELETE ON {table} BEGIN
        INSERT INTO {table}_parts({table}_parts, rowid, text) VALUES ('delete', old.{key}, old.text);
    END""",
    """CREATE TRIGGER IF NOT EXISTS {table}_changed AFTER UPDATE ON {table} BEGIN
        INSERT INTO {table}_parts({table}_parts, rowid, text) VALUES ('delete', old.{key}, old.text);
        INSERT INTO {table}_parts(rowid, text) VALUES (new.{key}, new.text);
    END""",
)
#: Trigrams of deleted texts leave the file at once.
_SECURE_DELETE = "INSERT INTO {table}_parts({table}_parts, rank) VALUES ('secure-delete', 1)"
#: Names of its parts; on SQLite also the triggers, which are lost when a migration rebuilds the table.
_NAMES, _NAMES_SQLITE = ("{table}_parts",), ("{table}_parts", "{table}_added", "{table}_deleted", "{table}_changed")
#: How many of these names exist, on PostgreSQL in the schemas in which tables are looked for.
_PRESENT = "SELECT count(to_regclass(name)) FROM unnest(%s::text[]) AS name"
_PRESENT_SQLITE = "SELECT count(*) FROM sqlite_master WHERE name IN (SELECT value FROM json_each(%s))"
_REBUILD = "INSERT INTO {table}_parts({table}_parts) VALUES ('rebuild')"


#: A condition that no row meets. Unlike an empty list, it has SQL, by which counts are kept.
NOTHING = Q(pk=0)


class Found(NamedTuple):
    """The condition of the rows that a search found, and whether these are all: otherwise the newest ones, and some others."""

    condition: Q = NOTHING
    complete: bool = True


def prepare() -> None:
    """Create the index of parts, if the database can have it. `available` says whether it has."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in _statements():
                cursor.execute(statement)
    except DatabaseError as problem:
        # Without the extension, without the right to create it, or before the tables exist.
        log.info("run_index.no_parts", error=type(problem).__name__)


def _statements() -> list[str]:
    present = available()
    if connection.vendor == "sqlite":
        once = [_REBUILD] + [_SECURE_DELETE] * (sqlite3.sqlite_version_info >= (3, 42))
        return [_filled(one, model) for model in _MODELS for one in (*_SQLITE, *([] if present else once))]
    # An existing index is not created again: even IF NOT EXISTS waits for all writers.
    made = ["CREATE EXTENSION IF NOT EXISTS pg_trgm", *(_filled(_POSTGRESQL, model) for model in _MODELS)]
    return [] if present else made


def available() -> bool:
    """Whether this database has the index of parts."""
    sqlite = connection.vendor == "sqlite"
    names = [_filled(name, model) for model in _MODELS for name in (_NAMES_SQLITE if sqlite else _NAMES)]
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute(_PRESENT_SQLITE, [json.dumps(names)])
        else:
            cursor.execute(_PRESENT, [names])
        (number,) = cursor.fetchone()
    return bool(number == len(names))


def _filled(statement: str, model: Texts) -> str:
    meta = model._meta  # noqa: SLF001
    return statement.format(table=meta.db_table, key=meta.pk.column)


def stored(*kinds: Sequence[str]) -> str:
    """The words of each kind as plain text: spaces around each, and a line break between the kinds."""
    return "\n".join(f" {' '.join(kind)} " for kind in kinds)


def find_rows(model: Texts, workspace_id: int, rows: QuerySet[Any], moment: str, text: str) -> Found:
    """The rows of a workspace that have every word of a text as a part of one of their words; none if it has no words.

    Args:
        model: of their plain texts.
        rows: what is searched, with all other conditions, of which the newest are looked through. Others may be among the found.
        moment: the datetime field by which the rows are listed, newest first.
    """
    searched = [word for word in words.searched(text) if any(letter.isalnum() for letter in word)]
    if not searched:
        return Found()
    wanted = [word if len(word) >= SHORTEST else f" {word} " for word in searched]
    owner = "run" if model is RunText else "launch"
    ordered = rows.order_by(f"-{moment}", "-pk").values("pk")
    newest = model.objects.filter(**{f"{owner}__in": ordered[:NEWEST]})
    found = frozenset(_with_all_parts(newest, wanted).values_list(f"{owner}_id", flat=True))
    if not ordered[NEWEST : NEWEST + 1].exists():
        return Found(_among(found))
    if len(found) >= ENOUGH:
        return Found(_among(found), complete=False)
    frequent = _frequent(newest, wanted) if len(wanted) > 1 else []
    rare = [part for part in wanted if part not in frequent] or wanted
    # Not joined with the rows: a database that expects few of them would begin there, and read the texts of all.
    others = _with_all_parts(texts_with(model, rare).filter(workspace_id=workspace_id), [*set(wanted) - set(rare)])
    more = frozenset(others.values_list(f"{owner}_id", flat=True)[: FOUND + 1])
    return Found(_among(found | more), complete=len(more) <= FOUND)


def _among(keys: frozenset[object]) -> Q:
    return Q(pk__in=sorted(keys)) if keys else NOTHING


def _with_all_parts(rows: QuerySet[Any], parts: Sequence[str]) -> QuerySet[Any]:
    """Those of these texts with all of these parts. No index serves the condition, whatever the database expects of it: all are read."""
    for part in parts:
        rows = rows.filter(_has(part))
    return rows


def _has(part: str) -> GreaterThan:
    return GreaterThan(StrIndex("text", Value(part)), 0)


def _frequent(newest: QuerySet[Any], parts: Sequence[str]) -> list[str]:
    """Those of these parts that many of the newest texts have: the index would look through long lists of the rows with them."""
    counts = {f"part{number}": Count("pk", filter=_has(part)) for number, part in enumerate(parts)}
    numbers = newest.aggregate(rows=Count("pk"), **counts)
    return [part for number, part in enumerate(parts) if numbers[f"part{number}"] > FREQUENT * numbers["rows"]]


def texts_with(model: Texts, parts: Sequence[str]) -> QuerySet[Any]:
    """The texts with all of these parts, by their index."""
    rows: QuerySet[Any] = model.objects.all()
    if connection.vendor == "sqlite":
        phrases = " AND ".join('"{}"'.format(part.replace('"', '""')) for part in parts)
        keys = _filled("SELECT rowid FROM {table}_parts WHERE {table}_parts MATCH %s", model)
        return rows.filter(pk__in=RawSQL(keys, [phrases]))  # noqa: S611  # nosec B611: names of the code
    for part in parts:
        rows = rows.filter(text__contains=part)
    return rows
