"""Webhooks: starting a flow, with and without waiting (api.md section 7; recordings ``webhook_*``)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from workflows_ui.practice_engine import ids
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.http import Json, Later, Request, Response, answer
from workflows_ui.practice_engine.router import ANY, Routes
from workflows_ui.practice_engine.routes import step_files
from workflows_ui.practice_engine.runs import Waiter

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
PARENT, FAIL_PARENT = "ap-parent-run-id", "ap-fail-parent-on-failure"


@routes.route(ANY, "/v1/webhooks/{flowId:id}", auth=PUBLIC, any_body=True)
def start(engine: PracticeEngine, request: Request) -> Response:
    """Run the published version; the answer comes at once."""
    flow = _flow(engine, request)
    webhook = engine.ids.new()
    heard = _heard(engine, flow, request)
    refused = _refused(flow, webhook)
    if refused:
        return _said({}, 200, webhook) if heard else refused
    if flow is not None and _lets_in(engine, flow, request):
        _run(engine, flow, request, published=True)
    return _said({}, 200, webhook)


@routes.route(ANY, "/v1/webhooks/{flowId:id}/sync", auth=PUBLIC, any_body=True)
def start_and_wait(engine: PracticeEngine, request: Request) -> Response | Later:
    """Run the published version and wait for what the flow answers, at most the wait limit."""
    flow = _flow(engine, request)
    webhook = engine.ids.new()
    _heard(engine, flow, request)
    refused = _refused(flow, webhook)
    if refused or flow is None:
        return refused or _said({}, 410, webhook)
    return _wait(engine, flow, request, webhook, published=True)


@routes.route(ANY, "/v1/webhooks/{flowId:id}/draft", auth=PUBLIC, any_body=True)
def start_draft(engine: PracticeEngine, request: Request) -> Response:
    """Run the latest version as a test; the payload becomes sample data."""
    flow = _flow(engine, request)
    webhook = engine.ids.new()
    if flow is None:
        return _said({}, 410, webhook)
    _keep(engine, flow, request)
    _run(engine, flow, request, published=False)
    return _said({}, 200, webhook)


@routes.route(ANY, "/v1/webhooks/{flowId:id}/draft/sync", auth=PUBLIC, any_body=True)
def start_draft_and_wait(engine: PracticeEngine, request: Request) -> Response | Later:
    """As ``/draft``, waiting for the answer."""
    flow = _flow(engine, request)
    webhook = engine.ids.new()
    if flow is None:
        return _said({}, 410, webhook)
    _keep(engine, flow, request)
    return _wait(engine, flow, request, webhook, published=False)


@routes.route(ANY, "/v1/webhooks/{flowId:id}/test", auth=PUBLIC, any_body=True)
def keep_sample(engine: PracticeEngine, request: Request) -> Response:
    """Store the payload as sample data; nothing runs (recording ``webhook_test_endpoint``)."""
    flow = _flow(engine, request)
    webhook = engine.ids.new()
    if flow is None:
        return _said({}, 410, webhook)
    _keep(engine, flow, request)
    return _said({}, 200, webhook)


def _flow(engine: PracticeEngine, request: Request) -> Json | None:
    """The flow that is called, if there is one; then the request's files have become addresses."""
    flow = engine.state.flows.get(request.params["flowId"])
    if flow is not None and request.is_multipart:
        request.payload = step_files.addressed(engine, request, flow["id"])
    return flow


def trigger_output(request: Request) -> Json:
    """What the trigger gives to the flow: the request, headers included."""
    headers = dict(request.headers)
    if request.on_gateway:
        for name in ("x-api-key", "authorization"):
            headers.pop(name, None)
        principal = request.principal_or_none
        if principal is not None:
            headers |= {"x-organization-id": principal.organization, "x-user-id": principal.user}
        headers["x-gateway-source"] = "practice-gateway"
    output: Json = {
        "method": request.method,
        "headers": headers,
        "body": request.payload if request.has_payload else {},
    }
    output["queryParams"] = {name: texts[0] if len(texts) == 1 else texts for name, texts in request.raw_query.items()}
    if request.body and not request.is_multipart:
        output["rawBody"] = request.body.decode("utf-8", "replace")
    return output


