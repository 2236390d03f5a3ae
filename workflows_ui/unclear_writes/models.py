"""A write to the engine whose answer proved nothing: it is looked for until it is known whether it was done, or that nobody can say."""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.lease import Queued
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.core.states import StateChoices
from workflows_ui.members.models import Workspace


class WriteState(StateChoices):
    CHECKING = "checking", "loader-circle", "blue", _("Checking whether it was done")
    DONE = "done", "circle-check", "green", pgettext_lazy("write", "Done")
    NOT_DONE = "not_done", "circle-minus", "secondary", pgettext_lazy("write", "Not done")
    UNCLEAR = "unclear", "circle-question-mark", "orange", _("Unclear whether it was done")


class UnclearWrite(SealsFields, Queued):
    """Changed only by unclear_writes.services. `content` is a ciphertext of JSON: what a look needs (engine.Write), and what was typed into
    the form, without secrets. The latter stays if nothing was done.
    """

    id = RandomIdField()
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    #: Number of moves of the workspace at that time: nothing is looked for in another engine.
    moves = models.PositiveIntegerField(default=0)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: The declared resource and action, and the object; without an id for one that was to be created.
    resource = models.CharField(max_length=40)
    action = models.CharField(max_length=60)
    object_id = models.CharField(max_length=120, blank=True)
    name = models.TextField(blank=True)
    #: The page that sent it, and a keyed digest of what was sent with it: what a repeated press has in common.
    path = models.CharField(max_length=500)
    values_digest = models.CharField(max_length=64)
    content = models.TextField(blank=True)
    #: Whether more had to follow that was not done.
    partial = models.BooleanField(default=False)
    #: Rows that wait for the outcome: an edit of a flow, a copy of a deleted object.
    edit_id = models.CharField(max_length=21, blank=True)
    copy_id = models.CharField(max_length=21, blank=True)
    #: The row of the audit log that announced it.
    event = models.ForeignKey(AuditEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: What came back: status, code and message, for people.
    answered = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=WriteState, default=WriteState.CHECKING)
    #: When it was sent, and when it is looked for again.
    asked_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: The id of the object that was created before, or that was found to be.
    found_id = models.CharField(max_length=120, blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("content",)

    class Meta:
        verbose_name = _("unclear write")
        verbose_name_plural = _("unclear writes")
        indexes = [
            models.Index(fields=["workspace", "path", "-asked_at"], name="unclear_write_by_page"),
            models.Index(fields=["state", "not_before"], name="unclear_write_due"),
        ]

    def __str__(self) -> str:
        return f"{self.resource}.{self.action}"

    def bound_values(self) -> Mapping[str, str | int | None]:
        return {"workspace": self.workspace_id, "moves": self.moves, "user": self.user_id, "path": self.path}

    @property
    def is_incomplete(self) -> bool:
        """Whether only the first part of what was asked for was done."""
        return (self.state == WriteState.DONE and self.partial) or (
            self.state == WriteState.NOT_DONE and bool(self.found_id)
        )

    @property
    def is_checked(self) -> bool:
        """Whether looks are still to come."""
        return self.state == WriteState.CHECKING
