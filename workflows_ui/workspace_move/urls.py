"""The address of a workspace's move."""

from django.urls import path

from workflows_ui.workspace_move import views

urlpatterns = [path("w/<slug:slug>/settings/move/", views.move, name="workspace_move")]
