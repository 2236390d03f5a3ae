"""What the action of a piece does: responses, delays and waiting are real, anything outside the engine is only pretended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import ids
from .http import JSON_TYPE, Json

WEBHOOK, DELAY, FORMS = "@activepieces/piece-webhook", "@activepieces/piece-delay", "@activepieces/piece-forms"
APPROVAL = "@activepieces/piece-approval"
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@dataclass
class FlowResponse:
    """What a flow answers to the one who waits."""

    status: int
    headers: dict[str, str]
    body: Any
    json: bool = True


@dataclass
class Done:
    """How an action ends. ``pause`` in engine seconds (None: until somebody resumes it, if ``waits``)."""

    output: Any = field(default_factory=dict)
    response: FlowResponse | None = None
    stop: bool = False
    waits: bool = False
    pause: float | None = None
    error: str = ""


def run(piece: str, action: str, values: Json) -> Done:
    """What ``action`` of ``piece`` does with its resolved input."""
    special = ACTIONS.get((piece, action))
    if special is not None:
        return special(values)
    return Done(
        {"success": True, "practice": True, "action": action, "sent": {k: v for k, v in values.items() if k != "auth"}}
    )


def _respond(values: Json) -> Done:
    """The response step (api.md 7.3; recordings ``webhook_sync_json_201``, ``..._raw_text``, ``..._redirect``)."""
    fields = values.get("fields") or {}
    kind, body = values.get("responseType") or "json", fields.get("body")
    headers = {str(name): _header(text) for name, text in (fields.get("headers") or {}).items()}
    if kind == "redirect":
        where = str(body or "")
        where = where if "://" in where else f"https://{where}"
        output: Json = {"status": 301, "headers": {**headers, "Location": where}, "body": body}
    else:
        output = {"status": _status(fields.get("status")), "headers": headers, "body": {} if body is None else body}
    response = FlowResponse(
        output["status"], dict(output["headers"]), output["body"], json=not isinstance(output["body"], str)
    )
    return Done(output, response, stop=values.get("respond", "stop") != "respond")


def _respond_and_wait(values: Json) -> Done:
    done = _respond(values)
    done.stop, done.waits = False, True
    return done


def _status(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return 200


def _header(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _delay_for(values: Json) -> Done:
    try:
        seconds = float(values.get("delayFor") or 0) * UNITS[str(values.get("unit") or "seconds")]
    except (KeyError, ValueError):
        return Done(error="Error: the delay is not a number of a known unit")
    return Done({}, waits=True, pause=max(0.0, seconds))


def _delay_until(values: Json) -> Done:
    try:
        moment = ids.parse(str(values.get("delayUntilTimestamp")))
    except ValueError:
        return Done(error="Error: the time to wait for cannot be read")
    return Done({}, waits=True, pause=max(0.0, (moment - ids.now()).total_seconds()))


def _wait_for_event(values: Json) -> Done:
    return Done({"key": values.get("key")}, waits=True)


def _request(values: Json) -> Done:
    return Done(
        {"status": 200, "headers": {"content-type": JSON_TYPE}, "body": {"practice": True, "url": values.get("url")}}
    )


ACTIONS: dict[tuple[str, str], Callable[[Json], Done]] = {
    (WEBHOOK, "return_response"): _respond,
    (FORMS, "return_response"): _respond,
    (WEBHOOK, "return_response_and_wait_for_next_webhook"): _respond_and_wait,
    (WEBHOOK, "wait_for_event"): _wait_for_event,
    (APPROVAL, "wait_for_approval"): _wait_for_event,
    (DELAY, "delayFor"): _delay_for,
    (DELAY, "delay_until"): _delay_until,
    ("@activepieces/piece-http", "send_request"): _request,
}
