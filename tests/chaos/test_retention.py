"""Runs, values and words are deleted and read at the same time, by processes that are killed, while a manager changes what is kept.

In the end the index has what its last setting says: no run is missing, none is beyond the limit, and no value or word is without its run.
RETENTION_SECONDS and RETAINED change the numbers.
"""

import os
import random
import threading
import time
from datetime import timedelta
from typing import Any

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
from workflows_ui.run_index.models import READABLE, IndexedRun, Kept, RunIndex, RunValues, RunWord
from workflows_ui.run_index.services import indexes, retention, values

LENGTH = float(os.environ.get("RETENTION_SECONDS", "90"))
#: Runs at the engine in the beginning.
PAST = int(os.environ.get("RETAINED", "2500"))
#: Runs a second that are new meanwhile, and seconds between two changes and deaths at most.
RATE, PAUSE = 10, 3.0
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(LENGTH + 900),
]


def _model(scene: Scene) -> Json:
    """An ended run of the engine, with steps."""
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    scene.workflows.trigger_flow(flow, {"order": "order-4711"})
    runs = scene.engine.state.runs
    wait_for(lambda: [row for row in runs.values() if row["status"] == "SUCCEEDED"])
    return next(iter(runs.values()))


def _add(scene: Scene, model: Json, seconds: float) -> None:
    """A run that was created so many seconds ago."""
    moment = ids.stamp(timezone.now() - timedelta(seconds=seconds))
    times = dict.fromkeys(("created", "updated", "startTime", "finishTime"), moment)
    row = model | {"id": ids.new_id()} | times
    with scene.engine.state.lock:
        scene.engine.state.runs[row["id"]] = row


class Traffic(threading.Thread):
    """Runs that are new, at an even rate."""

    def __init__(self, scene: Scene, model: Json) -> None:
        super().__init__(daemon=True)
        self._scene, self._model, self._over = scene, model, threading.Event()

    def run(self) -> None:
        while not self._over.wait(1 / RATE):
            _add(self._scene, self._model, 0)

    def stop(self) -> None:
        self._over.set()
        self.join()


def _newest(scene: Scene, since: str) -> set[str]:
    """The engine's runs that were created since then."""
    with scene.engine.state.lock:
        return {key for key, row in scene.engine.state.runs.items() if row["created"] >= since}


def _settled() -> bool:
    """Whether nothing is left to read or to compare."""
    index = RunIndex.objects.get()
    left = index.spans or index.compared_at is None or values.backlog(index) or index.kept_since is None
    connection.close()
    return not left


def test_what_is_kept_is_what_the_last_setting_says(scene: Scene) -> None:
    dice = random.Random(26)
    # Lists of 0.72 are short, so that the practice engine, which is in this process, keeps up.
    scene.engine.settings.version = "0.72.4"
    share_with_nobody(scene.users.credential)
    model = _model(scene)
    for place in range(PAST):
        _add(scene, model, 60 + place * 30)

    def change(keep_runs: int, values_setting: Kept, **limits: Any) -> None:
        indexes.start(
            CONSOLE,
            scene.users.workspace,
            scene.users.credential,
            365,
            keep_runs=keep_runs,
            kept=values_setting,
            **limits,
        )
        connection.close()

    change(PAST // 2, Kept.VALUES)
    workspace = str(scene.users.workspace.pk)
    actions = ("read", "purge", "purge")
    workers = [scene.stage.start("-m", "tests.chaos.index_worker", action, workspace) for action in actions]
    traffic, deaths, changes = Traffic(scene, model), 0, 0
    traffic.start()
    began = time.monotonic()
    while time.monotonic() - began < LENGTH:
        threading.Event().wait(dice.uniform(0, PAUSE))
        if dice.random() < 0.6:
            place = dice.randrange(len(workers))
            workers[place].kill()
            workers[place].wait()
            workers[place] = scene.stage.start("-m", "tests.chaos.index_worker", actions[place], workspace)
            deaths += 1
        else:
            change(
                dice.randrange(PAST // 10, PAST),
                dice.choice(list(Kept)),
                values_kb=dice.choice((1, 64)),
                values_days=30,
            )
            changes += 1
    traffic.stop()
    keep = PAST // 2
    change(keep, Kept.VALUES, values_days=30)
    RunIndex.objects.update(compared_at=None)
    until(_settled, "everything is read again", 600)
    for worker in workers:
        worker.kill()
        worker.wait()
    indexes.purge()
    index = RunIndex.objects.get()
    indexed = set(IndexedRun.objects.values_list("run_id", flat=True))
    print(f"\n{deaths} deaths, {changes} changes, {len(indexed)} of {len(scene.engine.state.runs)} runs kept")  # noqa: T201
    assert index.kept_since
    # Three runs in a millisecond would be much at this rate; they leave together.
    assert keep - 3 < len(indexed) <= keep
    assert indexed == _newest(scene, ids.stamp(retention.floor(index, timezone.now())))
    assert not IndexedRun.objects.filter(gone_at__isnull=False).exists()
    valued = RunValues.objects.filter(kept=Kept.VALUES)
    assert not RunValues.objects.exclude(pk__in=valued).exists()
    with_values = IndexedRun.objects.filter(READABLE, values_read=Kept.VALUES)
    assert set(valued.values_list("pk", flat=True)) == set(with_values.values_list("pk", flat=True))
    of_value = RunWord.objects.filter(of_value=True)
    assert not of_value.exclude(run__in=valued.values("run")).exists()
