"""Files beside a launch, searchable inputs, inputs saved for another time, and the form a launch was asked for by."""

import django.db.models.deletion
import workflows_ui.crypto
import workflows_ui.models.launch
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0010_vault'),
    ]

    operations = [
        migrations.AddField(
            model_name='launch',
            name='form_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='launches', to='workflows_ui.launchformversion'),
        ),
        migrations.CreateModel(
            name='LaunchFile',
            fields=[
                ('id', models.CharField(default=workflows_ui.models.launch.new_id, editable=False, max_length=21, primary_key=True, serialize=False)),
                ('key', models.TextField()),
                ('name', models.CharField(max_length=200)),
                ('content_type', models.CharField(max_length=100)),
                ('size', models.PositiveIntegerField()),
                ('data', models.TextField(blank=True)),
                ('launch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='workflows_ui.launch')),
            ],
            options={
                'verbose_name': 'file of a launch',
                'verbose_name_plural': 'files of launches',
                'ordering': ['name', 'pk'],
            },
            bases=(workflows_ui.crypto.SealsFields, models.Model),
        ),
        migrations.CreateModel(
            name='LaunchInput',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('label', models.CharField(blank=True, max_length=200)),
                ('text', models.CharField(max_length=200)),
                ('launch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inputs', to='workflows_ui.launch')),
            ],
            options={
                'verbose_name': 'searchable input',
                'verbose_name_plural': 'searchable inputs',
            },
        ),
        migrations.CreateModel(
            name='SavedInputs',
            fields=[
                ('id', models.CharField(default=workflows_ui.models.launch.new_id, editable=False, max_length=21, primary_key=True, serialize=False)),
                ('flow_id', models.CharField(max_length=64)),
                ('shared', models.BooleanField(default=False)),
                ('name', models.CharField(max_length=100)),
                ('payload', models.TextField()),
                ('updated_at', models.DateTimeField()),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='saved_inputs', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='saved_inputs', to='workflows_ui.workspace')),
            ],
            options={
                'verbose_name': 'saved inputs',
                'verbose_name_plural': 'saved inputs',
                'constraints': [models.UniqueConstraint(fields=('workspace', 'flow_id', 'owner', 'name'), name='one_name_of_saved_inputs')],
            },
            bases=(workflows_ui.crypto.SealsFields, models.Model),
        ),
    ]
