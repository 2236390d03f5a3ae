"""Adding a credential: an entered secret, or one from a sign-in; tested before it is saved.

No template gets a secret: forms render their password fields empty.
"""

from dataclasses import replace

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from workflows_ui.credentials import masking, pending_sign_in, tasks
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.forms.credentials import CredentialForm, OrganizationForm, ProjectForm, initial_for
from workflows_ui.credentials.models import Kind
from workflows_ui.credentials.pending_sign_in import Pending, PendingDraft
from workflows_ui.credentials.services import capabilities, credential_tests, credentials, signing_in
from workflows_ui.credentials.services.credential_tests import Draft, Problem, SeveralProjects
from workflows_ui.credentials.services.signing_in import Begun, Organization
from workflows_ui.members.models import Flavour, Workspace
from workflows_ui.members.services import access
from workflows_ui.web import responses
from workflows_ui.web.access import closed, signed_in
from workflows_ui.web.requests import ConsoleRequest, actor


@never_cache
@sensitive_post_parameters("secret", "password", "code")
@sensitive_variables("form", "draft", "begun")
@signed_in
def add(request: ConsoleRequest) -> HttpResponse:
    """Enter, test and save a credential. `?workspace=slug` fills in the engine, for a member of that workspace."""
    wanted = access.workspaces(request.user).filter(slug=request.GET.get("workspace", "")).first()
    wanted = None if wanted is not None and closed(request, request.user, [wanted]) else wanted
    if request.method != "POST":
        return _form(
            request, CredentialForm(initial=initial_for(wanted if wanted and wanted.genuine else None)), wanted
        )
    form = CredentialForm(request.POST)
    if not form.is_valid():
        return _form(request, form, wanted)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        form.add_error(None, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return _form(request, form, wanted)
    try:
        if form.wants_code:
            signing_in.request_code(form.base, form.cleaned_data["email"])
            return _form(request, form, wanted, code_sent=True)
        if not form.signs_in:
            return _save(request, form.draft(), likely=wanted.project_id if wanted else "")
        if form.flavour == Flavour.ACTIVEPIECES:
            token = signing_in.sign_in(form.typed(form.base))
            return _save(request, form.draft(token), likely=wanted.project_id if wanted else token.project_id)
        begun = signing_in.begin(form.typed(form.base))
        if len(begun.organizations) == 1:
            only = begun.organizations[0].id
            return _save(request, form.draft(signing_in.finish(begun, only), only))
    except Problem as problem:
        form.blame(credential_tests.with_suggestion(problem, form.flavour, form.base))
        return _form(request, form, wanted, problem)
    name = pending_sign_in.keep(request.user, _pending(form, begun, wanted))
    return responses.redirect(request, reverse("credential_organization", kwargs={"name": name}))


@never_cache
@sensitive_variables("pending", "begun", "draft")
@signed_in
def organization(request: ConsoleRequest, name: str) -> HttpResponse:
    """Choose the organization of the credential, after the sign-in at the engine."""
    pending = pending_sign_in.find(request.user, name)
    if pending is None:
        messages.warning(request, _("This sign-in is over. Sign in again to choose an organization."))
        return responses.redirect(request, reverse("credential_add"))
    form = OrganizationForm(pending.organizations, request.POST if request.method == "POST" else None)
    context: dict[str, object] = {"form": form, "field": form["organization"], "email": pending.email}
    if request.method != "POST" or not form.is_valid():
        return responses.page(request, "credentials/organization.html", context, status=422 if form.errors else 200)
    chosen = form.cleaned_data["organization"]
    begun = Begun(pending.base, pending.login, tuple(Organization(*choice) for choice in pending.organizations))
    try:
        token = signing_in.finish(begun, chosen)
        # The login token is used up: another organization needs another sign-in.
        pending_sign_in.forget(request.user, name)
        draft = Draft(
            flavour=Flavour.IMBRACE,
            kind=Kind.SIGN_IN,
            secret=token.secret,
            environment=pending.environment,
            address=pending.address,
            organization_id=chosen,
            name=pending.name,
            email=pending.email,
            password=pending.password,
            ends_at=token.ends_at,
        )
        return _save(request, draft)
    except Problem as problem:
        form.add_error(None, credential_messages.problem_message(problem).sentence)
        context["technical"] = problem.technical
        return responses.page(request, "credentials/organization.html", context, status=422)


@never_cache
@sensitive_variables("pending", "draft")
@signed_in
def project(request: ConsoleRequest, name: str) -> HttpResponse:
    """Choose the project of the credential, if its secret opens several."""
    pending = pending_sign_in.find_draft(request.user, name)
    if pending is None:
        messages.warning(request, _("The time to choose a project is over. Enter the credential again."))
        return responses.redirect(request, reverse("credential_add"))
    form = ProjectForm(pending.projects, pending.likely, request.POST if request.method == "POST" else None)
    context: dict[str, object] = {"form": form, "field": form["project"]}
    if request.method != "POST" or not form.is_valid():
        return responses.page(request, "credentials/project.html", context, status=422 if form.errors else 200)
    try:
        answer = _save(request, replace(pending.draft, project_id=form.cleaned_data["project"]))
    except Problem as problem:
        form.add_error(None, credential_messages.problem_message(problem).sentence)
        context["technical"] = problem.technical
        return responses.page(request, "credentials/project.html", context, status=422)
    pending_sign_in.forget_draft(request.user, name)
    return answer


@sensitive_variables("draft")
def _save(request: ConsoleRequest, draft: Draft, *, likely: str = "") -> HttpResponse:
    """Test and save the credential, and redirect to its page, or to the choice of one of several projects. Raises Problem."""
    try:
        findings = credential_tests.test(draft)
    except SeveralProjects as several:
        projects = [(choice.id, choice.name) for choice in several.projects]
        name = pending_sign_in.keep_draft(request.user, PendingDraft(draft, projects, likely))
        return responses.redirect(request, reverse("credential_project", kwargs={"name": name}))
    added = credentials.add(actor(request), draft, findings)
    tasks.enqueue_inspection(capabilities.request_inspection(added.credential))
    if added.outcome == "asked":
        messages.success(
            request, _("The credential works and is kept. The managers of its workspace are asked to give you access.")
        )
        return responses.redirect(request, reverse("waiting"))
    if added.outcome == "created workspace":
        messages.success(
            request,
            _("The credential works. The workspace “%(name)s” is made, and you manage it.")
            % {"name": added.workspace.name},
        )
    else:
        messages.success(request, _("The credential works and is kept."))
    where = {"slug": added.workspace.slug, "credential_id": added.credential.pk}
    return responses.redirect(request, reverse("credential", kwargs=where))


def _pending(form: CredentialForm, begun: Begun, wanted: Workspace | None) -> Pending:
    # An answer to a sign-in is not masked, since it is the token.
    mask = masking.address_mask(begun.base, (begun.login,))
    return Pending(
        base=begun.base,
        **form.location(),
        email=form.cleaned_data["email"],
        workspace=wanted.slug if wanted else "",
        organizations=[(choice.id, mask.text(choice.name)) for choice in begun.organizations],
        login=begun.login,
        password=form.kept_password,
    )


def _form(
    request: ConsoleRequest,
    form: CredentialForm,
    wanted: Workspace | None,
    problem: Problem | None = None,
    *,
    code_sent: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "wanted": wanted,
        "technical": problem.technical if problem else "",
        "first": not access.workspaces(request.user).exists(),
        "code_sent": code_sent,
        "flavour": "",
        "cancel_url": reverse("credentials", kwargs={"slug": wanted.slug}) if wanted else reverse("home"),
    }
    return responses.page(request, "credentials/add.html", context, status=422 if form.errors else 200)
