"""Reject HTTP methods that no page accepts, especially `TRACE`, with 405."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

ALLOWED = ("GET", "HEAD", "OPTIONS", "POST")


class KnownMethods:
    """Reject methods other than ALLOWED. `TRACE` would echo the request with its cookies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request) if request.method in ALLOWED else HttpResponseNotAllowed(ALLOWED)
