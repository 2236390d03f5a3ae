"""URLs of the run index."""

from django.urls import path

from workflows_ui.run_index import views

urlpatterns = [
    path("w/<slug:slug>/run-index/", views.run_index, name="run_index"),
    path("w/<slug:slug>/run-index/read/", views.read, name="run_index_read"),
    path("w/<slug:slug>/run-index/stop/", views.stop, name="run_index_stop"),
    path("w/<slug:slug>/run-index/erase/", views.erase, name="run_index_erase"),
]
