"""URLs of unclear writes."""

from django.urls import path

from workflows_ui.unclear_writes import views

urlpatterns = [path("w/<slug:slug>/checks/<str:write_id>/", views.unclear_write, name="unclear_write")]
