"""Files that came with a trigger: kept by the engine, served at a signed address (api.md section 7: "multipart files become URLs")."""

import base64
import secrets
from typing import Any
from urllib.parse import quote

from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.bodies import FormFile
from workflows_ui.practice_engine.core import Engine, route
from workflows_ui.practice_engine.http import V083, HttpError, Json, Request, Response
from workflows_ui.practice_engine.schema import required

#: Files that are kept; the oldest are dropped first.
MAX_FILES = 50
UPLOAD = {"flowId": required("id"), "stepName": required(), "fileName": required(), "contentLength": required("number")}


@route("POST", "/v1/step-files", body=UPLOAD, since=V083)
def upload(engine: Engine, request: Request) -> Json:
    """Refuse: only the engine's own workers get an address to upload to; without a length it is a 400 (``step_files_upload``)."""
    raise HttpError.domain("AUTHORIZATION", {"message": "this route is for the engine's workers"})


@route("GET", "/v1/step-files/signed", auth=PUBLIC)
def signed(engine: Engine, request: Request) -> Response:
    """Return the file of a token, to every client that has the address."""
    row = engine.state.files.get((request.raw_query.get("token") or [""])[0], {})
    if "data" not in row:
        if request.version >= V083:
            raise HttpError.plain(401, "undefined has no property 'type'")
        raise HttpError.domain("FILE_NOT_FOUND", {"id": ""})
    name = quote(row["fileName"], safe=" ")
    headers = {"content-type": "application/octet-stream", "content-disposition": f'attachment; filename="{name}"'}
    return Response(200, base64.b64decode(row["data"]), headers)


def payload_with_urls(engine: Engine, request: Request, flow_id: str) -> Any:
    """Return the request's payload with an address for each file, which is kept; a body that is one file becomes ``{fileUrl}``.

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
