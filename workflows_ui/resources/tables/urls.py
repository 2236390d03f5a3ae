"""URLs of tables."""

from django.urls import path

from workflows_ui.resources.tables import records_views, views

urlpatterns = [
    path(
        "w/<slug:slug>/tables/<str:table>/records/many/<slug:action>/", records_views.delete, name="table_records_many"
    ),
    path(f"{views.PLACE}/export/<slug:kind>/", views.export, name="table_export"),
    path(f"{views.PLACE}/records/", views.records, name="table_records"),
    path(f"{views.PLACE}/records/do/<slug:action>/", views.record_action, name="table_records_do"),
    path(f"{views.PLACE}/records/<str:id>/", views.record, name="table_record"),
    path(f"{views.PLACE}/records/<str:id>/do/<slug:action>/", views.record_action, name="table_record_do"),
    path(f"{views.PLACE}/fields/<str:id>/do/<slug:action>/", views.field_action, name="table_field_do"),
]
