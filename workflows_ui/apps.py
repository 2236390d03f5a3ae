"""The application's configuration."""

from collections.abc import Iterable

from django.apps import AppConfig
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.signals import connection_created
from django.db.migrations.loader import MigrationLoader
from django.db.models.signals import post_migrate


def check_history(*, databases: Iterable[str] | None = None, **_options: object) -> list[checks.CheckMessage]:
    """Errors for databases with only some of the migrations that a file replaces, if the others no longer exist.

    Django would skip the file without a message, and the database would not be migrated.
    """
    errors: list[checks.CheckMessage] = []
    for alias in databases or ():
        loader = MigrationLoader(connections[alias])
        for replacement in loader.replacements.values():
            known = loader.applied_migrations.keys() | loader.disk_migrations.keys()
            missing = [name for app, name in replacement.replaces if (app, name) not in known]
            if 0 < len(missing) < len(replacement.replaces):
                errors.append(
                    checks.Error(
                        f"{missing[0]} was not applied to this database and is now part of {replacement.name}.",
                        hint=f"Migrate with the last version that has {missing[-1]}, then with this one.",
                    )
                )
    return errors


def check_parts(*, databases: Iterable[str] | None = None, **_options: object) -> list[checks.CheckMessage]:
    """A warning for a migrated database that cannot be searched by parts of words."""
    from workflows_ui.run_index.models import RunText
    from workflows_ui.run_index.services import parts

    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    table = RunText._meta.db_table  # noqa: SLF001
    if table not in connections[DEFAULT_DB_ALIAS].introspection.table_names() or parts.available():
        return []
    hint = (
        "On PostgreSQL: CREATE EXTENSION pg_trgm as an administrator of the database, then run manage.py migrate again."
    )
    return [checks.Warning("Run indexes cannot be searched by parts of words, without pg_trgm or FTS5.", hint=hint)]


def prepare_parts(**_options: object) -> None:
    """Make the index of parts of words after each `migrate`: the extension that it needs may have been created since the last one."""
    from workflows_ui.run_index.services import parts

    parts.prepare()


class WorkflowsUiConfig(AppConfig):
    """The console: models, views and commands."""

    name = "workflows_ui"
    verbose_name = "Workflow console"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the menu, the resources, what people own and the system checks."""
        from workflows_ui.accounts import sign_in_log
        from workflows_ui.audit import messages as audit_messages
        from workflows_ui.core import collation
        from workflows_ui.failure_rules import noticing
        from workflows_ui.offboarding import belongings
        from workflows_ui.offboarding.owned import OWNED
        from workflows_ui.resource_admin import checks as resource_checks, resource
        from workflows_ui.resources import BY_NAME, RESOURCES, menu
        from workflows_ui.web import navigation

        navigation.install(menu())
        resource.RESOURCES.update(BY_NAME)
        audit_messages.install(RESOURCES)
        belongings.install(OWNED)
        sign_in_log.connect()
        noticing.connect()
        connection_created.connect(collation.install)
        checks.register(check_history, checks.Tags.database)
        checks.register(check_parts, checks.Tags.database)
        post_migrate.connect(prepare_parts, sender=self)
        checks.register(lambda **_options: resource_checks.check_resources(RESOURCES), "workflows_ui")
        checks.register(
            lambda **_options: resource_checks.check_icons(resource_checks.declared_icons()), "workflows_ui"
        )
