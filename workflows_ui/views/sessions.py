"""The browsers in which one is signed in: the list, and ending one session or all others."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from workflows_ui.kit import respond
from workflows_ui.kit.access import signed_in
from workflows_ui.kit.browser_words import browser
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import User
from workflows_ui.services import sessions


@never_cache
@signed_in
def listing(request: ConsoleRequest) -> HttpResponse:
    """Browser, address and beginning of each session; which one this is."""
    rows = [
        {"row": row, "browser": browser(row.user_agent), "here": row.session_key == request.session.session_key}
        for row in sessions.of(_person(request))
    ]
    rows.sort(key=lambda one: not one["here"])
    return respond.page(request, "account/sessions.html", {"rows": rows, "tab": "sessions"})


@require_POST
@signed_in
def end(request: ConsoleRequest, session_id: int) -> HttpResponse:
    """Ends one session; one's own ends by signing out."""
    if not sessions.end(actor(request), _person(request), session_id):
        raise Http404
    messages.success(request, _("That browser is signed out."))
    return respond.redirect(request, reverse("sessions"))


@require_POST
@signed_in
def end_others(request: ConsoleRequest) -> HttpResponse:
    """Ends all sessions but this one."""
    count = sessions.end_others(actor(request), _person(request), but=request.session.session_key)
    if count:
        text = ngettext("%(count)s other browser is signed out.", "%(count)s other browsers are signed out.", count) % {
            "count": count
        }
        messages.success(request, text)
    else:
        messages.info(request, _("You were signed in nowhere else."))
    return respond.redirect(request, reverse("sessions"))


def _person(request: ConsoleRequest) -> User:
    return User.objects.get(pk=request.user.pk)


urlpatterns = [
    path("accounts/sessions/", listing, name="sessions"),
    path("accounts/sessions/end-others/", end_others, name="sessions_end_others"),
    path("accounts/sessions/<int:session_id>/end/", end, name="session_end"),
]
