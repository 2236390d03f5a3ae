"""What tests of alarms share: flows with a rhythm in a practice engine, their index, and checks at any time."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.utils import timezone

from practice_engine import ids
from tests.run_index.index_scene import read_all, start
from tests.stage import Stage
from workflows_ui.alarms import checking
from workflows_ui.alarms.models import Alarm, AlarmKind, AlarmWatch
from workflows_ui.core import clock
from workflows_ui.run_index.models import RunIndex

HOUR = timedelta(hours=1)
#: What a flow has to be known for, in few pages of runs.
LENGTH, GAP = timedelta(weeks=4), timedelta(hours=6)


def flow_of(stage: Stage, start: str = "") -> dict[str, Any]:
    """A flow that is on: one with a schedule, or another one."""
    state, project = stage.practice.engine.state, stage.users.workspace.project_id
    for flow in state.flows.values():
        scheduled = bool((flow.get("triggerSource") or {}).get("schedule"))
        if (flow["projectId"], flow["status"], scheduled) == (project, "ENABLED", start == "schedule"):
            return dict(flow)
    raise LookupError(start)


def add_flows(stage: Stage, number: int) -> list[str]:
    """More flows that are on; their ids."""
    state, model = stage.practice.engine.state, flow_of(stage)
    added = [ids.new_id() for _flow in range(number)]
    with state.lock:
        for place, flow_id in enumerate(added):
            created = ids.stamp(datetime.now(UTC) - timedelta(days=60, minutes=place))
            state.flows[flow_id] = deepcopy(model) | {"id": flow_id, "created": created}
    return added


def every(gap: timedelta, until: datetime, length: timedelta = LENGTH) -> list[datetime]:
    """Times this far apart, the latest first."""
    return [until - place * gap for place in range(length // gap)]


def add_runs(
    stage: Stage, flow_id: str, moments: Iterable[datetime], *, status: str = "SUCCEEDED", seconds: float = 10
) -> list[str]:
    """Runs of a flow in the engine's store; their ids."""
    state, project, added = stage.practice.engine.state, stage.users.workspace.project_id, []
    with state.lock:
        model = next(row for row in state.runs.values() if (row["status"], row["projectId"]) == ("SUCCEEDED", project))
        for moment in moments:
            begun, ended = ids.stamp(moment), ids.stamp(moment + timedelta(seconds=seconds))
            row: dict[str, Any] = model | {"id": ids.new_id(), "flowId": flow_id, "status": status, "archivedAt": None}
            row |= {"created": begun, "updated": ended, "startTime": begun, "finishTime": ended, "parentRunId": None}
            if status != "SUCCEEDED":
                row["failedStep"] = {"name": "step_1", "displayName": "Charge <b>card</b>", "message": "Refused"}
            if status == "RUNNING":
                row |= {"finishTime": None, "failedStep": None}
            state.runs[row["id"]] = row
            added.append(row["id"])
    return added


def only(
    stage: Stage,
    flow_id: str,
    moments: Iterable[datetime],
    *,
    keep: Collection[str] = (),
    on: Collection[str] = (),
    **values: Any,
) -> None:
    """The index of a workspace whose only runs these and those of `keep` are, up to date. Other flows than `on` are off."""
    state, project = stage.practice.engine.state, stage.users.workspace.project_id
    others = [key for key, row in state.runs.items() if row["projectId"] == project and key not in keep]
    add_runs(stage, flow_id, moments, **values)
    for key in others:
        del state.runs[key]
    for flow in state.flows.values():
        if flow["id"] not in {flow_id, *on} and flow["projectId"] == project:
            flow["status"] = "DISABLED"
    start(stage, keep_days=30)
    read_all(stage)


def several(stage: Stage, number: int, until: datetime) -> list[str]:
    """Flows that ran together until then, in an index that is up to date; their ids."""
    first = flow_of(stage)["id"]
    flows = [first, *add_flows(stage, number - 1)]
    for flow in flows[1:]:
        add_runs(stage, flow, every(2 * GAP, until))
    other_runs = {key: row for key, row in stage.practice.engine.state.runs.items() if row["flowId"] in flows[1:]}
    only(stage, first, every(2 * GAP, until), keep=other_runs, on=flows)
    return flows


def read_again(stage: Stage) -> None:
    """What the engine has got since."""
    RunIndex.objects.update(read_until=timezone.now() - timedelta(days=1))
    read_all(stage)


def check(stage: Stage) -> list[tuple[str, str]]:
    """Check the flows as if the time had come; the open alarms by kind and flow."""
    AlarmWatch.objects.update(due_at=None)
    checking.check(stage.users.workspace.pk)
    return open_alarms()


def open_alarms() -> list[tuple[str, str]]:
    return sorted(Alarm.objects.filter(ended_at=None).values_list("kind", "flow_id"))


@contextmanager
def later(time: timedelta) -> Iterator[None]:
    """So much later, with an index that is up to date."""
    moment = timezone.now() + time
    read_at = RunIndex.objects.get().read_at
    with mock.patch.object(clock, "now", return_value=moment):
        RunIndex.objects.update(read_at=moment)
        yield
    RunIndex.objects.update(read_at=read_at)


def quiet(stage: Stage) -> Alarm:
    """The alarm about a flow that ran every six hours, and not for a day and a half."""
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - timedelta(hours=36)))
    check(stage)
    return Alarm.objects.get(kind=AlarmKind.QUIET)
