"""The launch form of a flow, its draft and its published versions; saved inputs."""

import json
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.audit.objects import AuditedObject
from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.form_schema import schema_in
from workflows_ui.form_schema.document import Form
from workflows_ui.members.models import Workspace


class LaunchForm(SealsFields, models.Model):
    """The form of one flow; one row per flow and workspace. Changed only by launch_forms.services.launch_forms.

    `draft` and `before` are ciphertexts (`seal`, `open`) of the form's JSON Schema, since choices and defaults come from sent values.
    """

    id = RandomIdField()
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="launch_forms")
    flow_id = models.CharField(max_length=64)
    #: The flow's name when the form was last saved.
    flow_name = models.TextField(blank=True)
    #: Empty without a draft.
    draft = models.TextField(blank=True)
    #: The form before the last change of the draft, for undo; empty if there is nothing to undo.
    before = models.TextField(blank=True)
    #: Incremented by each change of the row; a page with an older number is rejected as stale.
    lock = models.PositiveIntegerField(default=0)
    #: The version that launchers see; empty while the form is not published.
    published = models.ForeignKey(
        "LaunchFormVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    sealed_fields: ClassVar[tuple[str, ...]] = ("draft", "before")

    class Meta:
        verbose_name = _("launch form")
        verbose_name_plural = _("launch forms")
        constraints = [models.UniqueConstraint(fields=["workspace", "flow_id"], name="one_launch_form_a_flow")]

    def __str__(self) -> str:
        return self.flow_name or self.flow_id

    def audited_object(self) -> AuditedObject:
        return AuditedObject(self.workspace, object_type="form", object_id=str(self.pk), object_name=self.flow_name)


class LaunchFormVersion(SealsFields, models.Model):
    """A published form. Never changed, never deleted while its form exists. `schema` is a ciphertext."""

    id = RandomIdField()
    form = models.ForeignKey(LaunchForm, on_delete=models.CASCADE, related_name="versions")
    #: Counted from 1, without gaps.
    number = models.PositiveIntegerField()
    schema = models.TextField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()
    #: The publisher's note.
    words = models.TextField(blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("schema",)

    class Meta:
        verbose_name = _("version of a launch form")
        verbose_name_plural = _("versions of launch forms")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["form", "number"], name="one_launch_form_version_a_number")]

    def __str__(self) -> str:
        return str(self.number)

    def open_form(self) -> Form:
        """The form. Raises crypto.CannotOpen."""
        return schema_in.read_trusted(json.loads(self.open("schema")))


class SavedInputs(SealsFields, models.Model):
    """Values for a flow, saved under a name: private, or shared with everyone who may launch the flow. `payload` is a ciphertext."""

    id = RandomIdField()
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

    def audited_object(self) -> AuditedObject:
        return AuditedObject(self.workspace, object_type="saved_inputs", object_id=str(self.pk), object_name=self.name)
