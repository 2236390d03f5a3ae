"""Adding a credential: a secret that is typed, or one that the console gets by signing in; tested before it is saved.

No template gets a secret: forms render their password fields empty.
"""

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from workflows_ui.forms.credentials import CredentialForm, OrganizationForm, initial_for
from workflows_ui.kit import credential_words, pending_sign_in, respond
from workflows_ui.kit.access import closed, signed_in
from workflows_ui.kit.pending_sign_in import Pending
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Flavour, Kind, Workspace
from workflows_ui.services import access, capabilities, credentials, masking, signing_in
from workflows_ui.services.credentials import Draft, Problem
from workflows_ui.services.signing_in import Begun, Organization
from workflows_ui.tasks import ring_inspection


@never_cache
@sensitive_post_parameters("secret", "password", "code")
@sensitive_variables("form", "draft", "begun")
@signed_in
def add(request: ConsoleRequest) -> HttpResponse:
    """Asks for a credential, tests it, saves it. `?workspace=slug` fills in where it leads, for a member of that workspace."""
    wanted = access.workspaces(request.user).filter(slug=request.GET.get("workspace", "")).first()
    wanted = None if wanted is not None and closed(request, request.user, [wanted]) else wanted
    if request.method != "POST":
        return _form(request, CredentialForm(initial=initial_for(wanted)), wanted)
    form = CredentialForm(request.POST)
    if not form.is_valid():
        return _form(request, form, wanted)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        form.add_error(None, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return _form(request, form, wanted)
    try:
        if form.wants_code:
            signing_in.ask_for_code(form.base, form.cleaned_data["email"])
            return _form(request, form, wanted, code_sent=True)
        if not form.signs_in:
            return _saved(request, form.draft())
        if form.flavour == Flavour.ACTIVEPIECES:
            return _saved(request, form.draft(signing_in.sign_in(form.typed(form.base))))
        begun = signing_in.begin(form.typed(form.base))
        if len(begun.organizations) == 1:
            only = begun.organizations[0].id
            return _saved(request, form.draft(signing_in.finish(begun, only), only))
    except Problem as problem:
        form.blame(problem)
        return _form(request, form, wanted, problem)
    name = pending_sign_in.keep(request.user, _pending(form, begun, wanted))
    return respond.redirect(request, reverse("credential_organization", kwargs={"name": name}))


@never_cache
@sensitive_variables("pending", "begun", "draft")
@signed_in
def organization(request: ConsoleRequest, name: str) -> HttpResponse:
    """The person is signed in at the engine: which of their organizations is the credential for?"""
    pending = pending_sign_in.find(request.user, name)
    if pending is None:
        messages.warning(request, _("This sign-in is over. Sign in again to choose an organization."))
        return respond.redirect(request, reverse("credential_add"))
    form = OrganizationForm(pending.organizations, request.POST if request.method == "POST" else None)
    context = {"form": form, "email": pending.email}
    if request.method != "POST" or not form.is_valid():
        return respond.page(request, "credentials/organization.html", context, status=422 if form.errors else 200)
    chosen = form.cleaned_data["organization"]
    begun = Begun(pending.base, pending.login, tuple(Organization(*one) for one in pending.organizations))
    try:
        token = signing_in.finish(begun, chosen)
        # The login token is spent: another organization needs another sign-in.
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
        return _saved(request, draft)
    except Problem as problem:
        form.add_error(None, credential_words.of_problem(problem).sentence)
        context["technical"] = problem.technical
        return respond.page(request, "credentials/organization.html", context, status=422)


@sensitive_variables("draft")
def _saved(request: ConsoleRequest, draft: Draft) -> HttpResponse:
    """Tests it, saves it, and leads to its page. Raises Problem."""
    added = credentials.add(actor(request), draft, credentials.test(draft))
    ring_inspection(capabilities.ask(added.credential))
    if added.outcome == "asked":
        messages.success(
            request, _("The credential works and is kept. Its workspace has managers: they are asked to let you in.")
        )
        return respond.redirect(request, reverse("waiting"))
    if added.outcome == "created workspace":
        messages.success(
            request,
            _("The credential works. The workspace “%(name)s” is made, and you manage it.")
            % {"name": added.workspace.name},
        )
    else:
        messages.success(request, _("The credential works and is kept."))
    where = {"slug": added.workspace.slug, "credential_id": added.credential.pk}
    return respond.redirect(request, reverse("credential", kwargs=where))


def _pending(form: CredentialForm, begun: Begun, wanted: Workspace | None) -> Pending:
    # An answer to a sign-in is not masked as a whole: it is the token itself.
    mask = masking.at(begun.base, (begun.login,))
    return Pending(
        base=begun.base,
        **form.place(),
        email=form.cleaned_data["email"],
        workspace=wanted.slug if wanted else "",
        organizations=[(one.id, mask.text(one.name)) for one in begun.organizations],
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
    return respond.page(request, "credentials/add.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("credentials/add/", add, name="credential_add"),
    path("credentials/add/organization/<str:name>/", organization, name="credential_organization"),
]
