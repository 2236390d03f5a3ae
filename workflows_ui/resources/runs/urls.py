"""URLs of runs."""

from django.urls import path

from workflows_ui.resources.runs import views

urlpatterns = [
    path(f"{views.PLACE}/steps/<slug:place>/", views.step, name="run_step"),
    path(f"{views.PLACE}/family/", views.family, name="run_family"),
    path(f"{views.PLACE}/file/", views.file, name="run_file"),
]
