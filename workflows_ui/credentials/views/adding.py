"""Adding a credential: an entered secret, or one from a sign-in; tested before it is saved.

No template gets a secret: forms render their password fields empty.
"""

from dataclasses import replace

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from workflows_ui.credentials import masking, pending_sign_in, tasks
from workflows_ui.credentials.forms.credentials import ChoiceForm, CredentialForm, initial_for
from workflows_ui.credentials.pending_sign_in import ORGANIZATION, PROJECT, Pending
from workflows_ui.credentials.services import capabilities, credential_tests, credentials, signing_in
from workflows_ui.credentials.services.credential_tests import Draft, Problem, SeveralProjects
from workflows_ui.credentials.services.signing_in import Token
from workflows_ui.members.models import Flavour
from workflows_ui.members.services import access
from workflows_ui.web import responses
from workflows_ui.web.access import closed, signed_in
from workflows_ui.web.requests import ConsoleRequest, actor

#: The choice has expired.
_OVER = {
    ORGANIZATION: gettext_lazy("This sign-in is over. Sign in again to choose an organization."),
    PROJECT: gettext_lazy("The time to choose a project is over. Enter the credential again."),
}


@never_cache
@sensitive_post_parameters("secret", "password", "code")
@sensitive_variables("form", "draft", "login", "pending")
@signed_in
def add(request: ConsoleRequest) -> HttpResponse:
    """Enter, test and save a credential. `?workspace=slug` fills in the engine, for a member of that workspace."""
    wanted = access.workspaces(request.user).filter(slug=request.GET.get("workspace", "")).first()
    wanted = None if wanted is not None and closed(request, request.user, [wanted]) else wanted
    form = CredentialForm(request.POST if request.method == "POST" else None, initial=initial_for(wanted))
    response = use(request, form, likely=wanted.project_id if wanted else "") if form.is_valid() else None
    if response is not None:
        return response
    context = {
        "wanted": wanted,
        "first": not access.workspaces(request.user).exists(),
        "flavour": "",
        "cancel_url": reverse("credentials", kwargs={"slug": wanted.slug}) if wanted else reverse("home"),
    }
    return responses.form_page(request, "credentials/add.html", form, context)


@sensitive_variables("form", "login", "token", "pending")
def use(
    request: ConsoleRequest, form: CredentialForm, *, likely: str = "", guided: bool = False
) -> HttpResponse | None:
    """Test and save what a valid form holds, or have an organization chosen. None for the form's page: with an error, or after a code was
    sent.

    `likely` is the expected project. `guided`: what the credential may do is checked next.
    """
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        form.add_error(None, _("You have tested many credentials within a minute. Wait a little, then try again."))
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
    mask = masking.address_mask(form.base, (login,))
    choices = [(choice.id, mask.text(choice.name)) for choice in organizations]
    pending = Pending(form.draft(Token(login, ends_at=None)), choices, guided=guided)
    name = pending_sign_in.keep(request.user, ORGANIZATION, pending)
    return responses.redirect_to_view(request, "credential_organization", name)


@never_cache
@sensitive_variables("pending", "token", "draft")
@signed_in
def choose(request: ConsoleRequest, what: str, name: str) -> HttpResponse:
    """Choose the organization of a sign-in at the engine, or the project of a secret that opens several."""
    pending = pending_sign_in.find(request.user, what, name)
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
        projects = [(choice.id, choice.name) for choice in several.projects]
        name = pending_sign_in.keep(request.user, PROJECT, Pending(draft, projects, likely, guided))
        return responses.redirect_to_view(request, "credential_project", name)
    added = credentials.add(actor(request), draft, findings)
    tasks.enqueue_inspection(capabilities.request_inspection(added.credential))
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
