from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0034_consent_to_sharing"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="causes_in_notices",
            field=models.BooleanField(db_default=True, default=True, verbose_name="causes in emails and notifications"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                max_length=40,
                choices=[
                    ("launch_ended", "A launch ended"),
                    ("launch_repaired", "A failed launch was repaired"),
                    ("kept_launch", "A kept launch was sent, or was not"),
                    ("flow_failed", "A flow failed"),
                    ("alarm", "An alarm about a flow"),
                    ("failure_assigned", "A failure was assigned to you"),
                    ("job_ended", "A job ended"),
                    ("access_asked", "Access request"),
                    ("access_decided", "An access request was decided"),
                    ("credential_ends", "A credential expires soon"),
                    ("credential_to_enter", "A credential must be entered again"),
                    ("consent_asked", "Someone wants to share your credential"),
                    ("consent_decided", "An owner decided about sharing a credential"),
                    ("right_given", "You can launch a flow"),
                    ("invitation_accepted", "Someone accepted your invitation"),
                    ("invitation_asked", "An invitation needs your confirmation"),
                    ("invitation_decided", "An invitation was confirmed or declined"),
                ],
            ),
        ),
    ]
