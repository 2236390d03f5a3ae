"""The end of the search for a write, without waiting for it."""

from datetime import timedelta

from django.conf import settings

from workflows_ui.core import clock
from workflows_ui.unclear_writes import services
from workflows_ui.unclear_writes.models import UnclearWrite


def look_at_the_end() -> UnclearWrite:
    """Look for the only write that is being checked as at the end of the search time."""
    row = UnclearWrite.objects.get(state="checking")
    over = clock.now() - settings.LAUNCH_SEARCH - timedelta(seconds=1)
    UnclearWrite.objects.filter(pk=row.pk).update(not_before=None, asked_at=over)
    services.look(row.pk)
    row.refresh_from_db()
    return row
