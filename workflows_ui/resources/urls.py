"""URLs of the additional pages of resources."""

from django.urls import include, path

urlpatterns = [
    path("", include("workflows_ui.resources.connections.urls")),
    path("", include("workflows_ui.resources.flows.urls")),
    path("", include("workflows_ui.resources.mcp_servers.urls")),
    path("", include("workflows_ui.resources.pieces.urls")),
    path("", include("workflows_ui.resources.reveal.urls")),
    path("", include("workflows_ui.resources.runs.urls")),
    path("", include("workflows_ui.resources.tables.urls")),
    path("", include("workflows_ui.resources.triggers.urls")),
]
