"""URLs of notifications."""

from django.urls import path

from workflows_ui.notifications import follow_views, views

urlpatterns = [
    path("notices/", views.listing, name="notices"),
    path("notices/file/<slug:kind>/", views.file, name="notices_file"),
    path("notices/read/", views.read_all, name="notices_read"),
    path("profile/notifications/", views.notification_settings, name="notification_settings"),
    path("notices/<int:pk>/", views.open_one, name="notice"),
    path("notices/<int:pk>/following/", follow_views.line_of_notice, name="notice_following"),
    path("profile/following/", follow_views.following, name="following"),
    path("profile/following/mute/", follow_views.own_mute, name="own_mute"),
    path("profile/following/lost/", follow_views.leave_lost, name="unfollow_lost"),
    path("profile/following/<int:pk>/stop/", follow_views.leave, name="unfollow"),
    path("profile/following/<int:pk>/unmute/", follow_views.own_unmute, name="own_unmute"),
    path("w/<slug:slug>/following/mute/", follow_views.mute, name="follow_mute"),
    path("w/<slug:slug>/following/<int:mute>/unmute/", follow_views.unmute, name="follow_unmute"),
    path("w/<slug:slug>/launches/<str:id>/tell/", views.launch_watch, name="launch_watch"),
    path("w/<slug:slug>/flows/<str:id>/tell/", views.flow_watch, name="flow_watch"),
]
