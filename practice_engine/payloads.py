"""The trigger's output for a request to a webhook; none if the trigger rejects the request."""

import base64
import re
from typing import Any

from . import auth
from .core import Engine
from .http import REQUIRED, V083, HttpError, Json, Request
from .piece_steps import FORMS

RAW = "ap-raw-payload"
QUOTES = re.compile(r"[\\\"'\n\r\t]")
BOOLEANS = {"true": True, "false": False}


def trigger_output(engine: Engine, trigger: Json, request: Request) -> Any:
    """The output of ``trigger`` for ``request``; None if the trigger rejects it, which the response does not show.

    It rejects a wrong password (api.md 7.3, recording ``webhook_header_auth_missing_async``) and a form that lacks a toggle
    (``form_submit_missing_toggle``).
    """
    settings = trigger.get("settings", {})
    if not _is_authorized(settings, request):
        return None
    if request.headers.get(RAW) == "true" and _has_credential(engine, request):
        return request.payload
    if settings.get("pieceName") == FORMS and settings.get("triggerName") == "form_submission":
        return _form_output(settings.get("input") or {}, request)
    return webhook_output(request)


def webhook_output(request: Request) -> Json:
    """The output of a webhook trigger, headers included."""
    headers = dict(request.headers)
    if request.on_gateway:
        for name in ("x-api-key", "authorization"):
            headers.pop(name, None)
        principal = request.principal_or_none
        if principal is not None:
            headers |= {"x-organization-id": principal.organization, "x-user-id": principal.user}
        headers["x-gateway-source"] = "practice-gateway"
    output: Json = {"method": request.method, "headers": headers}
    if request.has_payload or request.version < V083:
        output["body"] = request.payload if request.has_payload else {}
    output["queryParams"] = {name: texts[0] if len(texts) == 1 else texts for name, texts in request.raw_query.items()}
    if _keeps_raw_body(request):
        output["rawBody"] = request.body.decode("utf-8", "replace")
    return output


def resume_payload(request: Request) -> Json:
    """The request as a run that waited for it gets it (recording ``wait_05_run_after_resume``)."""
    output = webhook_output(request)
    return {"body": output.get("body", {}), "headers": output["headers"], "queryParams": output["queryParams"]}


def form_key(label: str) -> str:
    """The name under which a form sends a field: "Full name" is ``fullName`` (recording ``form_submit_async_json``).

    As the forms piece makes it: all small, then the letter after a space large if it is one of A to Z.
    """
    small = re.sub(r"\s+([A-Za-z0-9_])", lambda match: match[1].upper(), label.lower())
    return QUOTES.sub("", small[:1].lower() + small[1:])


def _form_output(inputs: Json, request: Request) -> Json | None:
    output: Json = {}
    for field in inputs.get("inputs") or []:
        key = form_key(str(field.get("displayName", "")))
        value = request.payload_object.get(key)
        if field.get("type") == "toggle":
            value = value if isinstance(value, bool) else BOOLEANS.get(str(value).lower())
            if value is None:
                return None
        if value is not None:
            output[key] = value
    return output


def _keeps_raw_body(request: Request) -> bool:
    """Whether the body is kept as text, too: not for bytes, nor before 0.83.0 for multipart bodies."""
    if request.version < V083:
        return bool(request.body) and not request.is_multipart
    return request.method != "GET" and not request.is_binary


def _is_authorized(settings: Json, request: Request) -> bool:
    """Whether the request has the password of the trigger."""
    inputs = settings.get("input") or {}
    fields = inputs.get("authFields") or {}
    if inputs.get("authType") == "header":
        return request.headers.get(str(fields.get("headerName", "")).lower()) == fields.get("headerValue")
    if inputs.get("authType") == "basic":
        pair = f"{fields.get('username', '')}:{fields.get('password', '')}"
        expected = "Basic " + base64.b64encode(pair.encode()).decode()
        return not request.on_gateway and request.headers.get("authorization") == expected
    return True


def _has_credential(engine: Engine, request: Request) -> bool:
    try:
        return auth.authenticate(request, engine.state, REQUIRED) is not None
    except HttpError:
        return False
