"""Credentials: adding one (tested before it is saved), the workspace's list, one credential's page, and what can be done with it.

No template gets a secret: forms render their password field empty, and no view opens a stored one.
"""

import uuid

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from workflows_ui.forms.credentials import CredentialForm, RenameForm, initial_for
from workflows_ui.kit import credential_words, respond
from workflows_ui.kit.access import member, signed_in
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import ENDED, Credential, Role, Workspace
from workflows_ui.services import access, capabilities, credentials
from workflows_ui.services.credentials import Problem
from workflows_ui.tasks import ring_inspection


@never_cache
@sensitive_post_parameters("secret")
@signed_in
def add(request: ConsoleRequest) -> HttpResponse:
    """Asks for a credential, tests it, saves it. `?workspace=slug` fills in where it leads, for a member of that workspace."""
    wanted = access.workspaces(request.user).filter(slug=request.GET.get("workspace", "")).first()
    if request.method != "POST":
        return _form(request, CredentialForm(initial=initial_for(wanted)), wanted)
    form = CredentialForm(request.POST)
    if not form.is_valid():
        return _form(request, form, wanted)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        form.add_error(None, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return _form(request, form, wanted)
    draft = form.draft()
    try:
        findings = credentials.test(draft)
    except Problem as problem:
        form.blame(problem)
        return _form(request, form, wanted, problem)
    added = credentials.add(actor(request), draft, findings)
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
    return respond.redirect(request, _address(added.credential))


@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The person's own credentials of the workspace; a manager sees everybody's names and health."""
    rows = list(credentials.visible(request.access))
    acting = access.credential(request.user, request.access.workspace)
    context = {
        "rows": [(row, credential_words.health(row), acting is not None and row.pk == acting.pk) for row in rows],
        "manages": request.access.allows(Role.MANAGER),
        "acting": acting,
    }
    return respond.page(request, "credentials/list.html", context)


@member(Role.VIEWER)
def detail(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """What the last test found, and what can be done."""
    credential = _find(request, credential_id)
    context = {
        "credential": credential,
        "health": credential_words.health(credential),
        "facts": credential_words.facts(credential),
        "trouble": credential_words.trouble(credential),
        "technical": credential.findings.get("technical", ""),
        "manageable": credentials.manageable(request.access, credential),
        "acting": access.credential(request.user, request.access.workspace) == credential,
        "own": credential.owner_id == request.user.pk,
    }
    return respond.page(request, "credentials/detail.html", context)


@require_POST
@member(Role.VIEWER)
def test(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Tests a stored credential now."""
    credential = _find(request, credential_id, to_change=True)
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        messages.warning(request, _("You have tested many credentials within a minute. Wait a little, then try again."))
        return respond.redirect(request, _address(credential))
    result = credentials.retest(credential, actor(request))
    if isinstance(result, Problem):
        messages.error(request, credential_words.of_problem(result).what)
    else:
        ring_inspection(capabilities.ask(credential))
        messages.success(request, _("The credential works."))
    return respond.redirect(request, _address(credential))


@member(Role.VIEWER)
def rename(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Gives a credential another name."""
    credential = _find(request, credential_id, to_change=True)
    form = RenameForm(request.POST or None, initial={"name": credential.name})
    if request.method == "POST" and form.is_valid():
        credentials.rename(actor(request), credential, form.cleaned_data["name"])
        messages.success(request, _("The credential has its new name."))
        return respond.redirect(request, _address(credential))
    status = 422 if form.errors else 200
    return respond.page(request, "credentials/rename.html", {"form": form, "credential": credential}, status=status)


@member(Role.VIEWER)
def delete(request: ConsoleRequest, slug: str, credential_id: uuid.UUID) -> HttpResponse:
    """Asks, then destroys a credential."""
    credential = _find(request, credential_id, to_change=True)
    if request.method == "POST":
        credentials.remove(actor(request), credential)
        messages.success(request, _("The credential “%(name)s” is deleted.") % {"name": credential.name})
        return respond.redirect(request, reverse("credentials", kwargs={"slug": slug}))
    open_launches = credential.launches.exclude(state__in=ENDED).count()
    context = {"credential": credential, "open_launches": open_launches}
    return respond.page(request, "credentials/delete.html", context)


def _form(
    request: ConsoleRequest, form: CredentialForm, wanted: Workspace | None, problem: Problem | None = None
) -> HttpResponse:
    context = {
        "form": form,
        "wanted": wanted,
        "technical": problem.technical if problem else "",
        "first": not access.workspaces(request.user).exists(),
    }
    return respond.page(request, "credentials/add.html", context, status=422 if form.errors else 200)


def _find(request: ConsoleRequest, credential_id: uuid.UUID, *, to_change: bool = False) -> Credential:
    """A credential that the member may see (or change), in this workspace only; anything else is not there. Raises Http404."""
    credential = credentials.visible(request.access).filter(pk=credential_id).first()
    if credential is None or (to_change and not credentials.manageable(request.access, credential)):
        raise Http404
    return credential


def _address(credential: Credential) -> str:
    return reverse("credential", kwargs={"slug": credential.workspace.slug, "credential_id": credential.pk})


urlpatterns = [
    path("credentials/add/", add, name="credential_add"),
    path("w/<slug:slug>/credentials/", listing, name="credentials"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/", detail, name="credential"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/test/", test, name="credential_test"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/rename/", rename, name="credential_rename"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/delete/", delete, name="credential_delete"),
]
