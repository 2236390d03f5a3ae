"""The first connection to an engine, step by step: its address, the kind of credential, the secret, what it may do, a flow to launch.

What is typed before the secret is in the address, so that Back and a reload lose nothing. No page gets a secret.
"""

import uuid
from typing import Any

from allauth.core import ratelimit
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_safe

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.forms.credentials import (
    ACTIVEPIECES,
    ACTIVEPIECES_KINDS,
    IMBRACE_KINDS,
    CredentialForm,
    EngineForm,
    engines,
    initial_for,
)
from workflows_ui.credentials.models import SIGNED_IN_KINDS, Kind
from workflows_ui.credentials.services import capabilities, clients, credential_tests, engine_session
from workflows_ui.credentials.services.credential_tests import Problem
from workflows_ui.credentials.views.adding import use
from workflows_ui.credentials.views.credentials import find
from workflows_ui.engine import AddressRefused, EngineError
from workflows_ui.members.models import Flavour, Role
from workflows_ui.members.services import access
from workflows_ui.resource_admin.capabilities import NAMES
from workflows_ui.resources.flows.launchable import launchable_flows
from workflows_ui.web import messages as error_messages
from workflows_ui.web import responses
from workflows_ui.web.access import closed, member, signed_in
from workflows_ui.web.requests import ConsoleRequest

#: Flows that are suggested for the first launch.
_FLOWS = 5
#: Session key: the addresses that the person entered here. Another one comes from a link, whose author would get the secret.
_ENTERED, _MOST_ENTERED = "engine_addresses", 10


@never_cache
@sensitive_post_parameters("secret", "password", "code")
@sensitive_variables("form")
@signed_in
def connect(request: ConsoleRequest) -> HttpResponse:
    """Ask for the engine, then the kind of credential, then the secret. `?workspace=slug` has a workspace's engine chosen already."""
    place = {name: request.GET.get(name, "") for name in ("engine", "address")}
    if not place["engine"] or "change" in request.GET:
        return _ask_for_engine(request, place)
    engine = EngineForm(place)
    if not engine.is_valid():
        return _engine_page(request, engine)
    address = engine.location()["address"]
    if address and address not in request.session.get(_ENTERED, ()):
        return responses.redirect(request, _url(**place, change="1"))
    kinds = ACTIVEPIECES_KINDS if engine.flavour == Flavour.ACTIVEPIECES else IMBRACE_KINDS
    context: dict[str, Any] = {
        "place": address or dict(engines())[place["engine"]],
        "engine_url": _url(**place, change="1"),
    }
    kind = request.GET.get("kind", "")
    if kind not in kinds:
        choices = [(one.label, credential_messages.KINDS[one], _url(**place, kind=one)) for one in kinds]
        return responses.page(request, "credentials/connect_kind.html", {**context, "kinds": choices})
    given = {**place, "token_kind" if engine.flavour == Flavour.ACTIVEPIECES else "kind": kind}
    form = CredentialForm({**request.POST.dict(), **given} if request.method == "POST" else None, initial=given)
    response = use(request, form, guided=True) if form.is_valid() else None
    if response is not None:
        return response
    context |= {
        "kind": Kind(kind),
        "signs_in": kind in SIGNED_IN_KINDS,
        "sends_codes": kind == Kind.SIGN_IN,
        "needs_organization": kind in {Kind.ACCESS_TOKEN, Kind.JWT},
        "kind_url": _url(**place),
    }
    return responses.form_page(request, "credentials/connect_secret.html", form, context)


def _ask_for_engine(request: ConsoleRequest, place: dict[str, str]) -> HttpResponse:
    """The first step: whether an engine answers there is checked before the next one."""
    wanted = access.workspaces(request.user).filter(slug=request.GET.get("workspace", "")).first()
    if wanted is not None and not closed(request, request.user, [wanted]):
        engine = initial_for(wanted)
        if engine:
            return _to_kinds(request, engine["engine"], engine.get("address", ""))
    form = EngineForm(request.POST or None, initial=place if place["engine"] else {"engine": ACTIVEPIECES})
    if request.method != "POST" or not form.is_valid():
        return _engine_page(request, form)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        form.add_error(None, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return _engine_page(request, form)
    try:
        credential_tests.check_address(form.flavour, form.base)
    except Problem as problem:
        form.blame(problem, "address")
        return _engine_page(request, form)
    return _to_kinds(request, form.cleaned_data["engine"], form.location()["address"])


def _to_kinds(request: ConsoleRequest, engine: str, address: str) -> HttpResponse:
    """The page of the second step."""
    if address:
        others = [other for other in request.session.get(_ENTERED, ()) if other != address]
        request.session[_ENTERED] = [address, *others][:_MOST_ENTERED]
    return responses.redirect(request, _url(engine=engine, address=address))


def _engine_page(request: ConsoleRequest, form: EngineForm) -> HttpResponse:
    return responses.form_page(request, "credentials/connect_engine.html", form)


def _url(**place: str) -> str:
    """The step after these answers."""
    return f"{reverse('connect')}?{urlencode({name: value for name, value in place.items() if value})}"


@never_cache
@require_safe
@member(Role.VIEWER)
def check(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Ask the engine for one of each kind of object with the credential: what works, what does not, and what to do about it."""
    credential = find(request, credential_id, to_change=True)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        return responses.redirect_to_view(request, "credential", slug, credential.pk)
    context: dict[str, Any] = {"credential": credential, "lines": [], "flows": [], "may_launch": False}
    try:
        client = clients.client_for_credential(credential, timeouts=credential_tests.TIMEOUTS)
        survey = capabilities.look([(credential, client)])
    except (AddressRefused, CannotOpen) as problem:
        context["trouble"] = error_messages.error_message(problem)
        return responses.page(request, "credentials/check.html", context)
    if survey.stopped is not None:
        context["trouble"] = error_messages.error_message(survey.stopped)
    verdicts = {name: survey.verdicts[name][0] if name in survey.verdicts else None for name in capabilities.PROBES}
    context["lines"] = [(NAMES[name], credential_messages.permission(verdict)) for name, verdict in verdicts.items()]
    context["may_launch"] = request.access.allows(Role.LAUNCHER)
    if context["may_launch"] and survey.stopped is None:
        try:
            session = engine_session.open_session(request.access)
            context["flows"] = launchable_flows(session, again=True).flows[:_FLOWS]
        except (EngineError, clients.NoCredential, CannotOpen, AddressRefused) as problem:
            context["trouble"] = error_messages.error_message(problem)
    return responses.page(request, "credentials/check.html", context)
