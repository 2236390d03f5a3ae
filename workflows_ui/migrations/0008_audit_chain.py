# The audit log becomes a chain: columns, the text of old rows, and triggers that keep rows as they are.

import sqlite3

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from workflows_ui.models import audit_text

#: What the canonical text told of when this migration was made.
CANONICAL = (
    "at", "user_id", "user_name", "workspace_id", "action", "object_type", "object_id", "object_name", "outcome", "reason", "detail",
    "address", "session", "request_id", "begun_id",
)

#: What SQLite may still set in a row, once; everything else stays.
SQLITE = """
CREATE TRIGGER audit_event_unchanged BEFORE UPDATE ON workflows_ui_auditevent
WHEN OLD.number IS NOT NULL OR NEW.number IS NULL OR NEW.id IS NOT OLD.id OR NEW.at IS NOT OLD.at OR NEW.user_id IS NOT OLD.user_id
  OR NEW.user_name IS NOT OLD.user_name OR NEW.workspace_id IS NOT OLD.workspace_id OR NEW.action IS NOT OLD.action
  OR NEW.object_type IS NOT OLD.object_type OR NEW.object_id IS NOT OLD.object_id OR NEW.object_name IS NOT OLD.object_name
  OR NEW.outcome IS NOT OLD.outcome OR NEW.reason IS NOT OLD.reason OR NEW.detail IS NOT OLD.detail OR NEW.address IS NOT OLD.address
  OR NEW.session IS NOT OLD.session OR NEW.request_id IS NOT OLD.request_id OR NEW.begun_id IS NOT OLD.begun_id
  OR NEW.canonical IS NOT OLD.canonical
BEGIN SELECT RAISE(ABORT, 'rows of the audit log are not changed'); END;
CREATE TRIGGER audit_event_kept BEFORE DELETE ON workflows_ui_auditevent
WHEN NOT EXISTS (SELECT 1 FROM workflows_ui_auditcheckpoint WHERE number >= OLD.number)
BEGIN SELECT RAISE(ABORT, 'rows of the audit log are not deleted, except behind a checkpoint'); END;
CREATE TRIGGER audit_checkpoint_unchanged BEFORE UPDATE ON workflows_ui_auditcheckpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints of the audit log are not changed'); END;
CREATE TRIGGER audit_checkpoint_kept BEFORE DELETE ON workflows_ui_auditcheckpoint
BEGIN SELECT RAISE(ABORT, 'checkpoints of the audit log are not deleted'); END;
"""
POSTGRESQL = """
CREATE FUNCTION audit_event_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF NOT EXISTS (SELECT 1 FROM workflows_ui_auditcheckpoint WHERE number >= OLD.number) THEN
      RAISE EXCEPTION 'rows of the audit log are not deleted, except behind a checkpoint';
    END IF;
    RETURN OLD;
  END IF;
  IF OLD.number IS NOT NULL OR NEW.number IS NULL
     OR to_jsonb(NEW) - 'number' - 'mark' - 'key' IS DISTINCT FROM to_jsonb(OLD) - 'number' - 'mark' - 'key' THEN
    RAISE EXCEPTION 'rows of the audit log are not changed';
  END IF;
  RETURN NEW;
END $guard$;
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
  RAISE EXCEPTION 'the audit log is only added to';
END $guard$;
CREATE TRIGGER audit_event_guard BEFORE UPDATE OR DELETE ON workflows_ui_auditevent FOR EACH ROW EXECUTE FUNCTION audit_event_guard();
CREATE TRIGGER audit_event_whole BEFORE TRUNCATE ON workflows_ui_auditevent FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoint_guard BEFORE UPDATE OR DELETE ON workflows_ui_auditcheckpoint
  FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoint_whole BEFORE TRUNCATE ON workflows_ui_auditcheckpoint
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""
SQLITE_BACK = """
DROP TRIGGER audit_event_unchanged;
DROP TRIGGER audit_event_kept;
DROP TRIGGER audit_checkpoint_unchanged;
DROP TRIGGER audit_checkpoint_kept;
"""
POSTGRESQL_BACK = """
DROP TRIGGER audit_event_guard ON workflows_ui_auditevent;
DROP TRIGGER audit_event_whole ON workflows_ui_auditevent;
DROP TRIGGER audit_checkpoint_guard ON workflows_ui_auditcheckpoint;
DROP TRIGGER audit_checkpoint_whole ON workflows_ui_auditcheckpoint;
DROP FUNCTION audit_event_guard();
DROP FUNCTION audit_refuse();
"""


def tell_old_rows(apps, _editor):
    """Rows of before get the person's name, the link from an end to its beginning, and their canonical text."""
    rows = apps.get_model("workflows_ui", "AuditEvent").objects
    begun = {}
    for row in rows.select_related("user").order_by("pk").iterator():
        if row.user is not None:
            full = f"{row.user.first_name} {row.user.last_name}".strip()
            row.user_name = f"{full} ({row.user.username})" if full else row.user.username
        key = (row.request_id, row.action, row.object_id)
        if row.outcome == "begun" and row.request_id:
            begun[key] = row.pk
        elif key in begun:
            row.begun_id = begun.pop(key)
        row.canonical = audit_text.text({name: getattr(row, name) for name in CANONICAL})
        row.save(update_fields=["user_name", "begun", "canonical"])


