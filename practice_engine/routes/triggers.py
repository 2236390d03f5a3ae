"""Trigger figures, tests of triggers and steps, and their samples.

api.md section 12, recordings ``trigger_*``, ``test_trigger_*``; of steps: engine-0.83.md section 10, recordings ``sample_data_*``.
"""

from typing import Any

from practice_engine import execution, ids, pages, run_rows, tree
from practice_engine.core import Engine, constant, route
from practice_engine.http import V083, HttpError, Json, Request, Response
from practice_engine.schema import PAGE, PROJECT_083, Field, required

from .webhooks import add_event

DAYS = 14
FLOW = {"flowId": required("id"), "projectId": PROJECT_083}
STEP = {"projectId": required("id"), "flowVersionId": required("id"), "stepName": required()}
SAMPLE = {**STEP, "flowId": required("id"), "type": required(choices=tuple(execution.FILE_KEYS))}
STRATEGY = required(choices=("SIMULATION", "TEST_FUNCTION"))


# No figures, whatever ran (recording ``trigger_runs_status``).
constant("/v1/trigger-runs/status", {"pieces": {}}, since=V083)


@route("GET", "/v1/trigger-runs/status", before=V083)
def status(engine: Engine, request: Request) -> Json:
    """Count runs by piece and day, of the whole platform: every project (api.md section 12)."""
    pieces: dict[str, Any] = {}
    oldest = ids.epoch_ms(ids.stamp()) - DAYS * 86_400_000
    for run in engine.state.runs.values():
        if ids.epoch_ms(run["created"]) < oldest or not run_rows.visible(run):
            continue
        name = engine.state.versions[run["flowVersionId"]]["trigger"].get("settings", {}).get("pieceName", "none")
        entry = pieces.setdefault(name, {"dailyStats": {}, "totalRuns": 0})
        day = entry["dailyStats"].setdefault(run["created"][:10], {"success": 0, "failure": 0})
        day["failure" if run["status"] == "INTERNAL_ERROR" else "success"] += 1
        entry["totalRuns"] += 1
    return {"pieces": pieces}


@route("POST", "/v1/test-trigger", body={**FLOW, "flowVersionId": required("id"), "testStrategy": STRATEGY}, status=200)
def test(engine: Engine, request: Request) -> Json | None:
    """Listen for the next event, or make one now."""
    flow = request.own_row(engine.state.flows, request.values["flowId"])
    version = engine.state.versions.get(request.values["flowVersionId"])
    if version is None or version["flowId"] != flow["id"]:
        raise HttpError.domain("ENTITY_NOT_FOUND")
    if request.values["testStrategy"] == "SIMULATION":
        engine.listening.add(flow["id"])
        return None
    if version["trigger"]["type"] == "EMPTY":
        return pages.single_page([])
    webhook = version["trigger"]["settings"].get("triggerName") == "catch_webhook"
    return pages.single_page([add_event(engine, flow, None if webhook else {})])


@route("DELETE", "/v1/test-trigger", body=FLOW, status=200)
def stop(engine: Engine, request: Request) -> None:
    engine.listening.discard(request.own_row(engine.state.flows, request.values["flowId"])["id"])


@route("GET", "/v1/trigger-events", query={**PAGE, **FLOW})
def events(engine: Engine, request: Request) -> Json:
    flow = request.own_row(engine.state.flows, request.query["flowId"])
    rows = [event for event in engine.state.events.values() if event["flowId"] == flow["id"]]
    return pages.page(rows, request.query)


@route("POST", "/v1/trigger-events", body={**FLOW, "mockData": Field("any")})
def create_event(engine: Engine, request: Request) -> Json:
    flow = request.own_row(engine.state.flows, request.values["flowId"])
    return add_event(engine, flow, request.values.get("mockData"))


@route("GET", "/v1/sample-data", query=SAMPLE, since=V083)
def sample(engine: Engine, request: Request) -> Response:
    """The sample of a step; a text comes as text, nothing of a file that is gone (``sample_import_16_after_delete_action_get``)."""
    version = _get_version(engine, request, request.query["flowVersionId"])
    name = request.query["stepName"]
    step = tree.find_step(version["trigger"], name)
    if step is None:
        raise HttpError.not_found("step", name, message="no such step")
    if execution.sample_file(step, request.query["type"]) not in {"", *engine.state.files}:
        return Response(200, b"", {})
    data = execution.step_sample(engine.state, step, request.query["type"])
    if isinstance(data, str):
        return Response(200, data.encode(), {"content-type": "text/plain; charset=utf-8"})
    return Response.from_json(data)


@route("POST", "/v1/sample-data/test-step", body=STEP, since=V083)
def test_step(engine: Engine, request: Request) -> Json:
    """Run one step with the samples of the others. An unknown step is not refused."""
    version = _get_version(engine, request, request.values["flowVersionId"])
    row = engine.runs.start(
        request,
        engine.state.flows[version["flowId"]],
        version,
        execution.step_sample(engine.state, version["trigger"], "OUTPUT"),
        environment="TESTING",
        failParentOnFailure=True,
        stepNameToTest=request.values["stepName"],
        triggeredBy=request.principal.user,
    )
    return run_rows.step_test_json(row)


def _get_version(engine: Engine, request: Request, identity: str) -> Json:
    version = engine.state.versions.get(identity, {})
    error = HttpError.not_found("flow_version", identity)
    request.own_row(engine.state.flows, version.get("flowId", ""), error=error)
    return version
