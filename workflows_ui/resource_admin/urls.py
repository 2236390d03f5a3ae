"""URLs of declared resources, all under their workspace.

An id may contain slashes (names of pieces do); `reverse` quotes it. Actions come before objects, so no object can be named `do/...`.
"""

from django.urls import path

from workflows_ui.resource_admin.views import actions, detail, resources

_RESOURCE = "w/<slug:slug>/<slug:resource>/"

urlpatterns = [
    path(f"{_RESOURCE}do/<slug:action>/", actions.act, name="resource_collection_action"),
    path(f"{_RESOURCE}do/<slug:action>/<path:id>/", actions.act, name="resource_action"),
    path(_RESOURCE, resources.listing, name="resource_list"),
    path(f"{_RESOURCE}<path:id>/", detail.detail, name="resource_detail"),
]
