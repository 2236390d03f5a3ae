"""URLs of triggers."""

from django.urls import path

from workflows_ui.resources.triggers import test_views

urlpatterns = [
    path(f"{test_views.PLACE}/", test_views.page, name="flow_trigger_test"),
    path(f"{test_views.PLACE}/cancel/", test_views.cancel, name="flow_trigger_cancel"),
]
