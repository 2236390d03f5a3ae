"""The addresses: allauth's under /accounts/, the rest is the console's."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("workflows_ui.urls")),
]
