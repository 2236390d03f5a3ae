"""Actions of pieces: responses, delays and waiting are real, everything outside the engine is simulated."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import ids
from .code_steps import Answer, Call, Outcome
from .http import JSON_TYPE, Json, Response

WEBHOOK, DELAY, FORMS = "@activepieces/piece-webhook", "@activepieces/piece-delay", "@activepieces/piece-forms"
APPROVAL, SUBFLOWS = "@activepieces/piece-approval", "@activepieces/piece-subflows"
#: The action that calls another flow.
CALL = (SUBFLOWS, "callFlow")
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


def run(piece: str, action: str, values: Json) -> Outcome:
    """Run ``action`` of ``piece`` with its resolved input."""
    special = ACTIONS.get((piece, action))
    if special is not None:
        return special(values)
    sent = {name: value for name, value in values.items() if name != "auth"}
    return Outcome({"success": True, "practice": True, "action": action, "sent": sent})


def _respond(values: Json) -> Outcome:
    """The response step (api.md 7.3; recordings ``webhook_sync_json_201``, ``..._raw_text``, ``..._redirect``)."""
    fields = values.get("fields") or {}
    kind, body = values.get("responseType") or "json", fields.get("body")
    # A number stays a number in the step; it becomes text in the response (recording run_get_archived).
    headers = {str(name): value for name, value in (fields.get("headers") or {}).items()}
    if kind == "redirect":
        address = str(body or "")
        address = address if "://" in address else f"https://{address}"
        output: Json = {"status": 301, "headers": {**headers, "Location": address}, "body": body}
    else:
        output = {"status": _status(fields.get("status")), "headers": headers, "body": {} if body is None else body}
    texts = {name.lower(): str(value) for name, value in output["headers"].items()}
    if isinstance(output["body"], str):
        plain = {"content-type": "text/plain; charset=utf-8", **texts}
        response = Response(output["status"], output["body"].encode(), plain)
    else:
        response = Response.from_json(output["body"], output["status"], texts)
    return Outcome(output, response=response, stop=values.get("respond", "stop") != "respond")


def _respond_and_wait(values: Json) -> Outcome:
    return replace(_respond(values), stop=False, waits=True)


def _respond_on_form(values: Json) -> Outcome:
    """The response on a form's own page (recording ``form_wait_submit_sync``)."""
    files = [{"url": values["file"], "mimeType": ""}] if values.get("file") else []
    body: Json = {"type": "markdown", "value": str(values.get("markdown") or ""), "files": files}
    return Outcome(body, response=Response.from_json(body), stop=True)


def _status(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return 200


def delay_seconds(values: Json) -> float | None:
    """The seconds of a delay's input; None if they cannot be read."""
    if "delayFor" not in values:
        return None
    try:
        return max(0.0, float(values["delayFor"] or 0) * UNITS[str(values.get("unit") or "seconds")])
    except (KeyError, TypeError, ValueError):
        return None


def _delay_for(values: Json) -> Outcome:
    seconds = delay_seconds({"delayFor": 0, **values})
    if seconds is None:
        return Outcome(error="Error: the delay is not a number of a known unit")
    return Outcome({}, waits=True, pause=seconds)


def _delay_until(values: Json) -> Outcome:
    try:
        moment = ids.parse(str(values.get("delayUntilTimestamp")))
    except ValueError:
        return Outcome(error="Error: the time to wait for cannot be read")
    return Outcome({}, waits=True, pause=max(0.0, (moment - ids.now()).total_seconds()))


def _wait_for_event(values: Json) -> Outcome:
    return Outcome({"key": values.get("key")}, waits=True)


def _wait_for_approval(values: Json) -> Outcome:
    """The output says so before anybody has decided (recording ``approval_01_run_paused``)."""
    return Outcome({"approved": True}, waits=True)


def _request(values: Json) -> Outcome:
    return Outcome(
        {"status": 200, "headers": {"content-type": JSON_TYPE}, "body": {"practice": True, "url": values.get("url")}}
    )


def _call_flow(values: Json) -> Outcome:
    """The output is empty until the called flow answers (recordings ``subflow_wait_00_parent_paused`` and ``subflow_nowait_01``)."""
    payload, waits = (values.get("flowProps") or {}).get("payload"), bool(values.get("waitForResponse"))
    return Outcome({}, waits=waits, to_others=Call(str(values.get("flowId") or ""), payload, waits))


def answered_call(call: Json) -> Outcome:
    """The end of a call that waited, by the request that resumed it, or by the ``failed`` run of the called flow
    (recordings ``subflow_wait_01_parent_run``, ``subflow_child_fails_01_parent_run``).
    """
    if "failed" in call:
        message = {"message": "Subflow execution failed", "link": call["failed"]}
        return Outcome(error=json.dumps(message, indent=2), as_it_is=True)
    return Outcome(call.get("body"))


def _return_response(values: Json) -> Outcome:
    """The answer to the calling flow (recording ``subflow_wait_02_child_run``)."""
    data = (values.get("response") or {}).get("response")
    return Outcome(data, to_others=Answer(data))


ACTIONS: dict[tuple[str, str], Callable[[Json], Outcome]] = {
    (WEBHOOK, "return_response"): _respond,
    (FORMS, "return_response"): _respond_on_form,
    (WEBHOOK, "return_response_and_wait_for_next_webhook"): _respond_and_wait,
    (WEBHOOK, "wait_for_event"): _wait_for_event,
    (APPROVAL, "wait_for_approval"): _wait_for_approval,
    CALL: _call_flow,
    (SUBFLOWS, "returnResponse"): _return_response,
    (DELAY, "delayFor"): _delay_for,
    (DELAY, "delay_until"): _delay_until,
    ("@activepieces/piece-http", "send_request"): _request,
}
