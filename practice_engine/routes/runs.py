"""Runs: list, get, retry, cancel, archive, resume (api.md section 8; recordings ``run_*``, ``runs_*``)."""

from collections import Counter

from practice_engine import flow_views, ids, pages, payloads, run_rows
from practice_engine.core import ANY, Engine, route
from practice_engine.http import PUBLIC, V083, Deferred, HttpError, Json, Request, Version
from practice_engine.run_rows import STATUSES, STATUSES_083, visible
from practice_engine.runs import Waiter
from practice_engine.schema import PAGE, PROJECT, Field, Schema, required

STRATEGY = {"strategy": required(choices=("ON_LATEST_VERSION", "FROM_FAILED_STEP"))}
#: 0.83.0 takes any text as a time (recording runs_list_created_bad_date).
TIME = (Field("time", before=V083), Field(since=V083))
COUNT: Schema = {"projectId": PROJECT, "flowId": Field("id", many=True), "createdAfter": TIME, "createdBefore": TIME}
SELECTION: Schema = {
    **COUNT,
    **dict.fromkeys(("flowRunIds", "excludeFlowRunIds"), Field("id", many=True)),
    "status": (Field(choices=STATUSES, many=True, before=V083), Field(choices=STATUSES_083, many=True, since=V083)),
    "failedStepName": Field(),
}
LIST: Schema = {
    **PAGE,
    **SELECTION,
    "tags": Field(many=True),
    "archived": Field("boolean", before=V083),
    "includeArchived": Field("boolean", since=V083),
}
CANCEL = {"status": Field(choices=("PAUSED", "QUEUED"), many=True)}


@route("GET", "/v1/flow-runs", query=LIST)
def list_runs(engine: Engine, request: Request) -> Json:
    """List PRODUCTION runs, newest first, without their steps."""
    query = request.query
    rows = [row for row in _select(engine, request, query) if row["environment"] == "PRODUCTION"]
    if "tags" in query:
        rows = [row for row in rows if set(query["tags"]) & set(row["tags"])]
    if "archived" in query:
        rows = [row for row in rows if bool(row["archivedAt"]) is query["archived"]]
    if request.version >= V083 and not query.get("includeArchived"):
        rows = [row for row in rows if not row["archivedAt"]]
    return pages.page(rows, query, lambda row: run_rows.list_json(row, *_flow_version(engine, request, row)))


@route("GET", "/v1/flow-runs/count-by-status", query=COUNT, since=V083)
def count(engine: Engine, request: Request) -> Json:
    """Count runs by state, without states that no run is in (recording ``runs_count_by_status``)."""
    rows = [row for row in _select(engine, request, request.query) if row["environment"] == "PRODUCTION"]
    counts = Counter(row["status"] for row in rows if not row["archivedAt"])
    return {"data": [{"status": status, "count": counts[status]} for status in sorted(counts)]}


@route("GET", "/v1/flow-runs/{id:id}", query={"projectId": Field("id")})
def get(engine: Engine, request: Request) -> Json:
    row = _get_run(engine, request)
    return run_rows.run_json(row, *_flow_version(engine, request, row))


@route("POST", "/v1/flow-runs/{id:id}/retry", body={**STRATEGY, "projectId": PROJECT})
def retry(engine: Engine, request: Request) -> Json:
    """Retry from the failed step (same run) or on the latest version (a new run)."""
    return _retry(engine, request, _get_run(engine, request))


@route("POST", "/v1/flow-runs/retry", body={**SELECTION, **STRATEGY})
def retry_many(engine: Engine, request: Request) -> list[Json]:
    """Retry the selected runs. Without a filter: every run of the project."""
    return [_retry(engine, request, row) for row in _select(engine, request, request.values)]


@route("POST", "/v1/flow-runs/cancel", body={**SELECTION, **CANCEL}, status=200)
def cancel_many(engine: Engine, request: Request) -> None:
    """Cancel what is paused or queued. A running one continues, whatever the response (recordings ``runs_cancel*``)."""
    for row in _select(engine, request, request.values):
        if row["status"] in ("PAUSED", "QUEUED"):
            row |= {"status": "CANCELED", "updated": ids.stamp(), "resumeAt": None, "requestId": None}


@route("POST", "/v1/flow-runs/archive", body=SELECTION, status=200)
def archive_many(engine: Engine, request: Request) -> None:
    """Archive the selected runs. Without a filter: every run of the project."""
    for row in _select(engine, request, request.values):
        row["archivedAt"] = row["updated"] = ids.stamp()


