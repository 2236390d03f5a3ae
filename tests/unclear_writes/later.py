"""The end of the search for a write, without waiting for it, and an engine that acts late."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection

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


class Killed(BaseException):
    """What a kill does to a thread: nothing after this point happens."""


@contextmanager
def failing_at(begin: str, table: str, problem: BaseException) -> Iterator[None]:
    """Raise `problem` instead of the next statement on a table of the console, such as an INSERT."""
    waiting = [problem]

    def execute(go_on: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if waiting and sql.startswith(begin) and f'"workflows_ui_{table}"' in sql:
            raise waiting.pop()
        return go_on(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


def lease_over(row: UnclearWrite) -> None:
    """Let the lease of a killed worker end."""
    UnclearWrite.objects.filter(pk=row.pk).update(claim_until=clock.now() - timedelta(seconds=1))


def act_late(practice: Practice, path: str) -> None:
    """Let the engine do what it got last at this path, minutes after its answer."""
    late = practice.journal.all("POST", path)[-1]
    answer = practice.call("POST", path, data=late.body, headers={"content-type": "application/json"})
    assert answer.ok, answer.text
