"""One operation on the steps of a flow, with the versions before and after it: for comparing them, and for undoing it."""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.core.states import StateChoices
from workflows_ui.members.models import Workspace


class EditState(StateChoices):
    #: Written before the engine is asked. If it stays so, it is not known whether the flow was changed.
    SENT = "sent", "circle-question-mark", "orange", _("Unclear whether it was done")
    DONE = "done", "circle-check", "green", pgettext_lazy("edit", "Done")
    DIFFERS = "differs", "triangle-alert", "orange", _("Not as predicted")
    UNDONE = "undone", "undo-2", "secondary", pgettext_lazy("edit", "Undone")


class FlowEdit(SealsFields, models.Model):
    """Changed only by `services`. `content` is a ciphertext of JSON: the versions `before`, `expected` and `after`."""

    id = RandomIdField()
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    #: Number of moves of the workspace at that time: it is not undone in another engine.
    moves = models.PositiveIntegerField(default=0)
    flow_id = models.CharField(max_length=64)
    #: The engine's type of the operation.
    operation = models.CharField(max_length=40)
    content = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=EditState, default=EditState.SENT)
    #: Whether somebody else changed the flow at the same time.
    meanwhile = models.BooleanField(default=False)
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("content",)

    class Meta:
        verbose_name = _("edit of a flow")
        verbose_name_plural = _("edits of flows")
        indexes = [models.Index(fields=["workspace", "flow_id", "-edited_at"], name="flow_edit_by_time")]

    def __str__(self) -> str:
        return self.operation

    def bound_values(self) -> Mapping[str, str | int | None]:
        return {"workspace": self.workspace_id, "moves": self.moves, "flow_id": self.flow_id}
