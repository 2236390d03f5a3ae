"""URLs of links in mails of notifications."""

from django.urls import path

from workflows_ui.notification_mails import views

urlpatterns = [path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe")]
