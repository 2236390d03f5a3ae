"""The control routes under ``/_practice``: faults, settings and the journal, for tests in another process.

Loopback only, and only with the header ``x-practice-token`` (``PracticeEngine.credentials.control_token``).

========================================  =====================================================
``GET /_practice/``                       credentials, flows and settings (what ``make run`` needs)
``GET /_practice/faults``                 the faults that are on
``POST /_practice/faults``                switch one on: the settings of ``faults.Fault``, answers it with its ``id``
``DELETE /_practice/faults[/{id}]``       switch off all, or one
``GET /_practice/requests?method&path``   the journal, with patterns; ``DELETE`` forgets it
``GET``, ``POST /_practice/settings``     ``engine.Settings``
========================================  =====================================================
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .http import Json, Refusal, Request, Response, answer, empty, no_route

if TYPE_CHECKING:
    from .engine import PracticeEngine

LOOPBACK = ("127.", "::1", "::ffff:127.")


def handle(engine: PracticeEngine, request: Request) -> Response:
    """Answer a control request. Raises ``Refusal``."""
    given = request.headers.get("x-practice-token", "").encode()
    if not request.client.startswith(LOOPBACK) or not hmac.compare_digest(
        given, engine.credentials.control_token.encode()
    ):
        raise Refusal(403, {"message": "The control routes are for the machine itself, with the control token."})
    what, _, rest = request.full_path.removeprefix("/_practice").strip("/").partition("/")
    if what == "" and request.method == "GET":
        return answer(overview(engine))
    if what == "faults":
        return _faults(engine, request, rest)
    if what == "requests":
        return _requests(engine, request)
    if what == "settings":
        return _settings(engine, request)
    raise no_route()


def overview(engine: PracticeEngine) -> Json:
    """Credentials (they open nothing but this), the flows by name, and the settings."""
    with engine.state.lock:
        flows = {
            engine.state.versions[flow["versionId"]]["displayName"]: flow["id"] for flow in engine.state.flows.values()
        }
    return {"credentials": asdict(engine.credentials), "flows": flows, "settings": asdict(engine.settings)}


def _faults(engine: PracticeEngine, request: Request, rest: str) -> Response:
    if request.method == "POST":
        try:
            return answer(engine.faults.add(**_body(request)).described(), 201)
        except (TypeError, ValueError) as error:
            raise Refusal(400, {"message": str(error)}) from error
    if request.method == "DELETE":
        engine.faults.clear(int(rest) if rest.isdigit() else None)
        return empty()
    return answer([fault.described() for fault in engine.faults.all()])


def _requests(engine: PracticeEngine, request: Request) -> Response:
    if request.method == "DELETE":
        engine.journal.clear()
        return empty()
    method = request.raw_query.get("method", ["*"])[0]
    path = request.raw_query.get("path", ["*"])[0]
    return answer([entry.described() for entry in engine.journal.all(method, path)])


def _settings(engine: PracticeEngine, request: Request) -> Response:
    if request.method == "POST":
        for name, value in _body(request).items():
            if not hasattr(engine.settings, name):
                raise Refusal(400, {"message": f"There is no setting called {name}."})
            setattr(engine.settings, name, value)
    return answer(asdict(engine.settings))


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Refusal(400, {"message": "The body is not JSON."}) from error
    if not isinstance(body, dict):
        raise Refusal(400, {"message": "The body must be an object."})
    return body
