"""Webhooks: starting a flow, with and without waiting (api.md section 7; recordings ``webhook_*``).

Files that come with a request are kept by the engine and served at a signed address ("multipart files become URLs").
"""

import base64
import secrets
from typing import Any
from urllib.parse import quote

from workflows_ui.practice_engine import ids, payloads, tree
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.bodies import FormFile
from workflows_ui.practice_engine.core import ANY, Engine, route
from workflows_ui.practice_engine.http import V083, Deferred, HttpError, Json, Request, Response
from workflows_ui.practice_engine.runs import Waiter
from workflows_ui.practice_engine.schema import required

#: Files that are kept; the oldest are dropped first.
MAX_FILES = 50
UPLOAD = {"flowId": required("id"), "stepName": required(), "fileName": required(), "contentLength": required("number")}
PARENT, FAIL_PARENT = "ap-parent-run-id", "ap-fail-parent-on-failure"


@route(ANY, "/v1/webhooks/{flowId:id}", auth=PUBLIC, any_body=True)
@route(ANY, "/v1/webhooks/{flowId:id}/sync", auth=PUBLIC, any_body=True)
def start(engine: Engine, request: Request) -> Response | Deferred:
    """Run the published version. Respond at once, in the same way if the trigger rejects the payload; or wait for the flow's response.

    A test of the trigger that waits for an event gets it, also of a disabled flow.
    """
    flow = _get_flow(engine, request)
    webhook = ids.new_id()
    wait = request.path.endswith("/sync")
    tested = flow is not None and flow["id"] in engine.listening
    if flow is not None and tested:
        _save_sample(engine, flow, request)
    status = _refusal_status(flow)
    if status or flow is None:
        return _response(200 if tested and not wait else status, webhook)
    if wait:
        return _run_and_wait(engine, flow, request, webhook, published=True)
    version = _flow_version(engine, flow, published=True)
    payload = payloads.trigger_output(engine, version["trigger"], request)
    if payload is not None and _can_run(engine, version, request):
        _start_run(engine, flow, version, request, payload)
    return _response(200, webhook)


@route(ANY, "/v1/webhooks/{flowId:id}/draft", auth=PUBLIC, any_body=True)
@route(ANY, "/v1/webhooks/{flowId:id}/draft/sync", auth=PUBLIC, any_body=True)
@route(ANY, "/v1/webhooks/{flowId:id}/test", auth=PUBLIC, any_body=True)
def test(engine: Engine, request: Request) -> Response | Deferred:
    """Store the payload as sample data, and run the latest version as a test. ``/test`` runs nothing (``webhook_test_endpoint``)."""
    flow = _get_flow(engine, request)
    webhook = ids.new_id()
    if flow is None:
        return _response(410, webhook)
    _save_sample(engine, flow, request)
    if request.path.endswith("/sync"):
        return _run_and_wait(engine, flow, request, webhook, published=False)
    if request.path.endswith("/draft"):
        version = _flow_version(engine, flow, published=False)
        _start_run(engine, flow, version, request, _sample(engine, version, request), published=False)
    return _response(200, webhook)


@route("POST", "/v1/step-files", body=UPLOAD, since=V083)
def upload(engine: Engine, request: Request) -> Json:
    """Refuse: only the engine's own workers get an address to upload to; without a length it is a 400 (``step_files_upload``)."""
    raise HttpError.domain("AUTHORIZATION", message="this route is for the engine's workers")


@route("GET", "/v1/step-files/signed", auth=PUBLIC)
def signed(engine: Engine, request: Request) -> Response:
    """Return the file of a token, to every client that has the address."""
    row = engine.state.files.get((request.raw_query.get("token") or [""])[0], {})
    if "data" not in row:
        if request.version >= V083:
            raise HttpError.plain(401, "undefined has no property 'type'")
        raise HttpError.domain("FILE_NOT_FOUND", id="")
    name = quote(row["fileName"], safe=" ")
    headers = {"content-type": "application/octet-stream", "content-disposition": f'attachment; filename="{name}"'}
    return Response(200, base64.b64decode(row["data"]), headers)


def add_event(engine: Engine, flow: Json, payload: Any) -> Json:
    return engine.state.add_row(
        "events",
        flowId=flow["id"],
        projectId=flow["projectId"],
        sourceName=source_name(engine.state.versions[flow["versionId"]]["trigger"]),
        fileId=ids.new_id(),
        payload=payload,
    )


def source_name(trigger: Json) -> str:
    """Return an event's name of its trigger: ``<piece>@<major.minor>:<trigger>``."""
    settings = trigger.get("settings", {})
    version = ".".join(str(settings.get("pieceVersion", "0.0.0")).lstrip("~^").split(".")[:2])
    return f"{settings.get('pieceName', 'none')}@{version}:{settings.get('triggerName', 'none')}"


def _get_flow(engine: Engine, request: Request) -> Json | None:
    """The flow of the path, or None. The request's files are replaced by their addresses."""
    flow = engine.state.flows.get(request.params["flowId"])
    if flow is not None and flow["operationStatus"] != "NONE" and request.version >= V083:
        return None  # recording flow_del_published_05_webhook
    if flow is not None:
        request.payload = _payload_with_urls(engine, request, flow["id"])
    return flow


def _flow_version(engine: Engine, flow: Json, *, published: bool) -> Json:
    return engine.state.versions[(flow["publishedVersionId"] if published else None) or flow["versionId"]]


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
        parentRunId=parent if request.version >= V083 or ids.is_id(parent) else None,
        failParentOnFailure=request.headers.get(FAIL_PARENT) == "true",
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
    return lambda: engine.runs.wait(waiter, run, webhook, on_gateway=request.on_gateway)


def _payload_with_urls(engine: Engine, request: Request, flow_id: str) -> Any:
    """The request's payload with an address for each file, which is kept; a body that is one file becomes ``{fileUrl}``.

    The engine does not look into several files under one name: their names remain.
    """
    if isinstance(request.payload, FormFile):
        return {"fileUrl": _save(engine, request, flow_id, request.payload)}
    if not isinstance(request.payload, dict):
        return request.payload
    return {
        key: _save(engine, request, flow_id, value) if isinstance(value, FormFile) else _without_files(value)
        for key, value in request.payload.items()
    }


def _without_files(value: Any) -> Any:
    if isinstance(value, list):
        return [{"filename": item.name} if isinstance(item, FormFile) else item for item in value]
    return value


def _save(engine: Engine, request: Request, flow_id: str, file: FormFile) -> str:
    token = secrets.token_urlsafe(24)
    data = base64.b64encode(file.data).decode()
    engine.state.files[token] = {"fileName": file.name, "flowId": flow_id, "data": data}
    kept = [key for key, row in engine.state.files.items() if "data" in row]
    for key in kept[:-MAX_FILES]:
        del engine.state.files[key]
    return f"{request.base}/v1/step-files/signed?token={token}"
