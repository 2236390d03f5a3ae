"""URLs of pieces."""

from django.urls import path

from workflows_ui.resources.pieces import options_views

urlpatterns = [
    path("w/<slug:slug>/pieces/options/<path:piece>/", options_views.options, name="piece_options"),
]
