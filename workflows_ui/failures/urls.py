"""URLs of failures with the same cause."""

from django.urls import path

from workflows_ui.failures import views

urlpatterns = [
    path("w/<slug:slug>/failures/", views.listing, name="failures"),
    path("w/<slug:slug>/failures/file/<slug:kind>/", views.file, name="failures_file"),
    path("w/<slug:slug>/failures/<int:fingerprint>/", views.failure, name="failure"),
    path("w/<slug:slug>/failures/<int:fingerprint>/assign/", views.assign, name="failure_assign"),
    path("w/<slug:slug>/failures/<int:fingerprint>/snooze/", views.snooze, name="failure_snooze"),
    path("w/<slug:slug>/failures/<int:fingerprint>/handled/", views.handled, name="failure_handled"),
    path("w/<slug:slug>/failures/<int:fingerprint>/reopen/", views.reopen, name="failure_reopen"),
    path("w/<slug:slug>/failures/<int:fingerprint>/note/", views.note, name="failure_note"),
    path("w/<slug:slug>/failures/<int:fingerprint>/helped/", views.helped, name="failure_helped"),
]
