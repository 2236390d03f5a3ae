"""The URL of the page with everything that uses an object."""

from django.urls import path

from workflows_ui.usage import views

urlpatterns = [
    path("w/<slug:slug>/used-by/<slug:subject>/<path:id>/", views.used_by, name="used_by"),
]
