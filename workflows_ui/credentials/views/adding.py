"""Adding a credential: an entered secret, or one from a sign-in; tested before it is saved. On one page, or, for the first connection to
an engine, step by step: its address, the kind of credential, the secret, what it may do, a flow to launch.

No template gets a secret: forms render their password fields empty. What is typed before the secret of a first connection is in the
address, so that Back and a reload lose nothing.
"""

import uuid
from dataclasses import replace

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import messages as credential_messages, pending_sign_in, tasks
from workflows_ui.credentials.forms import (
    ACTIVEPIECES,
    KINDS,
    ChoiceForm,
    CredentialForm,
    EngineForm,
    engines,
    initial_for,
)
from workflows_ui.credentials.models import SIGNED_IN_KINDS, Credential, CredentialKind
from workflows_ui.credentials.pending_sign_in import ORGANIZATION, PROJECT, Pending
from workflows_ui.credentials.services import (
    capabilities,
    clients,
    credential_tests,
    credentials,
    engine_session,
    signing_in,
)
from workflows_ui.credentials.services.credential_tests import Choice, Draft, Problem, SeveralProjects
from workflows_ui.credentials.services.signing_in import Token
from workflows_ui.credentials.views.credentials import find_credential
from workflows_ui.engine import EngineError
from workflows_ui.flows.launchable import launchable_flows
from workflows_ui.members.models import Flavour, Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.resource_admin.capabilities import NAMES
from workflows_ui.run_index.forms import first_form
from workflows_ui.run_index.services import indexes
from workflows_ui.web import messages as error_messages, responses
from workflows_ui.web.access import closed, member, people_for_new_team, signed_in
from workflows_ui.web.requests import ConsoleRequest

#: The choice has expired.
_OVER = {
    ORGANIZATION: gettext_lazy("This sign-in has expired. Sign in again to choose an organization."),
    PROJECT: gettext_lazy("The time to choose a project has passed. Enter the credential again."),
}
#: Flows that are suggested for the first launch.
_FLOWS = 5
#: Session key: the addresses that the person entered here. Another one comes from a link, whose author would get the secret.
_ENTERED, _MOST_ENTERED = "engine_addresses", 10


@never_cache
@sensitive_post_parameters("secret", "password", "code")
@sensitive_variables("form", "draft", "login", "pending")
@signed_in
def add(request: ConsoleRequest) -> HttpResponse:
    """Enter, test and save a credential. `?workspace=slug` fills in the engine, for a member of that workspace."""
    wanted = _wanted(request)
    form = CredentialForm(request.POST if request.method == "POST" else None, initial=initial_for(wanted))
    response = _use(request, form, likely=wanted.project_id if wanted else "") if form.is_valid() else None
    if response is not None:
        return response
    context = {
        "wanted": wanted,
        "first": not access.workspaces(request.user).exists(),
        "flavour": "",
        "cancel_url": reverse("credentials", kwargs={"slug": wanted.slug}) if wanted else reverse("home"),
    }
    return responses.form_page(request, "credentials/add.html", form, context)


def _wanted(request: ConsoleRequest) -> Workspace | None:
    """The workspace that the address names, if the person is a member of it and may enter it."""
    wanted = access.workspaces(request.user).filter(slug=request.GET.get("workspace", "")).first()
    return None if wanted is not None and closed(request, request.user, [wanted]) else wanted


@sensitive_variables("form", "login", "token", "pending")
def _use(
    request: ConsoleRequest, form: CredentialForm, *, likely: str = "", guided: bool = False
) -> HttpResponse | None:
    """Test and save what a valid form holds, or have an organization chosen. None for the form's page: with an error, or after a code was
    sent.

    `likely` is the expected project. `guided`: what the credential may do is checked next.
    """
    if not form.may_test(request):
        return None
    try:
        if form.wants_code:
            signing_in.request_code(form.base, form.cleaned_data["email"])
            form.code_sent = True
            return None
        if not form.signs_in:
            return _save(request, form.draft(), likely=likely, guided=guided)
        if form.flavour == Flavour.ACTIVEPIECES:
            token = signing_in.sign_in(form.typed(form.base))
            return _save(request, form.draft(token), likely=likely or token.project_id, guided=guided)
        login, organizations = signing_in.begin(form.typed(form.base))
        if len(organizations) == 1:
            only = organizations[0].id
            return _save(request, form.draft(signing_in.finish(form.base, login, only), only), guided=guided)
    except Problem as problem:
        form.blame(credential_tests.with_suggestion(problem, form.flavour, form.base))
        return None
    # An answer to a sign-in is not masked, since it is the token.
    mask = credential_tests.address_mask(form.base, (login,))
    choices = [Choice(choice.id, mask.text(choice.name)) for choice in organizations]
    pending = Pending(form.draft(Token(login, ends_at=None)), choices, guided=guided)
    name = pending_sign_in.keep(request.user, ORGANIZATION, pending)
    return responses.redirect_to_view(request, "credential_organization", name)


