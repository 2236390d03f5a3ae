"""URLs of notes."""

from django.urls import path

from workflows_ui.notes import views

urlpatterns = [
    path("w/<slug:slug>/notes/<slug:subject>/<str:id>/", views.notes, name="notes"),
    path("w/<slug:slug>/notes/<slug:subject>/<str:id>/ask/", views.ask, name="note_ask"),
    path("w/<slug:slug>/notes/<str:note>/", views.note, name="note"),
]
