"""The declared resources by name. Filled once, at start-up, in menu order."""

from collections.abc import Iterable, Mapping

from django.http import Http404

from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import Resource

RESOURCES: dict[str, Resource] = {}


def register(resources: Iterable[Resource]) -> None:
    """Make resources known to the generic views and tasks."""
    RESOURCES.update({resource.name: resource for resource in resources})


def find(access: Access, name: str, resources: Mapping[str, Resource] = RESOURCES) -> Resource:
    """The resource of this name. Raises Http404; NotAllowed if the person's role is insufficient."""
    if name not in resources:
        raise Http404
    access.require(resources[name].role)
    return resources[name]
