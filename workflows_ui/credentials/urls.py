"""Addresses of credentials."""

from django.urls import path

from workflows_ui.credentials.views import adding, consent, credentials

_CREDENTIAL = "w/<slug:slug>/credentials/<uuid:credential_id>/"

urlpatterns = [
    path("connect/", adding.connect, name="connect"),
    path("credentials/add/", adding.add, name="credential_add"),
    path(
        "credentials/add/organization/<str:name>/", adding.choose, {"what": "organization"}, "credential_organization"
    ),
    path("credentials/add/project/<str:name>/", adding.choose, {"what": "project"}, "credential_project"),
    path("credentials/<uuid:credential_id>/consent/", consent.consent, name="credential_consent"),
    path("w/<slug:slug>/credentials/", credentials.listing, name="credentials"),
    path("w/<slug:slug>/credentials/file/<slug:kind>/", credentials.file, name="credentials_file"),
    path(_CREDENTIAL, credentials.detail, name="credential"),
    path(f"{_CREDENTIAL}check/", adding.check, name="credential_check"),
    path(f"{_CREDENTIAL}test/", credentials.test, name="credential_test"),
    path(f"{_CREDENTIAL}rename/", credentials.rename, name="credential_rename"),
    path(f"{_CREDENTIAL}delete/", credentials.delete, name="credential_delete"),
    path(f"{_CREDENTIAL}replace/", credentials.replace, name="credential_replace"),
    path(f"{_CREDENTIAL}put-back/", credentials.put_back, name="credential_put_back"),
    path(f"{_CREDENTIAL}share/", credentials.share, name="credential_share"),
    path("w/<slug:slug>/abilities/", credentials.list_capabilities, name="abilities"),
    path("w/<slug:slug>/abilities/look/", credentials.inspect_engine, name="abilities_look"),
]
