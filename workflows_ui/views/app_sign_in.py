"""Signing in at an app for an OAuth2 connection: the way there, and the address to which the app sends people back with a code.

The code goes from the address into a sealed place for some minutes and is written down nowhere else; the form that ends the
connection (resources/connecting.py) is given a ticket for it.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.crypto import get_random_string
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from workflows_ui.forms.sign_in import SignInForm
from workflows_ui.kit import caller, respond
from workflows_ui.kit.access import closed, member
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Row
from workflows_ui.models import Role, User
from workflows_ui.resources import (
    apps,
    auth_forms,
    connection_actions,
    connection_list,
    oauth_forms,
    pieces,
    signing_in,
)
from workflows_ui.resources.connecting import place_to_sign_in, scheme_of
from workflows_ui.resources.oauth_forms import SignIn
from workflows_ui.services import access

#: Under this name the session keeps which sign-ins this browser has begun, as {state: workspace}; the newest few.
_BEGUN, _MOST = "app-sign-ins", 10


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.BUILDER)
def begin(request: ConsoleRequest, slug: str, piece: str) -> HttpResponse:
    """GET: asks for the client. POST: shows the app's address to sign in at. Where the app has none, the form is all there is.

    Raises EngineError, and Http404 for an app that one does not sign in at.
    """
    asking = caller.of(request.access)
    connection = request.GET.get("connection", "")[:100]
    title, found = _scheme(asking, piece, connection)
    if found.get("type") != oauth_forms.OWN:
        raise Http404
    if not oauth_forms.page_of(found):
        return respond.redirect(request, _form_url(slug, piece, connection))
    back = request.build_absolute_uri(reverse("app_sign_in_back"))
    more = auth_forms.props(found.get("props"), only=oauth_forms.places(found))
    first: dict[str, Any] = {"scope": oauth_forms.scope(found)}
    form: forms.Form = SignInForm(request.POST if request.method == "POST" else None, more=more, initial=first)
    context = {
        "title": title,
        "form": form,
        "redirect_url": back,
        "url": place_to_sign_in(slug, piece, connection),
        "form_url": _form_url(slug, piece, connection),
        "list_url": reverse("resource_list", kwargs={"slug": slug, "resource": "connections"}),
        "address": "",
    }
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        values = auth_forms.filled_in(found.get("props"), typed)
        sign_in = SignIn(
            piece=piece,
            client_id=typed["client_id"],
            redirect_url=back,
            scope=oauth_forms.filled(typed["scope"], values),
            verifier=get_random_string(64) if found.get("pkce") else "",
            connection=connection,
            props={name: str(typed[name]) for name in more},
        )
        state = signing_in.begin(asking, sign_in)
        _remember(request, state, slug)
        context["address"] = oauth_forms.address(found, sign_in, state, values)
    status = 422 if form.is_bound and form.errors else 200
    return respond.page(request, "connections/sign_in.html", context, fragments=("sign-in",), status=status)


@never_cache
@require_safe
def back(request: HttpRequest) -> HttpResponse:
    """Where the app sends people back: `code` and `state`, or `error`. Leads on to the form, or says why not.

    Without a query it is the page of those who went astray. Nobody is led to the sign-in page of the console from here: that would
    carry the code on, and the sign-in at the app is of a session that is over.
    """
    if not request.GET:
        return respond.page(request, "connections/astray.html", {}, status=400)
    state = request.GET.get("state", "")
    begun = request.session.get(_BEGUN) or {}
    person = request.user
    slug = begun.pop(state, "")
    if not slug or not isinstance(person, User):
        return _astray(request)
    request.session[_BEGUN] = begun
    place = access.find(person, slug)
    if closed(request, person, [place.workspace]):
        # Its home says why. From here the address, and with it the code, would be kept to go on to.
        return respond.redirect(request, reverse("workspace", args=[slug]))
    place.require(Role.BUILDER)
    asking = caller.of(place)
    code = request.GET.get("code", "")
    if not code or len(code) > 10_000:
        waiting = signing_in.begun(asking, state)
        said = request.GET.get("error_description") or request.GET.get("error") or ""
        messages.error(request, _("The app did not let you in. It says: %s") % (said[:300] or _("nothing")))
        if waiting is None:
            return _astray(request)
        return respond.redirect(request, place_to_sign_in(slug, waiting.piece, waiting.connection))
    done = signing_in.arrived(asking, state, code)
    if done is None:
        return _astray(request)
    sign_in, ticket = done
    messages.success(request, _("You are signed in at the app. One more step."))
    address = _form_url(slug, sign_in.piece, sign_in.connection)
    return respond.redirect(request, f"{address}?{urlencode({'sign_in': ticket})}")


def _scheme(asking: Caller, piece: str, connection: str) -> tuple[str, Row]:
    """What the page is about, and the schema to sign in by."""
    row = apps.piece(asking, piece)
    if not connection:
        return apps.title(row), auth_forms.scheme(row.get("auth"), oauth_forms.OWN) or {}
    held = connection_list.find(asking, connection)
    if held.get("pieceName") != piece:
        raise Http404
    name = held.get("displayName")
    return name if isinstance(name, str) and name else apps.title(row), scheme_of(asking, held) or {}


def _form_url(slug: str, piece: str, connection: str) -> str:
    if connection:
        return connection_actions.RENEW.url(slug, "connections", connection)
    return pieces.CONNECT.url(slug, pieces.Pieces.name, piece)


def _remember(request: ConsoleRequest, state: str, slug: str) -> None:
    begun = {**(request.session.get(_BEGUN) or {}), state: slug}
    request.session[_BEGUN] = dict(list(begun.items())[-_MOST:])


def _astray(request: HttpRequest) -> HttpResponse:
    return respond.redirect(request, reverse("app_sign_in_back"))


urlpatterns = [
    path("w/<slug:slug>/connections/sign-in/<path:piece>/", begin, name="connection_sign_in"),
    path("oauth/callback/", back, name="app_sign_in_back"),
]
