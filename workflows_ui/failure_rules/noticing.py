"""Where failures become known: the run index, and the launches, whether there is an index or not. Both write the same rows.

The rows are written in the transaction that makes the failure known, if a rule acts on it: none is lost, and none is noticed twice.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q, QuerySet

from workflows_ui.core import clock
from workflows_ui.failure_rules.models import ACTIVE, LATEST, Failure, FailureRule
from workflows_ui.launches.models import Launch
from workflows_ui.launches.signals import launch_failed
from workflows_ui.run_index.models import IndexedRun
from workflows_ui.run_index.signals import runs_failed

#: The key of a launch whose run is not known.
LAUNCH_KEY = "launch:"
#: How long failures are kept on which nothing was done.
KEPT = timedelta(days=90)


def connect() -> None:
    """Listen to launches and run indexes. Called once, at start-up."""
    launch_failed.connect(_notice_launch, dispatch_uid="failure_rules")
    runs_failed.connect(_notice_runs, dispatch_uid="failure_rules")


def rules_for(workspace_id: int, flow_id: str | None = None) -> QuerySet[FailureRule]:
    """The active rules of a workspace; with a flow, those that act on its failures."""
    rows = FailureRule.objects.filter(ACTIVE, workspace=workspace_id).select_related("workspace", "owner", "channel")
    return rows if flow_id is None else rows.filter(Q(flow_id="") | Q(flow_id=flow_id))


def _notice_launch(*, launch_id: str, **_signal: object) -> None:
    launch = Launch.objects.get(pk=launch_id)
    if not rules_for(launch.workspace_id, launch.flow_id).exists():
        return
    now = clock.now()
    row = Failure(
        workspace_id=launch.workspace_id,
        key=launch.run_id or f"{LAUNCH_KEY}{launch.pk}",
        flow_id=launch.flow_id,
        flow_name=launch.flow_name[:200],
        run_id=launch.run_id,
        launch=launch,
        step_title=launch.failed_step[:200],
        failed_at=launch.run_finished_at or launch.ended_at or now,
        noticed_at=now,
        due_at=now,
    )
    _save([row])


def _notice_runs(*, workspace_id: int, rows: Sequence[IndexedRun], **_signal: object) -> None:
    wanted = set(rules_for(workspace_id).values_list("flow_id", flat=True))
    if not wanted:
        return
    now = clock.now()
    found = [
        Failure(
            workspace_id=workspace_id,
            key=row.run_id,
            flow_id=row.flow_id,
            flow_name=row.flow_name,
            run_id=row.run_id,
            parent_id=row.parent_id,
            step=row.failed_step,
            step_title=row.failed_step_title,
            failed_at=failed_at,
            noticed_at=now,
            due_at=now,
        )
        for row in rows
        if ("" in wanted or row.flow_id in wanted)
        # An index reads the past, too.
        and (failed_at := row.finished or row.updated or row.created) > now - LATEST
    ]
    _save(found)


def _save(rows: Sequence[Failure]) -> None:
    Failure.objects.bulk_create(rows, ignore_conflicts=True, batch_size=200)


def purge() -> None:
    """Delete old failures with what was done about them, unless a launch remains of it: its run may fail much later (chains.py)."""
    old = Failure.objects.filter(noticed_at__lt=clock.now() - KEPT, due_at=None)
    old.exclude(actions__launch__isnull=False).delete()
