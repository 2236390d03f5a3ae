"""The application's configuration."""

from django.apps import AppConfig


class WorkflowsUiConfig(AppConfig):
    """All of the console: models, views and commands."""

    name = "workflows_ui"
    verbose_name = "Workflow console"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Sets the menu and has the declarations of resources checked."""
        from django.core import checks

        from workflows_ui.kit import audit_words, nav, sign_in_log
        from workflows_ui.kit import checks as kit_checks
        from workflows_ui.resources import RESOURCES, menu

        nav.install(menu())
        audit_words.install(RESOURCES)
        sign_in_log.connect()
        checks.register(lambda **_options: kit_checks.of(RESOURCES), "workflows_ui")
