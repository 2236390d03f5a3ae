import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workflows_ui", "0038_home_parts"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="launchright", name="launch_right_is_a_persons_or_a_teams"),
        migrations.AddField(
            model_name="launchright",
            name="invitation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="launch_rights",
                to="workflows_ui.colleagueinvitation",
            ),
        ),
        migrations.AddConstraint(
            model_name="launchright",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("invitation__isnull", True), ("team__isnull", True), ("user__isnull", False)),
                    models.Q(("invitation__isnull", True), ("team__isnull", False), ("user__isnull", True)),
                    models.Q(("invitation__isnull", False), ("team__isnull", True), ("user__isnull", True)),
                    _connector="OR",
                ),
                name="launch_right_has_one_holder",
            ),
        ),
    ]
