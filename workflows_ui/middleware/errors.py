"""The one place that maps errors to pages: a view lets an error through, and here it becomes words that help."""

import logging
from collections.abc import Callable

from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse

from workflows_ui.kit import errors

_log = logging.getLogger(__name__)


class EngineErrors:
    """Errors of the engine, of access and of credentials become pages (for htmx: messages in the page's alerts).

    Anything else is our own bug: logged with its traceback, answered with 500 and the request's id. That holds with DEBUG too:
    Django's own debugging page shows local variables, and one of them may be a secret.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code == 404 and request.resolver_match is None:
            return errors.not_found(request)
        return response

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Refuses an address with a NUL character in it: no name or id has one, and PostgreSQL takes none."""
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return errors.bad_request(request)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer to what a view raised; None for what allauth's own middleware answers."""
        if isinstance(exception, (ImmediateHttpResponse, ReauthenticationRequired)):
            return None
        response = errors.of(request, exception)
        if response is not None:
            return response
        _log.error("unexpected error in a view", exc_info=exception)
        got_request_exception.send(sender=type(self), request=request)
        return errors.server_error(request)
