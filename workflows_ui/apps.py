"""The application's configuration."""

from django.apps import AppConfig


class WorkflowsUiConfig(AppConfig):
    """All of the console: models, views and commands."""

    name = "workflows_ui"
    verbose_name = "Workflow console"
    default_auto_field = "django.db.models.BigAutoField"
