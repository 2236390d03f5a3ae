"""How many audit rows are written a second, with and without the sealer at work. Prints figures, asserts only that the chain holds."""

import statistics
import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from tests.users import person, workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log, hash_chain, verification as audit_verification
from workflows_ui.audit.services.audit_log import Actor

WRITERS, SECONDS, ROUNDS = 4, 3.0, 5


def _written(act: Callable[[], object], *, seal: bool) -> tuple[float, int]:
    """Rows a second by so many writers at once; and rows that the sealer chained meanwhile."""
    stop = threading.Event()
    counts = [0] * WRITERS
    sealed = 0

    def write(place: int) -> None:
        while not stop.is_set():
            act()
            counts[place] += 1
        connection.close()

    def sealer() -> None:
        nonlocal sealed
        while not stop.wait(1.0):
            sealed += hash_chain.seal()
        connection.close()

    threads = [threading.Thread(target=write, args=(place,)) for place in range(WRITERS)]
    if seal:
        threads.append(threading.Thread(target=sealer))
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started), sealed


@pytest.mark.django_db(transaction=True)
def test_audit_rows_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    actor, space = Actor(person("owner"), "203.0.113.7", "request-1", "0" * 16), workspace("sales")

    def write() -> None:
        audit_log.record(
            actor,
            "flows.rename",
            workspace=space,
            object_type="flows",
            object_id="F" * 21,
            object_name="Mail",
            a="x" * 200,
        )

    _written(write, seal=False)  # warm
    while hash_chain.seal():
        pass
    # Turn and turn about: what else this machine does weighs on both alike.
    without, with_sealer, sealed, taken, waiting = [], [], 0, 0.0, 0
    for _round in range(ROUNDS):
        without.append(_written(write, seal=False)[0])
        waiting += AuditEvent.objects.filter(number=None).count()
        started = time.perf_counter()
        while hash_chain.seal():
            pass
        taken += time.perf_counter() - started
        rate, chained = _written(write, seal=True)
        with_sealer.append(rate)
        sealed += chained
    while hash_chain.seal():
        pass
    started = time.perf_counter()
    proof = audit_verification.verify()
    proven = time.perf_counter() - started
    assert proof.problem == ""
    with capsys.disabled():
        print(f"\n{connection.vendor}, {WRITERS} writers")
        print(f"rows written a second, no sealer      {statistics.median(without):8.0f}")
        rate = statistics.median(with_sealer)
        print(f"rows written a second, sealer at work {rate:8.0f}   ({sealed} sealed meanwhile)")
        print(f"rows sealed a second                  {waiting / taken:8.0f}")
        print(f"rows proved a second                  {proof.rows / proven:8.0f}")