def remember(engine: PracticeEngine, flow: Json, payload: Any) -> Json:
    """Store a sample event of a flow's trigger; gives the event."""
    moment = ids.stamp()
    event: Json = {
        "id": engine.ids.new(),
        "created": moment,
        "updated": moment,
        "flowId": flow["id"],
        "projectId": flow["projectId"],
        "sourceName": source_name(engine.state.versions[flow["versionId"]]["trigger"]),
        "fileId": engine.ids.new(),
        "payload": payload,
    }
    engine.state.events[event["id"]] = event
    return event


def source_name(trigger: Json) -> str:
    """How events name their trigger: ``<piece>@<major.minor>:<trigger>``."""
    settings = trigger.get("settings", {})
    version = ".".join(str(settings.get("pieceVersion", "0.0.0")).lstrip("~^").split(".")[:2])
    return f"{settings.get('pieceName', 'none')}@{version}:{settings.get('triggerName', 'none')}"


def _heard(engine: PracticeEngine, flow: Json | None, request: Request) -> bool:
    """A test of the trigger that waits for an event takes this request as its sample, and ends, also where the flow is off."""
    if flow is None or flow["id"] not in engine.listening:
        return False
    _keep(engine, flow, request)
    return True


def _keep(engine: PracticeEngine, flow: Json, request: Request) -> None:
    engine.listening.discard(flow["id"])
    remember(engine, flow, trigger_output(request))


def _said(body: Json, status: int, webhook: str) -> Response:
    return answer(body, status, {"x-webhook-id": webhook})


def _refused(flow: Json | None, webhook: str) -> Response | None:
    if flow is None:
        return _said({}, 410, webhook)
    if flow["status"] != "ENABLED" or flow["publishedVersionId"] is None:
        return _said({}, 404, webhook)
    return None


def _lets_in(engine: PracticeEngine, flow: Json, request: Request) -> bool:
    """The trigger's own authentication (api.md 7.3). A mismatch is answered as if all were well, and nothing runs."""
    settings = engine.state.versions[flow["publishedVersionId"] or flow["versionId"]]["trigger"].get("settings", {})
    given = settings.get("input") or {}
    fields = given.get("authFields") or {}
    if given.get("authType") == "header":
        return request.headers.get(str(fields.get("headerName", "")).lower()) == fields.get("headerValue")
    if given.get("authType") == "basic":
        pair = f"{fields.get('username', '')}:{fields.get('password', '')}"
        wanted = "Basic " + base64.b64encode(pair.encode()).decode()
        return not request.on_gateway and request.headers.get("authorization") == wanted
    return True


def _run(
    engine: PracticeEngine, flow: Json, request: Request, *, published: bool, waiter: Waiter | None = None
) -> Json:
    version = engine.state.versions[(flow["publishedVersionId"] if published else None) or flow["versionId"]]
    parent = request.headers.get(PARENT)
    return engine.runs.start(
        flow,
        version,
        trigger_output(request),
        # A made-up id of the right shape comes back as parentRunId (README of the engine: the marker).
        parent=parent if ids.is_id(parent) else None,
        fail_parent=request.headers.get(FAIL_PARENT) == "true",
        environment="PRODUCTION" if published else "TESTING",
        waiter=waiter,
    )


def _wait(engine: PracticeEngine, flow: Json, request: Request, webhook: str, *, published: bool) -> Later:
    waiter = Waiter()
    run = ""
    if not published or _lets_in(engine, flow, request):
        run = _run(engine, flow, request, published=published, waiter=waiter)["id"]
    return Later(lambda: engine.runs.wait(waiter, run, webhook, on_gateway=request.on_gateway))
