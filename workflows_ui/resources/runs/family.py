"""Related runs: the one that started a run, and those that it started.

The engine stores with a run which one started it (`parentRunId`), but has no filter for it (api.md 7.4): the runs of
the time in which this one ran are read, and those that name it are selected.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Workspace
from workflows_ui.resource_admin.resource import Row, id_at, pick
from workflows_ui.web import formats

#: Maximum runs read when searching for children, and how long after the end of a run its children may still appear.
MOST, AFTERWARDS = 500, datetime.timedelta(minutes=10)
#: A run is stored some time after it began; so are its children.
_BEFORE = datetime.timedelta(seconds=5)


@dataclass(frozen=True)
class Family:
    """The related runs. `parent_gone` is an id that the engine does not know; `complete` is whether all runs of the
    time were read.
    """

    parent: Row | None
    parent_gone: str
    children: Sequence[Row]
    complete: bool


def parent_id(workspace: Workspace, run: Row) -> str:
    """The id of the run that started this one; "" if it is the marker of a launch of the console, or there is none."""
    run_id = id_at(run, "parentRunId")
    return "" if run_id and Launch.objects.filter(workspace=workspace, pk=run_id).exists() else run_id


def starts_others(known: Mapping[str, Any]) -> bool:
    """Whether a step of the flow starts other flows."""
    return any(str(pick(step, "settings.pieceName") or "").endswith("piece-subflows") for step in known.values())


def load_family(session: EngineSession, run: Row) -> Family:
    """Load the related runs: two calls at most. Raises EngineError."""
    above, parent = parent_id(session.workspace, run), None
    if above:
        try:
            parent = session.workflows.get_run(above)
        except NotFound:
            parent = None
    began = min(filter(None, (formats.moment(run.get("created")), formats.moment(run.get("startTime")))), default=None)
    if began is None:
        return Family(parent, "" if parent else above, [], complete=False)
    ended = formats.moment(run.get("finishTime")) or formats.moment(run.get("updated")) or began
    page = session.workflows.list_runs(
        limit=MOST, created_after=began - _BEFORE, created_before=max(began, ended) + AFTERWARDS
    )
    listed = page.get("data") or []
    children = [row for row in listed if isinstance(row, dict) and id_at(row, "parentRunId") == id_at(run)]
    return Family(parent, "" if parent else above, children, complete=len(listed) < MOST)
