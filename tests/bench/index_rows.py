"""Rows of a large run index, made by the database: runs, their values and words, objects and their uses; and what they take on disk.

One run in twenty failed, in one of 70 ways; the runs of the latest VALUED days have values and twelve words of them. Three of these words
are those of every run, two those of every tenth or thousandth, the others of one run only.
"""

from collections.abc import Mapping

from django.db import DatabaseError, connection
from django.utils import timezone

from workflows_ui.credentials.models import Credential
from workflows_ui.run_index.models import (
    IndexedKind,
    IndexedObject,
    IndexedRun,
    Kept,
    ObjectUse,
    RunIndex,
    RunValues,
    RunWord,
)
from workflows_ui.run_index.services import words
from workflows_ui.run_index.services.object_rows import CONNECTIONS, FLOWS, KINDS

DAYS, VALUED, FLOWS_RUN = 80, 15, 50
#: Flows that are known, and the uses of each.
KNOWN_FLOWS, USES = 1000, 6
OTHERS = 7
COMMON, SOME, FEW, RARE = "invoice", "priority", "campaign", "order-471100815"
TABLES = [model._meta.db_table for model in (IndexedRun, RunValues, RunWord, IndexedObject, ObjectUse)]
RUNS, VALUES, WORDS = TABLES[:3]
_RUN = {
    "workspace_id": "{workspace}",
    "run_id": "'run' || {padded}",
    "flow_id": "'flow' || (n % {flows})",
    "version_id": "'version' || (n % {flows})",
    "flow_name": "'Orders of region ' || (n % {flows})",
    "status": "CASE WHEN n % 20 = 0 THEN 'FAILED' ELSE 'SUCCEEDED' END",
    "created": "{moment}",
    "updated": "{moment}",
    "started": "{moment}",
    "finished": "{end}",
    "duration": "(n % 10007) * 7",
    "failed_step": "CASE WHEN n % 20 = 0 THEN 'step_' || (n % 7) ELSE '' END",
    "failed_step_title": "CASE WHEN n % 20 = 0 THEN 'Step ' || (n % 7) ELSE '' END",
    "message": "CASE WHEN n % 20 = 0 THEN '{message}' ELSE '' END",
    "fingerprint": "CASE WHEN n % 20 = 0 THEN 1 + n % 1400 ELSE 0 END",
    "tags": "''",
    "parent_id": "CASE WHEN n % 10 = 3 THEN 'run' || {parent} ELSE '' END",
    "triggered_by": "''",
    "values_read": "CASE WHEN n <= {valued} THEN 2 ELSE 0 END",
}


