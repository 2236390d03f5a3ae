"""Gives every request an id, which goes into logs, audit rows and error pages."""

import re
import secrets
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

_GOOD = re.compile(r"[0-9A-Za-z._-]{8,64}")


class RequestContext:
    """Sets `request.request_id` (a good inbound X-Request-ID, else a new one), binds it to the log, and answers it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        inbound = request.headers.get("X-Request-ID", "")
        request_id = inbound if _GOOD.fullmatch(inbound) else secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self._get_response(request)
        response["X-Request-ID"] = request_id
        return response
