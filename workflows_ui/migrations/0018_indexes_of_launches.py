"""Indexes for what the home page and the worker ask of many launches, made beside whoever writes meanwhile."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndexBesideWriters(AddIndexConcurrently):
    """On PostgreSQL without a lock on the table, which may be large; on SQLite as usual."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        way = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else migrations.AddIndex
        way.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        way = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else migrations.AddIndex
        way.database_backwards(self, app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    # PostgreSQL makes no index beside writers within a transaction. Cut off midway, it leaves an index marked invalid: drop that by
    # hand (`\di` in psql names it), and migrate again.
    atomic = False

    dependencies = [("workflows_ui", "0017_launch_form_before")]

    operations = [
        AddIndexBesideWriters(
            "launch", models.Index(fields=["workspace", "state", "-asked_at"], name="launch_by_state")
        ),
        AddIndexBesideWriters(
            "launch",
            models.Index(
                fields=["workspace", "-ended_at"],
                condition=models.Q(state__in=["failed", "refused", "not_sent", "unknown"]),
                name="launch_went_wrong",
            ),
        ),
        AddIndexBesideWriters(
            "launchfile", models.Index(fields=["launch"], condition=~models.Q(data=""), name="file_still_kept")
        ),
    ]
