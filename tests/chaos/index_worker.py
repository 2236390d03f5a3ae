"""Reads a run index, or deletes what it does not keep, again and again: `python -m tests.chaos.index_worker read|purge WORKSPACE`.

A worker reads once in some seconds and deletes once an hour: a test would wait for hours until both meet. Nothing else is different here.
"""

import sys

if __name__ == "__main__":
    import django

    django.setup()
    from datetime import timedelta

    from django.utils import timezone

    from workflows_ui.core import database
    from workflows_ui.run_index.models import RunIndex
    from workflows_ui.run_index.services import indexes, reading, values

    values.TURN, values.MINUTE = 50, 1_000_000
    action, workspace = sys.argv[1], int(sys.argv[2])
    while True:
        if action == "purge":
            with database.turn():
                indexes.purge()
        else:
            with database.turn():
                RunIndex.objects.update(due_at=timezone.now() - timedelta(seconds=1))
            reading.read(workspace)
