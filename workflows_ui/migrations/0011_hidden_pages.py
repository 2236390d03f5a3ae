"""Pages that a workspace hides from launchers."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0010_saved_views'),
    ]

    operations = [
        migrations.AddField(
            model_name='workspace',
            name='hidden_pages',
            field=models.JSONField(blank=True, default=list, verbose_name='hidden from launchers'),
        ),
    ]
