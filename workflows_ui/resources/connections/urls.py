"""URLs of connections."""

from django.urls import path

from workflows_ui.resources.connections import sign_in_views, views

urlpatterns = [
    path("w/<slug:slug>/connections/sign-in/<path:piece>/", sign_in_views.begin, name="connection_sign_in"),
    path("oauth/callback/", sign_in_views.back, name="app_sign_in_back"),
    path("w/<slug:slug>/connections/new/", views.new, name="connection_new"),
]
