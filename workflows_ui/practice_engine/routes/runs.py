"""Runs: list, get, retry, cancel, archive, resume (api.md section 8; recordings ``run_*``, ``runs_*``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows_ui.practice_engine import ids, pages
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.http import Json, Later, Refusal, Request, Response, answer, empty, refuse
from workflows_ui.practice_engine.router import ANY, Routes
from workflows_ui.practice_engine.run_views import listed, shown
from workflows_ui.practice_engine.runs import STATUSES, Waiter
from workflows_ui.practice_engine.schema import PAGE, PROJECT, Field, need

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
STRATEGY = need(choices=("ON_LATEST_VERSION", "FROM_FAILED_STEP"))
WHOLE = (
    *("id", "created", "updated", "projectId", "flowId", "flowVersionId", "environment", "logsFileId", "parentRunId"),
    *("failParentOnFailure", "status", "tags", "startTime", "finishTime", "failedStep", "archivedAt", "stepNameToTest"),
)
SELECTION = {
    "projectId": PROJECT,
    "flowRunIds": Field("id", many=True),
    "excludeFlowRunIds": Field("id", many=True),
    "status": Field(choices=STATUSES, many=True),
    "flowId": Field("id", many=True),
    "createdAfter": Field("time"),
    "createdBefore": Field("time"),
    "failedStepName": Field(),
}
FILTERS = {**PAGE, **SELECTION, "tags": Field(many=True), "archived": Field("boolean")}


@routes.route("GET", "/v1/flow-runs", query=FILTERS)
def find(engine: PracticeEngine, request: Request) -> Json:
    """PRODUCTION runs, newest first, without their steps."""
    query = request.query
    rows = _select(engine, request, query)
    rows = [row for row in rows if row["environment"] == "PRODUCTION"]
    if "tags" in query:
        rows = [row for row in rows if set(query["tags"]) & set(row["tags"])]
    if "archived" in query:
        rows = [row for row in rows if bool(row["archivedAt"]) is query["archived"]]
    result = pages.page(rows, query.get("limit"), query.get("cursor"))
    return {**result, "data": [listed(row) for row in result["data"]]}


@routes.route("GET", "/v1/flow-runs/{id:id}", query={"projectId": Field("id")})
def get(engine: PracticeEngine, request: Request) -> Json:
    """One run with its steps."""
    return shown(_one(engine, request))


@routes.route("POST", "/v1/flow-runs/{id:id}/retry", body={"strategy": STRATEGY, "projectId": PROJECT})
def retry(engine: PracticeEngine, request: Request) -> Json:
    """Retry from the failed step (same run) or on the latest version (a new run)."""
    return _retry(engine, _one(engine, request), request.values["strategy"])


@routes.route("POST", "/v1/flow-runs/retry", body={**SELECTION, "strategy": STRATEGY})
def retry_many(engine: PracticeEngine, request: Request) -> list[Json]:
    """Retry many. Without a filter: every run of the project."""
    rows = _select(engine, request, request.values)
    return [_retry(engine, row, request.values["strategy"]) for row in rows]


@routes.route(
    "POST", "/v1/flow-runs/cancel", body={**SELECTION, "status": Field(choices=("PAUSED", "QUEUED"), many=True)}
)
def cancel_many(engine: PracticeEngine, request: Request) -> Response:
    """Cancel what is paused or queued; a running one cannot be (recording ``runs_cancel``)."""
    for row in _select(engine, request, request.values):
        if row["status"] in ("PAUSED", "QUEUED"):
            row |= {"status": "CANCELED", "updated": ids.stamp(), "resumeAt": None, "requestId": None}
    return empty(200)


@routes.route("POST", "/v1/flow-runs/archive", body=SELECTION)
def archive_many(engine: PracticeEngine, request: Request) -> Response:
    """Archive many. Without a filter: every run of the project."""
    for row in _select(engine, request, request.values):
        row["archivedAt"] = row["updated"] = ids.stamp()
    return empty(200)


@routes.route(ANY, "/v1/flow-runs/{id:id}/requests/{requestId}", auth=PUBLIC, any_body=True)
def resume(engine: PracticeEngine, request: Request) -> Response:
    """Let a paused run go on."""
    _wake(engine, request)
    return answer({"message": "Your response has been recorded. You can close this page now."})


@routes.route(ANY, "/v1/flow-runs/{id:id}/requests/{requestId}/sync", auth=PUBLIC, any_body=True)
def resume_and_wait(engine: PracticeEngine, request: Request) -> Later:
    """Let a paused run go on; answered as soon as the limit passes (responses after a pause are not practised)."""
    _wake(engine, request)
    return Later(lambda: engine.runs.wait(Waiter(), "", engine.ids.new()))


def _wake(engine: PracticeEngine, request: Request) -> None:
    row = engine.state.runs.get(request.params["id"])
    if row is None:
        raise Refusal(404, {})
    if row["status"] != "PAUSED":
        raise Refusal(409, {"message": "the run is not paused", "flowRunStatus": row["status"]})
    if row["requestId"] != request.params["requestId"]:
        raise Refusal(404, {})
    engine.runs.resume(row)


def _one(engine: PracticeEngine, request: Request) -> Json:
    row = engine.state.runs.get(request.params["id"])
    if row is None or not engine.runs.visible(row) or row["projectId"] != request.principal.project:
        raise refuse("FLOW_RUN_NOT_FOUND", {"id": request.params["id"]})
    return row


def _select(engine: PracticeEngine, request: Request, wanted: Json) -> list[Json]:
    """The project's runs that match, newest first."""
    rows = [row for row in engine.state.runs.values() if row["projectId"] == request.principal.project]
    rows = [row for row in rows if engine.runs.visible(row) and _matches(row, wanted)]
    return sorted(rows, key=lambda row: str(row["created"]), reverse=True)


