"""Addresses of declared resources, all under their workspace."""

from collections.abc import Sequence

from django.urls import URLPattern, path

from workflows_ui.kit import action_views, views
from workflows_ui.kit.resource import Resource


def patterns(resources: Sequence[Resource]) -> list[URLPattern]:
    """`resource_list`, `resource_detail`, `resource_action` and `resource_collection_action`.

    An id may hold slashes (names of pieces do); it is quoted by `reverse`. Actions stand before objects, so that no object is
    called `do/...`.
    """
    index = {"resources": {resource.name: resource for resource in resources}}
    place = "w/<slug:slug>/<slug:resource>"
    return [
        path(f"{place}/do/<slug:action>/", action_views.act, index, name="resource_collection_action"),
        path(f"{place}/do/<slug:action>/<path:id>/", action_views.act, index, name="resource_action"),
        path(f"{place}/", views.listing, index, name="resource_list"),
        path(f"{place}/<path:id>/", views.detail, index, name="resource_detail"),
    ]
