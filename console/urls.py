"""The addresses: one's own account under /accounts/, those for machines, the rest is the console's."""

from django.urls import include, path

from workflows_ui.views import health
from workflows_ui.views.accounts import account_urlpatterns

urlpatterns = [
    path("accounts/", include(account_urlpatterns)),
    path("", include(health.urlpatterns)),
    path("", include("workflows_ui.urls")),
]

handler400 = "workflows_ui.kit.errors.bad_request"
handler403 = "workflows_ui.kit.errors.forbidden"
handler404 = "workflows_ui.kit.errors.not_found"
handler500 = "workflows_ui.kit.errors.server_error"
