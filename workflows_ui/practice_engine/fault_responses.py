"""Playing faults: responses of a proxy, and spoiled responses."""

import http.client
import time
import uuid

from .faults import COMBINED, REPLACED, Fault
from .http import JSON_TYPE, Json, Request, Response
from .ids import ID_LENGTH

KEPT_HEADERS = ("x-api-key", "x-access-token", "x-organization-id")
MESSAGE = "a practised fault"


def play_before(faults: list[Fault], request: Request) -> Response | None:
    """Play what comes before acting. If it returns a response, the engine does not act."""
    for fault in faults:
        if fault.kind == "strip_headers":
            _strip(fault, request)
        elif fault.kind == "delay":
            if not fault.acts:
                time.sleep(fault.seconds)
        elif not fault.acts:
            return _played(fault, None)
    return None


def play_after(faults: list[Fault], response: Response) -> Response:
    """Play what comes after acting, and return the response that is sent."""
    for fault in faults:
        if fault.kind == "delay" and fault.acts:
            time.sleep(fault.seconds)
        elif fault.kind not in COMBINED and fault.acts:
            response = _played(fault, response)
    return response


def _played(fault: Fault, real: Response | None) -> Response:
    """The response that is sent; ``real`` is the engine's, None if it did not act."""
    own = real.headers.get("x-webhook-id") if real else None
    response = _replacement(fault) if fault.kind in REPLACED or real is None else real
    if fault.kind not in REPLACED:
        response = _spoil(fault, response)
    if fault.webhook_id:
        response.headers["x-webhook-id"] = own or uuid.uuid4().hex[:ID_LENGTH]
    elif fault.webhook_id is False:
        response.headers.pop("x-webhook-id", None)
    return response


def _strip(fault: Fault, request: Request) -> None:
    wanted = [name.lower() for name in fault.names]
    for name in list(request.headers):
        custom = name.startswith(("ap-", "x-")) and name not in KEPT_HEADERS
        if name in wanted or (not wanted and custom):
            del request.headers[name]


def _replacement(fault: Fault) -> Response:
    headers = dict(fault.headers)
    if fault.retry_after:
        headers = {"retry-after": fault.retry_after, **headers}
    if fault.kind == "html":
        return _page(502, headers)
    if fault.kind == "too_many":
        headers = {"retry-after": f"{fault.seconds:g}", **headers}
        return Response.from_json(
            {"statusCode": 429, "error": "Too Many Requests", "message": "slow down"}, 429, headers
        )
    status = fault.status
    if fault.body == "html":
        return _page(status, headers)
    if fault.body == "text":
        return Response(status, MESSAGE.encode(), {"content-type": "text/plain", **headers})
    if fault.body == "empty":
        return Response(status, b"", headers)
    bodies: dict[str, Json] = {
        "json": {"code": "PRACTICE_FAULT", "params": {"message": MESSAGE}},
        "bare": {"statusCode": status, "error": "Fault", "message": MESSAGE},
        "gateway": {"message": MESSAGE},
    }
    return Response.from_json(bodies[fault.body], status, headers)


def _spoil(fault: Fault, response: Response) -> Response:
    kind = fault.kind
    if kind in ("reset_before", "reset_after"):
        response.wire = "reset"
    elif kind in ("truncated", "headers_cut", "garbage"):
        response.wire = kind
    elif kind in ("drip", "drip_all"):
        response.wire, response.pause = kind, fault.seconds
    elif kind == "empty":
        response.body = b""
    elif kind == "invalid_json":
        response.body, response.headers["content-type"] = b'{"data":[{"id":', JSON_TYPE
    elif kind == "invalid_utf8":
        response.body, response.headers["content-type"] = b'{"data":"\xff\xfe\xc3\x28"}', JSON_TYPE
    elif kind == "huge":
        response.body, response.headers["content-type"] = b'{"data":"' + b"x" * fault.size + b'"}', JSON_TYPE
    return response


def _page(status: int, headers: dict[str, str]) -> Response:
    title = f"{status} {http.client.responses.get(status, 'Error')}"
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    return Response(status, page.encode(), {"content-type": "text/html", **headers})
