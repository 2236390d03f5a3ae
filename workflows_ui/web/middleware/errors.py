"""Central mapping of exceptions to error pages."""

import logging
from collections.abc import Callable

from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse

from workflows_ui.web import errors as error_pages

_log = logging.getLogger(__name__)


class EngineErrors:
    """Turn errors of the engine, of access and of credentials into pages (for htmx: into alerts of the page).

    Other exceptions are bugs: logged with a traceback, with a response 500 that shows the request id. This includes DEBUG, since
    Django's debug page shows local variables, which may be secrets.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code == 404 and request.resolver_match is None:
            return error_pages.not_found(request)
        return response

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Reject URLs with a NUL character: no name or id contains one, and PostgreSQL rejects them."""
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return error_pages.bad_request(request)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the response for an exception of a view; None for those that allauth's middleware handles."""
        if isinstance(exception, (ImmediateHttpResponse, ReauthenticationRequired)):
            return None
        response = error_pages.engine_error_response(request, exception)
        if response is not None:
            return response
        _log.error("unexpected error in a view", exc_info=exception)
        got_request_exception.send(sender=type(self), request=request)
        return error_pages.server_error(request)
