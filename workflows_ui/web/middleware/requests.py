"""Assign an id to every request, for logs, audit rows and error pages."""

import re
import secrets
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

_VALID = re.compile(r"[0-9A-Za-z._-]{8,64}")


class RequestContext:
    """Set `request.request_id` (a valid inbound X-Request-ID, else a new one), bind it to the log, and return it as a header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        inbound = request.headers.get("X-Request-ID", "")
        request_id = inbound if _VALID.fullmatch(inbound) else secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self._get_response(request)
        response["X-Request-ID"] = request_id
        return response
