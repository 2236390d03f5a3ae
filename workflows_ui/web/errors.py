"""Error pages and fragments: what happened, what still works, what to do, and collapsed technical details."""

import logging
import sys

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from workflows_ui.core import database
from workflows_ui.core.crypto import CannotOpen, PlaceChanged
from workflows_ui.core.text import Message
from workflows_ui.credentials.services.clients import NoCredential
from workflows_ui.engine import errors as engine
from workflows_ui.members.services.access import NoAccess, NotAllowed
from workflows_ui.web import messages, navigation, responses
from workflows_ui.web.links import reachable
from workflows_ui.web.requests import posted_values

_log = logging.getLogger(__name__)

#: HTTP status by exception; first match wins. Never 401: the person is signed in, only the engine's credential fails.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (engine.CredentialRefused, 502),
    (engine.Forbidden, 403),
    (engine.NotInPlan, 403),
    (engine.NotFound, 404),
    (engine.AddressRefused, 502),
    (engine.TooLarge, 502),
    (engine.Refused, 400),
    (engine.EngineError, 503),
    (NoCredential, 403),
    (CannotOpen, 502),
    (NoAccess, 404),
    (NotAllowed, 403),
)
_CREDENTIAL_AT_FAULT = (engine.CredentialRefused, engine.Forbidden, NoCredential, CannotOpen)
#: Seconds after which a restarted database may be available.
_DATABASE_PAUSE = 10
_RETRYABLE = (engine.Unavailable, engine.NotSent, engine.RateLimited)


