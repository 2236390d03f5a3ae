"""Runs that belong together: the one that started a run, and those that it started.

The engine keeps with a run which one started it (`parentRunId`), but cannot be asked for it (api.md 7.4): the runs of the time in
which this one ran are read, and those that name it are picked out.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows_ui.engine import NotFound
from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, id_at, pick
from workflows_ui.models import Launch

#: Runs that are read when children are looked for, and how long after the end of a run its children may still come in.
MOST, AFTERWARDS = 500, datetime.timedelta(minutes=10)
#: A run is written down some time after it began; so are its children.
_BEFORE = datetime.timedelta(seconds=5)


@dataclass(frozen=True)
class Family:
    """What was found. `parent_gone` is an id that the engine does not know; `complete` says that all runs of the time were read."""

    parent: Row | None
    parent_gone: str
    children: Sequence[Row]
    complete: bool


def parent_id(run: Row, launch: Launch | None) -> str:
    """The id of the run that started this one; "" where it is the marker of a launch of ours, or there is none."""
    found = id_at(run, "parentRunId")
    return "" if launch is not None and launch.pk == found else found


def starts_others(known: Mapping[str, Any]) -> bool:
    """Whether a step of the flow is one that starts other flows."""
    return any(str(pick(step, "settings.pieceName") or "").endswith("piece-subflows") for step in known.values())


def of(caller: Caller, run: Row, launch: Launch | None) -> Family:
    """Looks for them: two calls at most. Raises EngineError."""
    above, parent = parent_id(run, launch), None
    if above:
        try:
            parent = caller.workflows.get_run(above)
        except NotFound:
            parent = None
    began = min(filter(None, (show.moment(run.get("created")), show.moment(run.get("startTime")))), default=None)
    if began is None:
        return Family(parent, "" if parent else above, [], complete=False)
    ended = show.moment(run.get("finishTime")) or show.moment(run.get("updated")) or began
    page = caller.workflows.list_runs(
        limit=MOST, created_after=began - _BEFORE, created_before=max(began, ended) + AFTERWARDS
    )
    listed = page.get("data") or []
    children = [row for row in listed if isinstance(row, dict) and id_at(row, "parentRunId") == id_at(run)]
    return Family(parent, "" if parent else above, children, complete=len(listed) < MOST)