class Filler:
    """Fills the tables of an index whose runs are spread evenly over DAYS, `most` in the end; number 1 is the newest."""

    def __init__(self, index: RunIndex, most: int) -> None:
        self._index, self._key = index, index.open("word_key")
        self._step = DAYS * 86_400 / most
        #: The runs with values.
        self.valued = int(VALUED * 86_400 / self._step)
        self._postgres = connection.vendor == "postgresql"
        self.size = 0

    def fill(self, size: int) -> None:
        """Add runs with their values and words, up to this number."""
        first = self.size + 1
        self.fill_runs(size)
        self._insert_values(first, min(size, self.valued))
        for step, text in ((1, COMMON), (1, "delivery"), (1, "paid"), (10, SOME), (1000, FEW)):
            self._insert_words(first, step, words.hashes(self._key, [text])[0])
        for _other in range(OTHERS):
            self._insert_words(first, 1, None)
        if first <= 100 < size:
            self._insert_words(100, size, words.hashes(self._key, [RARE])[0])
        with connection.cursor() as cursor:
            for table in TABLES if self._postgres else [""]:
                cursor.execute(f"VACUUM ANALYZE {table}" if self._postgres else "ANALYZE")

    def fill_runs(self, size: int) -> None:
        """Add runs alone, up to this number."""
        first, self.size = self.size + 1, size
        self._insert(RUNS, self._run_columns(), first, size)

    def _run_columns(self) -> Mapping[str, str]:
        moment, end = (
            f"now() - n * interval '{self._step} seconds'",
            "{moment} + (n % 10007) * interval '7 milliseconds'",
        )
        if not self._postgres:
            at = f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (n * {self._step}{{later}}) || ' seconds')"
            moment, end = at.format(later=""), at.format(later=" - (n % 10007) * 0.007")
        padded = "lpad(({n})::text, 18, '0')" if self._postgres else "printf('%018d', {n})"
        values = {
            "workspace": self._index.pk,
            "flows": FLOWS_RUN,
            "message": IndexedRun(workspace_id=self._index.pk, run_id="sample").seal("message", "x" * 200),
            "moment": moment,
            "end": end.replace("{moment}", moment),
            "padded": padded.format(n="n"),
            "parent": padded.format(n="n + 1"),
            "valued": self.valued,
        }
        return {name: value.format(**values) for name, value in _RUN.items()}

    def _insert(self, table: str, columns: Mapping[str, str], first: int, last: int) -> None:
        numbers = f"SELECT generate_series({first}, {last}) AS n"
        if not self._postgres:
            numbers = f"WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s"
        self._execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM ({numbers}) AS numbers"
        )

    def _numbered(self) -> str:
        """The number of a run in SQL, from its id."""
        return f"CAST(substr(run_id, 4) AS {'bigint' if self._postgres else 'integer'})"

    def _insert_values(self, first: int, last: int) -> None:
        content = RunValues(run=IndexedRun(workspace_id=self._index.pk, run_id="sample"), workspace_id=self._index.pk)
        text = content.seal("content", "x" * 1000)
        self._execute(
            f"INSERT INTO {VALUES} (run_id, workspace_id, created, kept, size, content) "
            f"SELECT id, workspace_id, created, {int(Kept.VALUES)}, 1000, '{text}' FROM {RUNS} "
            f"WHERE {self._numbered()} BETWEEN {first} AND {last}"
        )

    def _insert_words(self, first: int, step: int, word: int | None) -> None:
        """A word of every so many runs; None for one of each run's own."""
        random = "(random() * 9e18)::bigint" if self._postgres else "abs(random())"
        chosen = random if word is None else str(word)
        self._execute(
            f"INSERT INTO {WORDS} (run_id, word, of_value) SELECT id, {chosen}, true FROM {RUNS} "
            f"WHERE {self._numbered()} BETWEEN {first} AND {min(self.size, self.valued)} AND ({self._numbered()} - {first}) % {step} = 0"
        )

    def _execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


def add_objects(index: RunIndex, credential: Credential, connection_key: str) -> None:
    """Flows that use connections; every tenth one uses this connection. All kinds were read."""
    now = timezone.now()
    IndexedKind.objects.bulk_create(
        IndexedKind(index=index, kind=kind, credential=credential, read_at=now, due_at=now) for kind in KINDS
    )
    flows = IndexedObject.objects.bulk_create(
        IndexedObject(
            index=index,
            kind=FLOWS,
            object_id=f"flow{n}",
            name=f"Orders of region {n}",
            plain_name=f"orders of region {n}",
            state="ENABLED",
            data={"id": f"flow{n}", "version": {"displayName": f"Orders of region {n}"}},
            seen_at=now,
        )
        for n in range(KNOWN_FLOWS)
    )
    ObjectUse.objects.bulk_create(
        ObjectUse(
            user=flow,
            kind=CONNECTIONS,
            key=connection_key if (n, use) == (n // 10 * 10, 0) else f"key{n % 97}-{use}",
            step=f"step_{use}",
            title=f"Step {use}",
            live=True,
        )
        for n, flow in enumerate(flows)
        for use in range(USES)
    )


def sizes() -> dict[str, int]:
    """The bytes of each table and index; of the whole database if it does not say more."""
    if connection.vendor == "postgresql":
        return _read(
            "SELECT c.relname, pg_relation_size(c.oid) + coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0) "
            "FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid "
            f"WHERE coalesce(i.indrelid, c.oid) IN ({', '.join(repr(table) + '::regclass' for table in TABLES)})"
        )
    try:
        names = ", ".join(map(repr, TABLES))
        return _read(
            "SELECT d.name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name "
            f"WHERE m.tbl_name IN ({names}) GROUP BY d.name"
        )
    except DatabaseError:
        return _read("SELECT 'database', page_count * page_size FROM pragma_page_count(), pragma_page_size()")


def _read(query: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name: int(size) for name, size in cursor.fetchall()}
