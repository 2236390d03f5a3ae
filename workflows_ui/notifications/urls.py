"""URLs of notifications."""

from django.urls import path

from workflows_ui.notifications import views

urlpatterns = [
    path("notices/", views.listing, name="notices"),
    path("notices/file/<slug:kind>/", views.file, name="notices_file"),
    path("notices/read/", views.read_all, name="notices_read"),
    path("profile/notifications/", views.notification_settings, name="notification_settings"),
    path("notices/<int:pk>/", views.open_one, name="notice"),
    path("w/<slug:slug>/launches/<str:id>/tell/", views.launch_watch, name="launch_watch"),
    path("w/<slug:slug>/flows/<str:id>/tell/", views.flow_watch, name="flow_watch"),
]
