"""What the engine of a workspace can do: one row a capability, and one that says when it is looked at again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.models.credential import Credential
from workflows_ui.models.workspace import Workspace


class Ability(models.TextChoices):
    """Whether the engine can do something; unknown until it was seen, and whenever only the credential was in the way."""

    YES = "yes", _("Yes")
    NO = "no", _("This engine does not have it")
    NOT_IN_PLAN = "not_in_plan", _("Not in the engine's plan")
    UNKNOWN = "unknown", _("Not known")


class Capability(models.Model):
    """One thing that an engine may or may not be able to do, as it was last seen. Names: services.capabilities.NAMES."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="capabilities")
    name = models.CharField(max_length=40)
    state = models.CharField(max_length=20, choices=Ability, default=Ability.UNKNOWN)
    #: The answer that said so: its HTTP status, and the engine's own code where it had one.
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=60, blank=True)
    checked_at = models.DateTimeField()
    #: With whose credential it was seen; None where that one is deleted.
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("capability")
        verbose_name_plural = _("capabilities")
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_row_a_capability")]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class Inspection(models.Model):
    """When a workspace's engine is looked at again, and who is doing it right now. One row a workspace."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="inspection")
    due_at = models.DateTimeField(db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Asked first: the one that was tested just now. None: any of the workspace's.
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    looked_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")

    def __str__(self) -> str:
        return str(self.workspace_id)
