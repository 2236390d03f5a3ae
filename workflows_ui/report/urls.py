"""URLs of the report of a week."""

from django.urls import path

from workflows_ui.report import views

urlpatterns = [
    path("w/<slug:slug>/report/", views.report, name="report"),
    path("w/<slug:slug>/report/file/<slug:kind>/", views.file, name="report_file"),
]
