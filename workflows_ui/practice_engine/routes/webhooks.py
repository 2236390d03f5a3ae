"""Webhooks: starting a flow, with and without waiting (api.md section 7; recordings ``webhook_*``)."""

from typing import Any

from workflows_ui.practice_engine import ids, payloads, tree
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.core import ANY, Engine, route
from workflows_ui.practice_engine.http import V083, Deferred, Json, Request, Response
from workflows_ui.practice_engine.routes import step_files
from workflows_ui.practice_engine.runs import Waiter

PARENT, FAIL_PARENT = "ap-parent-run-id", "ap-fail-parent-on-failure"


@route(ANY, "/v1/webhooks/{flowId:id}", auth=PUBLIC, any_body=True)
def start(engine: Engine, request: Request) -> Response:
    """Run the published version and respond at once, in the same way if the trigger rejects the payload."""
    flow = _get_flow(engine, request)
    webhook = engine.ids.new()
    tested = _test_trigger(engine, flow, request)
    status = _refusal_status(flow)
    if status or flow is None:
        return _response(200 if tested else status, webhook)
    version = _flow_version(engine, flow, published=True)
    payload = payloads.trigger_output(engine, version["trigger"], request)
    if payload is not None and _can_run(engine, version, request):
        _start_run(engine, flow, version, request, payload)
    return _response(200, webhook)


@route(ANY, "/v1/webhooks/{flowId:id}/sync", auth=PUBLIC, any_body=True)
def start_and_wait(engine: Engine, request: Request) -> Response | Deferred:
    """Run the published version and wait for the flow's response, at most the wait limit."""
    flow = _get_flow(engine, request)
    webhook = engine.ids.new()
    _test_trigger(engine, flow, request)
    status = _refusal_status(flow)
    if status or flow is None:
        return _response(status, webhook)
    return _run_and_wait(engine, flow, request, webhook, published=True)


@route(ANY, "/v1/webhooks/{flowId:id}/draft", auth=PUBLIC, any_body=True)
def start_draft(engine: Engine, request: Request) -> Response:
    """Run the latest version as a test; the payload becomes sample data."""
    flow = _get_flow(engine, request)
    webhook = engine.ids.new()
    if flow is None:
        return _response(410, webhook)
    _save_sample(engine, flow, request)
    version = _flow_version(engine, flow, published=False)
    _start_run(engine, flow, version, request, _sample(engine, version, request), published=False)
    return _response(200, webhook)


@route(ANY, "/v1/webhooks/{flowId:id}/draft/sync", auth=PUBLIC, any_body=True)
def start_draft_and_wait(engine: Engine, request: Request) -> Response | Deferred:
    """Do as ``/draft`` and wait for the response."""
    flow = _get_flow(engine, request)
    webhook = engine.ids.new()
    if flow is None:
        return _response(410, webhook)
    _save_sample(engine, flow, request)
    return _run_and_wait(engine, flow, request, webhook, published=False)


@route(ANY, "/v1/webhooks/{flowId:id}/test", auth=PUBLIC, any_body=True)
def save_sample(engine: Engine, request: Request) -> Response:
    """Store the payload as sample data; nothing runs (recording ``webhook_test_endpoint``)."""
    flow = _get_flow(engine, request)
    webhook = engine.ids.new()
    if flow is None:
        return _response(410, webhook)
    _save_sample(engine, flow, request)
    return _response(200, webhook)


def add_event(engine: Engine, flow: Json, payload: Any) -> Json:
    return engine.state.add_row(
        "events",
        flowId=flow["id"],
        projectId=flow["projectId"],
        sourceName=source_name(engine.state.versions[flow["versionId"]]["trigger"]),
        fileId=engine.ids.new(),
        payload=payload,
    )


def source_name(trigger: Json) -> str:
    """Return an event's name of its trigger: ``<piece>@<major.minor>:<trigger>``."""
    settings = trigger.get("settings", {})
    version = ".".join(str(settings.get("pieceVersion", "0.0.0")).lstrip("~^").split(".")[:2])
    return f"{settings.get('pieceName', 'none')}@{version}:{settings.get('triggerName', 'none')}"


def _get_flow(engine: Engine, request: Request) -> Json | None:
    """The flow of the path, None if there is none. The request's files are replaced by their addresses."""
    flow = engine.state.flows.get(request.params["flowId"])
    if flow is not None and flow["operationStatus"] != "NONE" and request.version >= V083:
        return None  # recording flow_del_published_05_webhook
    if flow is not None:
        request.payload = step_files.payload_with_urls(engine, request, flow["id"])
    return flow


def _flow_version(engine: Engine, flow: Json, *, published: bool) -> Json:
    return engine.state.versions[(flow["publishedVersionId"] if published else None) or flow["versionId"]]


def _test_trigger(engine: Engine, flow: Json | None, request: Request) -> bool:
    """End a test of the trigger that waits for an event, also of a disabled flow. False if there is none."""
    if flow is None or flow["id"] not in engine.listening:
        return False
    _save_sample(engine, flow, request)
    return True


def _save_sample(engine: Engine, flow: Json, request: Request) -> None:
    engine.listening.discard(flow["id"])
    add_event(engine, flow, _sample(engine, _flow_version(engine, flow, published=False), request))


def _sample(engine: Engine, version: Json, request: Request) -> Any:
    """The trigger's output in a test, which needs no password."""
    output = payloads.trigger_output(engine, version["trigger"], request)
    return payloads.webhook_output(request) if output is None else output


def _response(status: int, webhook: str) -> Response:
    return Response.from_json({}, status, {"x-webhook-id": webhook})


def _refusal_status(flow: Json | None) -> int:
    """The status of the response if the flow cannot be started, else 0."""
    if flow is None or flow["operationStatus"] == "DELETING":
        return 410
    return 404 if flow["status"] != "ENABLED" or flow["publishedVersionId"] is None else 0


def _can_run(engine: Engine, version: Json, request: Request) -> bool:
    """Whether the engine has every piece: else 0.83.0 makes no run (recording ``webhook_async_unknown_piece_flow``)."""
    pieces = {step["settings"].get("pieceName") for step in tree.walk(version["trigger"])} - {None}
    return request.version < V083 or pieces <= set(engine.pieces(request.version))


def _start_run(
    engine: Engine,
    flow: Json,
    version: Json,
    request: Request,
    payload: Any,
    *,
    waiter: Waiter | None = None,
    published: bool = True,
) -> Json:
    parent = request.headers.get(PARENT)
    return engine.runs.start(
        request,
        flow,
        version,
        payload,
        # An invented id comes back as parentRunId (README of the engine: the marker); since 0.83.0 any text does
        # (recording webhook_parent_run_bad_format).
        parent=parent if request.version >= V083 or ids.is_id(parent) else None,
        fail_parent=request.headers.get(FAIL_PARENT) == "true",
        environment="PRODUCTION" if published else "TESTING",
        waiter=waiter,
    )


def _run_and_wait(engine: Engine, flow: Json, request: Request, webhook: str, *, published: bool) -> Deferred:
    """Start and wait, in vain for a payload that the trigger rejects; 0.83.0 runs it all the same, without the payload."""
    waiter, run = Waiter(), ""
    version = _flow_version(engine, flow, published=published)
    trigger = version["trigger"]
    payload = payloads.trigger_output(engine, trigger, request) if published else _sample(engine, version, request)
    if (payload is not None or request.version >= V083) and _can_run(engine, version, request):
        run = _start_run(engine, flow, version, request, payload, waiter=waiter, published=published)["id"]
    return Deferred(lambda: engine.runs.wait(waiter, run, webhook, on_gateway=request.on_gateway))
