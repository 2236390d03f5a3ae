"""How a run is shown, and how a flow's own answer goes over HTTP."""

from __future__ import annotations

import json

from .http import JSON_TYPE, Json, Response
from .piece_steps import FlowResponse


def flow_response(given: FlowResponse) -> Response:
    """A flow's own answer as it goes over HTTP: text as it is, anything else as JSON."""
    headers = {name.lower(): text for name, text in given.headers.items()}
    if given.json:
        headers.setdefault("content-type", JSON_TYPE)
        return Response(
            given.status, json.dumps(given.body, ensure_ascii=False, separators=(",", ":")).encode(), headers
        )
    headers.setdefault("content-type", "text/plain; charset=utf-8")
    return Response(given.status, str(given.body).encode(), headers)


def listed(row: Json) -> Json:
    """A run as the list shows it: nulls are empty texts or ``{}`` there (recording ``runs_list``)."""
    return {
        "id": row["id"],
        "created": row["created"],
        "updated": row["updated"],
        "projectId": row["projectId"],
        "flowId": row["flowId"],
        "failParentOnFailure": row["failParentOnFailure"],
        "flowVersionId": row["flowVersionId"],
        "status": row["status"],
        "environment": row["environment"],
        "parentRunId": row["parentRunId"] or "",
        "tags": row["tags"],
        "flowVersion": {"displayName": row["flowName"]},
        "logsFileId": row["logsFileId"],
        "startTime": row["startTime"] or "",
        "finishTime": row["finishTime"] or "",
        "failedStep": row["failedStep"] or {},
        "stepNameToTest": row["stepNameToTest"] or "",
        "archivedAt": row["archivedAt"],
    }


def shown(row: Json) -> Json:
    """A run with its steps; none while it is queued or running."""
    return {**listed(row), "steps": {} if row["status"] == "RUNNING" else row["steps"]}
