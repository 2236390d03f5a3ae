"""The run index with many runs, their values, words and objects: pages, writing, sizes, and how all of it grows.

RUNS is the largest number, by default a million on PostgreSQL and 200,000 on SQLite. Prints figures, asserts only that the pages came.
`first` is a page that counts again, like the first one after each change of the runs; `again` is one whose counts are kept. Compare `cpu`
(milliseconds) where others use the machine.
"""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from practice_engine import ids
from tests.bench import figures, index_rows
from tests.bench.index_rows import COMMON, FEW, RARE, SOME
from tests.launches.launch_scene import Scene
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.engine_objects.runs import Run
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex
from workflows_ui.run_index.services import indexes, retention, rows, values
from workflows_ui.runs import comparison

RUNS = int(os.environ.get("RUNS", "1000000" if os.environ.get("TEST_ON") == "servers" else "200000"))
SIZES = [size for size in (10_000, 100_000, 1_000_000) if size < RUNS] + [RUNS]
ROUNDS = int(os.environ.get("ROUNDS", "20"))
GOAL = "95 % 150 ms"
#: Runs in a page of the engine, which are written at once.
BATCH = 120
LISTS = {
    "runs": "",
    "page in the middle": "?at={middle}",
    "last page": "?at={last}",
    "sorted by duration": "?sort=-length",
    "sorted by flow": "?sort=flow",
    "failed runs": "?status=FAILED",
    "runs of one flow": "?flow=flow7",
    "failed at one step": "?failed=step_3@flow7",
    "of one week": "?period=7",
    "of one hour of a weekday": "?hour=2-14",
    "tagged": "?tag=none",
    "search: word of one run": f"?search={RARE}",
    "search: word of a thousandth": f"?search={FEW}",
    "search: word of a tenth": f"?search={SOME}",
    "search: word of all with values": f"?search={COMMON}",
    "search: two frequent words": f"?search={COMMON}+{SOME}",
    "search: frequent and rare word": f"?search={COMMON}+{RARE}",
    "search: word of none": "?search=nothing-has-this",
    "search: id": "?search=run000000000000004711",
    "search: id of none": "?search=run900000000000004711",
}
PAGES = {
    "plots": "runs/plots/",
    "plots of a flow": "runs/plots/?flow=flow7",
    "home": "",
    "flows": "flows/",
    "failures": "failures/",
    "a failure": "failures/21/",
    "week report": "report/",
    "week report, week before": "report/?week={week}",
    "one search": f"search/?q={RARE}",
    "one search, frequent word": f"search/?q={COMMON}",
    "settings of the index": "run-index/",
    "a run": "runs/run000000000000004711/",
    "where used: a connection": "connections/{connection}/",
}


