from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0028_passkey_counters"),
    ]

    operations = [
        migrations.AddField(
            model_name="alarm",
            name="false_alarm",
            field=models.BooleanField(null=True),
        ),
    ]
