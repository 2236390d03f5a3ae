"""The launch form of a flow: what its builders are working on, and every version that was published."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.crypto import SealsFields
from workflows_ui.models.launch import new_id
from workflows_ui.models.workspace import Workspace


class LaunchForm(SealsFields, models.Model):
    """One flow's form; one row a flow and workspace. Changed only by services.launch_forms.

    `draft` and `before` are ciphertexts (`seal`, `open`): the form's JSON Schema, since choices and defaults come from what people sent.
    """

    id = models.CharField(primary_key=True, max_length=21, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="launch_forms")
    flow_id = models.CharField(max_length=64)
    #: The flow's name when the form was last saved.
    flow_name = models.TextField(blank=True)
    #: Empty where there is no draft.
    draft = models.TextField(blank=True)
    #: The form as it was before the last change of the draft, to undo it; empty where there is nothing to undo.
    before = models.TextField(blank=True)
    #: One more with each change of this row; a tab that knows an older number is told.
    lock = models.PositiveIntegerField(default=0)
    #: What launchers see; none while the form is not published.
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


class LaunchFormVersion(SealsFields, models.Model):
    """A form as it was published. Never changed, never deleted while its form exists. `schema` is a ciphertext."""

    id = models.CharField(primary_key=True, max_length=21, default=new_id, editable=False)
    form = models.ForeignKey(LaunchForm, on_delete=models.CASCADE, related_name="versions")
    #: 1 for the first, without gaps.
    number = models.PositiveIntegerField()
    schema = models.TextField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()
    #: What the publisher says about it.
    words = models.TextField(blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("schema",)

    class Meta:
        verbose_name = _("version of a launch form")
        verbose_name_plural = _("versions of launch forms")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["form", "number"], name="one_launch_form_version_a_number")]

    def __str__(self) -> str:
        return str(self.number)
