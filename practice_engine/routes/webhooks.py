"""Webhooks: starting a flow, with and without waiting (api.md section 7; recordings ``webhook_*``).

Files that come with a request are kept by the engine and served at a signed address ("multipart files become URLs").
"""

import base64
import secrets
from typing import Any
from urllib.parse import quote

from practice_engine import ids, payloads, tree
from practice_engine.bodies import FormFile
from practice_engine.core import ANY, Engine, route
from practice_engine.http import PUBLIC, V083, Deferred, HttpError, Json, Request, Response
from practice_engine.runs import Waiter
from practice_engine.schema import required

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
    webhook = ids.new_id()
    flow = _get_flow(engine, request, webhook)
    wait = request.path.endswith("/sync")
    tested, gone = flow["id"] in engine.listening, flow["operationStatus"] == "DELETING"
    if tested:
        _save_sample(engine, flow, request)
    if gone or flow["status"] != "ENABLED" or flow["publishedVersionId"] is None:
        refusal = 410 if gone else 404
        return _response(200 if tested and not wait else refusal, webhook)
    return _run(engine, flow, request, webhook, draft=False, wait=wait)


@route(ANY, "/v1/webhooks/{flowId:id}/draft", auth=PUBLIC, any_body=True)
@route(ANY, "/v1/webhooks/{flowId:id}/draft/sync", auth=PUBLIC, any_body=True)
@route(ANY, "/v1/webhooks/{flowId:id}/test", auth=PUBLIC, any_body=True)
def test(engine: Engine, request: Request) -> Response | Deferred:
    """Store the payload as sample data, and run the latest version as a test. ``/test`` runs nothing (``webhook_test_endpoint``)."""
    webhook = ids.new_id()
    flow = _get_flow(engine, request, webhook)
    _save_sample(engine, flow, request)
    if request.path.endswith("/test"):
        return _response(200, webhook)
    return _run(engine, flow, request, webhook, draft=True, wait=request.path.endswith("/sync"))


@route("POST", "/v1/step-files", body=UPLOAD, since=V083)
def upload(engine: Engine, request: Request) -> Json:
    """Refuse: only the engine's own workers get an address to upload to; without a length it is a 400 (``step_files_upload``)."""
    raise HttpError.domain("AUTHORIZATION", message="this route is for the engine's workers")


@route("GET", "/v1/step-files/signed", auth=PUBLIC)
def signed(engine: Engine, request: Request) -> Response:
    """The file of a token, to every client that has the address."""
    row = engine.state.files.get((request.raw_query.get("token") or [""])[0], {})
    if "data" not in row:
        if request.version >= V083:
            raise HttpError.plain(401, "undefined has no property 'type'")
        raise HttpError.domain("FILE_NOT_FOUND", id="")
    name = quote(row["fileName"], safe=" ")
    headers = {"content-type": "application/octet-stream", "content-disposition": f'attachment; filename="{name}"'}
    return Response(200, base64.b64decode(row["data"]), headers)


def add_event(engine: Engine, flow: Json, payload: Any) -> Json:
    """Add a sample of the flow's trigger. It is named ``<piece>@<major.minor>:<trigger>``."""
    settings = engine.state.versions[flow["versionId"]]["trigger"].get("settings", {})
    version = ".".join(str(settings.get("pieceVersion", "0.0.0")).lstrip("~^").split(".")[:2])
    return engine.state.add_row(
        "events",
        flowId=flow["id"],
        projectId=flow["projectId"],
        sourceName=f"{settings.get('pieceName', 'none')}@{version}:{settings.get('triggerName', 'none')}",
        fileId=ids.new_id(),
        payload=payload,
    )


def _get_flow(engine: Engine, request: Request, webhook: str) -> Json:
    """The flow of the path. The request's files are replaced by their addresses. Raises a 410 if there is no such flow."""
    flow = engine.state.flows.get(request.params["flowId"])
    # Recording flow_del_published_05_webhook.
    if flow is None or (flow["operationStatus"] != "NONE" and request.version >= V083):
        raise HttpError(410, {}, {"x-webhook-id": webhook})
    request.payload = _payload_with_urls(engine, request, flow["id"])
    return flow


def _save_sample(engine: Engine, flow: Json, request: Request) -> None:
    engine.listening.discard(flow["id"])
    add_event(engine, flow, _sample(engine, engine.state.versions[flow["versionId"]]["trigger"], request))


def _sample(engine: Engine, trigger: Json, request: Request) -> Any:
    """The trigger's output in a test, which needs no password."""
    output = payloads.trigger_output(engine, trigger, request)
    return payloads.webhook_output(request) if output is None else output


def _response(status: int, webhook: str) -> Response:
    return Response.from_json({}, status, {"x-webhook-id": webhook})


def _can_run(engine: Engine, version: Json, request: Request) -> bool:
    """Whether the engine has every piece: else 0.83.0 makes no run (recording ``webhook_async_unknown_piece_flow``)."""
    return request.version < V083 or set(tree.pieces(version["trigger"])) <= set(engine.pieces(request.version))


def _run(engine: Engine, flow: Json, request: Request, webhook: str, *, draft: bool, wait: bool) -> Response | Deferred:
    """Start a run, and respond at once or with the flow's response.

    There is no run for a payload that the trigger rejects, and who waits does so in vain; 0.83.0 starts it all the same for them,
    without the payload.
    """
    version = engine.state.versions[flow["versionId" if draft else "publishedVersionId"]]
    read_payload = _sample if draft else payloads.trigger_output
    payload = read_payload(engine, version["trigger"], request)
    waiter, run = Waiter() if wait else None, ""
    accepted = payload is not None or (wait and request.version >= V083)
    if accepted and ((draft and not wait) or _can_run(engine, version, request)):
        parent = request.headers.get(PARENT)
        row = engine.runs.start(
            request,
            flow,
            version,
            payload,
            # An invented id comes back as parentRunId (README of the engine: the marker); since 0.83.0 any text does
            # (recording webhook_parent_run_bad_format).
            parentRunId=parent if request.version >= V083 or ids.is_id(parent) else None,
            failParentOnFailure=request.headers.get(FAIL_PARENT) == "true",
            environment="TESTING" if draft else "PRODUCTION",
            waiter=waiter,
        )
        run = row["id"]
    if waiter is None:
        return _response(200, webhook)
    return lambda: engine.runs.wait(waiter, run, webhook, on_gateway=request.on_gateway)


def _payload_with_urls(engine: Engine, request: Request, flow_id: str) -> Any:
    """The request's payload with an address for each file, which is kept; a body that is one file becomes ``{fileUrl}``.

    The engine does not look into several files under one name: their names remain.
    """
    if isinstance(request.payload, FormFile):
        return {"fileUrl": _save(engine, request, flow_id, request.payload)}
    payload = dict(request.payload_object)
    for key, value in payload.items():
        if isinstance(value, FormFile):
            payload[key] = _save(engine, request, flow_id, value)
        elif isinstance(value, list):
            payload[key] = [{"filename": item.name} if isinstance(item, FormFile) else item for item in value]
    return payload if isinstance(request.payload, dict) else request.payload


def _save(engine: Engine, request: Request, flow_id: str, file: FormFile) -> str:
    token = secrets.token_urlsafe(24)
    data = base64.b64encode(file.data).decode()
    engine.state.files[token] = {"fileName": file.name, "flowId": flow_id, "data": data}
    stored_keys = [key for key, row in engine.state.files.items() if "data" in row]
    for key in stored_keys[:-MAX_FILES]:
        del engine.state.files[key]
    return f"{request.base}/v1/step-files/signed?token={token}"
