"""Single sign-on with an OpenID Connect provider: the redirect to the provider, and the return.

The state is kept sealed in a cookie for ten minutes, not in the database, so that anonymous visitors leave no rows there.
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
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from workflows_ui.accounts import sign_in_log
from workflows_ui.accounts.services import oidc, single_sign_on
from workflows_ui.audit.requests import actor
from workflows_ui.core import crypto
from workflows_ui.web import responses
from workflows_ui.web.access import STEPPED_ELSEWHERE

_log = logging.getLogger(__name__)

COOKIE = "single_sign_on"
_BINDING = "single_sign_on:flow"
PATH = "/accounts/single-sign-on/"


@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Redirect to the provider."""
    if not single_sign_on.enabled():
        raise Http404
    # Each flow sends a request to the provider, which may be slow: the rate limit protects the console.
    if not ratelimit.consume(request, app="allauth.account", action="single_sign_on", limit_get=True):
        limited: HttpResponse = ratelimit.respond_429(request)
        return limited
    next_url = request.GET.get("next", "")
    flow = oidc.Flow(next_url if get_adapter().is_safe_url(next_url) else "")
    try:
        url = oidc.authorization_url(flow, _redirect_uri())
    except oidc.SignOnError as problem:
        return _failure_page(request, problem)
    response = HttpResponseRedirect(url)
    response.set_cookie(
        COOKIE,
        quote(crypto.seal(json.dumps(asdict(flow)), _BINDING)),
        max_age=oidc.FLOW_SECONDS,
        path=PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return responses.vary(response)


@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Handle the return from the provider. A flow of this browser ends once, successfully or not."""
    if not single_sign_on.enabled():
        raise Http404
    response = _finish(request)
    response.delete_cookie(COOKIE, path=PATH)
    return response


def _finish(request: HttpRequest) -> HttpResponse:
    flow = _read_flow(request)
    if flow is None:
        return _failure_page(request, "no sign-in was begun in this browser")
    # Each flow ends once, even if the browser repeats the request.
    if not cache.add(f"single-sign-on:{flow.state}", "used", timeout=oidc.FLOW_SECONDS):
        return _failure_page(request, "this sign-in was ended before")
    if "error" in request.GET or not request.GET.get("code"):
        _record_failure(request, "stopped")
        return _failure_page(request, f"the provider says {request.GET.get('error', '')[:100]!r}")
    try:
        claims = oidc.finish(
            flow,
            _redirect_uri(),
            code=request.GET["code"],
            state=request.GET.get("state", ""),
            issuer=request.GET.get("iss", ""),
        )
        person = single_sign_on.person(replace(actor(request), user=None), claims)
    except oidc.SignOnError as problem:
        _record_failure(request, "broken")
        return _failure_page(request, problem)
    except single_sign_on.Refused as refusal:
        _record_failure(request, refusal.why.value)
        return _refusal_page(request, str(refusal.why.label))
    if request.user.is_authenticated and request.user.pk != person.pk:
        get_adapter().logout(request)
    # Bound to the person: it does not apply to a later sign-in of another person in this browser.
    request.session[STEPPED_ELSEWHERE] = person.pk if claims.stepped else None
    record_authentication(request, person, method="single_sign_on")
    response: HttpResponse = perform_login(request, Login(user=person, redirect_url=flow.next_url or None))
    return response


def _read_flow(request: HttpRequest) -> oidc.Flow | None:
    try:
        return oidc.Flow(**json.loads(crypto.unseal(unquote(request.COOKIES.get(COOKIE, "")), _BINDING)))
    except (crypto.CannotOpen, ValueError, TypeError):
        return None


def _redirect_uri() -> str:
    """The redirect URI: on BASE_URL, independent of the request. The provider must allow it."""
    return f"{settings.BASE_URL}{reverse('single_sign_on_back')}"


def _record_failure(request: HttpRequest, why: str) -> None:
    sign_in_log.record_unknown(request, ways=["single_sign_on"], why=why)


def _failure_page(request: HttpRequest, problem: object) -> HttpResponse:
    _log.warning("single sign-on failed: %s", problem)
    return _refusal_page(
        request,
        _(
            "The sign-in was not completed: it took too long, was stopped, or the provider did not "
            "answer correctly. Try again."
        ),
    )


def _refusal_page(request: HttpRequest, text: str) -> HttpResponse:
    context = {"text": text, "provider": settings.OIDC_NAME, "request_id": getattr(request, "request_id", "")}
    return responses.page(request, "account/single_sign_on_failed.html", context, status=403)
