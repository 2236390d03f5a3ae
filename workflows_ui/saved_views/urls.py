"""URLs of saved views and chosen columns, of the lists of a workspace and of those without one."""

from django.urls import path

from workflows_ui.saved_views import views

urlpatterns = [
    path("w/<slug:slug>/list-columns/", views.columns, name="list_columns"),
    path("w/<slug:slug>/list-plot/", views.plot, name="list_plot"),
    path("w/<slug:slug>/saved-views/", views.save, name="saved_views"),
    path("w/<slug:slug>/saved-views/<int:view_id>/", views.view, name="saved_view"),
    path("list-columns/", views.columns, name="own_list_columns"),
    path("list-plot/", views.plot, name="own_list_plot"),
    path("saved-views/", views.save, name="own_saved_views"),
    path("saved-views/<int:view_id>/", views.view, name="own_saved_view"),
]
