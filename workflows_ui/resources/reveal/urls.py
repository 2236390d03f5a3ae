"""URLs of masked values."""

from django.urls import path

from workflows_ui.resources.reveal import views

urlpatterns = [
    path(views.PLACE.format("runs"), views.hidden_values, {"resource": "runs"}, name="run_hidden"),
    path(views.PLACE.format("flows"), views.hidden_values, {"resource": "flows"}, name="flow_hidden"),
    path(views.PLACE.format("launches"), views.of_launch, name="launch_hidden"),
]
