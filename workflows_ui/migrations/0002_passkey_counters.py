"""The counters of passkeys, which refer to a table of `mfa`, whose migrations need the table of people."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [("workflows_ui", "0028_passkey_counters")]

    dependencies = [
        ('mfa', '0003_authenticator_type_uniq'),
        ('workflows_ui', '0001_version_1'),
    ]

    operations = [
        migrations.CreateModel(
            name='PasskeyCounter',
            fields=[
                ('authenticator', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='passkey_counter', serialize=False, to='mfa.authenticator')),
                ('counter', models.BigIntegerField()),
            ],
            options={
                'verbose_name': 'passkey counter',
                'verbose_name_plural': 'passkey counters',
            },
        ),
    ]
