"""URL of the search."""

from django.urls import path

from workflows_ui.search import views

urlpatterns = [path("w/<slug:slug>/search/", views.search, name="search")]
