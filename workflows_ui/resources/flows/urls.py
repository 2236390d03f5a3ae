"""URLs of flows."""

from django.urls import path

from workflows_ui.resources.flows import views

urlpatterns = [
    path("w/<slug:slug>/flows/<str:id>/difference/", views.difference, name="flow_difference"),
    path("w/<slug:slug>/flows/<str:id>/does/", views.effects, name="flow_does"),
    path("w/<slug:slug>/flows/<str:id>/export/", views.export, name="flow_export"),
]
