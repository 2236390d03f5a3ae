"""URLs of the pages below a run, and of the plots of runs."""

from django.urls import path

from workflows_ui.runs import views

_RUN = "w/<slug:slug>/runs/<path:id>"

urlpatterns = [
    path("w/<slug:slug>/runs/plots/", views.plots, name="run_plots"),
    path(f"{_RUN}/steps/<slug:position>/", views.step, name="run_step"),
    path(f"{_RUN}/preview/", views.preview, name="run_preview"),
    path(f"{_RUN}/family/", views.family, name="run_family"),
    path(f"{_RUN}/compared/", views.compared, name="run_compared"),
    path(f"{_RUN}/file/", views.file, name="run_file"),
]
