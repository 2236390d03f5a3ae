"""The control routes under ``/_practice``: faults, settings and the journal, for tests in another process.

Loopback only, and only with the header ``x-practice-token`` (``PracticeEngine.credentials.control_token``).

========================================  =====================================================
``GET /_practice/``                       credentials, flows and settings (what ``make run`` needs)
``GET /_practice/faults``                 the active faults
``POST /_practice/faults``                add one: the settings of ``faults.Fault``; responds with its ``id``
``DELETE /_practice/faults[/{id}]``       remove all, or one
``GET /_practice/requests?method&path``   the journal, by patterns; ``DELETE`` clears it. Keys: ``journal.Received``
``GET``, ``POST /_practice/settings``     ``engine.Settings``
========================================  =====================================================
"""

import hmac
import json
from dataclasses import asdict
from typing import Any

from .core import Engine
from .http import HttpError, Json, Request, Response

LOOPBACK = ("127.", "::1", "::ffff:127.")


def handle(engine: Engine, request: Request) -> Response:
    """Respond to a control request. Raises ``HttpError``."""
    token = request.headers.get("x-practice-token", "").encode()
    if not request.client.startswith(LOOPBACK) or not hmac.compare_digest(
        token, engine.credentials.control_token.encode()
    ):
        raise HttpError(403, {"message": "The control routes are for the machine itself, with the control token."})
    resource, _, rest = request.full_path.removeprefix("/_practice").strip("/").partition("/")
    if resource == "" and request.method == "GET":
        return Response.from_json(overview(engine))
    if resource == "faults":
        return _faults(engine, request, rest)
    if resource == "requests":
        return _requests(engine, request)
    if resource == "settings":
        return _settings(engine, request)
    raise HttpError.no_route()


def overview(engine: Engine) -> Json:
    with engine.state.lock:
        flows = {
            engine.state.versions[flow["versionId"]]["displayName"]: flow["id"] for flow in engine.state.flows.values()
        }
    return {"credentials": asdict(engine.credentials), "flows": flows, "settings": asdict(engine.settings)}


def _faults(engine: Engine, request: Request, rest: str) -> Response:
    if request.method == "POST":
        try:
            return Response.from_json(asdict(engine.faults.add(**_body(request))), 201)
        except (TypeError, ValueError) as error:
            raise HttpError(400, {"message": str(error)}) from error
    if request.method == "DELETE":
        engine.faults.clear(int(rest) if rest.isdigit() else None)
        return Response(204)
    return Response.from_json([asdict(fault) for fault in engine.faults.all()])


def _requests(engine: Engine, request: Request) -> Response:
    if request.method == "DELETE":
        engine.journal.clear()
        return Response(204)
    method = request.raw_query.get("method", ["*"])[0]
    path = request.raw_query.get("path", ["*"])[0]
    entries = engine.journal.all(method, path)
    return Response.from_json([{**vars(one), "body": one.body.decode("utf-8", "replace")} for one in entries])


def _settings(engine: Engine, request: Request) -> Response:
    if request.method == "POST":
        for name, value in _body(request).items():
            if not hasattr(engine.settings, name):
                raise HttpError(400, {"message": f"There is no setting called {name}."})
            setattr(engine.settings, name, value)
    return Response.from_json(asdict(engine.settings))


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as error:
        raise HttpError(400, {"message": "The body is not JSON."}) from error
    if not isinstance(body, dict):
        raise HttpError(400, {"message": "The body must be an object."})
    return body
