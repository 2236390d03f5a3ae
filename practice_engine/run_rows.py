"""The rows of runs, which hold all that the engine knows of them, and what each version shows of them."""

import time
from typing import Any

from .http import V072, V083, Json, Version

ACTIVE = ("QUEUED", "RUNNING", "PAUSED")
_ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "MEMORY_LIMIT_EXCEEDED", "QUOTA_EXCEEDED", "INTERNAL_ERROR", "CANCELED")
STATUSES = (*ACTIVE, *_ENDED)
#: 0.83.0 knows one more (recording ``runs_list_bad_status``).
STATUSES_083 = (*STATUSES, "LOG_SIZE_EXCEEDED")
#: How a run ends when its worker is killed, which has not stored the steps.
CRASHED = ("MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR")
MAX_RUNS = 5000
#: The fields of every run of 0.83.0.
FIELDS_083 = (
    *("id", "created", "updated", "projectId", "flowId", "flowVersionId", "environment", "parentRunId"),
    *("failParentOnFailure", "status", "tags", "triggeredBy", "finishTime", "failedStep", "archivedAt"),
    *("stepNameToTest", "logsFileId"),
)
#: The fields of every run of 0.72.4. In the response to a retry nulls stay nulls (recording ``run_retry_from_failed_step``).
FIELDS_072 = (
    *("id", "created", "updated", "projectId", "flowId", "flowVersionId", "environment", "logsFileId", "parentRunId"),
    *("failParentOnFailure", "status", "tags", "startTime", "finishTime", "archivedAt", "stepNameToTest"),
)
#: The fields of a new run on the latest version (recordings ``run_retry_on_latest``, ``run_retry_succeeded``).
NEW_RUN_FIELDS = ("id", "projectId", "flowId", "flowVersionId", "environment", "status", "updated")


def visible(row: Json) -> bool:
    return float(row["visibleAt"]) <= time.time()


def run_version(row: Json) -> Version:
    """The version of the engine that runs it, 0.72.4 for a row from a file of that time."""
    return tuple(row.get("speaks") or V072)


def remove_oldest(runs: dict[str, Json]) -> None:
    if len(runs) >= MAX_RUNS:
        oldest = next((key for key, row in runs.items() if row["status"] not in ACTIVE), None)
        if oldest is not None:
            del runs[oldest]


def list_json(row: Json, flow_version: Json, version: Version) -> Json:
    """A run as the list shows it: with the whole flow version, twice, since 0.83.0 (recordings ``runs_list``)."""
    if version < V083:
        return _json_072(row)
    twice = {f"flowVersion_{name}": value for name, value in flow_version.items()}
    return {**_json_083(row), "flowVersion": flow_version, **twice, "displayName": flow_version["displayName"]}


def run_json(row: Json, flow_version: Json, version: Version) -> Json:
    if version < V083:
        return {**_json_072(row), "steps": {} if _is_unlogged(row) else row["steps"]}
    steps = row["steps"]
    if _is_unreported(row) and "trigger" in steps:
        steps = {"trigger": steps["trigger"]}
    return {**_json_083(row), "flowVersion": flow_version, "steps": steps}


def retry_json(row: Json, flow_version: Json, version: Version) -> Json:
    """A run that was queued again from its failed step (recordings ``run_retry_from_failed_step``)."""
    if version >= V083:
        return {**_json_083(row), "flowVersion": flow_version}
    fields = {name: row[name] for name in FIELDS_072}
    return {**fields, "failedStep": _failed_step_072(row), "pauseMetadata": None, "flowVersion": flow_version}


def new_run_json(row: Json, version: Version) -> Json:
    """A new run on the latest version: only a part."""
    run = {**{name: row[name] for name in NEW_RUN_FIELDS}, "parentRunId": None, "failParentOnFailure": False}
    return run if version < V083 else {**run, "created": row["created"], "tags": [], "steps": {}}


def step_test_json(row: Json) -> Json:
    """A run that tests one step (recording ``sample_data_test_step``)."""
    return {**_json_083(row), "steps": {}}


def _json_072(row: Json) -> Json:
    """A run of 0.72.4: nulls are empty texts or ``{}`` there."""
    fields_072 = {name: row[name] for name in FIELDS_072}
    empty = {name: row[name] or "" for name in ("parentRunId", "startTime", "finishTime", "stepNameToTest")}
    return {
        **fields_072,
        **empty,
        "flowVersion": {"displayName": row["flowName"]},
        "logsFileId": None if _is_unlogged(row) else row["logsFileId"],
        "failedStep": _failed_step_072(row) or {},
    }


def _failed_step_072(row: Json) -> Json | None:
    """The failed step without its message, which 0.72.4 does not show."""
    failed = row["failedStep"]
    return failed and {name: failed[name] for name in ("name", "displayName")}


def _json_083(row: Json) -> Json:
    return {
        **{name: row.get(name) for name in FIELDS_083},
        # A tested step has no start time (recording sample_data_test_step_run_get).
        "startTime": None if _is_unreported(row) or row["stepNameToTest"] else row["startTime"],
        "stepsCount": _count_steps(row),
        "pauseMetadata": None,
    }


def _is_unlogged(row: Json) -> bool:
    return row["status"] == "RUNNING" or row["status"] in CRASHED


def _is_unreported(row: Json) -> bool:
    """Whether start and steps were never stored (recordings ``run_get_RUNNING``, ``run_odd_INTERNAL_ERROR_*``)."""
    return _is_unlogged(row) and not row.get("reported")


def _count_steps(row: Json) -> int:
    """The number of steps that are done or wait, without those inside loops; of a tested step, only that one."""
    steps: dict[str, Any] = row["steps"]
    tested = row["stepNameToTest"]
    return sum(
        step.get("status") in ("SUCCEEDED", "PAUSED") and name != "trigger" and tested in (None, name)
        for name, step in steps.items()
    )
