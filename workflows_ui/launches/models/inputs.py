"""Models for inputs besides the payload: files to be sent, and searchable inputs."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.launches.models.launch import Launch


class LaunchFile(SealsFields, models.Model):
    """A file sent with a launch. Its bytes are stored sealed until they are sent; name and size remain."""

    id = RandomIdField()
    launch = models.ForeignKey(Launch, on_delete=models.CASCADE, related_name="files")
    #: The key in the payload under which the engine puts the file's address.
    key = models.TextField()
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    #: Ciphertext (`seal_bytes`, `open_bytes`); empty once the file was sent or never will be.
    data = models.TextField(blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("data",)

    class Meta:
        verbose_name = _("file of a launch")
        verbose_name_plural = _("files of launches")
        ordering = ["name", "pk"]
        #: Queried every second (launches.services.sweeping.forget_files).
        indexes = [models.Index(fields=["launch"], condition=~models.Q(data=""), name="file_still_kept")]

    def __str__(self) -> str:
        return self.name


class LaunchInput(models.Model):
    """An input that a form's builder made searchable, stored in plain text."""

    launch = models.ForeignKey(Launch, on_delete=models.CASCADE, related_name="inputs")
    #: Name of the form's field.
    name = models.CharField(max_length=80)
    label = models.CharField(max_length=200, blank=True)
    text = models.CharField(max_length=200)

    class Meta:
        verbose_name = _("searchable input")
        verbose_name_plural = _("searchable inputs")

    def __str__(self) -> str:
        return self.text
