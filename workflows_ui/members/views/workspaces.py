"""The settings of a workspace, and the page for a person's access requests."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from workflows_ui.credentials import messages as credential_messages
from workflows_ui.members.forms import WorkspaceForm
from workflows_ui.members.models import AccessRequest, Role
from workflows_ui.members.services import members
from workflows_ui.web import navigation, responses
from workflows_ui.web.access import member, signed_in, stepped
from workflows_ui.web.requests import ConsoleRequest, actor

_LATEST = 10


@member(Role.MANAGER)
def settings(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Edit name, colour bar and switches; show the engine's address."""
    workspace = request.access.workspace
    # The form validates a copy: base.html must show the stored values until they are saved.
    copy = type(workspace).objects.get(pk=workspace.pk)
    own_step = stepped(request, request.user)
    form = WorkspaceForm(request.POST or None, instance=copy, stepped=own_step)
    if request.method == "POST" and form.is_valid():
        changed = members.change_settings(actor(request), workspace, **form.cleaned_data)
        if "launching_paused" in changed:
            paused = _("Launching is paused.") if workspace.launching_paused else _("Launching is possible again.")
            messages.success(request, paused)
        if set(changed) - {"launching_paused"}:
            messages.success(request, _("The settings are saved."))
        if not changed:
            messages.info(request, _("Nothing was changed."))
        return responses.redirect(request, "workspace_settings", slug)
    context = {
        "own_step": own_step,
        "genuine": workspace.genuine,
        "place": [
            (_("Engine"), credential_messages.engine(workspace.flavour, workspace.engine_version)),
            (_("Environment"), navigation.environment(workspace)),
            (_("Address"), workspace.address),
            (_("Organization"), workspace.organization_id),
            (_("Project"), workspace.project_name),
            (_("Project id"), workspace.project_id),
        ],
    }
    return responses.form_page(request, "members/workspaces/settings.html", form, context)


@signed_in
def waiting(request: ConsoleRequest) -> HttpResponse:
    """List the person's access requests: the managers who decide, and the decisions."""
    access_requests = AccessRequest.objects.filter(user=request.user).select_related("workspace", "decided_by")
    # The workspace's name may be meant for members only: this page shows the name of the project.
    context = {
        "open": [
            (row, members.managers(row.workspace))
            for row in access_requests.filter(decided_at=None).order_by("-asked_at")
        ],
        "decided": access_requests.filter(decided_at__isnull=False).order_by("-decided_at")[:_LATEST],
    }
    return responses.page(request, "members/workspaces/waiting.html", context)


@require_POST
@signed_in
def withdraw(request: ConsoleRequest, request_id: int) -> HttpResponse:
    rows = AccessRequest.objects.select_related("workspace", "user")
    access_request = get_object_or_404(rows, user=request.user, pk=request_id)
    try:
        members.withdraw(actor(request), access_request)
    except members.AlreadyDecided:
        messages.warning(request, _("This request was decided already."))
    else:
        messages.success(request, _("The request is withdrawn, and the credential that came with it is deleted."))
    return responses.redirect(request, "waiting")
