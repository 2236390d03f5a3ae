"""Columns and a model in the field's words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workflows_ui", "0002_second_release")]

    operations = [
        # The state of an index does not follow a renamed column.
        migrations.RemoveIndex("launch", "launch_to_look_at"),
        migrations.RenameField("launch", "look_at", "poll_at"),
        migrations.AddIndex(
            "launch", models.Index(condition=models.Q(poll_at__isnull=False), fields=["poll_at"], name="launch_to_poll")
        ),
        migrations.RenameField("launch", "rung_at", "enqueued_at"),
        migrations.RenameField("job", "rung_at", "enqueued_at"),
        migrations.RenameModel("Lookout", "WatchPoll"),
        migrations.AlterModelOptions(
            "watchpoll", {"verbose_name": "watch poll", "verbose_name_plural": "watch polls"}
        ),
    ]
