"""All tables of the first release, and the triggers that protect the audit log."""

import uuid

from django.conf import settings
from django.contrib.auth.models import UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import migrations, models
from django.utils import timezone

#: On SQLite, a row of the audit log can be changed once, to add its number, digest and key.
_FIXED = (
    "id at user_id user_name workspace_id action object_type object_id object_name outcome reason detail address session request_id begun_id canonical"
).split()
SQLITE = (
    "CREATE TRIGGER audit_event_unchanged BEFORE UPDATE ON workflows_ui_auditevent "
    f"WHEN OLD.number IS NOT NULL OR NEW.number IS NULL OR {' OR '.join(f'NEW.{name} IS NOT OLD.{name}' for name in _FIXED)} "
    "BEGIN SELECT RAISE(ABORT, 'rows of the audit log are not changed'); END",
    """CREATE TRIGGER audit_event_kept BEFORE DELETE ON workflows_ui_auditevent
    WHEN NOT EXISTS (SELECT 1 FROM workflows_ui_auditcheckpoint WHERE number >= OLD.number)
    BEGIN SELECT RAISE(ABORT, 'rows of the audit log are not deleted, except behind a checkpoint'); END""",
    """CREATE TRIGGER audit_checkpoint_unchanged BEFORE UPDATE ON workflows_ui_auditcheckpoint
    BEGIN SELECT RAISE(ABORT, 'checkpoints of the audit log are not changed'); END""",
    """CREATE TRIGGER audit_checkpoint_kept BEFORE DELETE ON workflows_ui_auditcheckpoint
    BEGIN SELECT RAISE(ABORT, 'checkpoints of the audit log are not deleted'); END""",
)
POSTGRESQL = """
CREATE OR REPLACE FUNCTION audit_event_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
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
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $guard$
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


def create_triggers(_apps, editor):
    """A later migration that makes Django rebuild one of the two tables on SQLite must create its triggers again."""
    for statement in [POSTGRESQL] if editor.connection.vendor == "postgresql" else SQLITE:
        editor.execute(statement, params=None)


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("workflows_ui", name)
        for name in (
            "0001_initial 0002_jobs 0003_capabilities 0004_job_language 0005_job_claims "
            "0006_job_count 0007_launch_forms 0008_audit_chain 0009_people_teams_rights 0010_vault "
            "0011_launch_inputs 0012_second_step 0013_notices 0014_identity 0015_news_of_people "
            "0016_invitation_without_role 0017_launch_form_before 0018_indexes_of_launches "
        ).split()
    ]
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.CreateModel(
            "User",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("is_superuser", models.BooleanField(default=False, help_text="Designates that this user has all permissions without explicitly assigning them.", verbose_name="superuser status")),
                ("username", models.CharField(error_messages={"unique": "A user with that username already exists."}, help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.", max_length=150, unique=True, validators=[UnicodeUsernameValidator()], verbose_name="username")),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                ("is_staff", models.BooleanField(default=False, help_text="Designates whether the user can log into this admin site.", verbose_name="staff status")),
                ("is_active", models.BooleanField(default=True, help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.", verbose_name="active")),
                ("date_joined", models.DateTimeField(default=timezone.now, verbose_name="date joined")),
                ("language", models.CharField(blank=True, max_length=10, verbose_name="language")),
                ("time_zone", models.CharField(blank=True, max_length=64, verbose_name="time zone")),
                ("mail_news", models.BooleanField(default=True, verbose_name="news by mail")),
                ("session_generation", models.PositiveIntegerField(default=0, editable=False)),
                ("groups", models.ManyToManyField(blank=True, help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.", related_name="user_set", related_query_name="user", to="auth.group", verbose_name="groups")),
                ("user_permissions", models.ManyToManyField(blank=True, help_text="Specific permissions for this user.", related_name="user_set", related_query_name="user", to="auth.permission", verbose_name="user permissions")),
            ],
            {"verbose_name": "user", "verbose_name_plural": "users"},
            managers=[("objects", UserManager())],
        ),
        migrations.CreateModel(
            "Workspace",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=60, unique=True, verbose_name="short name")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("colour", models.CharField(blank=True, choices=[("", "None (live)"), ("secondary", "Grey (practice)"), ("azure", "Blue (sandbox)"), ("orange", "Orange"), ("purple", "Purple")], max_length=20, verbose_name="colour")),
                ("flavour", models.CharField(choices=[("imbrace", "Imbrace"), ("activepieces", "Activepieces")], max_length=20, verbose_name="kind of engine")),
                ("environment", models.CharField(blank=True, max_length=20, verbose_name="environment")),
                ("address", models.CharField(max_length=500, verbose_name="address")),
                ("organization_id", models.CharField(blank=True, max_length=120, verbose_name="organization")),
                ("project_id", models.CharField(max_length=64, verbose_name="project ID")),
                ("project_name", models.CharField(blank=True, max_length=500, verbose_name="project")),
                ("engine_version", models.CharField(blank=True, max_length=40, verbose_name="engine version")),
                ("practice", models.BooleanField(default=False, verbose_name="practice")),
                ("second_factor_required", models.BooleanField(default=False, verbose_name='two-factor authentication required')),
                ("launching_paused", models.BooleanField(default=False, verbose_name="launching is paused")),
                ("secrets_version", models.PositiveIntegerField(default=0, editable=False)),
                ("marker_seen_at", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            {
                "verbose_name": "workspace",
                "verbose_name_plural": "workspaces",
                "constraints": [models.UniqueConstraint(fields=("flavour", "address", "project_id"), name="one_workspace_a_project")],
            },
        ),
        migrations.CreateModel(
            "Member",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="members", to="workflows_ui.workspace")),
                ("user", models.ForeignKey(blank=True, null=True, on_delete=models.CASCADE, related_name="memberships", to=settings.AUTH_USER_MODEL)),
                ("team", models.ForeignKey(blank=True, null=True, on_delete=models.CASCADE, related_name="memberships", to="auth.group")),
                ("role", models.CharField(choices=[("viewer", "Viewer"), ("launcher", "Launcher"), ("builder", "Builder"), ("manager", "Manager")], max_length=20, verbose_name="role")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            {
                "verbose_name": "member",
                "verbose_name_plural": "members",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(models.Q(("team__isnull", True), ("user__isnull", False)), models.Q(("team__isnull", False), ("user__isnull", True)), _connector="OR"), name="member_is_a_person_or_a_team"),
                    models.UniqueConstraint(condition=models.Q(("user__isnull", False)), fields=("workspace", "user"), name="one_role_a_person"),
                    models.UniqueConstraint(condition=models.Q(("team__isnull", False)), fields=("workspace", "team"), name="one_role_a_team"),
                ],
            },
        ),
        migrations.CreateModel(
            "TeamProfile",
            [
                ("team", models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name="profile", serialize=False, to="auth.group")),
                ("description", models.CharField(blank=True, max_length=300, verbose_name="what it is for")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            {"verbose_name": "team", "verbose_name_plural": "teams"},
        ),
        migrations.CreateModel(
            "TeamOwner",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("team", models.ForeignKey(on_delete=models.CASCADE, related_name="owners", to="auth.group")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="owned_teams", to=settings.AUTH_USER_MODEL)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            {
                "verbose_name": "team owner",
                "verbose_name_plural": "team owners",
                "constraints": [models.UniqueConstraint(fields=("team", "user"), name="one_owner_a_team_and_person")],
            },
        ),
        migrations.CreateModel(
            "ColleagueInvitation",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="invitations", to="workflows_ui.workspace")),
                ("email", models.EmailField(max_length=254, verbose_name="email address")),
                ("role", models.CharField(blank=True, choices=[("viewer", "Viewer"), ("launcher", "Launcher"), ("builder", "Builder"), ("manager", "Manager")], max_length=20, verbose_name="role")),
                ("link_digest", models.CharField(max_length=64, unique=True)),
                ("mail_digest", models.CharField(max_length=64, unique=True)),
                ("invited_by", models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="invitations_given", to=settings.AUTH_USER_MODEL)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("accepted_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("teams", models.ManyToManyField(blank=True, related_name="+", to="auth.group")),
            ],
            {
                "verbose_name": "invitation of a colleague",
                "verbose_name_plural": "invitations of colleagues",
                "indexes": [models.Index(fields=["workspace", "-created_at"], name="invitation_by_time")],
            },
        ),
        migrations.CreateModel(
            "AccessRequest",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="access_requests", to="workflows_ui.workspace")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="access_requests", to=settings.AUTH_USER_MODEL)),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("granted", models.BooleanField(blank=True, null=True)),
            ],
            {
                "verbose_name": "access request",
                "verbose_name_plural": "access requests",
                "constraints": [models.UniqueConstraint(condition=models.Q(("decided_at__isnull", True)), fields=("workspace", "user"), name="one_open_request_a_person")],
            },
        ),
        migrations.CreateModel(
            "LaunchRight",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="launch_rights", to="workflows_ui.workspace")),
                ("flow_id", models.CharField(max_length=64)),
                ("flow_name", models.TextField(blank=True)),
                ("user", models.ForeignKey(blank=True, null=True, on_delete=models.CASCADE, related_name="launch_rights", to=settings.AUTH_USER_MODEL)),
                ("team", models.ForeignKey(blank=True, null=True, on_delete=models.CASCADE, related_name="launch_rights", to="auth.group")),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("most_launches", models.PositiveIntegerField(blank=True, null=True, verbose_name="number of launches")),
                ("used", models.PositiveIntegerField(default=0)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            {
                "verbose_name": "launch right",
                "verbose_name_plural": "launch rights",
                "indexes": [models.Index(fields=["workspace", "flow_id"], name="launch_right_by_flow")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(models.Q(("team__isnull", True), ("user__isnull", False)), models.Q(("team__isnull", False), ("user__isnull", True)), _connector="OR"), name="launch_right_is_a_persons_or_a_teams"),
                    models.CheckConstraint(condition=models.Q(("most_launches__isnull", True), ("used__lte", models.F("most_launches")), _connector="OR"), name="launch_right_is_never_overused"),
                ],
            },
        ),
        migrations.CreateModel(
            "Credential",
            [
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="credentials", to="workflows_ui.workspace")),
                ("owner", models.ForeignKey(null=True, on_delete=models.CASCADE, related_name="credentials", to=settings.AUTH_USER_MODEL)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("kind", models.CharField(choices=[("api_key", "API key"), ("access_token", "Access token"), ("jwt", "JWT of an organization"), ("sign_in", "Sign-in with email"), ("bearer_token", "Activepieces token"), ("bearer_sign_in", "Activepieces sign-in")], max_length=20, verbose_name="kind")),
                ("organization_id", models.CharField(blank=True, max_length=120, verbose_name="organization")),
                ("secret", models.TextField(blank=True, verbose_name="secret")),
                ("email", models.CharField(blank=True, max_length=254, verbose_name="email")),
                ("password", models.TextField(blank=True, verbose_name="password")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends")),
                ("renew_at", models.DateTimeField(blank=True, null=True)),
                ("renew_until", models.DateTimeField(blank=True, null=True)),
                ("renew_failures", models.PositiveIntegerField(default=0)),
                ("renew_problem", models.CharField(blank=True, max_length=40)),
                ("health", models.CharField(blank=True, choices=[("works", "Works"), ("refused", "Refused by the engine"), ("unreachable", "Engine not reachable")], max_length=20, verbose_name="health")),
                ("findings", models.JSONField(blank=True, default=dict)),
                ("tested_at", models.DateTimeField(blank=True, null=True)),
                ("test_at", models.DateTimeField(blank=True, null=True)),
                ("test_until", models.DateTimeField(blank=True, null=True)),
                ("replaced_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("team", models.ForeignKey(blank=True, null=True, on_delete=models.CASCADE, related_name="credentials", to="auth.group")),
            ],
            {
                "verbose_name": "credential",
                "verbose_name_plural": "credentials",
                "indexes": [
                    models.Index(condition=models.Q(("renew_at__isnull", False)), fields=["renew_at"], name="credential_to_renew"),
                    models.Index(fields=["test_at"], name="credential_to_test"),
                ],
                "constraints": [models.CheckConstraint(condition=models.Q(models.Q(("owner__isnull", False), ("team__isnull", True)), models.Q(("owner__isnull", True), ("team__isnull", False)), _connector="OR"), name="credential_is_a_persons_or_a_teams")],
            },
        ),
        migrations.CreateModel(
            "CredentialSecret",
            [
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("credential", models.ForeignKey(on_delete=models.CASCADE, related_name="previous", to="workflows_ui.credential")),
                ("kind", models.CharField(choices=[("api_key", "API key"), ("access_token", "Access token"), ("jwt", "JWT of an organization"), ("sign_in", "Sign-in with email"), ("bearer_token", "Activepieces token"), ("bearer_sign_in", "Activepieces sign-in")], max_length=20)),
                ("organization_id", models.CharField(blank=True, max_length=120)),
                ("secret", models.TextField(blank=True)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("password", models.TextField(blank=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("replaced_at", models.DateTimeField()),
                ("replaced_by", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("keep_until", models.DateTimeField()),
                ("destroyed_at", models.DateTimeField(blank=True, null=True)),
            ],
            {
                "verbose_name": "replaced secret",
                "verbose_name_plural": "replaced secrets",
                "indexes": [models.Index(condition=models.Q(("destroyed_at__isnull", True)), fields=["keep_until"], name="credential_secret_kept_until")],
            },
        ),
        migrations.CreateModel(
            "CredentialReminder",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("credential", models.ForeignKey(on_delete=models.CASCADE, related_name="reminders", to="workflows_ui.credential")),
                ("days", models.PositiveIntegerField()),
                ("ends_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
            ],
            {
                "verbose_name": "reminder of a credential",
                "verbose_name_plural": "reminders of credentials",
                "constraints": [models.UniqueConstraint(fields=("credential", "days", "ends_at"), name="reminded_once")],
            },
        ),
        migrations.CreateModel(
            "LaunchForm",
            [
                ("id", models.CharField(editable=False, max_length=21, primary_key=True, serialize=False)),
                ("workspace", models.ForeignKey(on_delete=models.PROTECT, related_name="launch_forms", to="workflows_ui.workspace")),
                ("flow_id", models.CharField(max_length=64)),
                ("flow_name", models.TextField(blank=True)),
                ("draft", models.TextField(blank=True)),
                ("before", models.TextField(blank=True)),
                ("lock", models.PositiveIntegerField(default=0)),
                ("updated_by", models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("updated_at", models.DateTimeField()),
            ],
            {
                "verbose_name": "launch form",
                "verbose_name_plural": "launch forms",
                "constraints": [models.UniqueConstraint(fields=("workspace", "flow_id"), name="one_launch_form_a_flow")],
            },
        ),
        migrations.CreateModel(
            "LaunchFormVersion",
            [
                ("id", models.CharField(editable=False, max_length=21, primary_key=True, serialize=False)),
                ("form", models.ForeignKey(on_delete=models.CASCADE, related_name="versions", to="workflows_ui.launchform")),
                ("number", models.PositiveIntegerField()),
                ("schema", models.TextField()),
                ("published_by", models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("published_at", models.DateTimeField()),
                ("words", models.TextField(blank=True)),
            ],
            {
                "verbose_name": "version of a launch form",
                "verbose_name_plural": "versions of launch forms",
                "ordering": ["-number"],
                "constraints": [models.UniqueConstraint(fields=("form", "number"), name="one_launch_form_version_a_number")],
            },
        ),
        migrations.CreateModel(
            "Launch",
            [
                ("id", models.CharField(editable=False, max_length=21, primary_key=True, serialize=False)),
                ("workspace", models.ForeignKey(on_delete=models.PROTECT, related_name="launches", to="workflows_ui.workspace")),
                ("user", models.ForeignKey(on_delete=models.PROTECT, related_name="launches", to=settings.AUTH_USER_MODEL)),
                ("credential", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="launches", to="workflows_ui.credential")),
                ("right", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="launches", to="workflows_ui.launchright")),
                ("ticket", models.CharField(max_length=64, unique=True)),
                ("flow_id", models.CharField(max_length=64)),
                ("flow_name", models.TextField(blank=True)),
                ("wait", models.BooleanField(default=False, verbose_name="wait for the answer")),
                ("form_version", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="launches", to="workflows_ui.launchformversion")),
                ("payload", models.TextField(blank=True)),
                ("payload_digest", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting to be sent"),
                            ("claimed", "Waiting to be sent"),
                            ("sending", "Sending"),
                            ("accepted", "Sent, waiting for the run"),
                            ("enqueued", "Queued in the engine"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("refused", "Refused by the engine"),
                            ("not_sent", "Not sent"),
                            ("unknown", "Unclear: it may have run"),
                            ("other", "Unknown state"),
                        ],
                        default="queued",
                        max_length=20,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("technical", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField()),
                ("not_before", models.DateTimeField()),
                ("send_by", models.DateTimeField()),
                ("rung_at", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("claim", models.CharField(blank=True, max_length=32)),
                ("claim_until", models.DateTimeField(blank=True, null=True)),
                ("sending_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("answer_status", models.PositiveIntegerField(blank=True, null=True)),
                ("answer_type", models.CharField(blank=True, max_length=200)),
                ("answer", models.TextField(blank=True)),
                ("answer_cut", models.BooleanField(default=False)),
                ("answer_from", models.CharField(blank=True, max_length=10)),
                ("answer_location", models.TextField(blank=True)),
                ("clock_offset", models.FloatField(default=0.0)),
                ("look_at", models.DateTimeField(blank=True, null=True)),
                ("run_id", models.CharField(blank=True, max_length=64)),
                ("run_status", models.CharField(blank=True, max_length=60)),
                ("run_started_at", models.DateTimeField(blank=True, null=True)),
                ("run_finished_at", models.DateTimeField(blank=True, null=True)),
                ("failed_step", models.TextField(blank=True)),
                ("failure", models.TextField(blank=True)),
            ],
            {
                "verbose_name": "launch",
                "verbose_name_plural": "launches",
                "indexes": [
                    models.Index(fields=["workspace", "-asked_at"], name="launch_by_time"),
                    models.Index(fields=["workspace", "flow_id", "-asked_at"], name="launch_by_flow"),
                    models.Index(fields=["user", "-asked_at"], name="launch_by_person"),
                    models.Index(fields=["user", "payload_digest", "-asked_at"], name="launch_same_values"),
                    models.Index(condition=models.Q(("state__in", ["queued", "claimed"]), ("claim_until__isnull", False), _connector="OR"), fields=["state", "claim_until"], name="launch_in_hand"),
                    models.Index(condition=models.Q(("look_at__isnull", False)), fields=["look_at"], name="launch_to_look_at"),
                    models.Index(fields=["workspace", "run_id"], name="launch_by_run"),
                    models.Index(fields=["workspace", "state", "-asked_at"], name="launch_by_state"),
                    models.Index(condition=models.Q(("state__in", ["failed", "refused", "not_sent", "unknown"])), fields=["workspace", "-ended_at"], name="launch_went_wrong"),
                ],
            },
        ),
        migrations.CreateModel(
            "Follow",
            [
                ("workspace", models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name="follow", serialize=False, to="workflows_ui.workspace")),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("trouble", models.CharField(blank=True, max_length=40)),
            ],
            {"verbose_name": "follow", "verbose_name_plural": "follows"},
        ),
        migrations.CreateModel(
            "LaunchFile",
            [
                ("id", models.CharField(editable=False, max_length=21, primary_key=True, serialize=False)),
                ("launch", models.ForeignKey(on_delete=models.CASCADE, related_name="files", to="workflows_ui.launch")),
                ("key", models.TextField()),
                ("name", models.CharField(max_length=200)),
                ("content_type", models.CharField(max_length=100)),
                ("size", models.PositiveIntegerField()),
                ("data", models.TextField(blank=True)),
            ],
            {
                "verbose_name": "file of a launch",
                "verbose_name_plural": "files of launches",
                "ordering": ["name", "pk"],
                "indexes": [models.Index(condition=models.Q(("data", ""), _negated=True), fields=["launch"], name="file_still_kept")],
            },
        ),
        migrations.CreateModel(
            "LaunchInput",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("launch", models.ForeignKey(on_delete=models.CASCADE, related_name="inputs", to="workflows_ui.launch")),
                ("name", models.CharField(max_length=80)),
                ("label", models.CharField(blank=True, max_length=200)),
                ("text", models.CharField(max_length=200)),
            ],
            {"verbose_name": "searchable input", "verbose_name_plural": "searchable inputs"},
        ),
        migrations.CreateModel(
            "SavedInputs",
            [
                ("id", models.CharField(editable=False, max_length=21, primary_key=True, serialize=False)),
                ("workspace", models.ForeignKey(on_delete=models.PROTECT, related_name="saved_inputs", to="workflows_ui.workspace")),
                ("flow_id", models.CharField(max_length=64)),
                ("owner", models.ForeignKey(on_delete=models.PROTECT, related_name="saved_inputs", to=settings.AUTH_USER_MODEL)),
                ("shared", models.BooleanField(default=False)),
                ("name", models.CharField(max_length=100)),
                ("payload", models.TextField()),
                ("updated_at", models.DateTimeField()),
            ],
            {
                "verbose_name": "saved inputs",
                "verbose_name_plural": "saved inputs",
                "constraints": [models.UniqueConstraint(fields=("workspace", "flow_id", "owner", "name"), name="one_name_of_saved_inputs")],
            },
        ),
        migrations.CreateModel(
            "Job",
            [
                ("id", models.CharField(editable=False, max_length=21, primary_key=True, serialize=False)),
                ("workspace", models.ForeignKey(on_delete=models.PROTECT, related_name="jobs", to="workflows_ui.workspace")),
                ("user", models.ForeignKey(on_delete=models.PROTECT, related_name="jobs", to=settings.AUTH_USER_MODEL)),
                ("kind", models.CharField(choices=[("bulk", "Action on many"), ("export", "Export")], max_length=10)),
                ("resource", models.CharField(max_length=60)),
                ("action", models.CharField(blank=True, max_length=60)),
                ("data", models.TextField(blank=True)),
                ("filters", models.TextField(blank=True)),
                ("everything", models.BooleanField(default=False)),
                ("filters_told", models.JSONField(default=list)),
                ("language", models.CharField(blank=True, max_length=10)),
                ("retry_of", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="retries", to="workflows_ui.job")),
                ("state", models.CharField(choices=[("collecting", "Being prepared"), ("asking", "Waits for your confirmation"), ("running", "In progress"), ("ended", "Finished"), ("stopped", "Stopped by a person"), ("failed", "Ended early")], default="collecting", max_length=20)),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("technical", models.TextField(blank=True)),
                ("affected", models.JSONField(default=list)),
                ("looked_at", models.PositiveIntegerField(default=0)),
                ("position", models.TextField(blank=True)),
                ("cut", models.BooleanField(default=False)),
                ("total", models.PositiveIntegerField(default=0)),
                ("counted", models.PositiveIntegerField(blank=True, null=True)),
                ("asked_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("rung_at", models.DateTimeField(blank=True, null=True)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("claim", models.CharField(blank=True, max_length=32)),
                ("claim_until", models.DateTimeField(blank=True, null=True)),
                ("format", models.CharField(blank=True, max_length=10)),
                ("bytes", models.BigIntegerField(default=0)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("keep_until", models.DateTimeField(blank=True, null=True)),
            ],
            {
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
                "indexes": [
                    models.Index(fields=["workspace", "-asked_at"], name="job_by_time"),
                    models.Index(fields=["user", "-asked_at"], name="job_by_person"),
                    models.Index(condition=models.Q(("state__in", ["collecting", "running"])), fields=["state", "claim_until"], name="job_in_hand"),
                    models.Index(condition=models.Q(("keep_until__isnull", False)), fields=["keep_until"], name="job_kept_until"),
                    models.Index(condition=models.Q(("claim_until__isnull", False)), fields=["claim_until"], name="job_claimed_until"),
                ],
            },
        ),
        migrations.CreateModel(
            "JobItem",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job", models.ForeignKey(on_delete=models.CASCADE, related_name="items", to="workflows_ui.job")),
                ("position", models.PositiveIntegerField()),
                ("object_id", models.CharField(max_length=300)),
                ("name", models.TextField(blank=True)),
                ("state", models.CharField(choices=[("waiting", "Not done yet"), ("sending", "In progress"), ("done", "Succeeded"), ("skipped", "Skipped"), ("failed", "Failed"), ("unclear", "Unclear: it may have been done")], default="waiting", max_length=10)),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("technical", models.TextField(blank=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            {
                "verbose_name": "job item",
                "verbose_name_plural": "job items",
                "indexes": [models.Index(fields=["job", "state", "position"], name="job_item_by_state")],
                "constraints": [
                    models.UniqueConstraint(fields=("job", "object_id"), name="one_item_an_object"),
                    models.UniqueConstraint(fields=("job", "position"), name="one_item_a_position"),
                ],
            },
        ),
        migrations.CreateModel(
            "JobPart",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job", models.ForeignKey(on_delete=models.CASCADE, related_name="parts", to="workflows_ui.job")),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
            ],
            {
                "verbose_name": "job part",
                "verbose_name_plural": "job parts",
                "constraints": [models.UniqueConstraint(fields=("job", "number"), name="one_part_a_number")],
            },
        ),
        migrations.CreateModel(
            "Inspection",
            [
                ("workspace", models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name="inspection", serialize=False, to="workflows_ui.workspace")),
                ("due_at", models.DateTimeField(db_index=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("credential", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to="workflows_ui.credential")),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
            ],
            {"verbose_name": "inspection", "verbose_name_plural": "inspections"},
        ),
        migrations.CreateModel(
            "Capability",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="capabilities", to="workflows_ui.workspace")),
                ("name", models.CharField(max_length=40)),
                ("state", models.CharField(choices=[("yes", "Yes"), ("no", "This engine does not have it"), ("not_in_plan", "Not in the engine's plan"), ("unknown", "Not known")], default="unknown", max_length=20)),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("code", models.CharField(blank=True, max_length=60)),
                ("checked_at", models.DateTimeField()),
                ("credential", models.ForeignKey(blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to="workflows_ui.credential")),
            ],
            {
                "verbose_name": "capability",
                "verbose_name_plural": "capabilities",
                "constraints": [models.UniqueConstraint(fields=("workspace", "name"), name="one_row_a_capability")],
            },
        ),
        migrations.CreateModel(
            "AuditEvent",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True, default=timezone.now, verbose_name="when")),
                ("user", models.ForeignKey(null=True, on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="person")),
                ("user_name", models.TextField(blank=True)),
                ("workspace", models.ForeignKey(null=True, on_delete=models.PROTECT, related_name="+", to="workflows_ui.workspace")),
                ("action", models.CharField(max_length=60, verbose_name="action")),
                ("object_type", models.CharField(blank=True, max_length=40)),
                ("object_id", models.CharField(blank=True, max_length=120)),
                ("object_name", models.TextField(blank=True)),
                ("outcome", models.CharField(max_length=20, verbose_name="outcome")),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("detail", models.JSONField(default=dict)),
                ("address", models.GenericIPAddressField(null=True)),
                ("session", models.CharField(blank=True, max_length=32)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("begun", models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=models.DO_NOTHING, related_name="ends", to="workflows_ui.auditevent")),
                ("canonical", models.TextField(blank=True)),
                ("number", models.BigIntegerField(editable=False, null=True, unique=True)),
                ("mark", models.CharField(blank=True, editable=False, max_length=64)),
                ("key", models.CharField(blank=True, editable=False, max_length=16)),
            ],
            {
                "verbose_name": "audit event",
                "verbose_name_plural": "audit events",
                "indexes": [
                    models.Index(fields=["workspace", "object_type", "object_id", "-at"], name="audit_by_object"),
                    models.Index(fields=["workspace", "-at", "-id"], name="audit_by_time"),
                    models.Index(fields=["workspace", "action", "-at"], name="audit_by_action"),
                    models.Index(fields=["workspace", "user", "-at"], name="audit_by_person"),
                    models.Index(condition=models.Q(("number__isnull", True)), fields=["id"], name="audit_unsealed"),
                ],
            },
        ),
        migrations.CreateModel(
            "AuditChain",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(default=0)),
                ("mark", models.CharField(blank=True, max_length=64)),
                ("key", models.CharField(blank=True, max_length=16)),
                ("signature", models.CharField(blank=True, max_length=64)),
                ("holder", models.CharField(blank=True, max_length=32)),
                ("lease_until", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
            ],
            {"verbose_name": "head of the audit log", "verbose_name_plural": "heads of the audit log"},
        ),
        migrations.CreateModel(
            "AuditCheckpoint",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(unique=True)),
                ("mark", models.CharField(max_length=64)),
                ("until", models.DateTimeField()),
                ("removed", models.BigIntegerField()),
                ("made_at", models.DateTimeField()),
                ("key", models.CharField(max_length=16)),
                ("signature", models.CharField(max_length=64)),
            ],
            {"verbose_name": "checkpoint of the audit log", "verbose_name_plural": "checkpoints of the audit log"},
        ),
        migrations.CreateModel(
            "Identity",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="identities", to=settings.AUTH_USER_MODEL)),
                ("issuer", models.CharField(max_length=500, verbose_name="provider")),
                ("subject", models.CharField(max_length=255, verbose_name="account at the provider")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("last_used_at", models.DateTimeField(null=True)),
            ],
            {
                "verbose_name": "identity",
                "verbose_name_plural": "identities",
                "constraints": [models.UniqueConstraint(fields=("issuer", "subject"), name="one_person_an_identity")],
            },
        ),
        migrations.CreateModel(
            "Notice",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL)),
                ("workspace", models.ForeignKey(null=True, on_delete=models.CASCADE, related_name="+", to="workflows_ui.workspace")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("launch_ended", "A launch ended"),
                            ("flow_failed", "A flow failed"),
                            ("job_ended", "A job ended"),
                            ("access_asked", 'Access request'),
                            ("credential_ends", "A credential ends soon"),
                            ("credential_to_enter", "A credential must be entered again"),
                            ("right_given", "You may launch a flow"),
                            ("invitation_accepted", "Somebody accepted your invitation"),
                            ("invitation_asked", "An invitation needs your confirmation"),
                            ("invitation_decided", "An invitation was confirmed or refused"),
                        ],
                        max_length=40,
                    ),
                ),
                ("key", models.CharField(max_length=160)),
                ("about", models.JSONField(default=dict)),
                ("url", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                ("mail_at", models.DateTimeField(null=True)),
                ("mail_tries", models.PositiveIntegerField(default=0)),
                ("mailed_at", models.DateTimeField(null=True)),
            ],
            {
                "verbose_name": "notification",
                "verbose_name_plural": "notifications",
                "indexes": [
                    models.Index(fields=["user", "-created_at"], name="notices_of_person"),
                    models.Index(condition=models.Q(("read_at__isnull", True)), fields=["user"], name="notices_unread"),
                    models.Index(condition=models.Q(("mail_at__isnull", False)), fields=["mail_at"], name="notices_to_mail"),
                ],
                "constraints": [models.UniqueConstraint(fields=("user", "key"), name="news_is_told_once")],
            },
        ),
        migrations.CreateModel(
            "Watch",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="watches", to=settings.AUTH_USER_MODEL)),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="watches", to="workflows_ui.workspace")),
                ("kind", models.CharField(choices=[("launch", "A launch"), ("flow", "A flow")], max_length=10)),
                ("object_id", models.CharField(max_length=64)),
                ("name", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
            ],
            {
                "verbose_name": "watch",
                "verbose_name_plural": "watches",
                "indexes": [models.Index(fields=["kind", "object_id"], name="watches_by_object")],
                "constraints": [models.UniqueConstraint(fields=("user", "workspace", "kind", "object_id"), name="watched_once")],
            },
        ),
        migrations.CreateModel(
            "Visit",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="visits", to=settings.AUTH_USER_MODEL)),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="workflows_ui.workspace")),
                ("seen_at", models.DateTimeField()),
                ("before", models.DateTimeField(null=True)),
            ],
            {
                "verbose_name": "visit",
                "verbose_name_plural": "visits",
                "constraints": [models.UniqueConstraint(fields=("user", "workspace"), name="visit_once")],
            },
        ),
        migrations.CreateModel(
            "Favourite",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user", models.ForeignKey(on_delete=models.CASCADE, related_name="favourites", to=settings.AUTH_USER_MODEL)),
                ("workspace", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="workflows_ui.workspace")),
                ("flow_id", models.CharField(max_length=64)),
                ("flow_name", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            {
                "verbose_name": "favourite",
                "verbose_name_plural": "favourites",
                "constraints": [models.UniqueConstraint(fields=("user", "workspace", "flow_id"), name="favourite_once")],
            },
        ),
        migrations.CreateModel(
            "Lookout",
            [
                ("workspace", models.OneToOneField(on_delete=models.CASCADE, primary_key=True, related_name="+", serialize=False, to="workflows_ui.workspace")),
                ("lease_until", models.DateTimeField(null=True)),
                ("not_before", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
            ],
            {"verbose_name": "lookout", "verbose_name_plural": "lookouts"},
        ),
        migrations.AddField("launchform", "published", models.ForeignKey(blank=True, null=True, on_delete=models.PROTECT, related_name="+", to="workflows_ui.launchformversion")),
        migrations.RunPython(create_triggers, migrations.RunPython.noop),
    ]
