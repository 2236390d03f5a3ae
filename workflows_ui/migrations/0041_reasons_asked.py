from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0040_notice_of_a_note"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="reasons_asked",
            field=models.BooleanField(db_default=False, default=False, verbose_name="asks for reasons"),
        ),
    ]
