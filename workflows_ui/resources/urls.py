"""URLs of the additional pages of resources."""

from django.urls import path

from workflows_ui.flow_editing import views as editing_views
from workflows_ui.flow_editing.testing import views as testing_views
from workflows_ui.flow_editing.trigger_testing import views as trigger_views
from workflows_ui.resources.connections import views as connection_views
from workflows_ui.resources.flows import views as flow_views
from workflows_ui.resources.mcp_servers import views as mcp_views
from workflows_ui.resources.pieces import views as piece_views
from workflows_ui.resources.reveal import views as reveal_views
from workflows_ui.runs import views as run_views
from workflows_ui.tables import views as table_views
from workflows_ui.usage import views as usage_views

_RECORDS, _TEST = "w/<slug:slug>/tables/<str:table>/records", "w/<slug:slug>/flows/<str:id>/trigger"
_RUN, _HIDDEN = "w/<slug:slug>/runs/<path:id>", "w/<slug:slug>/{0}/<str:id>/hidden/"

urlpatterns = [
    path("w/<slug:slug>/used-by/<slug:subject>/<path:id>/", usage_views.used_by, name="used_by"),
    path("w/<slug:slug>/flows/<str:id>/difference/", flow_views.difference, name="flow_difference"),
    path("w/<slug:slug>/flows/<str:id>/does/", flow_views.effects, name="flow_does"),
    path("w/<slug:slug>/flows/<str:id>/export/", flow_views.export, name="flow_export"),
    path("w/<slug:slug>/flows/<str:id>/draft-test/", testing_views.draft_test, name="draft_test"),
    path("w/<slug:slug>/flows/<str:id>/steps/<str:step>/", editing_views.step, name="flow_step"),
    path("w/<slug:slug>/flows/<str:id>/choose/", editing_views.choose, name="flow_choose_app"),
    path("w/<slug:slug>/flows/<str:id>/edits/<str:edit>/", editing_views.edit, name="flow_edit"),
    path("w/<slug:slug>/flows/<str:id>/values/", editing_views.values, name="flow_values"),
    path("w/<slug:slug>/flows/<str:id>/values/resolved/", editing_views.resolved, name="flow_values_resolved"),
    path("w/<slug:slug>/runs/plots/", run_views.plots, name="run_plots"),
    path(f"{_RUN}/steps/<slug:position>/", run_views.step, name="run_step"),
    path(f"{_RUN}/test/", testing_views.step_test, name="step_test"),
    path(f"{_RUN}/family/", run_views.family, name="run_family"),
    path(f"{_RUN}/compared/", run_views.compared, name="run_compared"),
    path(f"{_RUN}/file/", run_views.file, name="run_file"),
    path("w/<slug:slug>/connections/sign-in/<path:piece>/", connection_views.begin, name="connection_sign_in"),
    path("oauth/callback/", connection_views.back, name="app_sign_in_back"),
    path("w/<slug:slug>/connections/new/", connection_views.new, name="connection_new"),
    path("w/<slug:slug>/mcp-servers/<str:id>/apps/", mcp_views.choose_app, name="mcp_apps"),
    path("w/<slug:slug>/mcp-servers/<str:id>/token/", mcp_views.token, name="mcp_token"),
    path("w/<slug:slug>/pieces/logo/<path:piece>/", piece_views.logo, name="app_logo"),
    path("w/<slug:slug>/pieces/options/<path:piece>/", piece_views.options, name="piece_options"),
    path(_HIDDEN.format("runs"), reveal_views.hidden_values, {"resource": "runs"}, name="run_hidden"),
    path(_HIDDEN.format("flows"), reveal_views.hidden_values, {"resource": "flows"}, name="flow_hidden"),
    path(_HIDDEN.format("launches"), reveal_views.of_launch, name="launch_hidden"),
    path("w/<slug:slug>/tables/<str:table>/export/<slug:kind>/", table_views.export, name="table_export"),
    path(f"{_RECORDS}/", table_views.records, name="table_records"),
    path(f"{_RECORDS}/many/<slug:action>/", table_views.delete_records, name="table_records_many"),
    path(f"{_RECORDS}/do/<slug:action>/", table_views.record_action, name="table_records_do"),
    path(f"{_RECORDS}/<str:id>/", table_views.record, name="table_record"),
    path(f"{_RECORDS}/<str:id>/do/<slug:action>/", table_views.record_action, name="table_record_do"),
    path(
        "w/<slug:slug>/tables/<str:table>/fields/<str:id>/do/<slug:action>/",
        table_views.field_action,
        name="table_field_do",
    ),
    path(f"{_TEST}/", trigger_views.page, name="flow_trigger_test"),
    path(f"{_TEST}/cancel/", trigger_views.cancel, name="flow_trigger_cancel"),
]
