"""What an engine lacks, for declared resources and actions: the reason in words, the page that says it, and what real use teaches."""

from collections.abc import Mapping

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.engine import EngineError
from workflows_ui.kit import respond
from workflows_ui.kit.actions import Action
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Resource
from workflows_ui.kit.words import StateWord, Text, Words
from workflows_ui.models import Ability, Role, Workspace
from workflows_ui.services import capabilities

#: What each capability is called, so that it fits into "This engine has no ...".
NAMES: Mapping[str, Text] = {
    "flows": gettext_lazy("flows"),
    "flow-versions": gettext_lazy("list of a flow's versions"),
    "flow-templates": gettext_lazy("flows as files"),
    "runs": gettext_lazy("runs"),
    "run-retry": gettext_lazy("retrying of runs"),
    "run-cancel": gettext_lazy("cancelling of runs"),
    "run-archive": gettext_lazy("archiving of runs"),
    "sample-events": gettext_lazy("sample events of triggers"),
    "trigger-figures": gettext_lazy("figures about triggers"),
    "folders": gettext_lazy("folders"),
    "connections": gettext_lazy("connections"),
    "tables": gettext_lazy("tables"),
    "table-records": gettext_lazy("records of tables"),
    "mcp-servers": gettext_lazy("MCP servers"),
    "project-invitations": gettext_lazy("invitations to a project"),
    "platform-invitations": gettext_lazy("invitations to the whole platform"),
    "channel-automations": gettext_lazy("channel automations"),
}
STATES: Mapping[Ability, StateWord] = {
    Ability.YES: StateWord(Ability.YES.label, "circle-check", "green"),
    Ability.NO: StateWord(Ability.NO.label, "circle-minus", "secondary"),
    Ability.NOT_IN_PLAN: StateWord(Ability.NOT_IN_PLAN.label, "lock", "orange"),
    Ability.UNKNOWN: StateWord(Ability.UNKNOWN.label, "circle-question", "secondary"),
}


def reason(name: str, why: Ability) -> str:
    """Why something cannot be done, as a sentence."""
    what = {"what": NAMES[name]}
    if why is Ability.NOT_IN_PLAN:
        return _("The plan of this engine does not include %(what)s.") % what
    return _("This engine has no %(what)s.") % what


def lacking(resource: Resource, workspace: Workspace) -> Mapping[str, str]:
    """Why things that the resource or its actions need are lacking, by capability. No query where nothing is needed."""
    needed = {resource.needs, *(action.needs for action in resource.actions)} - {""}
    if not needed:
        return {}
    found = capabilities.of(workspace)
    return {name: reason(name, why) for name in needed if (why := found.lack(name)) is not None}


def page(request: ConsoleRequest, resource: Resource, why: str) -> HttpResponse:
    """The page of a resource that this engine does not have."""
    if respond.is_fragment(request):
        return respond.redirect(request, request.get_full_path())
    context = {
        "resource": resource,
        "why": why,
        "here": request.get_full_path(),
        "may_look": request.access.allows(Role.BUILDER),
    }
    return respond.page(request, "kit/lacking.html", context)


def words(why: str) -> Words:
    """What is said to whoever asks for an action that this engine does not have."""
    return Words(_("This engine cannot do that"), why, _("Nothing was sent to the engine."))


def learn(asking: Caller, declared: Resource | Action, error: EngineError | None = None) -> str:
    """Remembers what was met in use: a plan that refuses, a route that is not there, or that it works after all.

    Gives why it is lacking, as a sentence; "" where the error says nothing about the engine.
    """
    if not declared.needs:
        return ""
    why = capabilities.learn(asking.workspace, asking.credential_id, declared.needs, error)
    return reason(declared.needs, why) if why is not None else ""
