"""Signing in through the company's own provider (OpenID Connect): the way there, and what is done with whoever comes back.

The way is kept sealed in a cookie of ten minutes, not in the database: whoever only looks at the sign-in page leaves nothing there.
"""

import json
import logging
from dataclasses import asdict, replace
from urllib.parse import quote, unquote

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from workflows_ui import crypto
from workflows_ui.kit import respond, sign_in_log
from workflows_ui.kit.access import STEPPED_ELSEWHERE
from workflows_ui.kit.request import actor
from workflows_ui.services import oidc, single_sign_on
from workflows_ui.services.single_sign_on import Why

_log = logging.getLogger(__name__)

COOKIE = "single_sign_on"
_PLACE = "single_sign_on:flow"
_PATH = "/accounts/single-sign-on/"
_WORDS = {
    Why.UNVERIFIED: gettext_lazy(
        "Your e-mail address is not confirmed there. Have it confirmed by whoever looks after accounts, then try again."
    ),
    Why.NOT_ALLOWED: gettext_lazy(
        "Your account there is none that this console is open to. Ask whoever runs the console."
    ),
    Why.UNCONFIRMED_HERE: gettext_lazy(
        "An account with your e-mail address exists here, but the address was never confirmed. Sign in with the password, and ask "
        "whoever runs the console."
    ),
    Why.SUPERUSER: gettext_lazy(
        "The account with your e-mail address looks after the whole console. Sign in with its password."
    ),
}


@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Leads to the provider."""
    if not single_sign_on.offered():
        raise Http404
    # Each way asks the provider, who may be slow: nobody makes the console wait for it again and again.
    if not ratelimit.consume(request, app="allauth.account", action="single_sign_on", limit_get=True):
        too_often: HttpResponse = ratelimit.respond_429(request)
        return too_often
    wanted = request.GET.get("next", "")
    flow = oidc.new_flow(wanted if get_adapter().is_safe_url(wanted) else "")
    try:
        url = oidc.authorization_url(flow, _back_url())
    except oidc.SignOnError as problem:
        return _failed(request, problem)
    response = HttpResponseRedirect(url)
    response.set_cookie(
        COOKIE,
        quote(crypto.seal(json.dumps(asdict(flow)), _PLACE)),
        max_age=oidc.FLOW_SECONDS,
        path=_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return respond.vary(response)


@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Where the provider sends people back to. A way that was begun in this browser is ended once, well or badly."""
    if not single_sign_on.offered():
        raise Http404
    response = _end(request)
    response.delete_cookie(COOKIE, path=_PATH)
    return response


def _end(request: HttpRequest) -> HttpResponse:
    flow = _flow(request)
    if flow is None:
        return _failed(request, "no sign-in was begun in this browser")
    # Each way ends once, also where a browser sends the same address twice.
    if not cache.add(f"single-sign-on:{flow.state}", "used", timeout=oidc.FLOW_SECONDS):
        return _failed(request, "this sign-in was ended before")
    if "error" in request.GET or not request.GET.get("code"):
        sign_in_log.single_sign_on_failed(request, "stopped")
        return _failed(request, f"the provider says {request.GET.get('error', '')[:100]!r}")
    try:
        claims = oidc.finish(
            flow,
            _back_url(),
            code=request.GET["code"],
            state=request.GET.get("state", ""),
            issuer=request.GET.get("iss", ""),
        )
        found = single_sign_on.person(replace(actor(request), user=None), claims)
    except oidc.SignOnError as problem:
        sign_in_log.single_sign_on_failed(request, "broken")
        return _failed(request, problem)
    except single_sign_on.Refused as refusal:
        sign_in_log.single_sign_on_failed(request, refusal.why.value)
        return _page(request, str(_WORDS[refusal.why]))
    if request.user.is_authenticated and request.user.pk != found.pk:
        get_adapter().logout(request)
    # Bound to the person: a sign-in that somebody else begins in this browser afterwards has no part in it.
    request.session[STEPPED_ELSEWHERE] = found.pk if claims.stepped else None
    record_authentication(request, found, method="single_sign_on")
    response: HttpResponse = perform_login(request, Login(user=found, redirect_url=flow.next_url or None))
    return response


def _flow(request: HttpRequest) -> oidc.Flow | None:
    try:
        return oidc.Flow(**json.loads(crypto.unseal(unquote(request.COOKIES.get(COOKIE, "")), _PLACE)))
    except (crypto.CannotOpen, ValueError, TypeError):
        return None


def _back_url() -> str:
    """On BASE_URL, whatever host the request names; this is what the provider has to be told to allow."""
    return f"{settings.BASE_URL}{reverse('single_sign_on_back')}"


def _failed(request: HttpRequest, problem: object) -> HttpResponse:
    _log.warning("single sign-on failed: %s", problem)
    return _page(
        request,
        _(
            "The sign-in did not come to its end: it took too long, was stopped, or the provider does not answer as it should. Try again."
        ),
    )


def _page(request: HttpRequest, words: str) -> HttpResponse:
    context = {"text": words, "provider": settings.OIDC_NAME, "request_id": getattr(request, "request_id", "")}
    return respond.page(request, "account/single_sign_on_failed.html", context, status=403)


urlpatterns = [
    path(_PATH.lstrip("/"), begin, name="single_sign_on"),
    path(f"{_PATH.lstrip('/')}back/", back, name="single_sign_on_back"),
]
