"""Mutes, and the flow of a notification. The people who published the launch forms of today follow the flows of these forms."""

from typing import Any

import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone


def follow_flows_of_forms(apps: Any, schema_editor: Any) -> None:
    """Let failures of a published form be notified, as publishing the first form of a flow does since it exists.

    The owner of the flow is known to the engine only, so its place takes the person who published what launchers see, if they are still
    there and may see the launches of others. A flow that such a person follows already stays as it is.
    """
    forms = apps.get_model("workflows_ui", "LaunchForm").objects
    watches = apps.get_model("workflows_ui", "Watch").objects
    builders = _Builders(apps)
    for form in forms.exclude(published=None).select_related("published").iterator():
        people = builders.of(form.workspace_id)
        publisher = form.published.published_by_id
        followed = watches.filter(workspace=form.workspace_id, kind="flow", object_id=form.flow_id, user__in=people)
        if publisher in people and not followed.exists():
            watches.create(
                user_id=publisher,
                workspace_id=form.workspace_id,
                kind="flow",
                object_id=form.flow_id,
                name=form.flow_name,
                created_at=timezone.now(),
            )


class _Builders:
    """The active people who are builders or managers of a workspace, themselves or by a team."""

    def __init__(self, apps: Any) -> None:
        self._members = apps.get_model("workflows_ui", "Member").objects.filter(role__in=["builder", "manager"])
        self._users = apps.get_model("workflows_ui", "User").objects.filter(is_active=True)
        self._found: dict[int, set[int]] = {}

    def of(self, workspace: int) -> set[int]:
        if workspace not in self._found:
            members = self._members.filter(workspace=workspace)
            own = Q(pk__in=members.exclude(user=None).values("user"))
            by_team = Q(groups__in=members.exclude(team=None).values("team"))
            self._found[workspace] = set(self._users.filter(own | by_team).values_list("pk", flat=True))
        return self._found[workspace]


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0044_failure_rules'),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='flow_id',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='notice',
            name='muted',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name='Mute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(choices=[('flows', 'Failures and alarms of a flow'), ('alarms', 'All alarms of a workspace'), ('launches', 'Your launches'), ('notes', 'Notes that name you, and requests for help'), ('failures', 'Failures that are assigned to you'), ('rules', 'Rules on failure'), ('jobs', 'Your exports and bulk actions'), ('access', 'Access and invitations'), ('credentials', 'Your credentials')], max_length=20)),
                ('flow_id', models.CharField(blank=True, max_length=64)),
                ('name', models.TextField(blank=True)),
                ('mail_only', models.BooleanField(default=False)),
                ('until', models.DateTimeField(null=True)),
                ('muted_at', models.DateTimeField()),
                ('muted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='mutes', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workflows_ui.workspace')),
            ],
            options={
                'verbose_name': 'mute',
                'verbose_name_plural': 'mutes',
                'constraints': [models.UniqueConstraint(django.db.models.functions.comparison.Coalesce('user', 0), django.db.models.functions.comparison.Coalesce('workspace', 0), models.F('topic'), models.F('flow_id'), models.F('mail_only'), name='muted_once')],
            },
        ),
        migrations.RunPython(follow_flows_of_forms, migrations.RunPython.noop),
    ]