def guard(_apps, editor):
    """The triggers. In SQLite a later migration that makes the table anew must put them back: a test misses them."""
    _run(editor, POSTGRESQL if editor.connection.vendor == "postgresql" else SQLITE)


def unguard(_apps, editor):
    """Takes the triggers away."""
    _run(editor, POSTGRESQL_BACK if editor.connection.vendor == "postgresql" else SQLITE_BACK)


def _run(editor, script):
    if editor.connection.vendor == "postgresql":
        editor.execute(script, params=None)
        return
    pieces = []
    for line in script.strip().splitlines():
        pieces.append(line)
        if sqlite3.complete_statement("\n".join(pieces)):
            editor.execute("\n".join(pieces), params=None)
            pieces = []


class Migration(migrations.Migration):

    dependencies = [
        ('workflows_ui', '0007_launch_forms'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditChain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(default=0)),
                ('mark', models.CharField(blank=True, max_length=64)),
                ('key', models.CharField(blank=True, max_length=16)),
                ('signature', models.CharField(blank=True, max_length=64)),
                ('holder', models.CharField(blank=True, max_length=32)),
                ('lease_until', models.DateTimeField(null=True)),
                ('told_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'head of the audit log',
                'verbose_name_plural': 'heads of the audit log',
            },
        ),
        migrations.CreateModel(
            name='AuditCheckpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(unique=True)),
                ('mark', models.CharField(max_length=64)),
                ('until', models.DateTimeField()),
                ('removed', models.BigIntegerField()),
                ('made_at', models.DateTimeField()),
                ('key', models.CharField(max_length=16)),
                ('signature', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name': 'checkpoint of the audit log',
                'verbose_name_plural': 'checkpoints of the audit log',
            },
        ),
        migrations.AddField(
            model_name='auditevent',
            name='begun',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='ends', to='workflows_ui.auditevent'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='canonical',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='key',
            field=models.CharField(blank=True, editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='mark',
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='number',
            field=models.BigIntegerField(editable=False, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='reason',
            field=models.TextField(blank=True, verbose_name='reason'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='session',
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='user_name',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='action',
            field=models.CharField(max_length=60, verbose_name='action'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='at',
            field=models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name='when'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='outcome',
            field=models.CharField(max_length=20, verbose_name='outcome'),
        ),
        migrations.AlterField(
            model_name='auditevent',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['workspace', '-at', '-id'], name='audit_by_time'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['workspace', 'action', '-at'], name='audit_by_action'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['workspace', 'user', '-at'], name='audit_by_person'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(condition=models.Q(('number__isnull', True)), fields=['id'], name='audit_unsealed'),
        ),
        migrations.RunPython(tell_old_rows, migrations.RunPython.noop),
        migrations.RunPython(guard, unguard),
    ]
