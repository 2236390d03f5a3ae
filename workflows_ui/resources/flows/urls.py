"""URLs of flows."""

from django.urls import path

from workflows_ui.resources.flows import difference_views, effects_views, export_views

urlpatterns = [
    path("w/<slug:slug>/flows/<str:id>/difference/", difference_views.difference, name="flow_difference"),
    path("w/<slug:slug>/flows/<str:id>/does/", effects_views.does, name="flow_does"),
    path("w/<slug:slug>/flows/<str:id>/export/", export_views.export, name="flow_export"),
]
