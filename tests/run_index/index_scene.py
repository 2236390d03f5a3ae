"""What tests of the run index share: an index on a practice engine, runs of the past, and turns of a reader."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from practice_engine import ids
from tests.stage import Stage
from tests.users import share_with_nobody
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.credentials.services import sharing
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes, reading


def start(stage: Stage, keep_days: int = 14, **values: Any) -> RunIndex:
    """An index of the workspace that has read nothing yet. Each of its days is counted at the engine once it was read."""
    if not sharing.teams(stage.users.credential):
        share_with_nobody(stage.users.credential)
    return indexes.start(CONSOLE, stage.users.workspace, stage.users.credential, keep_days, **values)


def read_all(stage: Stage) -> None:
    """Turns until nothing of the past is left."""
    while turn(stage).spans:
        pass


def turn(stage: Stage) -> RunIndex:
    """One turn of a reader, as if its time had come."""
    RunIndex.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    reading.read(stage.users.workspace.pk)
    return RunIndex.objects.get()


def everything(stage: Stage) -> list[str]:
    """The ids of all production runs of the workspace's project, which the list shows in pages only."""
    project = stage.users.workspace.project_id
    rows = stage.practice.engine.state.runs.values()
    return [row["id"] for row in rows if (row["environment"], row["projectId"]) == ("PRODUCTION", project)]


def add_past(stage: Stage, number: int, *, seconds: float = 60, back: timedelta = timedelta(0)) -> list[str]:
    """Ended runs in the engine's store, this far apart, the newest first; their ids."""
    state, now = stage.practice.engine.state, timezone.now() - back
    with state.lock:
        project = stage.users.workspace.project_id
        model = next(row for row in state.runs.values() if (row["status"], row["projectId"]) == ("SUCCEEDED", project))
        added = []
        for place in range(number):
            moment = ids.stamp(now - timedelta(seconds=seconds * (place + 1)))
            row = model | {
                "id": ids.new_id(),
                "created": moment,
                "updated": moment,
                "startTime": moment,
                "finishTime": moment,
            }
            state.runs[row["id"]] = row
            added.append(row["id"])
    return added


def launched(stage: Stage, run: str, payload: str, **columns: Any) -> None:
    """The run is that of a launch of the owner with this payload."""
    now = timezone.now()
    launch = Launch(
        workspace=stage.users.workspace,
        credential=stage.users.credential,
        ticket=launches.ticket(),
        flow_id="F" * 21,
        payload_digest="0" * 64,
        asked_at=now,
        not_before=now,
        send_by=now,
        run_id=run,
        **{"user": stage.users.owner} | columns,
    )
    launch.payload = launch.seal("payload", payload)
    launch.save(force_insert=True)
