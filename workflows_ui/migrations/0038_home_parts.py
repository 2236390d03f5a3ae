from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0037_causes_in_channels"),
    ]

    operations = [
        migrations.AddField(
            model_name="visit",
            name="parts",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
    ]
