"""A worker killed (`kill -9`) in the middle of a bulk action: what it had in hand is unclear, nothing is done twice, the rest is done.

On the database and the broker of this run of the tests: SQLite and files, or PostgreSQL and Redis.
"""

import json
from collections import Counter

import pytest
from django.db import connection

from tests import flows
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.jobs.models import JOB_OVER, ItemState, Job, JobItem, JobState
from workflows_ui.jobs.services import jobs
from workflows_ui.jobs.services.jobs import Reason

pytestmark = [
    pytest.mark.slow,
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]

FLOWS, KILLED_AT = 10, (3, 7)
#: A worker whose claim on a job is over four seconds after it is gone.
WORKER = ("-m", "tests.chaos.impatient", "4")


def turned_off(scene: Scene) -> Counter[str]:
    """How often the engine was asked to turn off each flow, by the flow's id."""
    outcomes: Counter[str] = Counter()
    for received in scene.engine.journal.all("POST", "/v1/flows/*"):
        sent = json.loads(received.body)
        if sent.get("type") == "CHANGE_STATUS" and sent["request"]["status"] == "DISABLED":
            outcomes[received.path.rsplit("/", 1)[-1]] += 1
    return outcomes


def confirmed(scene: Scene, made: list[str]) -> Job:
    place = scene.users.place(scene.users.owner)
    actor = audit_log.Actor(scene.users.owner)
    found = [jobs.Found(key, f"Flow {number}") for number, key in enumerate(made)]
    job = jobs.ask(actor, place, resource="flows", action="turn-off", found=found)
    assert jobs.begin(actor, job, "{}", {})
    return job


def over(job: Job) -> bool:
    job.refresh_from_db()
    connection.close()
    return job.state in JOB_OVER


def test_a_bulk_action_whose_workers_are_killed_does_nothing_twice_and_everything_else(scene: Scene) -> None:
    made = [flows.make(scene.workflows, f"Flow {number}", flows.code("echo")) for number in range(FLOWS)]
    # Each call takes a while, so that the kill meets one on its way.
    scene.engine.faults.add("delay", "POST", "/v1/flows/*", seconds=0.7)
    job = confirmed(scene, made)
    scene.stage.beat()
    for number in KILLED_AT:
        worker = scene.stage.start(*WORKER)
        until(lambda number=number: sum(turned_off(scene).values()) >= number, "the worker is in the middle")  # type: ignore[misc]
        worker.kill()
        worker.wait()
        assert not over(job)
    scene.stage.start(*WORKER)
    until(lambda: over(job), "the job is over")
    assert job.state == JobState.ENDED
    outcomes = turned_off(scene)
    items = {item.object_id: item for item in JobItem.objects.filter(job=job)}
    states = Counter(item.state for item in items.values())
    assert set(outcomes.values()) == {1}, outcomes
    assert set(states) <= {ItemState.DONE, ItemState.UNCLEAR}, states
    assert states[ItemState.UNCLEAR] <= len(KILLED_AT), states
    for key in made:
        item = items[key]
        if item.state == ItemState.DONE:
            assert outcomes[key] == 1
        else:
            assert item.reason == Reason.WORKER_LOST
    unclear = AuditEvent.objects.filter(action="flows.turn-off", outcome="unclear").values_list("object_id", flat=True)
    assert sorted(unclear) == sorted(key for key, item in items.items() if item.state == ItemState.UNCLEAR)