def _matches(row: Json, wanted: Json) -> bool:
    created = row["created"]  # times of one form can be compared as texts
    checks: list[Any] = [
        row["id"] in wanted.get("flowRunIds", [row["id"]]),
        row["id"] not in wanted.get("excludeFlowRunIds", []),
        row["status"] in wanted.get("status", STATUSES),
        row["flowId"] in wanted.get("flowId", [row["flowId"]]),
        "createdAfter" not in wanted or created >= ids.stamp(ids.parse(wanted["createdAfter"])),
        "createdBefore" not in wanted or created <= ids.stamp(ids.parse(wanted["createdBefore"])),
        "failedStepName" not in wanted or (row["failedStep"] or {}).get("name") == wanted["failedStepName"],
    ]
    return all(checks)


def _retry(engine: PracticeEngine, row: Json, strategy: str) -> Json:
    if engine.settings.retries_disabled:
        raise refuse("FEATURE_DISABLED", {"message": "the plan has no retries"})
    if strategy == "FROM_FAILED_STEP":
        engine.runs.retry(row)
        return _whole(engine, row)
    flow = engine.state.flows.get(row["flowId"])
    if flow is None or flow["publishedVersionId"] is None:
        raise refuse("ENTITY_NOT_FOUND")
    new = engine.runs.start(flow, engine.state.versions[flow["publishedVersionId"]], row["payload"])
    # Only a part of a run comes back (recording run_retry_on_latest).
    return {
        "id": new["id"],
        "projectId": new["projectId"],
        "flowId": new["flowId"],
        "flowVersionId": new["flowVersionId"],
        "environment": new["environment"],
        "parentRunId": None,
        "failParentOnFailure": False,
        "status": new["status"],
        "updated": new["updated"],
    }


def _whole(engine: PracticeEngine, row: Json) -> Json:
    """A run as the retry shows it: nulls stay nulls, with the whole version (recording ``run_retry_from_failed_step``)."""
    return {
        **{name: row[name] for name in WHOLE},
        "pauseMetadata": None,
        "flowVersion": {**engine.state.versions[row["flowVersionId"]]},
    }
