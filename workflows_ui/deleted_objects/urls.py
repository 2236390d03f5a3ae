"""URLs of deleted objects."""

from django.urls import path

from workflows_ui.deleted_objects import views

urlpatterns = [
    path("w/<slug:slug>/recently-deleted/", views.listing, name="recently_deleted"),
    path("w/<slug:slug>/recently-deleted/file/<slug:kind>/", views.file, name="deleted_file"),
    path("w/<slug:slug>/recently-deleted/<str:copy_id>/", views.restore, name="deleted_object"),
]
