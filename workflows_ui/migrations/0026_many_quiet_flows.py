from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0025_most_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='runindex',
            name='days_off',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='alarm',
            name='announce_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='alarmwatch',
            name='flows_cursor',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='alarmwatch',
            name='flows_started_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='flowrhythm',
            name='learn_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='flowrhythm',
            name='listed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='alarm',
            name='end',
            field=models.CharField(blank=True, choices=[('over', 'The flow is back to normal.'), ('off', 'The flow was turned off or deleted.'), ('muted', 'This type of alarm was muted for the flow.'), ('folded', 'Merged into the alarm “Several flows stopped running”.')], max_length=10),
        ),
        migrations.AlterField(
            model_name='alarm',
            name='kind',
            field=models.CharField(choices=[('quiet', 'No recent runs'), ('missed', 'Scheduled time missed'), ('failing', 'Fails more than usual'), ('longer', 'Longer than usual'), ('many', 'Several flows stopped running')], max_length=10),
        ),
        migrations.AlterField(
            model_name='alarmmute',
            name='kind',
            field=models.CharField(choices=[('quiet', 'No recent runs'), ('missed', 'Scheduled time missed'), ('failing', 'Fails more than usual'), ('longer', 'Longer than usual'), ('many', 'Several flows stopped running')], max_length=10),
        ),
        migrations.AddIndex(
            model_name='flowrhythm',
            index=models.Index(condition=models.Q(('learn_at__isnull', False)), fields=['index', 'learn_at'], name='rhythms_to_learn'),
        ),
    ]
