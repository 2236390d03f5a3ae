"""A database of the last version in development is taken as it is; one of an earlier version is refused."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

NEW = {"0001_version_1", "0002_passkey_counters"}


@pytest.fixture
def development(db: None) -> set[str]:
    """Makes the history of the database that of the last version in development, and returns its migrations."""
    recorder = MigrationRecorder(connection)
    replacements = MigrationLoader(connection).replacements
    earlier = {name for app, new in sorted(replacements) if new in NEW for _, name in replacements[app, new].replaces}
    recorder.migration_qs.filter(app="workflows_ui").delete()
    for name in sorted(earlier):
        recorder.record_applied("workflows_ui", name)
    return earlier


@pytest.mark.slow
def test_a_database_with_all_replaced_migrations_is_taken_as_it_is(development: set[str]) -> None:
    output = StringIO()
    call_command("migrate", stdout=output, skip_checks=False)
    assert "No migrations to apply" in output.getvalue()
    names = MigrationRecorder(connection).migration_qs.filter(app="workflows_ui").values_list("name", flat=True)
    assert set(names) == development | NEW


def test_a_database_with_some_of_the_replaced_migrations_is_refused_with_what_to_do(development: set[str]) -> None:
    missing = ["0044_failure_rules", "0045_follows"]
    MigrationRecorder(connection).migration_qs.filter(app="workflows_ui", name__in=missing).delete()
    with pytest.raises(SystemCheckError, match=f"(?s){missing[0]} was not applied.*last version that has {missing[1]}"):
        call_command("migrate", verbosity=0, skip_checks=False)
