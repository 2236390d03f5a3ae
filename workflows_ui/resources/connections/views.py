"""A new connection: the choice of the app, signing in there for OAuth2, and the page to which the app redirects with a code.

The code from the URL is encrypted and cached for some minutes, and written down nowhere else; the form that completes
the connection (connecting.py) gets a ticket for it.
"""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from workflows_ui.accounts.models import User
from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.pieces import AuthSchema, Piece
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.pieces import apps, catalogue, connections as connection_list
from workflows_ui.pieces.apps import App
from workflows_ui.resource_admin.places import list_url
from workflows_ui.resources.connections import actions, auth_forms, oauth_forms, signing_in
from workflows_ui.resources.connections.connecting import CONNECT, scheme_of, sign_in_page_url
from workflows_ui.resources.connections.oauth_forms import SignIn
from workflows_ui.web import responses
from workflows_ui.web.access import closed, member
from workflows_ui.web.requests import ConsoleRequest
from workflows_ui.web.schema_forms import Input, InputKind, form_fields

#: The session key for the sign-ins that this browser has begun, as {state: workspace}; the newest few.
_BEGUN, _MOST = "app-sign-ins", 10


@member(Role.BUILDER)
@require_safe
def new(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The apps that take a connection, by name or filtered by the search. One cached call to the engine. Raises EngineError."""
    search = request.GET.get("search", "").strip()[:200]

    def url(app: App) -> str:
        if app["auth"] == [oauth_forms.OWN]:
            return sign_in_page_url(slug, app["name"])
        return CONNECT.url(slug, "pieces", app["name"])

    lines = catalogue.app_lines(engine_session.open_session(request.access), search, url, connection="yes")
    context = {"lines": lines, "search": search, "list_url": list_url(slug, "connections")}
    return responses.page(request, "resources/connections/new.html", context, fragments=("apps",))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.BUILDER)
def begin(request: ConsoleRequest, slug: str, piece: str) -> HttpResponse:
    """GET: ask for the client. POST: show the URL for signing in at the app. If the app has none, redirect to the form.

    Raises EngineError, and Http404 for an app without sign-in.
    """
    session = engine_session.open_session(request.access)
    connection = request.GET.get("connection", "")[:100]
    title, schema = _scheme(session, piece, connection)
    if schema.type != oauth_forms.OWN:
        raise Http404
    if not oauth_forms.page_of(schema):
        return responses.redirect(request, _form_url(slug, piece, connection))
    back = request.build_absolute_uri(reverse("app_sign_in_back"))
    own_fields = auth_forms.props(schema, only=oauth_forms.placeholders(schema))
    form = forms.Form(request.POST if request.method == "POST" else None)
    form.fields |= form_fields(_client(schema)) | own_fields
    context = {
        "title": title,
        "form": form,
        "redirect_url": back,
        "url": sign_in_page_url(slug, piece, connection),
        "form_url": _form_url(slug, piece, connection),
        "list_url": list_url(slug, "connections"),
        "address": "",
    }
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        values = auth_forms.filled_in(schema, typed)
        sign_in = SignIn(
            piece=piece,
            client_id=typed["client_id"],
            redirect_url=back,
            scope=oauth_forms.filled(typed["scope"], values),
            verifier=get_random_string(64) if schema.pkce else "",
            connection=connection,
            props={name: typed[name] for name in own_fields},
        )
        state = signing_in.begin(session, sign_in)
        sign_ins = {**(request.session.get(_BEGUN) or {}), state: slug}
        request.session[_BEGUN] = dict(list(sign_ins.items())[-_MOST:])
        context["address"] = oauth_forms.address(schema, sign_in, state, values)
    status = 422 if form.errors else 200
    return responses.page(request, "resources/connections/sign_in.html", context, fragments=("sign-in",), status=status)


@never_cache
@require_safe
def back(request: HttpRequest) -> HttpResponse:
    """The redirect target of the app: `code` and `state`, or `error`. Redirects to the form, or shows the error.

    Without a query it shows the error page. It never redirects to the console's sign-in page: that would pass the code
    on, and the sign-in at the app belongs to a session that is over.
    """
    if not request.GET:
        return responses.page(request, "resources/connections/wrong_sign_in.html", {}, status=400)
    state = request.GET.get("state", "")
    sign_ins = request.session.get(_BEGUN) or {}
    person = request.user
    slug = sign_ins.pop(state, "")
    if not slug or not isinstance(person, User):
        return _error_page(request)
    request.session[_BEGUN] = sign_ins
    person_access = access.access_for(person, slug)
    if closed(request, person, [person_access.workspace]):
        # The workspace's page says why. Staying here would keep the URL, and with it the code, as the next URL.
        return responses.redirect_to_view(request, "workspace", slug)
    person_access.require(Role.BUILDER)
    session = engine_session.open_session(person_access)
    code = request.GET.get("code", "")
    if not code or len(code) > 10_000:
        waiting = signing_in.pending(session, state)
        error_text = request.GET.get("error_description") or request.GET.get("error") or ""
        messages.error(request, _("The app refused the sign-in. It says: %s") % (error_text[:300] or _("nothing")))
        if waiting is None:
            return _error_page(request)
        return responses.redirect(request, sign_in_page_url(slug, waiting.piece, waiting.connection))
    completed = signing_in.complete(session, state, code)
    if completed is None:
        return _error_page(request)
    sign_in, ticket = completed
    messages.success(request, _("You are signed in at the app. One more step."))
    address = _form_url(slug, sign_in.piece, sign_in.connection)
    return responses.redirect(request, f"{address}?{urlencode({'sign_in': ticket})}")


def _client(schema: AuthSchema) -> list[Input]:
    """The inputs for the client and its scopes."""
    return [
        Input(
            "client_id",
            _("Client ID"),
            help=_("From the app's own page for developers. The client secret is asked for afterwards."),
            required=True,
            max_length=2000,
        ),
        Input(
            "scope",
            _("Requested permissions (scope)"),
            InputKind.LONG_TEXT,
            help=_("Usually right as it is: what the app's actions and triggers need."),
            initial=oauth_forms.scope(schema),
            max_length=20_000,
            rows=2,
        ),
    ]


def _scheme(session: EngineSession, piece: str, connection: str) -> tuple[str, AuthSchema]:
    """The page's title, and the schema for signing in."""
    row = apps.piece(session, piece)
    if not connection:
        return apps.title(row), auth_forms.scheme(Piece(row).auths, oauth_forms.OWN)
    connection_row = connection_list.find_connection(session, connection)
    if connection_row.get("pieceName") != piece:
        raise Http404
    return text_at(connection_row, "displayName") or apps.title(row), scheme_of(session, connection_row)


def _form_url(slug: str, piece: str, connection: str) -> str:
    if connection:
        return actions.RENEW.url(slug, "connections", connection)
    return CONNECT.url(slug, "pieces", piece)


def _error_page(request: HttpRequest) -> HttpResponse:
    return responses.redirect_to_view(request, "app_sign_in_back")
