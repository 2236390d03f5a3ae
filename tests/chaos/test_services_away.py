"""Cache, broker and database go away, one by one and together, while people launch: twice 0, lost 0, false 0, no 500."""

import getpass
import itertools
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from tests import flows, prerequisites
from tests.chaos.gate import Gate
from tests.chaos.people import answers, people_of
from tests.chaos.scene import Scene
from tests.chaos.stage import production, until
from workflows_ui.launches.models import Launch, State

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]
#: Seconds for which services are down, and up again. The test waits with `time.sleep`: this is the clock of the experiment, in which
#: people go on launching, and there is no condition to wait for.
AWAY, BACK = 5.0, 7.0
NAMES = ("cache", "broker", "database")
TURNS = [turn for size in (1, 2, 3) for turn in itertools.combinations(NAMES, size)]


@pytest.fixture
def gates() -> Iterator[dict[str, Gate]]:
    """A gate before each service, open."""
    redis = urlsplit(prerequisites.redis_server())
    postgres = urlsplit(prerequisites.postgres())
    made = {
        "cache": Gate(redis.hostname or "127.0.0.1", redis.port or 6379),
        "broker": Gate(redis.hostname or "127.0.0.1", redis.port or 6379),
        "database": Gate(postgres.hostname or "127.0.0.1", postgres.port or 5432),
    }
    for gate in made.values():
        gate.start()
    yield made
    for gate in made.values():
        gate.stop()


@pytest.fixture
def scene(tmp_path: Path, transactional_db: None, gates: dict[str, Gate]) -> Iterator[Scene]:
    """The scene, whose processes reach cache, broker and database through the gates."""
    given = urlsplit(os.environ["DATABASE_URL"])
    user = given.netloc.rpartition("@")[0] or getpass.getuser()
    place = f"{user}@127.0.0.1:{gates['database'].port}"
    made = Scene(
        tmp_path,
        DATABASE_URL=urlunsplit(("postgres", place, f"/{connection.settings_dict['NAME']}", given.query, "")),
        CACHE_URL=f"redis://127.0.0.1:{gates['cache'].port}/0",
        CELERY_BROKER_URL=f"redis://127.0.0.1:{gates['broker'].port}/0",
        LAUNCH_SEARCH_SECONDS="30",
        # With DEBUG Django answers with its own page where a middleware meets a database that is away.
        **production(tmp_path),
    )
    made.stage.collect_static()
    yield made
    made.close()
    print(made.stage.logs())  # noqa: T201  (pytest shows it only where the test failed)


def test_launches_outlast_cache_broker_and_database_one_by_one_and_together(
    scene: Scene, gates: dict[str, Gate]
) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    address = scene.stage.web("web")
    for _worker in range(2):
        scene.stage.worker(threads=12)
    scene.stage.beat()
    until(lambda: answers(address), "the web server answers")
    crowd = people_of(scene, address, flow)
    for one in crowd:
        one.start()
    for turn in TURNS:
        time.sleep(BACK)
        for name in turn:
            gates[name].stop()
        time.sleep(AWAY)
        for name in turn:
            gates[name].start()
    time.sleep(BACK)
    for one in crowd:
        one.stop()
    until(scene.settled, "every launch is settled", 240)
    launches = {launch.pk: launch for launch in Launch.objects.all()}
    accepted = [pk for one in crowd for pk in one.accepted]
    print(len(accepted), sum((one.statuses for one in crowd), Counter()))  # noqa: T201  (the figures of the report)
    assert [problem for one in crowd for problem in one.wrong] == []
    assert len(accepted) > 20 * len(TURNS)
    assert set(accepted) <= set(launches)
    ends = {pk: (launch.state, launch.reason, scene.sent(launch)) for pk, launch in launches.items()}
    assert {pk: end for pk, end in ends.items() if end != (State.SUCCEEDED, "", 1)} == {}
