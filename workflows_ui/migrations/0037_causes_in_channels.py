from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0036_causes_in_notices"),
    ]

    operations = [
        migrations.AddField(
            model_name="alarmchannel",
            name="causes",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
