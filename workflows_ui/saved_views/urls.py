"""URLs of saved views and chosen columns."""

from django.urls import path

from workflows_ui.saved_views import views

urlpatterns = [
    path("w/<slug:slug>/list-columns/", views.columns, name="list_columns"),
    path("w/<slug:slug>/saved-views/", views.save, name="saved_views"),
    path("w/<slug:slug>/saved-views/<int:view_id>/", views.view, name="saved_view"),
]
