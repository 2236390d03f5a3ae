from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0028_passkey_counters'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='resumes',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='jobitem',
            name='progress',
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
