"""End idle sessions, and show a browser why its session ended. Both are off by default."""

import time

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.translation import ngettext

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import sessions
from workflows_ui.audit.requests import actor
from workflows_ui.web.middleware import Middleware

#: The header of automatic requests (static/app.js), which do not count as activity.
LIVE = "X-Live"
#: The session's key for the time of the last activity, and the seconds within which it is not updated.
_SEEN, _EXACT = "seen_at", 30


class SessionLimits(Middleware):
    """SESSION_IDLE_MINUTES, and the message for a browser that was signed out by SESSIONS_PER_PERSON (see
    accounts/services/sessions.py)."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if settings.SESSION_IDLE_MINUTES:
                _end_if_idle(request, request.user)
        elif settings.SESSIONS_PER_PERSON:
            _explain_limit(request)
        return self.get_response(request)


def _end_if_idle(request: HttpRequest, user: User) -> None:
    now, last_seen = time.time(), request.session.get(_SEEN)
    minutes: int = settings.SESSION_IDLE_MINUTES
    if isinstance(last_seen, int | float) and now - last_seen > minutes * 60:
        sessions.end_idle(actor(request), user, request.session.session_key)
        logout(request)
        text = ngettext(
            "You were signed out after %(n)d minute without activity.",
            "You were signed out after %(n)d minutes without activity.",
            minutes,
        )
        messages.warning(request, text % {"n": minutes})
    elif last_seen is None or (LIVE not in request.headers and now - last_seen > _EXACT):
        request.session[_SEEN] = now


def _explain_limit(request: HttpRequest) -> None:
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if key and sessions.ended_by_limit(key):
        most: int = settings.SESSIONS_PER_PERSON
        text = ngettext(
            "You were signed out here because you signed in elsewhere. The limit is %(n)d browser at a time.",
            "You were signed out here because you signed in elsewhere. The limit is %(n)d browsers at a time.",
            most,
        )
        messages.warning(request, text % {"n": most})
