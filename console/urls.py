"""URLs of the project."""

from django.urls import include, path

from workflows_ui.accounts.urls import account_urlpatterns

urlpatterns = [
    path("accounts/", include(account_urlpatterns)),
    path("", include("workflows_ui.health.urls")),
    path("", include("workflows_ui.urls")),
]

handler400 = "workflows_ui.web.errors.bad_request"
handler403 = "workflows_ui.web.errors.forbidden"
handler404 = "workflows_ui.web.errors.not_found"
handler500 = "workflows_ui.web.errors.server_error"
