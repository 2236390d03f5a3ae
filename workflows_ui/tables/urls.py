"""URLs of the pages below a table."""

from django.urls import path

from workflows_ui.tables import views

_RECORDS = "w/<slug:slug>/tables/<str:table>/records"

urlpatterns = [
    path("w/<slug:slug>/tables/<str:table>/export/<slug:kind>/", views.export, name="table_export"),
    path(f"{_RECORDS}/", views.records, name="table_records"),
    path(f"{_RECORDS}/many/<slug:action>/", views.delete_records, name="table_records_many"),
    path(f"{_RECORDS}/do/<slug:action>/", views.record_action, name="table_records_do"),
    path(f"{_RECORDS}/<str:id>/", views.record, name="table_record"),
    path(f"{_RECORDS}/<str:id>/do/<slug:action>/", views.record_action, name="table_record_do"),
    path(
        "w/<slug:slug>/tables/<str:table>/fields/<str:id>/do/<slug:action>/",
        views.field_action,
        name="table_field_do",
    ),
]
