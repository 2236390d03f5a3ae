from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0031_resumed_jobs_and_renewals"),
    ]

    operations = [
        migrations.AddField(
            model_name="alarm",
            name="false_alarm",
            field=models.BooleanField(null=True),
        ),
    ]
