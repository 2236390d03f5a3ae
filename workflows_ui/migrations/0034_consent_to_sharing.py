"""The consent of a credential's owner to each share, and credentials that were taken over from somebody who left."""

from typing import Any

from django.db import migrations, models
from django.db.models import F
from django.urls import reverse
from django.utils import timezone


def require_consent(apps: Any, schema_editor: Any) -> None:
    """What the owner shared stays shared. What somebody else shared has no effect until the owner agrees, who is notified.

    A share without a known person is of the first release, where only owners handed credentials to teams. A credential whose owner changed
    was taken over.
    """
    shares = apps.get_model("workflows_ui", "CredentialShare").objects
    credentials = apps.get_model("workflows_ui", "Credential").objects
    events = apps.get_model("workflows_ui", "AuditEvent").objects
    notices = apps.get_model("workflows_ui", "Notice").objects
    passed_on = events.filter(action="credential.pass_on").values_list("object_id", flat=True)
    taken = [row.pk for row in credentials.all() if str(row.pk) in set(passed_on)]
    credentials.filter(pk__in=taken).update(taken_over=True)
    apps.get_model("workflows_ui", "CredentialSecret").objects.filter(credential__in=taken).update(taken_over=True)
    shares.exclude(mark="").filter(shared_by=None).update(consented_at=F("shared_at"))
    for row in shares.exclude(mark="").exclude(shared_by=None).select_related("credential__workspace", "team"):
        if row.credential_id in taken or row.shared_by_id == row.credential.owner_id:
            shares.filter(pk=row.pk).update(consented_at=F("shared_at"))
            continue
        shares.filter(pk=row.pk).update(mark="")
        now = timezone.now()
        notices.create(
            user_id=row.credential.owner_id,
            workspace=row.credential.workspace,
            kind="consent_asked",
            key=f"credential_share:{row.pk}:asked",
            about={"name": row.credential.name, "team": row.team.name, "by": _label(row.shared_by)},
            url=reverse("credential_consent", args=[row.credential_id]),
            created_at=now,
            last_at=now,
            mail_at=now,
        )


def _label(user: Any) -> str:
    return f"{user.first_name} {user.last_name}".strip() or str(user.username)


class Migration(migrations.Migration):
    dependencies = [("workflows_ui", "0033_false_alarms")]

    operations = [
        migrations.AddField("credential", "taken_over", models.BooleanField(default=False)),
        migrations.AddField("credentialshare", "consented_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("credentialsecret", "taken_over", models.BooleanField(default=False)),
        migrations.AlterField(
            "notice",
            "kind",
            models.CharField(
                max_length=40,
                choices=[
                    ("launch_ended", "A launch ended"),
                    ("kept_launch", "A kept launch was sent, or was not"),
                    ("flow_failed", "A flow failed"),
                    ("alarm", "An alarm about a flow"),
                    ("job_ended", "A job ended"),
                    ("access_asked", "Access request"),
                    ("access_decided", "An access request was decided"),
                    ("credential_ends", "A credential ends soon"),
                    ("credential_to_enter", "A credential must be entered again"),
                    ("consent_asked", "Somebody wants to share your credential"),
                    ("consent_decided", "An owner decided about sharing a credential"),
                    ("right_given", "You may launch a flow"),
                    ("invitation_accepted", "Somebody accepted your invitation"),
                    ("invitation_asked", "An invitation needs your confirmation"),
                    ("invitation_decided", "An invitation was confirmed or refused"),
                ],
            ),
        ),
        migrations.RunPython(require_consent, migrations.RunPython.noop),
    ]
