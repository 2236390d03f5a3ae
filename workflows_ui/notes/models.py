"""Notes of people on flows, runs, launches and failures."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.members.models import Workspace


class Subject(models.TextChoices):
    """What notes can be about; the values are also the audit log's types of these objects."""

    FLOW = "flows", _("Flow")
    RUN = "runs", _("Run")
    LAUNCH = "launch", _("Launch")
    FAILURE = "failure", _("Failure")


class Note(SealsFields, models.Model):
    """A note on one object. `text` is a ciphertext: people write about customers and failures."""

    id = RandomIdField()
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="notes")
    subject = models.CharField(_("about"), max_length=10, choices=Subject)
    object_id = models.CharField(max_length=120)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("text",)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [models.Index(fields=["workspace", "subject", "object_id", "-created_at"], name="notes_of_object")]

    def __str__(self) -> str:
        return f"{self.subject} {self.object_id}"
