"""The row of a run: all that the engine knows of it, whatever each version shows (``run_views.py``)."""

import time
from datetime import timedelta
from typing import Any

from . import ids
from .http import V072, V083, Json, Version
from .state import State

ACTIVE = ("QUEUED", "RUNNING", "PAUSED")
_ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "MEMORY_LIMIT_EXCEEDED", "QUOTA_EXCEEDED", "INTERNAL_ERROR", "CANCELED")
STATUSES = (*ACTIVE, *_ENDED)
#: 0.83.0 knows one more (recording ``runs_list_bad_status``).
STATUSES_083 = (*STATUSES, "LOG_SIZE_EXCEEDED")
#: How a run ends when its worker is killed, which has not stored the steps.
CRASHED = ("MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR")
MAX_RUNS = 5000


def add_run(
    state: State,
    delay: float,
    flow: Json,
    flow_version: Json,
    payload: Any,
    *,
    version: Version,
    parent: str | None = None,
    fail_parent: bool = False,
    environment: str = "PRODUCTION",
    base: str = "",
    step: str | None = None,
    user: str | None = None,
) -> Json:
    """Add the row of a run of ``flow_version`` by an engine of ``version``; the caller holds the lock.

    It is shown after ``delay`` real seconds. ``base`` is the engine's address, for addresses that are called later. ``step`` is
    the only step to run, in a test by ``user``.
    """
    moment = ids.now()
    created = ids.stamp(moment + timedelta(seconds=delay))
    _remove_oldest(state.runs)
    return state.add_row(
        "runs",
        created=created,
        # Rows of 0.72.4 are written by its workers, later than the times in them (recording runs_list there).
        updated=created if version >= V083 else ids.stamp(moment),
        projectId=flow["projectId"],
        flowId=flow["id"],
        flowVersionId=flow_version["id"],
        flowName=flow_version["displayName"],
        status="QUEUED",
        environment=environment,
        parentRunId=parent,
        failParentOnFailure=fail_parent,
        tags=[],
        stepNameToTest=step,
        triggeredBy=user,
        steps={},
        payload=payload,
        visibleAt=time.time() + delay,
        speaks=list(version),
        base=base,
        # Whether a running run has stored its start and its steps already.
        reported=False,
        **dict.fromkeys(("logsFileId", "startTime", "finishTime", "failedStep", "archivedAt")),
        **dict.fromkeys(("resumeAt", "requestId", "resumed")),
    )


def visible(row: Json) -> bool:
    return float(row["visibleAt"]) <= time.time()


def run_version(row: Json) -> Version:
    """Return the version of the engine that runs it, 0.72.4 for a row from a file of that time."""
    return tuple(row.get("speaks") or V072)


def _remove_oldest(runs: dict[str, Json]) -> None:
    if len(runs) >= MAX_RUNS:
        oldest = next((key for key, row in runs.items() if row["status"] not in ACTIVE), None)
        if oldest is not None:
            del runs[oldest]
