"""Middleware of every request."""

import logging
import re
import secrets
from collections.abc import Callable

import structlog
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.template.response import TemplateResponse
from django.utils import timezone, translation
from django.utils.cache import get_max_age, patch_cache_control, patch_vary_headers

from workflows_ui.accounts.models import User
from workflows_ui.web import body_limits, errors as error_pages, forwarding, links

_log = logging.getLogger(__name__)
_VALID_ID = re.compile(r"[0-9A-Za-z._-]{8,64}")
#: Device features are not used; passkeys are allowed for own pages only (their default).
PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in ("camera", "display-capture", "geolocation", "microphone", "payment", "serial", "usb", "hid", "midi")
)
#: Methods that pages accept. `TRACE` would echo the request with its cookies.
ALLOWED = ("GET", "HEAD", "OPTIONS", "POST")

#: Names of the URLs for monitoring, which need no database and may be asked through a proxy of their own.
MONITORING = frozenset({"healthz", "readyz", "metrics"})

#: Values of Sec-Fetch-Site of which pages are compressed: browsers set it; no page can. And the types that are.
_TRUSTED, _COMPRESSED = ("same-origin", "none"), ("text/html", "application/json")
#: The size of the frame of `whole_stack`, in pointers.
_FRAME_SLOTS = 8192


class Middleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response


def whole_stack(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer each request on one piece of stack.

    Python keeps frames in pieces of 16 kB. In 3.11, 3.12 and the first releases of 3.13, each call that crosses the end of a piece gets a
    new one from the system and returns it (python/cpython#142183): a list whose cells were that deep took up to twice as long. A frame
    of 64 kB comes with a piece of 128 kB, in which there is room for all calls below it.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    answer.__code__ = answer.__code__.replace(co_stacksize=_FRAME_SLOTS)
    return answer


class SafeHeaders(Middleware):
    """Set Permissions-Policy and Cross-Origin-Resource-Policy, and Cache-Control unless the view has set it."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        return response


class SessionPages(Middleware):
    """Forbid browsers to store responses to requests with a session, so that Back shows none of them after its end. Pictures whose view
    says how long they may be kept stay cacheable.

    Outside `Compression`, which recognizes a page with a secret by the `no-store` of its view.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Whether the session is valid does not matter: the page may show what was typed before it ended.
        has_session = any(settings.SESSION_COOKIE_NAME in cookies for cookies in (request.COOKIES, response.cookies))
        if has_session and not get_max_age(response):
            patch_cache_control(response, private=True, no_store=True)
        return response


class RequestContext(Middleware):
    """Set `request.request_id` (a valid inbound X-Request-ID, else a new one), bind it to the log, and return it as a header."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Threads answer one request after another.
        links.hidden_pages.set(frozenset())
        inbound = request.headers.get("X-Request-ID", "")
        request_id = inbound if _VALID_ID.fullmatch(inbound) else secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class CleanCookies(Middleware):
    """Drop cookies with a NUL character, which quoting allows (`\\000`): PostgreSQL refuses to look up such a session."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if any("\0" in value for value in request.COOKIES.values()):
            request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\0" not in value}
        return self.get_response(request)


class Preferences(Middleware):
    """Language: the person's choice, else the cookie, else the browser's preference. Time zone: the person's choice, else the console's."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "") if request.user.is_authenticated else ""
        language = chosen if chosen in dict(settings.LANGUAGES) else translation.get_language_from_request(request)
        zone = request.user.zone if request.user.is_authenticated else timezone.get_default_timezone()
        if request.user.is_authenticated and not chosen and request.user.mail_language != language:
            User.objects.filter(pk=request.user.pk).update(last_language=language)
        with translation.override(language), timezone.override(zone):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        if not chosen:
            patch_vary_headers(response, ("Accept-Language",))
        return response


class BodyLimit(Middleware):
    """Refuse bodies that the web server did not read, and those that are too large, before anything reads them."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        reason = request.META.get(body_limits.REFUSED)
        if reason == body_limits.TOO_MANY:
            return error_pages.too_many_bodies(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        size = int(length) if length.isascii() and length.isdecimal() else 0
        if reason or size > body_limits.ANONYMOUS:
            limit = body_limits.most_bytes(request.path_info, signed_in=request.user.is_authenticated)
            if reason or size > limit:
                return error_pages.too_large(request, limit, size)
        return self.get_response(request)


class ForwardedHeaders(Middleware):
    """Note requests with the headers of a proxy that is not trusted (web/forwarding.py), except those of monitoring."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        monitors = request.resolver_match is not None and request.resolver_match.url_name in MONITORING
        if response.status_code < 500 and not monitors and forwarding.header(request):
            forwarding.note(request)
        return response


class KnownMethods(Middleware):
    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request) if request.method in ALLOWED else HttpResponseNotAllowed(ALLOWED)


class Compression(GZipMiddleware):
    """Compress HTML and JSON with gzip, where nobody can learn from its length what a page says; never downloads and streams.

    An attack on compressed pages (BREACH) needs the browser of a signed-in person to request pages from another site, with guesses in the
    URL. So only requests of our own pages, and those typed into the address bar, get a compressed response, and Django adds random bytes
    to it. A page whose view forbids to store it (`never_cache`), since it may show a secret, is never compressed.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The response, compressed if that is safe and shorter."""
        if response.streaming or not response.get("Content-Type", "").startswith(_COMPRESSED):
            return response
        patch_vary_headers(response, ("Sec-Fetch-Site",))
        if "no-store" in response.get("Cache-Control", "") or response.has_header("Content-Disposition"):
            return response
        if request.headers.get("Sec-Fetch-Site") not in _TRUSTED:
            return response
        return super().process_response(request, response)


class EngineErrors(Middleware):
    """Turn errors of the engine, of access and of credentials into pages (for htmx: into alerts of the page).

    Other exceptions are bugs: logged with a traceback, with a response 500 that shows the request id. This includes DEBUG, since
    Django's debug page shows local variables, which may be secrets.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 404 and request.resolver_match is None:
            return error_pages.not_found(request)
        return response

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        """Answer a rejected form with 422. Only allauth's views return such responses, with 200."""
        # The second step has two forms: the code's, and the passkey's.
        forms = [(response.context_data or {}).get(name) for name in ("form", "webauthn_form")]
        if request.method == "POST" and response.status_code == 200 and any(form and form.errors for form in forms):
            response.status_code = 422
        return response

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Reject URLs with a NUL character: no name or id contains one, and PostgreSQL rejects them."""
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return error_pages.bad_request(request)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The response for an exception of a view; None for those that allauth's middleware handles."""
        if isinstance(exception, (ImmediateHttpResponse, ReauthenticationRequired)):
            return None
        response = error_pages.engine_error_response(request, exception)
        if response is not None:
            return response
        _log.error("unexpected error in a view", exc_info=exception)
        got_request_exception.send(sender=type(self), request=request)
        return error_pages.server_error(request)