def engine_error_response(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The response for an exception of a view, or None for an unexpected one."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is not None:
        if isinstance(error, engine.EngineError):
            _log.warning("engine error: %r %s", error, error.technical)
        return _page(request, messages.error_message(error), status=status, error=error)
    if isinstance(error, database.AWAY):
        _log.error("the database does not answer", exc_info=error)
        return database_away(request)
    if isinstance(error, Http404):
        return not_found(request)
    if isinstance(error, PermissionDenied):
        return forbidden(request)
    if isinstance(error, SuspiciousOperation | MultiPartParserError):
        return bad_request(request, error)
    return None


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: the same text whether the page does not exist or is not accessible."""
    return _page(request, messages.error_message(NoAccess()), status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 outside the roles of a workspace."""
    message = Message(_("You don't have permission"), _("You do not have the right to do this."))
    return _page(request, message, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400 and 413: a malformed request, or one that is too large."""
    if isinstance(exception, RequestDataTooBig):
        return too_large(request, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    message = Message(_("The request cannot be understood"), _("Something in its address or its form is not right."))
    return _bare_page(request, message, status=400)


def too_large(request: HttpRequest, limit: int, size: int = 0) -> HttpResponse:
    """413: the body was not read, so that the page cannot show what was typed; the browser still has it."""
    _log.warning("request too large: %s bytes of at most %s", size or "unknown", limit)
    most = filesizeformat(limit)
    text = _("This page takes up to %(size)s at once, and more was sent. Nothing was done.") % {"size": most}
    step = _("Go back in your browser: what you typed is still in the form. Make it smaller, then send it again.")
    user = getattr(request, "user", None)
    if user is not None and not user.is_authenticated:
        text = _("Without a sign-in the console takes up to %(size)s at once. Nothing was done.") % {"size": most}
        step = _(
            "If you were signed in, your session has ended. Sign in in another tab, go back here in your browser, and send it again: what "
            "you typed is still in the form."
        )
    return _page(request, Message(_("This is too large"), text, step), status=413, posted=False)


def too_many_bodies(request: HttpRequest) -> HttpResponse:
    """503: too many requests from the client's address are still on their way, and this was the slowest."""
    message = Message(
        _("Too much is being sent at once"),
        _("Too many uploads from your network are still on their way, and yours was the slowest. Nothing was done."),
        _("Wait a minute, go back in your browser, and send it again: what you typed is still in the form."),
    )
    response = _page(request, message, status=503, posted=False)
    response["Retry-After"] = "60"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the CSRF token is missing or old; the page shows the typed values for copying."""
    _log.warning("csrf: %s", reason)
    message = Message(
        _("The form is out of date"),
        _("It was opened before you signed in or out, or it did not come from the console. Nothing was done."),
        _("Open the page again and send it again. Your browser must accept the console's cookies."),
    )
    return _page(request, message, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a bug, or 503 for a database that failed before any view. Uses neither database nor session."""
    if isinstance(sys.exception(), database.AWAY):
        return database_away(request)
    message = Message(
        _("Something went wrong"),
        _("The error was logged. What you did before is kept."),
        _("Try again. If it happens again, tell your administrator the reference number below."),
    )
    return _bare_page(request, message, status=500)


def database_away(request: HttpRequest) -> HttpResponse:
    """503: the console's database is unavailable. The page shows the typed values; sending a launch again is safe, by its ticket."""
    message = Message(
        _("The console cannot reach its database"),
        _("It is restarting or has a problem. Your earlier work is kept, and launches that were sent continue."),
        _(
            "Try again in a minute. A launch that you just requested can be sent again with the same form: it is not "
            "launched twice. For anything else you just sent, check first whether it was done."
        ),
    )
    response = _bare_page(request, message, status=503, temporary=True)
    response["Retry-After"] = str(_DATABASE_PAUSE)
    return response


def _page(
    request: HttpRequest, message: Message, *, status: int, error: Exception | None = None, posted: bool = True
) -> HttpResponse:
    context = _context(request, message, status, error)
    if responses.is_fragment(request):
        response = responses.alert(request, "web/errors/alert.html", context, status=status)
    else:
        context["typed"] = posted_values(request) if posted else []
        response = responses.page(request, "web/errors/page.html", context, status=status)
    wait = getattr(error, "retry_after", None)
    if status == 503 and wait:
        response["Retry-After"] = str(int(wait) + 1)
    return response


def _bare_page(request: HttpRequest, message: Message, *, status: int, temporary: bool = False) -> HttpResponse:
    context = {
        "words": message,
        "status": status,
        "base": "base_bare.html",
        "plain": True,
        "frame": navigation.Frame(request),
        "request_id": getattr(request, "request_id", ""),
        "back": {"url": "/", "label": _("Home")},
        "typed": posted_values(request) if temporary else [],
        "again": request.get_full_path() if temporary and request.method == "GET" else "",
    }
    if responses.is_fragment(request):
        response = HttpResponse(render_to_string("web/errors/alert.html", context), status=status)
        response["HX-Retarget"], response["HX-Reswap"] = f"#{responses.ALERTS}", "innerHTML"
        return responses.vary(response)
    return responses.vary(HttpResponse(render_to_string("web/errors/page.html", context), status=status))


def _context(request: HttpRequest, message: Message, status: int, error: Exception | None) -> dict[str, object]:
    access = getattr(request, "access", None)
    slug = access.workspace.slug if access else ""
    guest = access is not None and access.guest  # sees no credentials and no lists
    context: dict[str, object] = {
        "words": message,
        "status": status,
        "base": "base.html" if access else "base_bare.html",
        "request_id": getattr(request, "request_id", ""),
        "back": _parent_page(request, slug, guest),
        "again": request.get_full_path() if request.method == "GET" and isinstance(error, _RETRYABLE) else "",
    }
    denied = isinstance(error, NoAccess | NotAllowed) or (access is None and status == 404)
    user = getattr(request, "user", None)
    if denied and user is not None and user.is_authenticated and request.path.startswith("/w/"):
        context["access_link"] = request.path
    if slug and not guest and isinstance(error, _CREDENTIAL_AT_FAULT) and not isinstance(error, PlaceChanged):
        context["credentials_url"] = reachable(reverse("credentials", args=[slug]))
    if slug and isinstance(error, NoCredential):
        context["connect_url"] = reverse("connect", query={"workspace": slug})
    if slug and isinstance(error, _RETRYABLE):
        pages = ((_("Launches"), "launches"), (_("Credentials"), "credentials"))[: 1 if guest else None]
        context["still_works"] = [
            (label, url) for label, name in pages if (url := reachable(reverse(name, args=[slug])))
        ]
    if isinstance(error, engine.EngineError):
        context["engine_error"] = error
    return context


def _parent_page(request: HttpRequest, slug: str, guest: bool) -> dict[str, str]:
    """The parent page: the list, the workspace, or home; never the page that failed."""
    match = request.resolver_match
    steps = [(_("Home"), "/")]
    if guest:
        steps.insert(0, (_("Launches"), reverse("launches", args=[slug])))
    elif slug:
        steps.insert(0, (_("Flows"), reverse("resource_list", args=[slug, "flows"])))
    if slug and not guest and match and match.url_name == "resource_detail":
        steps.insert(0, (_("Back to the list"), reverse("resource_list", args=[slug, match.kwargs["resource"]])))
    label, url = next((step for step in steps if step[1] != request.path and reachable(step[1])), steps[-1])
    return {"label": label, "url": url}
