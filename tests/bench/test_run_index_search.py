"""Searches of a run index with many runs by parts of words: of words of all runs, of few, and of the past only.

RUNS is the number of runs, as in test_run_index.py. Prints figures, asserts only that the pages came.
"""

import os
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.bench import figures, index_rows
from tests.launches.launch_scene import Scene
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.run_index.models import Kept, RunIndex, RunText, Search
from workflows_ui.run_index.services import indexes, parts

RUNS = int(os.environ.get("RUNS", "1000000" if os.environ.get("TEST_ON") == "servers" else "200000"))
ROUNDS = int(os.environ.get("ROUNDS", "20"))
TEXTS, TABLE = RunText._meta.db_table, index_rows.RUNS
#: The number of a run, and words that so many runs have.
NUMBER = "CAST(substr(run_id, 4) AS bigint)"
SHARES = {
    "receipt": "true",
    "quarterly": "n % 20 = 0",
    "monthlyfee": "n % 100 = 0",
    "legacycarrier": f"n > {RUNS} * 0.6",
    "handwritten": "n % 10000 = 0",
}
#: A word of a few thousand, a number and an id: 40, 10 and 4 in each run.
COMMON = " || ".join(f"' term' || (n * {factor} % {2000 + factor})" for factor in range(3, 123, 3))
NUMBERS = " || ".join(f"' ' || (n * {factor} % 1000003)" for factor in range(7919, 7929))
SEARCHES = {
    "a word of all runs": "receipt",
    "part of a word of all runs": "recei",
    "of 5 %": "quarterly",
    "of 1 %": "monthlyfee",
    "of 30 runs": "handwritten",
    "of the past only": "legacycarrier",
    "an order number": f"ord-{RUNS // 2}",
    "part of an order number": f"rd-{RUNS // 2}",
    "three digits": "471",
    "a frequent word and a number": f"receipt {RUNS // 3 + 4567}",
    # The only trigram of the number is in one of 17 rows.
    "a frequent word and 333333": "receipt 333333",
    "no run": "nowhere",
}


def fill_texts() -> None:
    """Plain words of all runs, and their index made at once."""
    shares = " || ".join(f"CASE WHEN {having} THEN ' {word}' ELSE '' END" for word, having in SHARES.items())
    identity = "md5(n::text)" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    text = (
        f"' step charge ' || char(10) || ' ord-' || n || ' ' || {identity} || {shares} || {COMMON} || {NUMBERS} || ' '"
    )
    if connection.vendor == "postgresql":
        text = text.replace("char(10)", "chr(10)")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP INDEX {TEXTS}_parts")
        numbered = f"SELECT id, workspace_id, {NUMBER} AS n FROM {TABLE}"
        cursor.execute(
            f"INSERT INTO {TEXTS} (run_id, workspace_id, text) SELECT id, workspace_id, {text} FROM ({numbered}) AS runs"
        )
        parts.prepare()
        for table in (TEXTS, TABLE):
            cursor.execute(f"VACUUM ANALYZE {table}" if connection.vendor == "postgresql" else "ANALYZE")


@pytest.mark.timeout(7200)
@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_searches_for_parts_of_words_in_a_large_index(capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene(samples=True)
    index = indexes.start(
        CONSOLE, scene.users.workspace, scene.users.credential, 90, kept=Kept.VALUES, search=Search.PLAIN
    )
    RunIndex.objects.update(read_at=timezone.now(), due_at=timezone.now() + timedelta(days=1), spans=[])
    browser = scene.sign_in(scene.users.owner)
    with capsys.disabled():
        print()
        index_rows.Filler(index, RUNS).fill_runs(RUNS)
        fill_texts()
        print(f"{connection.vendor}, {RUNS:,} runs, plain words of {size():.0f} bytes each")
        for name, text in SEARCHES.items():
            for kind, url in (("list", f"/w/sales/runs/?search={text}"), ("search", f"/w/sales/search/?q={text}")):
                taken = timed(f"  {kind}: {name}", browser, url)
                figures.add(f"parts of words among {RUNS:,} runs, {kind}: {name}", figures.spread(taken), "95 % 150 ms")
    scene.close()


def timed(name: str, browser: Client, url: str) -> list[float]:
    """Print and return how many seconds each of some requests takes, with the first, which counts."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        assert browser.get(url).status_code == 200
        taken.append(time.perf_counter() - started)
    print(f"{name:40} {figures.spread(taken)}, first {taken[0] * 1000:.0f}, least {min(taken) * 1000:.0f}")
    return taken


def size() -> float:
    """Bytes of a run's words on disk, with their index; 0 where the database does not say."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_total_relation_size('{TEXTS}')")
        return float(cursor.fetchone()[0]) / RUNS
