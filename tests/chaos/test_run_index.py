"""The run index against an engine with 100,000 runs that starts 50 a second, with readers that are killed: no run missing, none double.

PAST, RATE and INDEX_SECONDS change the numbers. Prints how far the index was behind; asserts what it holds in the end.
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from practice_engine import ids
from practice_engine.http import Json
from tests import flows
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from tests.practice_engine.fixtures import until as wait_for
from tests.users import share_with_nobody
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes

PAST = int(os.environ.get("PAST", "100000"))
RATE = int(os.environ.get("RATE", "50"))
LENGTH = float(os.environ.get("INDEX_SECONDS", "120"))
#: Seconds between two deaths of the worker.
KILLS = 15.0
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(LENGTH + 1800),
]


@pytest.fixture
def scene(tmp_path: Path, transactional_db: None) -> Iterator[Scene]:
    made = Scene(tmp_path, LOG_LEVEL="WARNING")
    yield made
    made.close()
    print(made.stage.logs())  # noqa: T201  (pytest shows it only where the test failed)


class Traffic(threading.Thread):
    """Runs that begin at an even rate and end a second later, written into the engine's store."""

    def __init__(self, scene: Scene, model: Json) -> None:
        super().__init__(daemon=True)
        self._state, self._model, self._over = scene.engine.state, model, threading.Event()

    def run(self) -> None:
        going: list[Json] = []
        while not self._over.wait(1 / RATE):
            now = ids.stamp()
            row = self._model | {
                "id": ids.new_id(),
                "created": now,
                "updated": now,
                "status": "RUNNING",
                "finishTime": None,
            }
            with self._state.lock:
                self._state.runs[row["id"]] = row
                going.append(row)
                if len(going) > RATE:
                    going.pop(0).update(status=random.choice(("SUCCEEDED", "FAILED")), updated=now, finishTime=now)
        with self._state.lock:
            for row in going:
                row.update(status="SUCCEEDED", updated=ids.stamp(), finishTime=ids.stamp())

    def stop(self) -> None:
        self._over.set()
        self.join()


def _behind(scene: Scene) -> float:
    """Seconds since the oldest run of the last minute was started that the index does not have."""
    since = ids.stamp(timezone.now() - timedelta(minutes=1))
    with scene.engine.state.lock:
        recent = {
            key: row["created"] for key, row in reversed(scene.engine.state.runs.items()) if row["created"] > since
        }
    known = set(
        IndexedRun.objects.filter(created__gte=timezone.now() - timedelta(minutes=2)).values_list("run_id", flat=True)
    )
    connection.close()
    missing = [created for key, created in recent.items() if key not in known]
    return (
        (timezone.now() - ids.parse(min(missing)).replace(tzinfo=timezone.now().tzinfo)).total_seconds()
        if missing
        else 0.0
    )


def _add_past(scene: Scene, model: Json) -> None:
    now = timezone.now()
    rows = []
    for place in range(PAST):
        # Three of them always in the same millisecond.
        moment = ids.stamp(now - timedelta(seconds=60 + (place // 3) * 3 * 60))
        rows.append(model | {"id": ids.new_id(), "created": moment, "updated": moment, "finishTime": moment})
    with scene.engine.state.lock:
        scene.engine.state.runs.update({row["id"]: row for row in reversed(rows)})


def _complete(scene: Scene) -> bool:
    index = RunIndex.objects.get()
    unread = IndexedRun.objects.filter(check_at__isnull=False).exists()
    connection.close()
    return not index.spans and not unread and IndexedRun.objects.count() >= len(scene.engine.state.runs)


def test_a_busy_engine_is_indexed_completely_by_readers_that_are_killed(scene: Scene) -> None:
    # Lists of 0.72 are short, so that the practice engine, which is in this process, keeps up.
    scene.engine.settings.version = "0.72.4"
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    scene.workflows.trigger_flow(flow, {})
    runs = scene.engine.state.runs
    wait_for(lambda: [row for row in runs.values() if row["status"] == "SUCCEEDED"])
    model = next(iter(runs.values()))
    _add_past(scene, model)
    share_with_nobody(scene.users.credential)
    index = indexes.start(CONSOLE, scene.users.workspace, scene.users.credential, 365)
    traffic = Traffic(scene, model)
    traffic.start()
    scene.stage.beat()
    worker, killed, behind = scene.stage.worker(threads=4), time.monotonic(), list[float]()
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < LENGTH:
        indexes.watch(RunIndex.objects.get(pk=index.pk))
        connection.close()
        # The worker dies at random moments in the second half.
        if elapsed > LENGTH / 2 and time.monotonic() - killed > KILLS * random.uniform(0.5, 1.5):
            worker.kill()
            worker, killed = scene.stage.worker(threads=4), time.monotonic()
        behind.append(_behind(scene))
        # The clock of the experiment.
        time.sleep(1)
    traffic.stop()
    until(lambda: _complete(scene), "everything is indexed", 1200)
    half = behind[10 : len(behind) // 2]
    calm, killing = max(half), max(behind[len(behind) // 2 :])
    report = f"behind: {calm:.1f} s at most, with kills {killing:.1f} s; {len(runs)} runs, read after {time.monotonic() - began:.0f} s"
    print(f"\n{report}")  # noqa: T201  (the figures of the report)
    states = {key: row["status"] for key, row in runs.items()}
    assert dict(IndexedRun.objects.values_list("run_id", "status")) == states
    assert not IndexedRun.objects.filter(gone_at__isnull=False).exists()
    assert RunIndex.objects.get().missed == 0
