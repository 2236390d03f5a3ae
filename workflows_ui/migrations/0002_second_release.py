"""Secrets that are bound to workspace and owner, marked rows, more states of launches, and tables added since the first release."""

import sys

from django.apps import apps as current
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


def upgrade_rows(apps, editor):
    """Bind and mark the rows of the first release. Rows that contradict the audit log stay as they are, and are listed on stderr:
    `manage.py bind_credentials --check` lists them again."""
    from workflows_ui.core import crypto
    from workflows_ui.credentials.services import binding

    launches, jobs = (apps.get_model("workflows_ui", name).objects for name in ("Launch", "Job"))
    launches.filter(state="failed", run_status="CANCELED").update(state="cancelled")
    _give_owners(apps, binding, crypto)
    for row in binding.bind(apps, unknown=True):
        if row.why:
            print(f"\n  not bound: {binding.line(row)}", end="", file=sys.stderr)
    # Only rows that are still worked on are checked.
    unsent = launches.filter(state__in=["queued", "claimed"]).defer("payload", "answer", "failure")
    unfinished = jobs.exclude(state__in=["ended", "stopped", "failed"]).defer("data")
    for rows in (unsent, unfinished):
        mark_context = current.get_model(rows.model._meta.label).mark_context
        for row in rows:
            rows.filter(pk=row.pk).update(mark=crypto.mark(mark_context(row)))
    if editor.connection.vendor == "postgresql":
        # A table with foreign keys still to be checked cannot be altered.
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _give_owners(apps, binding, crypto):
    """Credentials of a team become a person's, shared with the team. A share that the audit log has no record of has no effect."""
    log = binding.Log(apps)
    shares = apps.get_model("workflows_ui", "CredentialShare").objects
    place_of = current.get_model("workflows_ui", "CredentialShare").place_of
    for credential in apps.get_model("workflows_ui", "Credential").objects.filter(owner=None).order_by("pk"):
        owner, team = binding.owner_of_record(apps, log, credential), credential.team_id
        if owner is None:
            credential.delete()
            continue
        mark = crypto.mark(place_of(credential.pk, team)) if binding.handed_over(log, credential) else ""
        shares.create(credential=credential, team_id=team, shared_at=timezone.now(), mark=mark)
        credential.owner_id, credential.team_id = owner, None
        credential.save(update_fields=["owner", "team"])


class Migration(migrations.Migration):
    replaces = [
        ("workflows_ui", name)
        for name in (
            "0019_workspace_engine_limits 0020_launch_states 0021_launch_size 0022_expiring_values 0023_bound_credentials "
            "0024_bind_credentials 0025_owner_of_record 0026_known_browsers 0027_launch_secret_marks 0028_invitation_requests "
            "0029_marked_launches 0030_marked_jobs 0031_last_language"
        ).split()
    ]
    dependencies = [("auth", "0012_alter_user_first_name_max_length"), ("workflows_ui", "0001_first_release")]

    operations = [
        migrations.CreateModel(
            "CredentialShare",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("credential", models.ForeignKey(on_delete=models.CASCADE, related_name="shares", to="workflows_ui.credential")),
                ("team", models.ForeignKey(on_delete=models.CASCADE, related_name="credential_shares", to="auth.group")),
                ("shared_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("shared_at", models.DateTimeField()),
                ("mark", models.TextField(blank=True, editable=False)),
            ],
            {
                "verbose_name": "sharing of a credential",
                "verbose_name_plural": "sharings of credentials",
                "constraints": [models.UniqueConstraint(fields=("credential", "team"), name="shared_once")],
            },
        ),
        migrations.CreateModel(
            "ExpiringValue",
            [
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("value", models.TextField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            {"verbose_name": "expiring value", "verbose_name_plural": "expiring values"},
        ),
        migrations.CreateModel(
            "InvitationRequest",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("invitation", models.ForeignKey(on_delete=models.CASCADE, related_name="requests", to="workflows_ui.colleagueinvitation")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("granted", models.BooleanField(default=False)),
            ],
            {
                "verbose_name": "request to use an invitation",
                "verbose_name_plural": "requests to use invitations",
                "constraints": [models.UniqueConstraint(fields=("invitation", "user"), name="invitation_asked_once")],
            },
        ),
        migrations.CreateModel(
            "KnownBrowser",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("used_at", models.DateTimeField()),
            ],
            {
                "verbose_name": "known browser",
                "verbose_name_plural": "known browsers",
                "indexes": [models.Index(fields=["user", "-used_at"], name="known_browsers_of_person")],
            },
        ),
        migrations.AddField("credential", "refused", models.CharField(blank=True, editable=False, max_length=64)),
        migrations.AddField("job", "mark", models.TextField(blank=True, editable=False)),
        migrations.AddField("launch", "mark", models.TextField(blank=True, editable=False)),
        migrations.AddField("launch", "misses", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("launch", "moves", models.PositiveIntegerField(default=0)),
        migrations.AddField("launch", "retried_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("launch", "secret_marks", models.JSONField(blank=True, default=list)),
        migrations.AddField("launch", "size", models.PositiveIntegerField(default=0)),
        migrations.AddField("launch", "try_after", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("user", "last_language", models.CharField(blank=True, editable=False, max_length=10)),
        migrations.AddField("workspace", "engine_limits", models.JSONField(blank=True, default=dict, verbose_name="engine limits")),
        migrations.AddField("workspace", "mark", models.TextField(blank=True, editable=False)),
        migrations.AddField("workspace", "moves", models.PositiveIntegerField(default=0, editable=False)),
        migrations.AddField("workspace", "refused", models.CharField(blank=True, editable=False, max_length=64)),
        migrations.RemoveConstraint("credential", "credential_is_a_persons_or_a_teams"),
        # Backwards the rows stay bound, and the first release does not open them: to go back, restore a backup.
        migrations.RunPython(upgrade_rows, migrations.RunPython.noop),
        migrations.AlterField(
            "credential", "owner", models.ForeignKey(on_delete=models.CASCADE, related_name="credentials", to=settings.AUTH_USER_MODEL)
        ),
        migrations.RemoveField("credential", "team"),
    ]
