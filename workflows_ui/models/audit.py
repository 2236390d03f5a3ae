"""The audit log: who did what to which object, when and with what outcome. Rows are only ever added."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.models.workspace import Workspace


class AuditEvent(models.Model):
    """One line of the log. `detail` holds plain values, secrets masked before they get here."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, null=True, related_name="+")
    #: noun.verb, such as launch.ask or credential.add.
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=120, blank=True)
    object_name = models.TextField(blank=True)
    outcome = models.CharField(max_length=20)
    detail = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [models.Index(fields=["workspace", "object_type", "object_id", "-at"], name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"
