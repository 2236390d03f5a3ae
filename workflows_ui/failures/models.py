"""People's work on failures with the same cause."""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.states import StateChoices
from workflows_ui.run_index.models import RunIndex


class PatternState(StateChoices):
    """Whether a failure needs work. Computed from its runs and its row (services.py), never stored."""

    OPEN = "open", "circle-x", "red", pgettext_lazy("failure", "Open")
    SNOOZED = "snoozed", "bell-off", "yellow", _("Snoozed")
    HANDLED = "handled", "circle-check", "green", _("Handled")
    SUCCEEDED = "succeeded", "circle-check", "green", _("Succeeded since")


class FailurePattern(SealsFields, models.Model):
    """People's work on a failure; there is no row before somebody began.

    It belongs to the run index, with whose key the fingerprint is made, and is deleted with it. `note` is a ciphertext, bound to the
    workspace and the fingerprint.
    """

    index = models.ForeignKey(RunIndex, on_delete=models.CASCADE, related_name="+")
    fingerprint = models.BigIntegerField()
    flow_id = models.CharField(max_length=64)
    step = models.CharField(max_length=100, blank=True)
    handled_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    snoozed_until = models.DateTimeField(null=True)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    note = models.TextField(blank=True)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    noted_at = models.DateTimeField(null=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("note",)

    class Meta:
        verbose_name = _("failure pattern")
        verbose_name_plural = _("failure patterns")
        constraints = [models.UniqueConstraint(fields=["index", "fingerprint"], name="failure_pattern_once")]

    def __str__(self) -> str:
        return str(self.fingerprint)

    def _column_context(self, field: str) -> str:
        return f"{self._meta.label_lower}:{self.index_id}:{self.fingerprint}:{field}"

    def bound_values(self) -> Mapping[str, str | int | None]:
        return {"workspace": self.index_id, "fingerprint": self.fingerprint}


class NoteVote(models.Model):
    """Whether the note on a failure helped a person. Deleted when the note is changed."""

    pattern = models.ForeignKey(FailurePattern, on_delete=models.CASCADE, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    helped = models.BooleanField()

    class Meta:
        verbose_name = _("answer to a note")
        verbose_name_plural = _("answers to notes")
        constraints = [models.UniqueConstraint(fields=["pattern", "user"], name="note_vote_once")]

    def __str__(self) -> str:
        return str(self.pattern_id)
