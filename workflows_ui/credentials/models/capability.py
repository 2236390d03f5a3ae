"""Capabilities of a workspace's engine, with one row each, and the schedule of their inspection."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.lease import Lease
from workflows_ui.core.states import StateChoices
from workflows_ui.credentials.models.credential import Credential
from workflows_ui.members.models.workspace import Workspace


class Ability(StateChoices):
    """Whether the engine has a capability; unknown until it was detected, and if only the credential was refused."""

    YES = "yes", "circle-check", "green", _("Yes")
    NO = "no", "circle-minus", "secondary", _("This engine does not have it")
    NOT_IN_PLAN = "not_in_plan", "lock", "orange", _("Not in the engine's plan")
    UNKNOWN = "unknown", "circle-question", "secondary", _("Not known")


class Capability(models.Model):
    """The last known state of a capability. Names: credentials.services.capability_probes.NAMES."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="capabilities")
    name = models.CharField(max_length=40)
    state = models.CharField(max_length=20, choices=Ability, default=Ability.UNKNOWN)
    #: The HTTP status of the answer that showed the state, and the engine's code if it had one.
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=60, blank=True)
    checked_at = models.DateTimeField()
    #: The credential with which it was detected; None if that is deleted.
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("capability")
        verbose_name_plural = _("capabilities")
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_row_a_capability")]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class Inspection(models.Model):
    """The next inspection of a workspace's engine, and the lease of a running one. One row for each workspace."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="inspection")
    due_at = models.DateTimeField(db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: The credential to use first, which was tested just now. None: any of the workspace's.
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    looked_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)

    lease: ClassVar[Lease] = Lease()

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")

    def __str__(self) -> str:
        return str(self.workspace_id)