@route(ANY, "/v1/flow-runs/{id:id}/requests/{requestId}", auth=PUBLIC, any_body=True)
@route(ANY, "/v1/flow-runs/{id:id}/requests/{requestId}/sync", auth=PUBLIC, any_body=True)
def resume(engine: Engine, request: Request) -> Deferred | Json:
    """Resume a paused run, and wait for its response if the path says so (recordings ``wait_*``)."""
    row = engine.state.runs.get(request.params["id"])
    if row is None:
        raise HttpError(404, {})
    if row["status"] != "PAUSED":
        raise HttpError(409, {"message": "the run is not paused", "flowRunStatus": row["status"]})
    # Since 0.83.0 any id does (recording ``approval_27_old_route_any_id``).
    if row["requestId"] != request.params["requestId"] and request.version < V083:
        raise HttpError(404, {})
    waiter = Waiter() if request.path.endswith("/sync") else None
    engine.runs.resume(row, payloads.resume_payload(request), waiter)
    request.runs.append(row["id"])
    if waiter is None:
        return {"message": "Your response has been recorded. You can close this page now."}
    return lambda: engine.runs.wait(waiter, row["id"])


@route(ANY, "/v1/flow-runs/{run:id}/waitpoints/{waitpoint}", auth=PUBLIC, any_body=True, since=V083)
def decide(engine: Engine, request: Request) -> Json:
    """Approve or refuse a paused run, for anybody who has the address (recordings ``approval_*``)."""
    row = engine.state.runs.get(request.params["run"])
    if row is None:
        unknown = {"entityType": "flow_run", "entityId": request.params["run"]}
        raise HttpError.domain("ENTITY_NOT_FOUND", **unknown, message="Flow run not found")
    if row["status"] != "PAUSED" or row["requestId"] != request.params["waitpoint"]:
        return {"message": "This link has expired. The action may have already been processed."}
    engine.runs.resume(row, payloads.resume_payload(request))
    request.runs.append(row["id"])
    return {"message": "Your response has been recorded. You can close this page now."}


def _get_run(engine: Engine, request: Request) -> Json:
    error = HttpError.domain("FLOW_RUN_NOT_FOUND", id=request.params["id"])
    if request.version >= V083:
        error = HttpError.not_found("flow_run", request.params["id"])
    row = request.own_row(engine.state.runs, error=error)
    if not visible(row):
        raise error
    return row


def _flow_version(engine: Engine, request: Request, row: Json) -> tuple[Json, Version]:
    """The flow version of a run as the caller's engine shows it, and the version of that engine."""
    flow_version = engine.state.versions[row["flowVersionId"]]
    return flow_views.version_json(flow_version, request.version), request.version


def _select(engine: Engine, request: Request, query: Json) -> list[Json]:
    """The project's runs that match, newest first."""
    # Times of the same form compare as texts.
    after, before = _time(query.get("createdAfter"), "0"), _time(query.get("createdBefore"), "9")
    rows = [
        row
        for row in request.own_rows(engine.state.runs)
        if after <= row["created"] <= before and visible(row) and _matches(row, query)
    ]
    return sorted(rows, key=lambda row: str(row["created"]), reverse=True)


def _matches(row: Json, query: Json) -> bool:
    return (
        row["id"] in query.get("flowRunIds", [row["id"]])
        and row["id"] not in query.get("excludeFlowRunIds", [])
        and row["status"] in query.get("status", STATUSES_083)
        and row["flowId"] in query.get("flowId", [row["flowId"]])
        and ("failedStepName" not in query or (row["failedStep"] or {}).get("name") == query["failedStepName"])
    )


def _time(text: str | None, default: str) -> str:
    """A time in the form of rows; ``default`` if the text is not a time."""
    try:
        return ids.stamp(ids.parse(text)) if text else default
    except ValueError:
        return default


def _retry(engine: Engine, request: Request, row: Json) -> Json:
    if engine.settings.retries_disabled:
        raise HttpError.domain("FEATURE_DISABLED", message="the plan has no retries")
    if request.values["strategy"] == "FROM_FAILED_STEP":
        engine.runs.retry(request, row)
        return run_rows.retry_json(row, *_flow_version(engine, request, row))
    flow = engine.state.flows.get(row["flowId"])
    if flow is None or flow["publishedVersionId"] is None:
        raise HttpError.domain("ENTITY_NOT_FOUND")
    new = engine.runs.start(request, flow, engine.state.versions[flow["publishedVersionId"]], row["payload"])
    return run_rows.new_run_json(new, request.version)
