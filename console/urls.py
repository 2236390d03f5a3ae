"""The addresses: one's own account under /accounts/, the rest is the console's."""

from django.urls import include, path

from workflows_ui.views.accounts import account_urlpatterns

urlpatterns = [
    path("accounts/", include(account_urlpatterns)),
    path("", include("workflows_ui.urls")),
]
