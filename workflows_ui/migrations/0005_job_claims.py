from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0004_job_language'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('claim_until__isnull', False)), fields=['claim_until'], name='job_claimed_until'),
        ),
    ]
