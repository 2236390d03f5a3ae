"""Every migration can be reversed, down to an empty database, and applied again."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = [pytest.mark.slow, pytest.mark.both_databases]


@pytest.mark.django_db(transaction=True)
def test_all_migrations_are_reversed_and_applied_again() -> None:
    executor = MigrationExecutor(connection)
    tables = set(connection.introspection.table_names())
    try:
        executor.migrate([(app, None) for app in sorted(executor.loader.migrated_apps)])
        assert connection.introspection.table_names() == ["django_migrations"]
    finally:
        call_command("migrate", verbosity=0)
    assert set(connection.introspection.table_names()) == tables
