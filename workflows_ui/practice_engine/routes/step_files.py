"""Files that came with a trigger: kept by the engine, handed out at a signed address (api.md section 7: "multipart files become URLs")."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.http import Request, Response, refuse
from workflows_ui.practice_engine.multipart import FormFile
from workflows_ui.practice_engine.router import Routes

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

routes = Routes()
#: Files that are kept; the oldest go first.
MOST = 50


@routes.route("GET", "/v1/step-files/signed", auth=PUBLIC)
def signed(engine: PracticeEngine, request: Request) -> Response:
    """The file of a token, to whoever has the address."""
    token = (request.raw_query.get("token") or [""])[0]
    row = engine.state.files.get(token)
    if row is None:
        raise refuse("FILE_NOT_FOUND", {"id": ""})
    name = quote(row["fileName"], safe=" ")
    headers = {"content-type": "application/octet-stream", "content-disposition": f'attachment; filename="{name}"'}
    return Response(200, base64.b64decode(row["data"]), headers)


def addressed(engine: PracticeEngine, request: Request, flow_id: str) -> Any:
    """The request's payload with an address in place of each file. Files inside lists stay lists of what they are, as at the engine."""
    if not isinstance(request.payload, dict):
        return request.payload
    return {
        key: _keep(engine, request, flow_id, value) if isinstance(value, FormFile) else _plain(value)
        for key, value in request.payload.items()
    }


def _plain(value: Any) -> Any:
    """Several files under one name are not looked into by the engine: what is left of them is no address."""
    if isinstance(value, list):
        return [{"filename": item.name} if isinstance(item, FormFile) else item for item in value]
    return value


def _keep(engine: PracticeEngine, request: Request, flow_id: str, file: FormFile) -> str:
    token = secrets.token_urlsafe(24)
    data = base64.b64encode(file.data).decode()
    engine.state.files[token] = {"fileName": file.name, "flowId": flow_id, "data": data}
    while len(engine.state.files) > MOST:
        engine.state.files.pop(next(iter(engine.state.files)))
    base = request.full_path[: len(request.full_path.rstrip("/")) - len(request.path)]
    return f"http://{request.headers.get('host', 'localhost')}{base}/v1/step-files/signed?token={token}"
