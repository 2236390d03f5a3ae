"""All addresses of the console. Plain views stand before the generic routes of declared resources."""

from django.urls import URLPattern, URLResolver

from workflows_ui.kit import urls as kit_urls
from workflows_ui.resources import RESOURCES
from workflows_ui.views import (
    abilities,
    accounts,
    app_sign_in,
    bulk,
    connections,
    credentials,
    exports,
    flow_difference,
    flow_export,
    home,
    jobs,
    launch_form,
    launch_list,
    launches,
    mcp,
    members,
    piece_options,
    preferences,
    run_pages,
    table_records_many,
    tables,
    trigger_test,
    workspaces,
)

urlpatterns: list[URLPattern | URLResolver] = [
    *home.urlpatterns,
    *preferences.urlpatterns,
    *accounts.urlpatterns,
    *credentials.urlpatterns,
    *members.urlpatterns,
    *workspaces.urlpatterns,
    *abilities.urlpatterns,
    *flow_difference.urlpatterns,
    *flow_export.urlpatterns,
    *exports.urlpatterns,
    *launch_form.urlpatterns,
    *launch_list.urlpatterns,
    *launches.urlpatterns,
    *app_sign_in.urlpatterns,
    *connections.urlpatterns,
    *mcp.urlpatterns,
    *run_pages.urlpatterns,
    *piece_options.urlpatterns,
    *table_records_many.urlpatterns,
    *tables.urlpatterns,
    *trigger_test.urlpatterns,
    *jobs.urlpatterns,
    *bulk.urlpatterns,
    *kit_urls.patterns(RESOURCES),
]
