"""The address of every declared action."""

from collections.abc import Mapping

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from workflows_ui.members.models import Role
from workflows_ui.resource_admin import action_page
from workflows_ui.resource_admin.resource import RESOURCES, Resource, find_resource
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest


@never_cache
@sensitive_post_parameters()
@member(Role.VIEWER)
def act(
    request: ConsoleRequest,
    slug: str,
    resource: str,
    action: str,
    id: str = "",
    resources: Mapping[str, Resource] = RESOURCES,
) -> HttpResponse:
    """Ask for the action of an object, or of the collection without an id, and run it once."""
    return action_page.respond(request, find_resource(request.access, resource, resources), action, id)
