"""The addresses of the console, without those for machines. Plain views come before the generic routes of declared resources."""

from django.urls import URLPattern, URLResolver, include, path

from workflows_ui.web import administration

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("workflows_ui.home.urls")),
    path("", include("workflows_ui.accounts.urls")),
    path("", include("workflows_ui.credentials.urls")),
    path("", include("workflows_ui.workspace_move.urls")),
    path("admin/", administration.site.urls),
    path("", include("workflows_ui.audit.urls")),
    path("", include("workflows_ui.members.urls")),
    path("", include("workflows_ui.offboarding.urls")),
    path("", include("workflows_ui.deleted_objects.urls")),
    path("", include("workflows_ui.unclear_writes.urls")),
    path("", include("workflows_ui.launch_forms.urls")),
    path("", include("workflows_ui.launches.urls")),
    path("", include("workflows_ui.search.urls")),
    path("", include("workflows_ui.notes.urls")),
    path("", include("workflows_ui.run_index.urls")),
    path("", include("workflows_ui.failures.urls")),
    path("", include("workflows_ui.alarms.urls")),
    path("", include("workflows_ui.failure_rules.urls")),
    path("", include("workflows_ui.report.urls")),
    path("", include("workflows_ui.saved_views.urls")),
    path("", include("workflows_ui.runs.urls")),
    path("", include("workflows_ui.tables.urls")),
    path("", include("workflows_ui.flow_editing.urls")),
    path("", include("workflows_ui.usage.urls")),
    path("", include("workflows_ui.resources.urls")),
    path("", include("workflows_ui.jobs.urls")),
    path("", include("workflows_ui.notification_mails.urls")),
    path("", include("workflows_ui.notifications.urls")),
    path("", include("workflows_ui.resource_admin.urls")),
]
