"""URLs of the audit log."""

from django.urls import path

from workflows_ui.audit import views

urlpatterns = [
    path("audit/", views.listing, name="audit_everywhere"),
    path("audit/<int:row>/", views.row, name="audit_row_everywhere"),
    path("audit/file/<slug:kind>/", views.file, name="audit_file_everywhere"),
    path("w/<slug:slug>/audit/", views.listing, name="audit"),
    path("w/<slug:slug>/audit/<int:row>/", views.row, name="audit_row"),
    path("w/<slug:slug>/audit/file/<slug:kind>/", views.file, name="audit_file"),
]
