"""Folded notices; quiet hours and daily mails. News by mail becomes a choice of three."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


def _keep_choices(apps, _schema_editor):
    apps.get_model("workflows_ui", "User").objects.filter(mail_news=False).update(mail_delivery="none")
    apps.get_model("workflows_ui", "Notice").objects.update(last_at=models.F("created_at"))


def _restore_choices(apps, _schema_editor):
    apps.get_model("workflows_ui", "User").objects.filter(mail_delivery="none").update(mail_news=False)


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0008_access_request_link'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='notice',
            name='notices_of_person',
        ),
        migrations.AddField(
            model_name='notice',
            name='count',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='notice',
            name='head',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workflows_ui.notice'),
        ),
        migrations.AddField(
            model_name='notice',
            name='last_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name='notice',
            name='subject',
            field=models.CharField(blank=True, max_length=160),
        ),
        migrations.AddField(
            model_name='user',
            name='digest_hour',
            field=models.PositiveSmallIntegerField(default=8, validators=[django.core.validators.MaxValueValidator(23)], verbose_name='time of the daily email'),
        ),
        migrations.AddField(
            model_name='user',
            name='digested_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='mail_delivery',
            field=models.CharField(choices=[('at_once', 'Immediately'), ('daily', 'Once a day, in one email'), ('none', 'No emails')], default='at_once', max_length=10, verbose_name='notifications by email'),
        ),
        migrations.AddField(
            model_name='user',
            name='quiet_from',
            field=models.TimeField(blank=True, null=True, verbose_name='quiet hours from'),
        ),
        migrations.AddField(
            model_name='user',
            name='quiet_until',
            field=models.TimeField(blank=True, null=True, verbose_name='quiet hours until'),
        ),
        migrations.RunPython(_keep_choices, _restore_choices),
        migrations.RemoveField(
            model_name='user',
            name='mail_news',
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('head__isnull', True)), fields=['user', '-last_at'], name='notices_of_person'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('subject', ''), _negated=True), fields=['user', 'subject'], name='notices_by_subject'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(condition=models.Q(('read_at__isnull', True), models.Q(('subject', ''), _negated=True)), fields=('user', 'subject'), name='one_unread_notice_a_subject'),
        ),
    ]
