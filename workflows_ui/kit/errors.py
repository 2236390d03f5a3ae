"""Error pages and error fragments: what happened, what still holds, what to do, with the technical part folded."""

import logging
import sys
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import errors as engine
from workflows_ui.kit import nav, respond, typed, words
from workflows_ui.services.access import NoAccess, NotAllowed
from workflows_ui.services.clients import NoCredential

_log = logging.getLogger(__name__)

#: Status of the console's answer by what went wrong; first match wins. Never 401: the person is signed in, the engine's key is
#: another thing.
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
_DATABASE_AWAY = (OperationalError, InterfaceError)
#: Seconds after which a database that is started anew may be there again.
_DATABASE_PAUSE = 10
_WORTH_ANOTHER_TRY = (engine.Unavailable, engine.NotSent, engine.TooMany)


def of(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The answer to an error that a view let through, or None where the error is a mistake of ours."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is not None:
        if isinstance(error, engine.EngineError):
            _log.warning("engine error: %r %s", error, error.technical)
        return _page(request, words.of_error(error), status=status, error=error)
    if isinstance(error, _DATABASE_AWAY):
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
    """404: the same words whether the page does not exist or is not this person's."""
    return _page(request, words.of_error(NoAccess()), status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 outside the roles of a workspace."""
    found = words.Words(_("Not yours to do"), _("You do not have the right to do this."))
    return _page(request, found, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400 and 413: a request that a browser does not make by itself, or one that is too large."""
    if isinstance(exception, RequestDataTooBig):
        found = words.Words(
            _("This is too large"), _("The console takes up to 30 MB at once."), _("Send less at once.")
        )
        return _page(request, found, status=413, posted=False)
    found = words.Words(_("The request cannot be understood"), _("Something in its address or its form is not right."))
    return _bare(request, found, status=400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form's proof that it came from the console is missing or old; what was typed is given back to be copied."""
    _log.warning("csrf: %s", reason)
    found = words.Words(
        _("The form is out of date"),
        _("It was opened before you signed in or out, or it did not come from the console. Nothing was done."),
        _("Open the page again and send it once more. Your browser must accept the console's cookies."),
    )
    return _page(request, found, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our mistake, or a database that was away before any view was asked. Touches neither database nor session."""
    if isinstance(sys.exception(), _DATABASE_AWAY):
        return database_away(request)
    found = words.Words(
        _("The console made a mistake"),
        _("It has been written to the log. What you did before is kept."),
        _("Try again. If it happens again, tell whoever runs the console, with the number below."),
    )
    return _bare(request, found, status=500)


def database_away(request: HttpRequest) -> HttpResponse:
    """503: the console's own database does not answer. What was typed is given back; sending a launch again is safe, by its ticket."""
    found = words.Words(
        _("The console cannot reach its database"),
        _(
            "It is being started anew, or something is wrong with it. What you did before is kept, and launches that were sent go on."
        ),
        _(
            "Try again in a minute. A launch that you just asked for can be asked for once more by the same form: it is not launched "
            "twice. Whatever else you just sent, look first whether it was done."
        ),
    )
    response = _bare(request, found, status=503, typing=request.method == "POST", again=request.method == "GET")
    response["Retry-After"] = str(_DATABASE_PAUSE)
    return response


def _page(
    request: HttpRequest, found: words.Words, *, status: int, error: Exception | None = None, posted: bool = True
) -> HttpResponse:
    context = _context(request, found, status, error)
    if respond.is_fragment(request):
        response = respond.alert(request, "errors/alert.html", context, status=status)
    else:
        context["typed"] = typed.values(request) if posted and request.method == "POST" else []
        response = respond.page(request, "errors/page.html", context, status=status)
    wait = getattr(error, "retry_after", None)
    if status == 503 and wait:
        response["Retry-After"] = str(int(wait) + 1)
    return response


def _bare(
    request: HttpRequest, found: words.Words, *, status: int, typing: bool = False, again: bool = False
) -> HttpResponse:
    context = {
        "words": found,
        "status": status,
        "base": "base_bare.html",
        "plain": True,
        "frame": nav.Frame(request),
        "request_id": getattr(request, "request_id", ""),
        "back": {"url": "/", "label": _("Home")},
        "typed": typed.values(request) if typing else [],
        "again": request.get_full_path() if again else "",
    }
    if respond.is_fragment(request):
        response = HttpResponse(render_to_string("errors/alert.html", context), status=status)
        response["HX-Retarget"], response["HX-Reswap"] = f"#{respond.ALERTS}", "innerHTML"
        return respond.vary(response)
    return respond.vary(HttpResponse(render_to_string("errors/page.html", context), status=status))


def _context(request: HttpRequest, found: words.Words, status: int, error: Exception | None) -> dict[str, Any]:
    access = getattr(request, "access", None)
    slug = access.workspace.slug if access else ""
    context: dict[str, Any] = {
        "words": found,
        "status": status,
        "base": "base.html" if access else "base_bare.html",
        "request_id": getattr(request, "request_id", ""),
        "back": _way_back(request, slug),
        "again": request.get_full_path() if request.method == "GET" and isinstance(error, _WORTH_ANOTHER_TRY) else "",
        "credentials_url": "",
    }
    if slug and isinstance(error, _CREDENTIAL_AT_FAULT):
        context["credentials_url"] = reverse("credentials", args=[slug])
    if slug and isinstance(error, _WORTH_ANOTHER_TRY):
        context["still_works"] = [
            (_("Launches"), reverse("launches", args=[slug])),
            (_("Credentials"), reverse("credentials", args=[slug])),
        ]
    if isinstance(error, engine.EngineError):
        context["technical"] = {
            "text": error.technical or error.message,
            "message": error.message,
            "status": error.status,
            "code": error.code,
            "engine_id": error.request_id,
        }
    return context


def _way_back(request: HttpRequest, slug: str) -> dict[str, str]:
    """One step up from where the person is: the list, the workspace, or home; never the very page that failed."""
    match = request.resolver_match
    steps = [(_("Home"), "/")]
    if slug and request.access.guest:  # type: ignore[attr-defined]
        steps.insert(0, (_("Launches"), reverse("launches", args=[slug])))
    elif slug:
        steps.insert(0, (_("Flows"), reverse("resource_list", args=[slug, "flows"])))
    if slug and match and match.url_name == "resource_detail":
        steps.insert(0, (_("Back to the list"), reverse("resource_list", args=[slug, match.kwargs["resource"]])))
    label, url = next((step for step in steps if step[1] != request.path), steps[-1])
    return {"label": label, "url": url}
