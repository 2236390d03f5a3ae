"""Every launch ends in the state that the engine's own log shows: whatever a gateway answers, before or after the engine acted, and
whenever workers are killed."""

import itertools
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from tests.chaos.lanes import TROUBLES, Lane, crowd, errands, judge
from tests.chaos.stage import Nursery, Stage, until
from tests.chaos.victim import POINTS
from workflows_ui.launches.models import UNSENT, Launch
from workflows_ui.members.models import Flavour

pytestmark = [pytest.mark.slow, pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]

#: Short ones, for a test: a call's deadline, and the time for which a run is looked for.
DEADLINE, SEARCH = 2, 3
#: Threads of a worker: as many launches may be cut by one kill.
THREADS = 6


@pytest.fixture
def stage(tmp_path: Path, transactional_db: None) -> Iterator[Stage]:
    made = Stage(tmp_path, LAUNCH_DEADLINE_SECONDS=f"{DEADLINE}", LAUNCH_SEARCH_SECONDS=f"{SEARCH}")
    if connection.vendor == "postgresql":
        # A process stopped in a transaction blocks the others for three seconds instead of thirty.
        address = made.env["DATABASE_URL"]
        still = quote("-c idle_in_transaction_session_timeout=3s")
        made.env["DATABASE_URL"] = f"{address}{'&' if '?' in address else '?'}options={still}"
    yield made
    made.stop()
    print(made.logs())  # noqa: T201  (pytest shows it only where the test failed)


@pytest.fixture
def lanes(transactional_db: None) -> Iterator[list[Lane]]:
    """Engines of both versions and flavours, each with an oddness of its own."""
    people, minute = crowd(), timedelta(minutes=1)
    made = [
        Lane("old", *people, version="0.72.4", trouble=_now_and_then(7)),
        Lane("hides", *people, appear_after=50.0, trouble=_now_and_then(11)),
        Lane("behind", *people, ahead=-10 * minute, date_ahead=-10 * minute),
        Lane("gateway", *people, flavour=Flavour.IMBRACE, ahead=7 * minute),
        Lane("endless", *people, endless=True),
        Lane("drops", *people, dropped=frozenset({"ap-parent-run-id"})),
    ]
    yield made
    for lane in made:
        lane.close()


def _now_and_then(every: int) -> Callable[[int], str]:
    """Four requests in a row go wrong each time: a read is tried three times, so this one fails."""

    def trouble(number: int) -> str:
        turn, place = divmod(number, every * 4)
        return TROUBLES[turn % len(TROUBLES)] if place >= (every - 1) * 4 else ""

    return trouble


def test_sixty_launches_end_as_the_engines_log_shows(stage: Stage, lanes: list[Lane]) -> None:
    _prove(stage, lanes, count=60, seed=9, kills=6)


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_a_thousand_launches_end_as_the_engines_log_shows(stage: Stage, lanes: list[Lane]) -> None:
    _prove(stage, lanes, count=1000, seed=1000, kills=60)


def _prove(stage: Stage, lanes: list[Lane], *, count: int, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    nursery = stage.nursery()
    for number, errand in enumerate(errands(count, seed)):
        # The last two are small: where no list proves anything, much may stay unclear.
        lane = lanes[number % 4] if number % 10 else lanes[4 + number // 10 % 2]
        lane.ask(errand, lane.colleague if lane.name == "gateway" and number % 8 == 3 else None)
    nursery.beat()
    asleep = _work(nursery, lanes, chance, kills)
    _until_settled(lanes, 120 + count / 2)
    # Stopped workers continue at the worst moment, when everything has been concluded, and exit once their calls have ended.
    for pid in asleep:
        nursery.strike(pid, signal.SIGCONT)
        nursery.strike(pid, signal.SIGTERM)
    until(lambda: not any(nursery.lives(pid) for pid in asleep), "the calls of those that stood still have ended", 60)
    until(lambda: all(lane.quiet for lane in lanes), "the engines are done", 60)
    _look_now()
    _until_settled(lanes, 120)
    wrong = judge(lanes)
    outcomes = Counter(Launch.objects.values_list("state", "reason"))
    assert not wrong, "\n".join([f"{len(wrong)} of {count}", *sorted(map(str, wrong)), *map(str, outcomes.items())])
    assert Launch.objects.count() == count


def _look_now() -> None:
    """The later looks at what was concluded, minutes and hours away, are taken now: on a busy machine an engine may have acted after
    the earlier ones."""
    moment = timezone.now()
    Launch.objects.filter(poll_at__isnull=False).update(poll_at=moment)
    until(lambda: not Launch.objects.filter(poll_at__lte=moment).exists(), "the later looks", 60)


def _work(nursery: Nursery, lanes: list[Lane], chance: random.Random, kills: int) -> list[int]:
    """Two workers at a time, until all launches have left. Of four, two kill themselves at a point, one is killed whenever, and one
    stands still, between the commit of SENDING and the first byte or (not on SQLite, whose lock it might hold) whenever: these."""
    total = sum(len(lane.asked) for lane in lanes)
    points = itertools.cycle(chance.sample(sorted(POINTS), len(POINTS)))
    at_work: list[tuple[int, str]] = []
    asleep: list[int] = []
    for number in range(kills):
        while len(at_work) < 2:
            at_work.append(_hired(nursery, number + len(at_work), points))
        if _arrived(lanes) > total * 0.4:
            lanes[3].expire(lanes[3].colleague)
        target = _arrived(lanes) + chance.randint(1, max(1, total // (kills + 2)))
        _wait(lambda target=target: _arrived(lanes) >= target or not any(nursery.lives(pid) for pid, _ in at_work))  # type: ignore[misc]
        pid, fate = at_work.pop(0)
        if fate == "sleeps":
            asleep.append(pid)
        elif fate == "is stopped":
            nursery.strike(pid, signal.SIGSTOP)
            asleep.append(pid)
        else:
            nursery.strike(pid)
        if not _unsent():
            break
    for _ in range(2):
        nursery.worker(THREADS * 2)
    return asleep


def _hired(nursery: Nursery, number: int, points: Iterator[str]) -> tuple[int, str]:
    """The next worker, and how it ends."""
    turn, fate = divmod(number, 4)
    if fate % 2:
        return nursery.doomed(THREADS, next(points)), "dies"
    if fate == 0:
        # With one thread, so that no other thread of it is stopped in a transaction.
        return nursery.sleeper(1, "after the commit of SENDING"), "sleeps"
    if turn % 2 == 0 and connection.vendor == "postgresql":
        return nursery.worker(THREADS), "is stopped"
    return nursery.worker(THREADS), "is killed"


def _arrived(lanes: list[Lane]) -> int:
    return sum(len(lane.gateway.log) for lane in lanes)


def _wait(condition: Callable[[], bool], patience: float = 3.0) -> None:
    """For a while: a worker may die before it does anything."""
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        threading.Event().wait(0.05)


def _unsent() -> bool:
    found = Launch.objects.filter(state__in=UNSENT).exists()
    connection.close()
    return found


def _until_settled(lanes: list[Lane], patience: float) -> None:
    try:
        until(_settled, "every launch is settled", patience)
    except AssertionError as problem:
        still_open = [str(one) for one in judge(lanes) if one.kind == "OPEN"]
        raise AssertionError("\n".join([str(problem), *still_open])) from None


def _settled() -> bool:
    still_open = [row.pk for row in Launch.objects.all() if not row.settled]
    connection.close()
    return not still_open
