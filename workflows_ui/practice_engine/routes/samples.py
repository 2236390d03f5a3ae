"""Sample data of steps, and the test of one step (engine-0.83.md section 10; recordings ``sample_data_*``)."""

from typing import Any

from workflows_ui.practice_engine import execution, run_views, tree
from workflows_ui.practice_engine.core import Engine, route
from workflows_ui.practice_engine.http import V083, HttpError, Json, Request, Response
from workflows_ui.practice_engine.schema import required

STEP = {"projectId": required("id"), "flowVersionId": required("id"), "stepName": required()}
SAMPLE = {**STEP, "flowId": required("id"), "type": required(choices=tuple(execution.FILE_KEYS))}


@route("GET", "/v1/sample-data", query=SAMPLE, since=V083)
def get(engine: Engine, request: Request) -> Any:
    """Return the sample of a step; a text comes as text."""
    version = _get_version(engine, request, request.query["flowVersionId"])
    name = request.query["stepName"]
    step = tree.find(version["trigger"], name)
    if step is None:
        raise HttpError.domain("ENTITY_NOT_FOUND", {"entityType": "step", "entityId": name, "message": "no such step"})
    data = execution.step_sample(engine.state, step, request.query["type"])
    if isinstance(data, str):
        return Response(200, data.encode(), {"content-type": "text/plain; charset=utf-8"})
    return data


@route("POST", "/v1/sample-data/test-step", body=STEP, since=V083)
def test(engine: Engine, request: Request) -> Json:
    """Run one step with the samples of the others. An unknown step is not refused."""
    version = _get_version(engine, request, request.values["flowVersionId"])
    row = engine.runs.start(
        request,
        engine.state.flows[version["flowId"]],
        version,
        execution.step_sample(engine.state, version["trigger"], "OUTPUT"),
        environment="TESTING",
        fail_parent=True,
        step=request.values["stepName"],
        user=request.principal.user,
    )
    return run_views.step_test_json(row)


def _get_version(engine: Engine, request: Request, identity: str) -> Json:
    version = engine.state.versions.get(identity, {})
    request.own_row(engine.state.flows, version.get("flowId", ""), HttpError.not_found("flow_version", identity))
    return version
