from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0042_alarms_from_the_start"),
    ]

    operations = [
        migrations.AddField(
            model_name="listchoice",
            name="plot_open",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
