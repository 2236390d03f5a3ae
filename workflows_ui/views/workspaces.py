"""A workspace's settings for its managers, and the page of somebody who waits to be let into one."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from workflows_ui.forms.workspaces import WorkspaceForm
from workflows_ui.kit import nav, respond
from workflows_ui.kit.access import member, signed_in, stepped
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import AccessRequest, Flavour, Role
from workflows_ui.services import members, workspaces

_LATEST = 10


@member(Role.MANAGER)
def settings(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Name, stripe, pause; and where the workspace leads, which nobody can change."""
    workspace = request.access.workspace
    # The form validates a copy: what base.html shows must stay what is stored until it is saved.
    copy = type(workspace).objects.get(pk=workspace.pk)
    own_step = stepped(request, request.user)
    form = WorkspaceForm(request.POST or None, instance=copy, stepped=own_step)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        changed = workspaces.change(
            actor(request),
            workspace,
            name=data["name"],
            colour=data["colour"],
            launching_paused=data["launching_paused"],
            second_factor_required=data["second_factor_required"],
        )
        if "launching_paused" in changed:
            paused = _("Launching is paused.") if workspace.launching_paused else _("Launching is possible again.")
            messages.success(request, paused)
        if set(changed) - {"launching_paused"}:
            messages.success(request, _("The settings are saved."))
        if not changed:
            messages.info(request, _("Nothing was changed."))
        return respond.redirect(request, reverse("workspace_settings", kwargs={"slug": slug}))
    context = {
        "form": form,
        "own_step": own_step,
        "place": [
            (_("Engine"), f"{Flavour(workspace.flavour).label} {workspace.engine_version}".strip()),
            (_("Environment"), nav.environment(workspace)),
            (_("Address"), workspace.address),
            (_("Organization"), workspace.organization_id),
            (_("Project"), workspace.project_name),
            (_("Project id"), workspace.project_id),
        ],
    }
    return respond.page(request, "workspaces/settings.html", context, status=422 if form.errors else 200)


@signed_in
def waiting(request: ConsoleRequest) -> HttpResponse:
    """The person's requests to be let in: whom they wait for, and what was decided."""
    asked = AccessRequest.objects.filter(user=request.user).select_related("workspace", "decided_by")
    # A manager may have named the workspace in words that are for members: who waits sees the project's own name.
    context = {
        "open": [(row, members.managers(row.workspace)) for row in asked.filter(decided_at=None).order_by("-asked_at")],
        "decided": asked.filter(decided_at__isnull=False).order_by("-decided_at")[:_LATEST],
    }
    return respond.page(request, "workspaces/waiting.html", context)


@require_POST
@signed_in
def withdraw(request: ConsoleRequest, request_id: int) -> HttpResponse:
    """Takes back one's own request."""
    asked = AccessRequest.objects.filter(user=request.user, pk=request_id).select_related("workspace", "user").first()
    if asked is None:
        raise Http404
    try:
        members.withdraw(actor(request), asked)
    except members.AlreadyDecided:
        messages.warning(request, _("This request was decided already."))
    else:
        messages.success(request, _("The request is taken back, and the credential that came with it is deleted."))
    return respond.redirect(request, reverse("waiting"))


urlpatterns = [
    path("waiting/", waiting, name="waiting"),
    path("waiting/<int:request_id>/withdraw/", withdraw, name="access_withdraw"),
    path("w/<slug:slug>/settings/", settings, name="workspace_settings"),
]
