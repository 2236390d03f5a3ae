"""Missing capabilities of an engine: the message, the page, and what is learnt from real use."""

from collections.abc import Mapping

from django.http import HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.text import Text
from workflows_ui.credentials.models import Ability
from workflows_ui.credentials.services import capabilities
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.members.models import Role, Workspace
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.web import responses
from workflows_ui.web.requests import ConsoleRequest

#: Name of each capability, as a continuation of "This engine has no ...".
NAMES: Mapping[str, Text] = {
    "flows": gettext_lazy("flows"),
    "flow-versions": gettext_lazy("list of a flow's versions"),
    "flow-templates": gettext_lazy("flows as files"),
    "runs": gettext_lazy("runs"),
    "run-retry": gettext_lazy("retrying of runs"),
    "run-cancel": gettext_lazy("cancelling of runs"),
    "run-archive": gettext_lazy("archiving of runs"),
    "step-test": gettext_lazy("tests of single steps"),
    "draft-test": gettext_lazy("tests of drafts"),
    "sample-events": gettext_lazy("sample events of triggers"),
    "trigger-figures": gettext_lazy("figures about triggers"),
    "folders": gettext_lazy("folders"),
    "connections": gettext_lazy("connections"),
    "tables": gettext_lazy("tables"),
    "table-records": gettext_lazy("records of tables"),
    "mcp-servers": gettext_lazy("MCP servers"),
    "mcp-server-making": gettext_lazy("MCP servers beside the one of the project"),
    "project-invitations": gettext_lazy("invitations to a project"),
    "platform-invitations": gettext_lazy("invitations to the whole platform"),
    "invitation-revoking": gettext_lazy("revoking of invitations"),
    "channel-automations": gettext_lazy("channel automations"),
}


def reason(name: str, why: Ability) -> str:
    """Why something is not possible, as a sentence."""
    names = {"what": NAMES[name]}
    if why is Ability.NOT_IN_PLAN:
        return _("The plan of this engine does not include %(what)s.") % names
    return _("This engine has no %(what)s.") % names


def lacking(resource: Resource, workspace: Workspace) -> Mapping[str, str]:
    """Why capabilities that the resource or its actions need are missing, by capability. No query if none is needed."""
    needed = {resource.needs, *(action.needs for action in resource.actions)} - {""}
    if not needed:
        return {}
    found = capabilities.read_capabilities(workspace)
    return {name: reason(name, why) for name in needed if (why := found.get(name)) is not None}


def page(request: ConsoleRequest, resource: Resource, why: str) -> HttpResponse:
    """The page of a resource that this engine does not have."""
    if responses.is_fragment(request):
        return responses.redirect(request, request.get_full_path())
    context = {
        "resource": resource,
        "why": why,
        "here": request.get_full_path(),
        "may_look": request.access.allows(Role.BUILDER),
    }
    return responses.page(request, "resource_admin/missing_capability.html", context)


def learn(session: EngineSession, declared: Resource | Action, error: EngineError | None = None) -> str:
    """Record what a call showed: the plan refuses it, the route does not exist, or it works after all.

    Return why the capability is missing, as a sentence; "" if the error does not concern the engine's capabilities.
    """
    if not declared.needs:
        return ""
    why = capabilities.learn(session.workspace, session.credential_id, declared.needs, error)
    return reason(declared.needs, why) if why is not None else ""
