"""A job: one person's request that takes longer than a page may, and what became of each thing in it. The rows are the truth about it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.crypto import SealsFields
from workflows_ui.models.launch import new_id
from workflows_ui.models.workspace import Workspace


class JobKind(models.TextChoices):
    """What jobs do: one action to many objects, or a list written into a file."""

    BULK = "bulk", _("Action on many")
    EXPORT = "export", _("Export")


class JobState(models.TextChoices):
    """Where a job stands. An export goes from collecting to its end; a bulk action is asked about in between."""

    COLLECTING = "collecting", _("Being prepared")
    ASKING = "asking", _("Waits for your confirmation")
    RUNNING = "running", pgettext_lazy("job", "Being done")
    ENDED = "ended", pgettext_lazy("job", "Finished")
    STOPPED = "stopped", _("Stopped by a person")
    FAILED = "failed", _("Ended early")


#: States in which a worker has something to do.
JOB_OPEN = (JobState.COLLECTING, JobState.RUNNING)
#: States that nothing changes any more.
JOB_OVER = (JobState.ENDED, JobState.STOPPED, JobState.FAILED)


class ItemState(models.TextChoices):
    """What became of one object of a bulk action."""

    WAITING = "waiting", pgettext_lazy("item", "Not done yet")
    SENDING = "sending", pgettext_lazy("item", "Being done")
    DONE = "done", pgettext_lazy("item", "Done")
    SKIPPED = "skipped", pgettext_lazy("item", "Skipped")
    FAILED = "failed", pgettext_lazy("item", "Failed")
    UNCLEAR = "unclear", pgettext_lazy("item", "Unclear: it may have been done")


class Job(SealsFields, models.Model):
    """One request. Changed only by services.jobs, by conditional updates.

    `data` is a ciphertext (`seal`, `open`): JSON of the action form's cleaned values.
    """

    id = models.CharField(primary_key=True, max_length=21, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="jobs")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=10, choices=JobKind)
    #: The declared resource, and for a bulk action the action; names of the declarations.
    resource = models.CharField(max_length=60)
    action = models.CharField(max_length=60, blank=True)
    data = models.TextField(blank=True)
    #: The list's query string, filters only; and whether everything that matches is meant, or the ids that were ticked.
    filters = models.TextField(blank=True)
    everything = models.BooleanField(default=False)
    #: The filters in words, as (label, value) pairs; and the language they are in: that of whoever asked, in which the worker works.
    filters_told = models.JSONField(default=list)
    language = models.CharField(max_length=10, blank=True)
    retry_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="retries")

    state = models.CharField(max_length=20, choices=JobState, default=JobState.COLLECTING)
    #: Why it is in this state, as a word of services.jobs.Reason; empty where the state says it all.
    reason = models.CharField(max_length=40, blank=True)
    #: The engine's or the network's own words about it, secrets removed.
    technical = models.TextField(blank=True)
    #: What is known about the things that would be touched besides: [name, sentence, [name, ...]] of the first objects.
    affected = models.JSONField(default=list)
    #: How many of the first objects were looked at for it.
    looked_at = models.PositiveIntegerField(default=0)

    #: Where the walk through the list goes on after a worker was lost; and whether it met its upper limit.
    position = models.TextField(blank=True)
    cut = models.BooleanField(default=False)
    #: How many objects there are; while it is collecting, how many were found so far.
    total = models.PositiveIntegerField(default=0)
    #: How many the engine counts, where it tells: more than were found means that its list left some out.
    counted = models.PositiveIntegerField(null=True, blank=True)

    asked_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: When the bell was last rung for it, and the worker that has it in hand.
    rung_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    claim_until = models.DateTimeField(null=True, blank=True)

    #: Of an export: its format, and what came of it. The bytes are in JobPart, until the moment in `keep_until`.
    format = models.CharField(max_length=10, blank=True)
    bytes = models.BigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    keep_until = models.DateTimeField(null=True, blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("data",)

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

    @property
    def over(self) -> bool:
        """Whether nothing more is going to happen to it."""
        return self.state in JOB_OVER


class JobItem(models.Model):
    """One object of a bulk action, in the order of the list, and what became of it."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items")
    #: From 0.
    position = models.PositiveIntegerField()
    object_id = models.CharField(max_length=300)
    name = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.WAITING)
    #: Why, as a word of services.jobs.Reason; and the engine's own words, secrets removed.
    reason = models.CharField(max_length=40, blank=True)
    technical = models.TextField(blank=True)
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
    """A piece of an export's file: web server and worker may be on different machines, so the file is kept in the database."""

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
