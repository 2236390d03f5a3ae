"""Capabilities of a workspace's engine: the table for all members, and a new inspection for builders."""

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.audit.services import audit_log
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.models import Ability, Capability, Inspection
from workflows_ui.credentials.services import capabilities
from workflows_ui.credentials.services.clients import NoCredential
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.resource_admin import capabilities as missing_capabilities
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.messages import error_message
from workflows_ui.web.requests import ConsoleRequest, actor


@require_safe
@member(Role.VIEWER)
def table(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Each capability with its last known state, without a call to the engine."""
    workspace = request.access.workspace
    rows = {row.name: row for row in Capability.objects.filter(workspace=workspace)}
    context = {
        "lines": [
            (label, Ability(rows[name].state if name in rows else Ability.UNKNOWN).badge, rows.get(name))
            for name, label in missing_capabilities.NAMES.items()
        ],
        "engine": credential_messages.engine(workspace.flavour, workspace.engine_version),
        "limits": credential_messages.limits(workspace),
        "inspection": Inspection.objects.filter(workspace=workspace).first(),
        "may_look": request.access.allows(Role.BUILDER),
    }
    return responses.page(request, "credentials/capabilities.html", context)


@require_POST
@member(Role.BUILDER)
def inspect(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Inspect the engine now, with the person's credential, and redirect back. Raises NoCredential, CannotOpen."""
    next_url = request.POST.get("next", "")
    allowed = next_url.startswith(f"/w/{slug}/") and url_has_allowed_host_and_scheme(next_url, allowed_hosts=None)
    back = next_url if allowed else reverse("abilities", kwargs={"slug": slug})
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        messages.warning(request, _("You have asked many times within a minute. Wait a little, then try again."))
        return responses.redirect(request, back)
    workspace = request.access.workspace
    credential = access.credential(request.user, workspace)
    if credential is None:
        raise NoCredential
    survey = capabilities.inspect_now(workspace, credential)
    outcome = "done" if survey.verdicts else "failed"
    seen = {name: str(verdict.state) for name, (verdict, _by) in survey.verdicts.items()}
    audit_log.record(actor(request), "workspace.look", workspace, outcome=outcome, seen=seen)
    if survey.verdicts:
        messages.success(request, _("The engine was asked again."))
    elif survey.stopped is None:
        messages.error(request, _("The engine did not answer. What was known of it stays."))
    else:
        message = error_message(survey.stopped)
        messages.error(request, f"{message.title}. {message.text}")
    return responses.redirect(request, back)
