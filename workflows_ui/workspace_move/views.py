"""Moving a workspace to another address: a page for managers, with new secrets, which are tested before anything is saved."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from workflows_ui.audit.requests import actor
from workflows_ui.credentials.services import credential_tests
from workflows_ui.credentials.services.credential_tests import Problem, SeveralProjects
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest
from workflows_ui.workspace_move import services as workspace_move
from workflows_ui.workspace_move.forms import MoveForm
from workflows_ui.workspace_move.services import Entered


@never_cache
@sensitive_post_parameters()
@sensitive_variables("form")
@member(Role.MANAGER)
def move(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Enter the new address and secrets that work there, then move the workspace."""
    workspace = request.access.workspace
    if workspace.practice:
        raise Http404  # Its address comes from the console's settings.
    form = MoveForm(
        workspace,
        workspace_move.own_credentials(request.user, workspace),
        request.POST if request.method == "POST" else None,
    )
    if form.is_valid() and form.may_test(request) and _move(request, workspace, form):
        messages.success(request, _("The workspace now uses the new address."))
        return responses.redirect_to_view(request, "workspace_settings", slug)
    context = {
        "touched": workspace_move.consequences(request.user, workspace),
        "cancel_url": reverse("workspace_settings", args=[workspace.slug]),
    }
    return responses.form_page(request, "workspace_move/workspace_move.html", form, context)


@sensitive_variables("form", "entered")
def _move(request: ConsoleRequest, workspace: Workspace, form: MoveForm) -> bool:
    """Test the entered secrets and move the workspace. False, with an error in the form, if that was not possible."""
    try:
        entered = _test_secrets(workspace, form)
        if entered is not None:
            workspace_move.move(actor(request), workspace, entered)
    except SeveralProjects as several:
        form.choose(several)
    except workspace_move.Taken as taken:
        known = access.belongs(request.user, taken.workspace)
        name = _("the workspace “%(name)s”") % {"name": taken.workspace.name} if known else _("another workspace")
        form.add_error("address", _("This project on this engine is already %(name)s.") % {"name": name})
    except workspace_move.SamePlace:
        form.add_error("address", _("The workspace already uses this address."))
    except workspace_move.Moved:
        form.add_error(
            None, _("Someone else has moved the workspace in the meantime. Check its settings, then try again.")
        )
    except Problem as problem:
        form.blame(problem)
    return not form.errors


@sensitive_variables("draft")
def _test_secrets(workspace: Workspace, form: MoveForm) -> list[Entered] | None:
    """The entered secrets with their findings; None if one does not work, with an error in the form. Raises SeveralProjects."""
    entered: list[Entered] = []
    for name in form.filled:
        try:
            first = entered[0].findings if entered else None
            draft = form.draft(name, first.project_id if first else "")
            findings = workspace_move.test(workspace, draft, first)
        except Problem as problem:
            form.blame(credential_tests.with_suggestion(problem, form.flavour, form.base), name)
            return None
        entered.append(Entered(form.credentials[name], draft, findings))
    return entered
