"""A copy of an object that was deleted in the engine, from which it can be created again for some time."""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.core.states import StateChoices
from workflows_ui.members.models import Workspace


class CopyState(StateChoices):
    #: Written before the engine is asked to delete. If it stays so, it is not known whether the object was deleted.
    DELETING = "deleting", "circle-question-mark", "orange", _("Unclear whether it was deleted")
    DELETED = "deleted", "trash-2", "secondary", pgettext_lazy("object", "Deleted")
    RESTORING = "restoring", "loader-circle", "blue", _("Being restored")
    UNCLEAR = "unclear", "circle-question-mark", "orange", _("Unclear whether it was restored")
    RESTORED = "restored", "circle-check", "green", pgettext_lazy("object", "Restored")


#: States in which a restore may begin.
RESTORABLE = (CopyState.DELETING, CopyState.DELETED, CopyState.UNCLEAR)


class DeletedObject(SealsFields, models.Model):
    """Changed only by deleted_objects.services, by conditional updates. `content` is a ciphertext (`seal`, `open`) of JSON."""

    id = RandomIdField()
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    #: Number of moves of the workspace at that time: it is not restored in another engine.
    moves = models.PositiveIntegerField(default=0)
    #: The declared resource: flows or tables.
    kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    name = models.TextField(blank=True)
    #: Empty once it is restored.
    content = models.TextField(blank=True)
    #: Numbers about the content, for pages.
    facts = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=CopyState, default=CopyState.DELETING)
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    deleted_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    restored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    restored_at = models.DateTimeField(null=True, blank=True)
    #: Set as soon as the object is created, before its content is.
    restored_id = models.CharField(max_length=64, blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("content",)

    class Meta:
        verbose_name = _("deleted object")
        verbose_name_plural = _("deleted objects")
        indexes = [models.Index(fields=["workspace", "-deleted_at"], name="deleted_object_by_time")]

    def __str__(self) -> str:
        return self.name or self.object_id

    def bound_values(self) -> Mapping[str, str | int | None]:
        return {"workspace": self.workspace_id, "moves": self.moves, "kind": self.kind}

    @property
    def restorable(self) -> bool:
        return self.state in RESTORABLE and self.moves == self.workspace.moves

    @property
    def must_check(self) -> bool:
        """Whether a person has to look first whether the object exists."""
        return self.state in (CopyState.DELETING, CopyState.UNCLEAR) and not self.restored_id
