"""Addresses of credentials."""

from django.urls import path

from workflows_ui.credentials.views import adding, capabilities, credentials, secrets, workspace_move

urlpatterns = [
    path("credentials/add/", adding.add, name="credential_add"),
    path("credentials/add/organization/<str:name>/", adding.organization, name="credential_organization"),
    path("credentials/add/project/<str:name>/", adding.project, name="credential_project"),
    path("w/<slug:slug>/credentials/", credentials.listing, name="credentials"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/", credentials.detail, name="credential"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/test/", credentials.test, name="credential_test"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/rename/", credentials.rename, name="credential_rename"),
    path("w/<slug:slug>/credentials/<uuid:credential_id>/delete/", credentials.delete, name="credential_delete"),
    path(f"{secrets.CREDENTIAL_PATH}/replace/", secrets.replace, name="credential_replace"),
    path(f"{secrets.CREDENTIAL_PATH}/put-back/", secrets.put_back, name="credential_put_back"),
    path(f"{secrets.CREDENTIAL_PATH}/share/", secrets.share, name="credential_share"),
    path("w/<slug:slug>/abilities/", capabilities.table, name="abilities"),
    path("w/<slug:slug>/abilities/look/", capabilities.inspect, name="abilities_look"),
    path("w/<slug:slug>/settings/move/", workspace_move.move, name="workspace_move"),
]
