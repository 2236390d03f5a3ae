"""Kept launches while the engine and the workers are killed again and again: nothing is lost or sent twice, and the order holds.

KEPT changes the number of launches.
"""

import os
import random
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from practice_engine.server import serve
from tests import flows
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from workflows_ui.launches.models import KEPT, Launch, State

NUMBER = int(os.environ.get("KEPT", "40"))
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(1800),
]


def _left() -> int:
    found = Launch.objects.filter(KEPT).count()
    connection.close()
    return found


def test_kept_launches_outlast_an_engine_and_workers_that_are_killed(scene: Scene) -> None:
    dice = random.Random(14)
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    state, port = scene.engine.state, scene.server.port
    state.versions[state.flows[flow]["publishedVersionId"]]["updated"] = "2026-01-01T00:00:00.000Z"
    # One launch that ends well first: it shows that this engine returns the marker.
    scene.ask(flow, -1)
    scene.stage.beat()
    scene.stage.worker()
    until(scene.settled, "the first launch is settled")
    scene.server.stop()
    by = timezone.now() + timedelta(hours=1)
    kept_launches = [scene.ask(flow, number, wait=number % 2 == 0, keep_until=by) for number in range(NUMBER)]
    until(lambda: Launch.objects.filter(tries__gt=0, pk=kept_launches[0].pk).exists(), "the engine is tried")
    while _left() > NUMBER // 4:
        scene.server = serve(scene.engine, port)
        before = _left()
        until(lambda before=before: _left() < before, "some are sent", 90)  # type: ignore[misc]
        threading.Event().wait(dice.uniform(0.5, 3))
        scene.stage.last.kill()
        scene.stage.last.wait()
        threading.Event().wait(dice.uniform(0, 1))
        scene.server.stop()
        scene.stage.worker()
    scene.server = serve(scene.engine, port)
    until(scene.settled, "every launch is settled", 300)
    outcomes = []
    for launch in kept_launches:
        launch.refresh_from_db()
        outcomes.append((launch.state, launch.reason, scene.sent(launch)))
        assert scene.sent(launch) == (1 if launch.state == State.SUCCEEDED else 0), outcomes
        assert launch.state in (State.SUCCEEDED, State.NOT_SENT), outcomes
        assert launch.sending_at is not None, outcomes
    print(*outcomes, sep="\n")  # noqa: T201
