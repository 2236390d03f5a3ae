from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0024_indexed_objects"),
    ]

    operations = [
        # An update deletes no run of an index that a manager has filled: it keeps as many as an index may.
        migrations.AddField(
            model_name="runindex",
            name="keep_runs",
            field=models.PositiveIntegerField(default=5_000_000),
        ),
        migrations.AlterField(
            model_name="runindex",
            name="keep_runs",
            field=models.PositiveIntegerField(default=1_000_000),
        ),
        migrations.AddField(
            model_name="runindex",
            name="kept_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="runindex",
            name="past_version",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="indexedrun",
            index=models.Index(
                condition=models.Q(("parent_id", ""), _negated=True),
                fields=["workspace", "parent_id"],
                name="indexed_runs_by_parent",
            ),
        ),
        migrations.AddIndex(
            model_name="indexedrun",
            index=models.Index(fields=["workspace", "created", "erased_at"], name="indexed_runs_by_time"),
        ),
    ]
