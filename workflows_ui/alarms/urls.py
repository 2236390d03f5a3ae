"""URLs of alarms."""

from django.urls import path

from workflows_ui.alarms import channel_views, views

urlpatterns = [
    path("w/<slug:slug>/alarms/", views.listing, name="alarms"),
    path("w/<slug:slug>/alarms/file/<slug:kind>/", views.file, name="alarms_file"),
    path("w/<slug:slug>/alarms/watch/", views.watch, name="alarms_watch"),
    path("w/<slug:slug>/alarms/muted/", views.muted, name="alarms_muted"),
    path("w/<slug:slug>/alarms/muted/<int:mute_id>/", views.unmute, name="alarm_unmute"),
    path("w/<slug:slug>/alarms/<int:alarm_id>/", views.alarm, name="alarm"),
    path("w/<slug:slug>/alarms/<int:alarm_id>/mute/", views.mute, name="alarm_mute"),
    path("w/<slug:slug>/alarms/<int:alarm_id>/answer/", views.answer, name="alarm_answer"),
    path("w/<slug:slug>/alarms/channels/", channel_views.listing, name="alarm_channels"),
    path("w/<slug:slug>/alarms/channels/add/", channel_views.add, name="alarm_channel_add"),
    path("w/<slug:slug>/alarms/channels/<uuid:channel_id>/", channel_views.channel, name="alarm_channel"),
    path("w/<slug:slug>/alarms/channels/<uuid:channel_id>/test/", channel_views.test, name="alarm_channel_test"),
    path("w/<slug:slug>/alarms/channels/<uuid:channel_id>/resend/", channel_views.resend, name="alarm_channel_resend"),
    path("w/<slug:slug>/alarms/channels/<uuid:channel_id>/remove/", channel_views.remove, name="alarm_channel_remove"),
]