@never_cache
@sensitive_variables("pending", "token", "draft")
@signed_in
def choose(request: ConsoleRequest, what: str, name: str) -> HttpResponse:
    """Choose the organization of a sign-in at the engine, or the project of a secret that opens several."""
    pending = pending_sign_in.find_pending(request.user, what, name)
    if pending is None:
        messages.warning(request, _OVER[what])
        return responses.redirect_to_view(request, "credential_add")
    form = ChoiceForm(what, pending, request.POST if request.method == "POST" else None)
    context: dict[str, object] = {"field": form[what], "email": pending.draft.email, "guided": pending.guided}
    if form.is_valid():
        chosen, draft = form.cleaned_data[what], pending.draft
        try:
            if what == ORGANIZATION:
                token = signing_in.finish(draft.base, draft.secret, chosen)
                # The login token is used up: another organization needs another sign-in.
                pending_sign_in.forget(request.user, what, name)
                draft = replace(draft, secret=token.secret, organization_id=chosen, ends_at=token.ends_at)
                return _save(request, draft, guided=pending.guided)
            response = _save(request, replace(draft, project_id=chosen), guided=pending.guided)
        except Problem as problem:
            form.blame(problem)
        else:
            pending_sign_in.forget(request.user, what, name)
            return response
    return responses.form_page(request, f"credentials/{what}.html", form, context)


@sensitive_variables("draft")
def _save(request: ConsoleRequest, draft: Draft, *, likely: str = "", guided: bool = False) -> HttpResponse:
    """Test and save the credential, and redirect to its page, or to the choice of one of several projects. Raises Problem.

    `guided`: redirect to the check of what it may do.
    """
    try:
        findings = credential_tests.test(draft)
    except SeveralProjects as several:
        name = pending_sign_in.keep(request.user, PROJECT, Pending(draft, several.projects, likely, guided))
        return responses.redirect_to_view(request, "credential_project", name)
    added = credentials.add(actor(request), draft, findings)
    tasks.request_inspection(added.credential)
    if added.outcome == "asked":
        messages.success(
            request, _("The credential works and is kept. The managers of its workspace are asked to give you access.")
        )
        return responses.redirect_to_view(request, "waiting")
    if added.outcome == "created workspace":
        messages.success(
            request,
            _("The credential works. The workspace “%(name)s” was created, and you manage it.")
            % {"name": added.workspace.name},
        )
    else:
        messages.success(request, _("The credential works and is kept."))
    view = "credential_check" if guided else "credential"
    return responses.redirect_to_view(request, view, added.workspace.slug, added.credential.pk)


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
    kinds = KINDS[engine.flavour]
    context: dict[str, object] = {
        "place": address or dict(engines())[place["engine"]],
        "engine_url": _url(**place, change="1"),
    }
    kind = request.GET.get("kind", "")
    if kind not in kinds:
        choices = [(one.label, credential_messages.KINDS[one], _url(**place, kind=one)) for one in kinds]
        return responses.page(request, "credentials/connect_kind.html", {**context, "kinds": choices})
    given = {**place, "token_kind" if engine.flavour == Flavour.ACTIVEPIECES else "kind": kind}
    form = CredentialForm({**request.POST.dict(), **given} if request.method == "POST" else None, initial=given)
    response = _use(request, form, guided=True) if form.is_valid() else None
    if response is not None:
        return response
    context |= {
        "kind": CredentialKind(kind),
        "signs_in": kind in SIGNED_IN_KINDS,
        "sends_codes": kind == CredentialKind.SIGN_IN,
        "needs_organization": kind in {CredentialKind.ACCESS_TOKEN, CredentialKind.JWT},
        "kind_url": _url(**place),
    }
    return responses.form_page(request, "credentials/connect_secret.html", form, context)


def _ask_for_engine(request: ConsoleRequest, place: dict[str, str]) -> HttpResponse:
    """The first step: whether an engine answers there is checked before the next one."""
    engine = initial_for(_wanted(request))
    if engine:
        return _to_kinds(request, engine["engine"], engine.get("address", ""))
    form = EngineForm(request.POST or None, initial=place if place["engine"] else {"engine": ACTIVEPIECES})
    if not form.is_valid() or not form.may_test(request):
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
    credential = find_credential(request, credential_id, to_change=True)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        return responses.redirect_to_view(request, "credential", slug, credential.pk)
    context: dict[str, object] = {"credential": credential}
    trouble: Exception | None
    try:
        client = clients.client_for_credential(credential, timeouts=credential_tests.TIMEOUTS)
        survey = capabilities.look([(credential, client)])
        trouble, verdicts = survey.stopped, [(name, survey.verdicts.get(name)) for name in capabilities.PROBES]
        context["lines"] = [(NAMES[name], credential_messages.permission(verdict)) for name, verdict in verdicts]
        context["may_launch"] = request.access.allows(Role.LAUNCHER)
        if context["may_launch"] and trouble is None:
            session = engine_session.open_session(request.access)
            context["flows"] = launchable_flows(session, again=True).flows[:_FLOWS]
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        trouble = problem
    if trouble is None and request.access.allows(Role.MANAGER):
        context |= _index_offer(request, credential)
    context["trouble"] = error_messages.error_message(trouble) if trouble else None
    return responses.page(request, "credentials/check.html", context)


def _index_offer(request: ConsoleRequest, credential: Credential) -> dict[str, object]:
    """The offer of a run index that reads with the person's own credential, in a workspace that has none.

    Without a form if a credential is shared already, or no team can be chosen: then the page of the run index says what is needed.
    """
    workspace = request.access.workspace
    if indexes.index_of(workspace) is not None or not credential.is_own(request.user.pk):
        return {}
    shared = bool(indexes.choices(workspace))
    people = people_for_new_team(request, request.user)
    return {
        "offers_index": True,
        "offer": None if shared else first_form(request.access, people, credential=credential),
    }
