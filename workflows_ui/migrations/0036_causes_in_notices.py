from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0034_consent_to_sharing"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="causes_in_notices",
            field=models.BooleanField(db_default=True, default=True, verbose_name="causes in mails and notifications"),
        ),
    ]
