"""URLs of the additional pages of the declared resources in this package."""

from django.urls import path

from workflows_ui.resources.connections import views as connection_views
from workflows_ui.resources.flows import views as flow_views
from workflows_ui.resources.mcp_servers import views as mcp_views
from workflows_ui.resources.pieces import views as piece_views
from workflows_ui.resources.reveal import views as reveal_views

_HIDDEN = "w/<slug:slug>/{0}/<str:id>/hidden/"

urlpatterns = [
    path("w/<slug:slug>/flows/<str:id>/difference/", flow_views.difference, name="flow_difference"),
    path("w/<slug:slug>/flows/<str:id>/does/", flow_views.effects, name="flow_does"),
    path("w/<slug:slug>/flows/<str:id>/export/", flow_views.export, name="flow_export"),
    path("w/<slug:slug>/connections/sign-in/<path:piece>/", connection_views.begin, name="connection_sign_in"),
    path("oauth/callback/", connection_views.back, name="app_sign_in_back"),
    path("w/<slug:slug>/connections/new/", connection_views.new, name="connection_new"),
    path("w/<slug:slug>/mcp-servers/<str:id>/apps/", mcp_views.choose_app, name="mcp_apps"),
    path("w/<slug:slug>/mcp-servers/<str:id>/token/", mcp_views.token, name="mcp_token"),
    path("w/<slug:slug>/pieces/logo/<path:piece>/", piece_views.logo, name="app_logo"),
    path("w/<slug:slug>/pieces/options/<path:piece>/", piece_views.options, name="piece_options"),
    path(_HIDDEN.format("runs"), reveal_views.hidden_values, {"resource": "runs"}, name="run_hidden"),
    path(_HIDDEN.format("flows"), reveal_views.hidden_values, {"resource": "flows"}, name="flow_hidden"),
    path(_HIDDEN.format("launches"), reveal_views.of_launch, name="launch_hidden"),
]
