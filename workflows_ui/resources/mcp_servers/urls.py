"""URLs of MCP servers."""

from django.urls import path

from workflows_ui.resources.mcp_servers import views

urlpatterns = [
    path(f"{views.PLACE}/apps/", views.choose_app, name="mcp_apps"),
    path(f"{views.PLACE}/token/", views.token, name="mcp_token"),
]
