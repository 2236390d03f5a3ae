"""The end of the search for a write, without waiting for it, and an engine that acts late."""

from datetime import timedelta

from django.conf import settings

from tests.practice_engine.fixtures import Practice
from workflows_ui.core import clock
from workflows_ui.unclear_writes.models import UnclearWrite
from workflows_ui.write_looks import worker


def look_at_the_end() -> UnclearWrite:
    """Look for the only write that is being checked as at the end of the search time."""
    row = UnclearWrite.objects.get(state="checking")
    over = clock.now() - settings.LAUNCH_SEARCH - timedelta(seconds=1)
    UnclearWrite.objects.filter(pk=row.pk).update(not_before=None, asked_at=over)
    worker.look(row.pk)
    row.refresh_from_db()
    return row


def act_late(practice: Practice, path: str) -> None:
    """Let the engine do what it got last at this path, minutes after its answer."""
    late = practice.journal.all("POST", path)[-1]
    answer = practice.call("POST", path, data=late.body, headers={"content-type": "application/json"})
    assert answer.ok, answer.text
