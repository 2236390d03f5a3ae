"""URLs of jobs, and of the buttons of lists that create them."""

from django.urls import path

from workflows_ui.jobs import views

_JOB = "w/<slug:slug>/jobs/<str:id>/"
_EXPORT = "w/<slug:slug>/jobs/<str:job_id>/"

urlpatterns = [
    path("w/<slug:slug>/jobs/", views.listing, name="jobs"),
    path("w/<slug:slug>/jobs/file/<slug:kind>/", views.file, name="jobs_file"),
    path(_JOB, views.job, name="job"),
    path(f"{_JOB}begin/", views.begin, name="job_begin"),
    path(f"{_JOB}stop/", views.stop, name="job_stop"),
    path(f"{_JOB}retry/", views.retry, name="job_retry"),
    path(f"{_JOB}undo/", views.undo, name="job_undo"),
    path(f"{_EXPORT}export/", views.export_page, name="export"),
    path(f"{_EXPORT}file/", views.export_download, name="export_file"),
    path(f"{_EXPORT}export/stop/", views.export_stop, name="export_stop"),
    path("w/<slug:slug>/<slug:resource>/export/<slug:kind>/", views.export, name="resource_export"),
    path("w/<slug:slug>/<slug:resource>/many/<slug:action>/", views.choose, name="bulk_choose"),
]
