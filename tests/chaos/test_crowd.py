"""Three hundred launches that wait at the same moment, in one worker: they hold no database connections meanwhile."""

import pytest
from django.db import connection

from tests import flows
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from workflows_ui.launches.models import Launch, State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos, pytest.mark.timeout(300)]

CROWD = 300
#: A worker's turns, beat, and this test with a little room: nothing that grows with the crowd.
HANDFUL = 14


def _connections() -> int:
    """How many connections the test's database has."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        (count,) = cursor.fetchone()
    return int(count)


@pytest.mark.parametrize("scene", [{"LAUNCH_DEADLINE_SECONDS": "60", "WORKER_SLOTS": str(CROWD)}], indirect=True)
def test_three_hundred_waiting_launches_use_a_handful_of_database_connections(scene: Scene) -> None:
    scene.engine.settings.wait_limit = 300
    slow = flows.make(scene.workflows, "Slow", flows.code("sleep 250"), flows.response({"ok": True}))
    for number in range(CROWD):
        scene.ask(slow, number, wait=True)
    scene.stage.beat()
    scene.stage.worker(threads=CROWD + 20)
    most = 0

    def all_wait() -> bool:
        nonlocal most
        most = max(most, _connections())
        return len(scene.engine.journal.triggers()) == CROWD

    until(all_wait, "all of them are on their way")
    waiting = Launch.objects.filter(state__in=[State.SENDING, State.RUNNING], answered_at__isnull=True).count()
    assert waiting == CROWD

    def settled() -> bool:
        nonlocal most
        most = max(most, _connections())
        return scene.settled()

    until(settled, "all of them are settled")
    assert most <= HANDFUL
    assert set(Launch.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert len(scene.engine.journal.triggers()) == CROWD
