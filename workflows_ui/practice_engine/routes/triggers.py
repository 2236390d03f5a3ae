"""Trigger figures, tests and sample events (api.md section 12; recordings ``trigger_*``, ``test_trigger_*``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows_ui.practice_engine import ids, pages
from workflows_ui.practice_engine.http import Json, Request, Response, answer, empty, refuse
from workflows_ui.practice_engine.router import Routes
from workflows_ui.practice_engine.schema import PAGE, Field, need

from .webhooks import remember

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
DAYS = 14


@routes.route("GET", "/v1/trigger-runs/status")
def status(engine: PracticeEngine, request: Request) -> Json:
    """Runs by piece and day, of the whole platform: every project (api.md section 12)."""
    pieces: dict[str, Any] = {}
    oldest = ids.epoch_ms(ids.stamp()) - DAYS * 86_400_000
    for run in engine.state.runs.values():
        if ids.epoch_ms(run["created"]) < oldest or not engine.runs.visible(run):
            continue
        name = engine.state.versions[run["flowVersionId"]]["trigger"].get("settings", {}).get("pieceName", "none")
        entry = pieces.setdefault(name, {"dailyStats": {}, "totalRuns": 0})
        day = entry["dailyStats"].setdefault(run["created"][:10], {"success": 0, "failure": 0})
        day["failure" if run["status"] == "INTERNAL_ERROR" else "success"] += 1
        entry["totalRuns"] += 1
    return {"pieces": pieces}


@routes.route(
    "POST",
    "/v1/test-trigger",
    body={
        "flowId": need("id"),
        "flowVersionId": need("id"),
        "testStrategy": need(choices=("SIMULATION", "TEST_FUNCTION")),
        "projectId": Field("id"),
    },
)
def test(engine: PracticeEngine, request: Request) -> Response:
    """Listen for the next event, or make one now."""
    flow = _flow(engine, request, request.values["flowId"])
    version = engine.state.versions.get(request.values["flowVersionId"])
    if version is None or version["flowId"] != flow["id"]:
        raise refuse("ENTITY_NOT_FOUND")
    if request.values["testStrategy"] == "SIMULATION":
        engine.listening.add(flow["id"])
        return empty(200)
    if version["trigger"]["type"] == "EMPTY":
        return answer(pages.bare([]))
    webhook = version["trigger"]["settings"].get("triggerName") == "catch_webhook"
    return answer(pages.bare([remember(engine, flow, None if webhook else {})]))


@routes.route("DELETE", "/v1/test-trigger", body={"flowId": need("id"), "projectId": Field("id")})
def stop(engine: PracticeEngine, request: Request) -> Response:
    """Stop listening."""
    engine.listening.discard(_flow(engine, request, request.values["flowId"])["id"])
    return empty(200)


@routes.route("GET", "/v1/trigger-events", query={**PAGE, "flowId": need("id"), "projectId": Field("id")})
def events(engine: PracticeEngine, request: Request) -> Json:
    """Sample events of a flow, newest first."""
    flow = _flow(engine, request, request.query["flowId"])
    rows = [event for event in engine.state.events.values() if event["flowId"] == flow["id"]]
    rows.sort(key=lambda event: str(event["created"]), reverse=True)
    return pages.page(rows, request.query.get("limit"), request.query.get("cursor"))


@routes.route(
    "POST", "/v1/trigger-events", body={"flowId": need("id"), "mockData": Field("any"), "projectId": Field("id")}
)
def keep(engine: PracticeEngine, request: Request) -> Json:
    """Store a sample event."""
    return remember(engine, _flow(engine, request, request.values["flowId"]), request.values.get("mockData"))


def _flow(engine: PracticeEngine, request: Request, flow: str) -> Json:
    found = engine.state.flows.get(flow)
    if found is None or found["projectId"] != request.principal.project:
        raise refuse("ENTITY_NOT_FOUND")
    return found
