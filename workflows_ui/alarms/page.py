"""The page in place of alarms for people who may not see them."""

from django.http import HttpResponse

from workflows_ui.members.models import Role
from workflows_ui.web import responses
from workflows_ui.web.requests import ConsoleRequest


def without_index(request: ConsoleRequest) -> HttpResponse:
    """The page for people who may not see the run index, and for workspaces without one."""
    return responses.page(request, "alarms/no_index.html", {"manages": request.access.allows(Role.MANAGER)})
