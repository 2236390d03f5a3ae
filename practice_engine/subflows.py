"""Flows that call others: which flow is called, and what the runs of both get to know (recordings ``subflow_*``)."""

from typing import Any

from . import run_rows
from .code_steps import Call
from .http import Json
from .state import State

#: The trigger of flows that others call.
TRIGGER = "callableFlow"
#: The address of an engine that no request has named, as in sample data.
_UNNAMED = "https://practice.example"


def callable_flows(state: State, project: str) -> list[Json]:
    """The flows of a project that others can call, by name."""
    rows = [row for row in state.flows.values() if row["projectId"] == project and _is_callable(state, row)]
    return sorted(rows, key=lambda row: str(state.versions[row["versionId"]]["displayName"]))


def called_flow(state: State, run: Json, call: Call) -> Json | None:
    """The flow that a run calls, by external id; None if there is none that is on. That such a call does nothing is not recorded."""
    rows = callable_flows(state, run["projectId"])
    return next((row for row in rows if row["externalId"] == call.flow and row["status"] == "ENABLED"), None)


def trigger_output(call: Call, callback_url: str) -> Json:
    """What the trigger of the called flow has received: with an address for the answer, if the calling run waits."""
    return {"data": call.payload, **({"callbackUrl": callback_url} if call.waits and callback_url else {})}


def columns(run: Json, call: Call) -> Json:
    """The columns of the run of a called flow besides those of a plain one."""
    return {"parentRunId": run["id"], "failParentOnFailure": call.waits, "base": run["base"]}


def success(data: Any) -> Json:
    """What the run that waits is resumed with, by an answer."""
    return {"body": {"status": "success", "data": data}}


def failure(child: Json) -> Json:
    """What the run that waits is resumed with, if the run of the flow that it called has failed."""
    address = child["base"].removesuffix("/api") or _UNNAMED
    return {"failed": f"{address}/projects/{child['projectId']}/runs/{child['id']}"}


def waiting_parent(state: State, child: Json) -> Json | None:
    """The run that waits for the answer of another one."""
    parent = state.runs.get(child["parentRunId"] or "") if child["failParentOnFailure"] else None
    return parent if parent is not None and parent["status"] == "PAUSED" else None


def has_failed(child: Json) -> bool:
    return child["status"] not in ("SUCCEEDED", *run_rows.ACTIVE)


def _is_callable(state: State, flow: Json) -> bool:
    version = state.versions[flow["publishedVersionId"] or flow["versionId"]]
    return bool(version["trigger"]["settings"].get("triggerName") == TRIGGER)
