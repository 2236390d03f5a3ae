"""What the engine of a workspace can do: the table for all members, and looking again for builders."""

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.engine import EngineError
from workflows_ui.kit import ability, respond, words
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Ability, Capability, Inspection, Role
from workflows_ui.services import access, audit, capabilities
from workflows_ui.services.clients import NoCredential


@require_safe
@member(Role.VIEWER)
def table(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Each capability with what was last seen of it. The engine is not asked."""
    workspace = request.access.workspace
    seen = {row.name: row for row in Capability.objects.filter(workspace=workspace)}
    lines = []
    for name, label in ability.NAMES.items():
        row = seen.get(name)
        state = Ability(row.state) if row else Ability.UNKNOWN
        lines.append((label, ability.STATES[state], row))
    context = {
        "lines": lines,
        "inspection": Inspection.objects.filter(workspace=workspace).first(),
        "may_look": request.access.allows(Role.BUILDER),
    }
    return respond.page(request, "workspaces/abilities.html", context)


@require_POST
@member(Role.BUILDER)
def look(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Asks the engine now, with the person's own credential, and leads back. Raises NoCredential, CannotOpen."""
    wanted = request.POST.get("next", "")
    good = wanted.startswith(f"/w/{slug}/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    back = wanted if good else reverse("abilities", kwargs={"slug": slug})
    if not ratelimit.consume(request, action="credential_test", user=request.user):
        messages.warning(request, _("You have asked many times within a minute. Wait a little, then try again."))
        return respond.redirect(request, back)
    workspace = request.access.workspace
    credential = access.credential(request.user, workspace)
    if credential is None:
        raise NoCredential
    survey = capabilities.look_now(workspace, credential)
    outcome = "done" if survey.verdicts else "failed"
    audit.record(
        actor(request),
        "workspace.look",
        workspace=workspace,
        object_type="workspace",
        object_id=workspace.slug,
        object_name=workspace.name,
        outcome=outcome,
        seen={name: str(verdict.state) for name, (verdict, _by) in survey.verdicts.items()},
    )
    if survey.verdicts:
        messages.success(request, _("The engine was asked again."))
    else:
        messages.error(request, _why(survey.stopped))
    return respond.redirect(request, back)


def _why(error: EngineError | None) -> str:
    if error is None:
        return _("The engine did not answer. What was known of it stays.")
    found = words.of_error(error)
    return f"{found.title}. {found.text}"


urlpatterns = [
    path("w/<slug:slug>/abilities/", table, name="abilities"),
    path("w/<slug:slug>/abilities/look/", look, name="abilities_look"),
]