@pytest.mark.timeout(7200)
@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_pages_of_a_large_index(capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene(samples=True)
    index = indexes.start(CONSOLE, scene.users.workspace, scene.users.credential, 90, kept=Kept.VALUES)
    RunIndex.objects.update(
        read_at=timezone.now(), read_until=timezone.now(), due_at=timezone.now() + timedelta(days=1), spans=[]
    )
    browser, filler = scene.sign_in(scene.users.owner), index_rows.Filler(index, RUNS)
    used = scene.workflows.list_connections(limit=1)["data"][0]
    index_rows.add_objects(index, scene.users.credential, used["externalId"])
    week = f"{timezone.localdate() - timedelta(days=7):%G-W%V}"
    with capsys.disabled(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # All processor time is that of one process.
            cursor.execute("SET max_parallel_workers_per_gather = 0")
        for size in SIZES:
            began = time.perf_counter()
            filler.fill(size)
            print(f"\n{connection.vendor}, {size:,} runs, filled in {time.perf_counter() - began:.0f} s; {load()}")
            print_sizes(size)
            measure_writing(index, size)
            places = {"middle": size // 2, "last": size - 20, "week": week, "connection": used["id"]}
            addresses = {name: f"runs/{query}" for name, query in LISTS.items()} | PAGES
            for name, address in addresses.items():
                get = page(browser, "/w/sales/" + address.format(**places))
                record(size, name, get)
            newest = IndexedRun.objects.filter(status="FAILED").order_by("-created")[0]
            record(size, "last good run (query)", partial(last_good, rows.to_engine(newest)))
            record(size, "count of the limit (query)", lambda: retention.cut(RunIndex.objects.get(), timezone.now()))
    scene.close()


def load() -> str:
    """The machine's load, which figures are to be read with."""
    return "load " + " ".join(f"{part:.1f}" for part in os.getloadavg())


def page(browser: Client, url: str) -> Callable[[], Any]:
    """A request of this page."""

    def get() -> None:
        assert browser.get(url).status_code == 200, url

    return get


def record(size: int, name: str, act: Callable[[], Any]) -> None:
    """Print how long it takes after a change of the runs, and without one; of the largest index also in the table of speed."""
    first, again = timed(act, changes=True), timed(act, changes=False)
    print(f"  {name:34} first {first.text:50} again {again.text}")
    if size == RUNS:
        figures.add(f"run index, {size:,} runs: {name}", first.text, GOAL)


class Taken(NamedTuple):
    """The seconds that each round takes, and the mean processor time: of this process, and of the database's for its connection."""

    seconds: list[float]
    own: float
    database: float

    @property
    def text(self) -> str:
        cpu = f"cpu {(self.own + self.database) * 1000:.0f}"
        return f"{figures.spread(self.seconds)}; {cpu}, of the database {self.database * 1000:.0f}"


def timed(act: Callable[[], Any], *, changes: bool) -> Taken:
    """How long some rounds take, after one that does not count; `changes`: the runs have changed before each."""
    act()
    taken, own, database = [], 0.0, 0.0
    for _ in range(ROUNDS):
        if changes:
            RunIndex.objects.update(version=F("version") + 1)
        own, database = own - time.process_time(), database - database_time()
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
        own, database = own + time.process_time(), database + database_time()
    return Taken(taken, own / ROUNDS, database / ROUNDS)


def database_time() -> float:
    """Seconds of processor time of the database's process for this connection; 0 where it is not on this machine, or this one."""
    if connection.vendor != "postgresql":
        return 0
    pid = connection.connection.info.backend_pid
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0


def print_sizes(size: int) -> None:
    """Print the bytes of a run by table and index."""
    found = index_rows.sizes()
    print(f"  {sum(found.values()) / size:.0f} bytes of each run")
    for name, used in sorted(found.items(), key=lambda pair: -pair[1]):
        if used >= size:
            print(f"    {name:60} {used / size:7.1f}")
    if size == RUNS:
        figures.add(
            f"run index, {size:,} runs: bytes of a run with values and words", f"{sum(found.values()) / size:.0f}"
        )


def measure_writing(index: RunIndex, size: int) -> None:
    """Print how long it takes to write and delete runs of a page, and to keep the steps of a run."""
    key, taken = index.open("word_key"), dict[str, list[float]]()
    for _ in range(ROUNDS):
        found = [engine_run() for _ in range(BATCH)]
        written = IndexedRun.objects.filter(workspace_id=index.pk, run_id__in=[run["id"] for run in found])
        acts: dict[str, Callable[[], Any]] = {
            "120 new runs": partial(rows.save, index, list(map(Run, found)), timezone.now(), key),
            "120 known runs": partial(rows.save, index, list(map(Run, found)), timezone.now(), key),
            "steps of 20 runs": partial(keep_steps, index, found, key),
            "120 runs deleted": partial(rows.delete_some, written),
        }
        for name, act in acts.items():
            started = time.perf_counter()
            with transaction.atomic():
                act()
            taken.setdefault(name, []).append(time.perf_counter() - started)
    for name, seconds in taken.items():
        print(f"  {name:34} {figures.spread(seconds)}")
        if size == RUNS:
            figures.add(f"run index, {size:,} runs: {name}", figures.spread(seconds))


def last_good(run: dict[str, Any]) -> None:
    """The look-up of the run with which a failed one is compared."""
    comparison.last_good_run(RunIndex.objects.get(), run)


def engine_run() -> dict[str, Any]:
    """A failed run as the engine gives it."""
    moment, run = ids.stamp(), ids.new_id()
    times = {"created": moment, "updated": moment, "startTime": moment, "finishTime": moment}
    failed = {"name": "step_1", "displayName": "Charge", "message": f"Order {run} was refused: no credit left"}
    body = {"order": run, "customer": f"{run}@example.com", "amount": 4711, "note": "Deliver to the back door, please"}
    steps = {"trigger": {"type": "PIECE_TRIGGER", "status": "SUCCEEDED", "input": {}, "output": {"body": body}}}
    flow = {"flowId": "flow7", "flowVersionId": "version7", "flowVersion": {"displayName": "Orders of region 7"}}
    return {"id": run, "status": "FAILED", "failedStep": failed, "steps": steps, "tags": ["bench"], **flow, **times}


def keep_steps(index: RunIndex, found: list[dict[str, Any]], key: str) -> None:
    """Keep the steps of a turn's runs."""
    for run in found[:20]:
        row = IndexedRun.objects.get(workspace_id=index.pk, run_id=run["id"])
        assert values.save(index, row, Run(run), {}, key)
