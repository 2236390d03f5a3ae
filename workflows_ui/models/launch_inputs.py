"""What belongs to a launch's inputs beside its values: files on their way, searchable inputs, and inputs saved for another time."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.crypto import SealsFields
from workflows_ui.models.launch import Launch, new_id
from workflows_ui.models.workspace import Workspace


class LaunchFile(SealsFields, models.Model):
    """A file that goes with a launch. Its bytes are kept sealed until they were sent; name and size stay with the launch."""

    id = models.CharField(primary_key=True, max_length=21, default=new_id, editable=False)
    launch = models.ForeignKey(Launch, on_delete=models.CASCADE, related_name="files")
    #: Its key in what is sent: the engine puts the file's address there.
    key = models.TextField()
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    #: Ciphertext (`seal_bytes`, `open_bytes`); empty once it was sent, or is never going to be.
    data = models.TextField(blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("data",)

    class Meta:
        verbose_name = _("file of a launch")
        verbose_name_plural = _("files of launches")
        ordering = ["name", "pk"]
        #: Looked at every second (services.sweeping.forget_files).
        indexes = [models.Index(fields=["launch"], condition=~models.Q(data=""), name="file_still_kept")]

    def __str__(self) -> str:
        return self.name


class LaunchInput(models.Model):
    """An input that a form's builder made searchable: in plain text, so that launches are found by it."""

    launch = models.ForeignKey(Launch, on_delete=models.CASCADE, related_name="inputs")
    #: The form's field.
    name = models.CharField(max_length=80)
    label = models.CharField(max_length=200, blank=True)
    text = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("searchable input")
        verbose_name_plural = _("searchable inputs")

    def __str__(self) -> str:
        return self.text


class SavedInputs(SealsFields, models.Model):
    """Values for a flow, saved under a name: one person's own, or shared with whoever may launch the flow. `payload` is a ciphertext."""

    id = models.CharField(primary_key=True, max_length=21, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="saved_inputs")
    flow_id = models.CharField(max_length=64)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="saved_inputs")
    shared = models.BooleanField(default=False)
    name = models.CharField(max_length=100)
    payload = models.TextField()
    updated_at = models.DateTimeField()

    sealed_fields: ClassVar[tuple[str, ...]] = ("payload",)

    class Meta:
        verbose_name = _("saved inputs")
        verbose_name_plural = _("saved inputs")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "flow_id", "owner", "name"], name="one_name_of_saved_inputs")
        ]

    def __str__(self) -> str:
        return self.name
