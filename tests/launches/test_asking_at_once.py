"""A job requested twice at the same moment, by a double click say, is one job."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from tests.users import gather, workspace
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.jobs.models import ItemState, Job, JobItem, JobKind, JobState
from workflows_ui.jobs.services import jobs

pytestmark = pytest.mark.both_databases


def _twice(act: Callable[[], object]) -> None:
    start = threading.Barrier(2)

    def work() -> None:
        try:
            start.wait(10)
            act()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)


@pytest.mark.django_db(transaction=True)
def test_an_export_and_a_second_try_asked_for_twice_at_once_are_made_once() -> None:
    users = gather(workspace("sales"), "secret")
    place = users.place(users.owner)
    actor = Actor(users.owner)
    for number in range(5):
        _twice(partial(jobs.ask_export, actor, place, resource="flows", format="csv", filters=f"name={number}"))
    assert Job.objects.filter(kind=JobKind.EXPORT).count() == 5
    for _ in range(5):
        failed = Job.objects.create(
            workspace=users.workspace,
            user=users.owner,
            resource="flows",
            action="turn-off",
            state=JobState.ENDED,
            asked_at=clock.now(),
        )
        JobItem.objects.create(job=failed, position=0, object_id="F" * 21, state=ItemState.FAILED)
        _twice(partial(jobs.retry, actor, place, failed, look=False))
    assert Job.objects.exclude(retry_of=None).count() == 5
