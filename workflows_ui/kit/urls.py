"""Addresses of declared resources, all under their workspace."""

from collections.abc import Sequence

from django.urls import URLPattern, path

from workflows_ui.kit import views
from workflows_ui.kit.resource import Resource


def patterns(resources: Sequence[Resource]) -> list[URLPattern]:
    """`resource_list` and `resource_detail`. An id may hold slashes (names of pieces do); it is quoted by `reverse`."""
    index = {"resources": {resource.name: resource for resource in resources}}
    return [
        path("w/<slug:slug>/<slug:resource>/", views.listing, index, name="resource_list"),
        path("w/<slug:slug>/<slug:resource>/<path:id>/", views.detail, index, name="resource_detail"),
    ]
