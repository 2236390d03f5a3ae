from django.db import migrations, models


def plan_no_impossible_renewal(apps, schema_editor):
    """An Activepieces renews a token for the password only: without it, its owner is reminded of its end."""
    credentials = apps.get_model('workflows_ui', 'Credential').objects
    credentials.filter(kind='bearer_sign_in', password='').update(renew_at=None)


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0030_jobs_and_retries'),
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
        migrations.RunPython(plan_no_impossible_renewal, migrations.RunPython.noop),
    ]
