"""Generic pages of declared resources."""

from collections.abc import Mapping

from django.http import Http404, HttpResponse

from workflows_ui.kit import respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.kit.resource import Resource
from workflows_ui.models import Role


@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str, resource: str, resources: Mapping[str, Resource]) -> HttpResponse:
    """The list of a resource."""
    if resource not in resources:
        raise Http404
    return respond.page(request, "base.html")


@member(Role.VIEWER)
def detail(
    request: ConsoleRequest, slug: str, resource: str, id: str, resources: Mapping[str, Resource]
) -> HttpResponse:
    """The page of one object."""
    if resource not in resources:
        raise Http404
    return respond.page(request, "base.html")
