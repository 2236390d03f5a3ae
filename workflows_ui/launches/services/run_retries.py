"""Times of retries made through the console: the engine keeps a retried run's id and does not report the retry."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models.functions import Coalesce

from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Workspace

#: The action that keeps a run's id. Single actions write its audit row, and bulk actions one for each run.
_ACTION = "runs.retry"


def latest(workspace: Workspace, ids: Sequence[str]) -> dict[str, datetime]:
    """The time of the latest successful retry of each of these runs, by run id, in one query."""
    rows = AuditEvent.objects.filter(
        workspace=workspace, object_type="runs", object_id__in=ids, action=_ACTION, outcome="done"
    )
    # The time before the call where known: the engine's own time of the retry is later.
    moment = Coalesce("begun__at", "at")
    return dict(rows.order_by(moment).values_list("object_id", moment))
