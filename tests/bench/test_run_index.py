"""The run index with many runs: pages, sizes, and how both grow. RUNS is the largest number, by default a million on PostgreSQL and
200,000 on SQLite. Prints figures, asserts only that the pages came."""

import os
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.bench import figures
from tests.launches.launch_scene import Scene
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes

RUNS = int(os.environ.get("RUNS", "1000000" if os.environ.get("TEST_ON") == "servers" else "200000"))
SIZES = [size for size in (10_000, 100_000, 1_000_000) if size < RUNS] + [RUNS]
DAYS, FLOWS, ROUNDS = 80, 50, 30
TABLE = IndexedRun._meta.db_table
#: Of twenty runs one failed, with a message of 200 characters.
COLUMNS = {
    "workspace_id": "{workspace}",
    "run_id": "'run' || {padded}",
    "flow_id": "'flow' || (n % {flows})",
    "version_id": "'version' || (n % {flows})",
    "flow_name": "'Orders of region ' || (n % {flows})",
    "status": "CASE WHEN n % 20 = 0 THEN 'FAILED' ELSE 'SUCCEEDED' END",
    "created": "{moment}",
    "updated": "{moment}",
    "started": "{moment}",
    "finished": "{moment}",
    "duration": "(n % 10007) * 59",
    "failed_step": "CASE WHEN n % 20 = 0 THEN 'step_' || (n % 7) ELSE '' END",
    "failed_step_title": "CASE WHEN n % 20 = 0 THEN 'Step ' || (n % 7) ELSE '' END",
    "message": "CASE WHEN n % 20 = 0 THEN '{message}' ELSE '' END",
    "tags": "''",
    "parent_id": "''",
    "triggered_by": "''",
}


def fill(index: RunIndex, size: int) -> None:
    """Runs up to this number, spread evenly over the days, by the database itself."""
    present = IndexedRun.objects.count()
    sample = IndexedRun(workspace_id=index.pk, run_id="sample")
    postgres = connection.vendor == "postgresql"
    step = DAYS * 86_400 / RUNS
    moment = f"now() - n * interval '{step} seconds'"
    if not postgres:
        moment = f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (n * {step}) || ' seconds')"
    values = {
        "workspace": index.pk,
        "flows": FLOWS,
        "message": sample.seal("message", "x" * 200),
        "moment": moment,
        "padded": "lpad(n::text, 18, '0')" if postgres else "printf('%018d', n)",
    }
    chosen = ", ".join(value.format(**values) for value in COLUMNS.values())
    numbers = f"SELECT generate_series({present + 1}, {size}) AS n"
    if not postgres:
        numbers = f"WITH RECURSIVE s(n) AS (SELECT {present + 1} UNION ALL SELECT n + 1 FROM s WHERE n < {size}) SELECT n FROM s"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) SELECT {chosen} FROM ({numbers}) AS numbers")
        cursor.execute(f"VACUUM ANALYZE {TABLE}" if postgres else "ANALYZE")


def bytes_used() -> int:
    """Of the table with its indexes."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size(%s)", [TABLE])
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        (size,) = cursor.fetchone()
    return int(size)


@pytest.mark.timeout(3600)
@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_pages_of_a_large_index(capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene(samples=True)
    index = indexes.start(CONSOLE, scene.users.workspace, scene.users.credential, 90)
    RunIndex.objects.update(read_at=timezone.now(), due_at=timezone.now() + timedelta(days=1), spans=[])
    browser = scene.sign_in(scene.users.owner)
    empty = bytes_used()
    queries = {
        "first page": "",
        "page in the middle": "?at={middle}",
        "last page": "?at={last}",
        "sorted by duration": "?sort=-length",
        "sorted by flow": "?sort=flow",
        "failed runs": "?status=FAILED",
        "runs of one flow": "?flow=flow7",
        "failed at one step": "?failed=step_3@flow7",
        "of one week": "?period=7",
        "tagged": "?tag=none",
    }
    with capsys.disabled():
        print()
        for size in SIZES:
            fill(index, size)
            used = (bytes_used() - empty) / size
            print(f"{connection.vendor}, {size:,} runs, {used:.0f} bytes each")
            for name, query in queries.items():
                asked = "/w/sales/runs/" + query.format(middle=size // 2, last=size - 20)
                taken = timed(f"  {name}", page(browser, asked))
                if size == RUNS:
                    figures.add(f"run index, {size:,} runs: {name}", figures.spread(taken), "95 % 150 ms")
            if size == RUNS:
                figures.add(f"run index, {size:,} runs: bytes of a run", f"{used:.0f}")
    scene.close()


def page(browser: Client, url: str) -> Callable[[], None]:
    """A request of this page."""

    def get() -> None:
        assert browser.get(url).status_code == 200

    return get


def timed(name: str, act: Callable[[], None]) -> list[float]:
    """Print and return how many seconds each of some rounds takes, after one that does not count."""
    act()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    print(f"{name:30} {figures.spread(taken)}")
    return taken
