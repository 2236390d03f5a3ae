"""Workers killed (`kill -9`) at every point of a launch and at random: nothing is lost or sent twice, and nothing untrue is shown.

On the database and the broker of this run of the tests: SQLite and files, or PostgreSQL and Redis.
"""

import random
import signal
import threading
from collections import Counter

import pytest
from django.db import connection

from tests import flows
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from tests.chaos.victim import POINTS
from workflows_ui.launches.models import ENDED, Launch, Reason, State

pytestmark = [
    pytest.mark.slow,
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]


def test_a_worker_killed_at_any_point_neither_loses_a_launch_nor_sends_it_twice(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    # One launch that ends well first: it shows that this engine returns the marker.
    first = scene.ask(flow, -1)
    cut: dict[str, Launch] = {}
    for number, point in enumerate(POINTS):
        cut[point] = scene.ask(flow, number)
    bell = scene.stage.start(
        "-m", "tests.chaos.bell", *(f"victim{n}={cut[point].pk}" for n, point in enumerate(POINTS))
    )
    assert bell.wait() == 0, scene.stage.logs()
    victims = {}
    for number, point in enumerate(POINTS):
        victims[point] = scene.stage.victim(point, f"victim{number}")
    for point, victim in victims.items():
        until(lambda victim=victim: victim.poll() is not None, f"the worker dies {point}")  # type: ignore[misc]
        assert victim.returncode == -signal.SIGKILL, f"{point}: {scene.stage.logs()}"
    scene.stage.worker()
    scene.stage.beat()
    until(scene.settled, "every launch is settled")
    first.refresh_from_db()
    assert first.state == State.SUCCEEDED, first.technical
    outcome: dict[str, tuple[str, str, int]] = {}
    for point, launch in cut.items():
        launch.refresh_from_db()
        outcome[point] = (launch.state, launch.reason, scene.sent(launch))
        assert scene.sent(launch) <= 1, outcome
        assert launch.state in POINTS[point], outcome
        if scene.sent(launch) == 0:
            assert launch.reason == Reason.NO_TRACE, outcome
    print(*outcome.items(), sep="\n")  # noqa: T201


@pytest.mark.chaos
@pytest.mark.parametrize("scene", [{"LAUNCH_DEADLINE_SECONDS": "8"}], indirect=True)
def test_fifty_launches_under_random_kills_end_in_true_states(scene: Scene) -> None:
    rest = random.Random(7)
    quick = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    slow = flows.make(scene.workflows, "Slow", flows.code("sleep 10"), flows.response({"ok": True}))
    failing = flows.make(scene.workflows, "Fails", flows.code("fail Closed"))
    kinds = {quick: State.SUCCEEDED, slow: State.SUCCEEDED, failing: State.FAILED}
    made = [scene.ask(rest.choice(list(kinds)), number, wait=rest.random() < 0.5) for number in range(50)]
    scene.stage.beat()
    for _ in range(6):
        worker = scene.stage.worker(threads=6)
        until(lambda: _moving() or scene.settled(), "the worker sends something", 60)
        _pass(rest.uniform(0.05, 1.2))
        worker.kill()
        worker.wait()
    scene.stage.worker()
    until(scene.settled, "every launch is settled")
    print(Counter(Launch.objects.values_list("state", "reason", "tries")))  # noqa: T201
    for launch in made:
        launch.refresh_from_db()
        outcome = (launch.state, launch.reason, launch.technical, scene.sent(launch))
        assert scene.sent(launch) <= 1, outcome
        assert launch.state in ENDED, outcome
        if scene.sent(launch):
            assert launch.state == kinds[launch.flow_id], outcome
        else:
            assert launch.state == State.NOT_SENT or launch.reason == Reason.NO_TRACE, outcome
            assert launch.sending_at is not None, outcome


def _moving() -> bool:
    found = Launch.objects.filter(claim_until__isnull=False).exists()
    connection.close()
    return found


def _pass(seconds: float) -> None:
    threading.Event().wait(seconds)


def test_a_stop_with_twenty_waiting_launches_leaves_none_unclear(scene: Scene) -> None:
    slow = flows.make(scene.workflows, "Slow", flows.code("sleep 20"), flows.response({"ok": True}))
    made = [scene.ask(slow, number, wait=True) for number in range(20)]
    scene.stage.beat()
    worker = scene.stage.worker(threads=40)
    until(lambda: all(scene.sent(launch) for launch in made), "all twenty are on their way")
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=60)
    states = set(Launch.objects.values_list("state", "answer_from"))
    assert {origin for _, origin in states} == {"flow"}, states
    assert State.UNKNOWN not in {state for state, _ in states}
    scene.stage.worker()
    until(scene.settled, "every launch is settled")
    assert set(Launch.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert all(scene.sent(launch) == 1 for launch in made)
