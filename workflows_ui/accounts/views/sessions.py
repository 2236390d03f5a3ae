"""A person's sessions: the list, and ending one session or all others."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from workflows_ui.accounts.browser_names import browser
from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import sessions
from workflows_ui.web import responses
from workflows_ui.web.access import signed_in
from workflows_ui.web.requests import ConsoleRequest, actor


@never_cache
@signed_in
def listing(request: ConsoleRequest) -> HttpResponse:
    """List the sessions with browser, address and start; this one first."""
    rows = [
        {"row": row, "browser": browser(row.user_agent), "here": row.session_key == request.session.session_key}
        for row in sessions.user_sessions(_person(request))
    ]
    rows.sort(key=lambda item: not item["here"])
    return responses.page(request, "account/sessions.html", {"rows": rows})


@require_POST
@signed_in
def end(request: ConsoleRequest, session_id: int) -> HttpResponse:
    if not sessions.end(actor(request), _person(request), session_id):
        raise Http404
    messages.success(request, _("That browser is signed out."))
    return responses.redirect(request, "sessions")


@require_POST
@signed_in
def end_others(request: ConsoleRequest) -> HttpResponse:
    count = sessions.end_others(actor(request), _person(request), but=request.session.session_key)
    if count:
        text = ngettext("%(count)s other browser is signed out.", "%(count)s other browsers are signed out.", count)
        messages.success(request, text % {"count": count})
    else:
        messages.info(request, _("You were signed in nowhere else."))
    return responses.redirect(request, "sessions")


def _person(request: ConsoleRequest) -> User:
    return User.objects.get(pk=request.user.pk)
