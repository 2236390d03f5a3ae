"""A job: one person's request that takes longer than a page may, and the outcome for each object in it. The rows are authoritative."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.audit.objects import AuditedObject
from workflows_ui.core import crypto
from workflows_ui.core.lease import Queued
from workflows_ui.core.models import Marked
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.core.states import StateChoices
from workflows_ui.members.models import Workspace


class JobKind(models.TextChoices):
    """What a job does: one action on many objects, or an export of a list into a file."""

    BULK = "bulk", _("Action on many")
    EXPORT = "export", _("Export")


class JobState(StateChoices):
    """The state of a job. An export goes from collecting to its end; a bulk action asks for confirmation in between."""

    COLLECTING = "collecting", "loader-circle", "blue", _("Being prepared")
    ASKING = "asking", "circle-question-mark", "orange", _("Waits for your confirmation")
    RUNNING = "running", "loader-circle", "blue", pgettext_lazy("job", "In progress")
    ENDED = "ended", "circle-check", "green", pgettext_lazy("job", "Finished")
    STOPPED = "stopped", "circle-stop", "secondary", _("Stopped by a person")
    FAILED = "failed", "triangle-alert", "red", _("Ended early")


#: States with work for a worker.
JOB_OPEN = (JobState.COLLECTING, JobState.RUNNING)
#: Final states.
JOB_OVER = (JobState.ENDED, JobState.STOPPED, JobState.FAILED)


class ItemState(StateChoices):
    """The outcome for one object of a bulk action."""

    WAITING = "waiting", "clock", "secondary", pgettext_lazy("item", "Not done yet")
    SENDING = "sending", "send", "blue", pgettext_lazy("item", "In progress")
    DONE = "done", "circle-check", "green", pgettext_lazy("item", "Succeeded")
    SKIPPED = "skipped", "skip-forward", "secondary", pgettext_lazy("item", "Skipped")
    FAILED = "failed", "circle-x", "red", pgettext_lazy("item", "Failed")
    UNCLEAR = "unclear", "circle-question-mark", "orange", pgettext_lazy("item", "Unclear: it may have been done")


class Job(Queued, Marked):
    """One request. Changed only by jobs.services.jobs and turns, by conditional updates.

    `data` is a ciphertext (`seal`, `open`): JSON of the action form's cleaned values.
    """

    id = RandomIdField()
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="jobs")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=10, choices=JobKind)
    #: The declared resource, and for a bulk action the action, by the names of their declarations.
    resource = models.CharField(max_length=60)
    action = models.CharField(max_length=60, blank=True)
    data = models.TextField(blank=True)
    #: The list's query string: the filters, and for a file the order. Whether everything that matches is meant, or ticked ids.
    filters = models.TextField(blank=True)
    everything = models.BooleanField(default=False)
    #: The filters as text, (label, value) pairs; and their language: the requester's, which the worker uses too.
    filters_told = models.JSONField(default=list)
    language = models.CharField(max_length=10, blank=True)
    retry_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="retries")
    #: Whether an object in the hands of a lost worker is taken up where it stood (JobItem.progress), instead of being unclear.
    resumes = models.BooleanField(default=False)

    state = models.CharField(max_length=20, choices=JobState, default=JobState.COLLECTING)
    #: Why it is in this state: a value of jobs.services.jobs.Reason; empty if the state is enough.
    reason = models.CharField(max_length=40, blank=True)
    #: The error message of the engine or the network, secrets removed.
    technical = models.TextField(blank=True)
    #: The known impact: [name, sentence, [name, ...], choice] of the first objects. Sentences and names are by language; those of earlier
    #: releases are in the language of the requester only, without the choice.
    affected = models.JSONField(default=list)
    #: How many of the first objects were read for the impact.
    looked_at = models.PositiveIntegerField(default=0)

    #: Where the walk through the list continues after a worker was lost; and whether it reached its limit.
    position = models.TextField(blank=True)
    cut = models.BooleanField(default=False)
    #: Number of objects; while collecting, the number found so far.
    total = models.PositiveIntegerField(default=0)
    #: The engine's own count, if it has one: if larger than the number found, its list left some out.
    counted = models.PositiveIntegerField(null=True, blank=True)

    asked_at = models.DateTimeField()
    #: The request that asked for the job, for the audit rows of its items.
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: Not worked on before this time, after the engine could not be reached.
    not_before = models.DateTimeField(null=True, blank=True)

    #: Of an export: its format and size. The bytes are in JobPart until `keep_until`.
    format = models.CharField(max_length=10, blank=True)
    bytes = models.BigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    keep_until = models.DateTimeField(null=True, blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("data", "mark")

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["workspace", "-asked_at"], name="job_by_time"),
            models.Index(fields=["user", "-asked_at"], name="job_by_person"),
            models.Index(
                fields=["state", "claim_until"],
                condition=models.Q(state__in=["collecting", "running"]),
                name="job_in_hand",
            ),
            models.Index(
                fields=["claim_until"], condition=models.Q(claim_until__isnull=False), name="job_claimed_until"
            ),
            models.Index(fields=["keep_until"], condition=models.Q(keep_until__isnull=False), name="job_kept_until"),
        ]

    def __str__(self) -> str:
        return self.id

    def audited_object(self) -> AuditedObject:
        return AuditedObject(
            self.workspace, object_type="job", object_id=self.pk, object_name=f"{self.resource}.{self.action}"
        )

    def mark_context(self) -> str:
        """Owner, workspace and what the job does. Migrations call it with a historical model."""
        values: dict[str, str | int | None] = {
            "workspace": self.workspace_id,
            "user": self.user_id,
            "kind": str(self.kind),
            "resource": self.resource,
            "action": self.action,
            "filters": self.filters,
        }
        return crypto.bind(f"workflows_ui.job:{self.pk}:mark", values)

    @property
    def over(self) -> bool:
        """Whether the job is in a final state."""
        return self.state in JOB_OVER


class JobItem(models.Model):
    """One object of a bulk action, in the order of the list, and its outcome."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items")
    #: From 0.
    position = models.PositiveIntegerField()
    object_id = models.CharField(max_length=300)
    name = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.WAITING)
    #: Why: a value of jobs.services.jobs.Reason; and the engine's error message, secrets removed.
    reason = models.CharField(max_length=40, blank=True)
    technical = models.TextField(blank=True)
    #: Of a job that `resumes`: what the action needs to know to go on. Ids and names only.
    progress = models.JSONField(default=dict, blank=True)
    #: The id of the object that the action started, such as a new run; empty if it is the same object.
    result_id = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("job item")
        verbose_name_plural = _("job items")
        constraints = [
            models.UniqueConstraint(fields=["job", "object_id"], name="one_item_an_object"),
            models.UniqueConstraint(fields=["job", "position"], name="one_item_a_position"),
        ]
        indexes = [models.Index(fields=["job", "state", "position"], name="job_item_by_state")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.position}"


class JobPart(models.Model):
    """A part of an export's file, in the database because web server and worker may run on different machines."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parts")
    #: From 0.
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("job part")
        verbose_name_plural = _("job parts")
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_part_a_number")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.number}"
