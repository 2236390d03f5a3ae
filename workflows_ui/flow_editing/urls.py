"""URLs of the pages that edit and test the steps of a flow."""

from django.urls import path

from workflows_ui.flow_editing import views
from workflows_ui.flow_editing.repair import views as repair_views
from workflows_ui.flow_editing.testing import views as testing_views
from workflows_ui.flow_editing.trigger_testing import views as trigger_views

_FLOW = "w/<slug:slug>/flows/<str:id>"

urlpatterns = [
    path(f"{_FLOW}/draft-test/", testing_views.draft_test, name="draft_test"),
    path(f"{_FLOW}/steps/<str:step>/", views.step, name="flow_step"),
    path(f"{_FLOW}/choose/", views.choose, name="flow_choose_app"),
    path(f"{_FLOW}/edits/<str:edit>/", views.edit, name="flow_edit"),
    path(f"{_FLOW}/values/", views.values, name="flow_values"),
    path(f"{_FLOW}/values/resolved/", views.resolved, name="flow_values_resolved"),
    path("w/<slug:slug>/runs/<path:id>/test/", testing_views.step_test, name="step_test"),
    path("w/<slug:slug>/runs/<path:id>/repair/", repair_views.page, name="run_repair"),
    path("w/<slug:slug>/runs/<path:id>/repair/retry/", repair_views.retry, name="run_repair_retry"),
    path(
        "w/<slug:slug>/runs/<path:id>/repair/publish/",
        repair_views.act,
        {"action": "publish", "anchor": "repair-retry"},
        name="run_repair_publish",
    ),
    path(
        "w/<slug:slug>/runs/<path:id>/repair/undo/",
        repair_views.act,
        {"action": "edit-undo", "anchor": "repair-change"},
        name="run_repair_undo",
    ),
    path(f"{_FLOW}/trigger/", trigger_views.page, name="flow_trigger_test"),
    path(f"{_FLOW}/trigger/cancel/", trigger_views.cancel, name="flow_trigger_cancel"),
]
