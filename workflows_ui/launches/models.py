"""A launch: one request of a person to run a flow, from the click to its end. The row is authoritative.

Besides its payload there are files to be sent, and searchable inputs.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.audit import canonical_text
from workflows_ui.core import crypto
from workflows_ui.core.lease import Lease, Queued
from workflows_ui.core.models import Marked
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.credentials.models import Credential
from workflows_ui.launches.states import CONFIRMED, ENDED, UNDER_WAY, UNSENT, WENT_WRONG, Reason, State
from workflows_ui.members.models import LaunchRight, Workspace

#: The names of states.py, which modules import from here.
__all__ = ["CONFIRMED", "ENDED", "UNDER_WAY", "UNSENT", "WENT_WRONG", "Reason", "State"]


class LaunchManager(models.Manager["Launch"]):
    """Defers the payload, which can be 33 MB, until it is opened."""

    def get_queryset(self) -> models.QuerySet["Launch"]:
        return super().get_queryset().defer("payload")


class Launch(Queued, Marked):
    """One request to run a flow. Changed only by the services of launches, by conditional updates.

    payload, answer and failure are ciphertexts (`seal`, `open`).
    """

    id = RandomIdField()
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="launches")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="launches")
    credential = models.ForeignKey(
        Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="launches"
    )
    #: Whether the person chose the credential. If not, the worker uses the one that acts for them when it sends.
    credential_chosen = models.BooleanField(default=False)
    #: The right on this flow that the launch was made with; empty if the person's role was sufficient.
    right = models.ForeignKey(LaunchRight, on_delete=models.SET_NULL, null=True, blank=True, related_name="launches")
    #: The one-use ticket of the submitted form: a double click finds this row instead of creating another.
    ticket = models.CharField(max_length=64, unique=True)
    flow_id = models.CharField(max_length=64)
    flow_name = models.TextField(blank=True)
    wait = models.BooleanField(_("wait for the answer"), default=False)
    #: The version of the launch form that was filled in; empty without such a form.
    form_version = models.ForeignKey(
        "LaunchFormVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="launches"
    )
    #: JSON text as sent. Empty once the retention time is over.
    payload = models.TextField(blank=True)
    #: Keyed digest of flow and payload, to detect the same values launched twice. Not invertible.
    payload_digest = models.CharField(max_length=64)
    #: Bytes of the values and the files together; 0 for a launch made before sizes were stored.
    size = models.PositiveIntegerField(default=0)

    #: The only data on values of secret fields that remains when the payload is removed: the path of each and, if it is long enough
    #: to be searched for, its length and keyed digest (launches/services/secrets.py).
    secret_marks = models.JSONField(default=list, blank=True)

    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    #: Why it is in this state, a value of states.Reason; empty if the state needs no reason.
    reason = models.CharField(max_length=40, blank=True)
    #: The engine's message or the network error, secrets removed; for the collapsed technical details.
    technical = models.TextField(blank=True)

    asked_at = models.DateTimeField()
    #: Not sent before this time (a pause after an attempt that never reached the engine).
    not_before = models.DateTimeField()
    #: Not sent after this time: then it ends as "not sent: too late".
    send_by = models.DateTimeField()
    #: Whether the person agreed that it is kept until `send_by`, a time that they chose, while the engine does not answer.
    kept = models.BooleanField(default=False)
    #: The flow's published version when a kept launch was asked for, as far as the run index knew it; else empty.
    flow_version = models.CharField(max_length=64, blank=True)
    sending_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    #: The answer: HTTP status, content type, and the body (at most 256 kB) of a waiting launch's answer.
    answer_status = models.PositiveIntegerField(null=True, blank=True)
    answer_type = models.CharField(max_length=200, blank=True)
    answer = models.TextField(blank=True)
    answer_cut = models.BooleanField(default=False)
    #: Source of the answer: "flow" (its response), "step" (the last step's output), or "late" (the same, of a flow whose response came
    #: after the time for which the engine waits); empty before there is one.
    answer_from = models.CharField(max_length=10, blank=True)
    #: Target of a redirecting answer; never followed.
    answer_location = models.TextField(blank=True)
    #: The engine's clock minus the console's in seconds, from the answer's Date header.
    clock_offset = models.FloatField(default=0.0)
    #: When to try again, as requested by the engine or a gateway (`Retry-After`), on the console's clock.
    try_after = models.DateTimeField(null=True, blank=True)
    #: Time of the next poll; empty while the launch is not followed.
    poll_at = models.DateTimeField(null=True, blank=True)
    #: Number of moves of the workspace at the time of the request: the launch is never sent to a later engine, and only the run lists
    #: of the engine that it was sent to prove that it did not run.
    moves = models.PositiveIntegerField(default=0)
    #: Number of complete run lists without its run, read after the search time. From CONFIRMED on, it is concluded to have none.
    misses = models.PositiveSmallIntegerField(default=0)

    run_id = models.CharField(max_length=64, blank=True)
    run_status = models.CharField(max_length=60, blank=True)
    run_started_at = models.DateTimeField(null=True, blank=True)
    run_finished_at = models.DateTimeField(null=True, blank=True)
    #: Whose words the run index has, if it keeps values: 0 none, 1 those of the inputs, 2 all (run_index/services/launch_words.py).
    words_read = models.PositiveSmallIntegerField(default=0)
    #: Last retry of its run from the failed step through the console, on the engine's clock. The run's id stays the same.
    retried_at = models.DateTimeField(null=True, blank=True)
    failed_step = models.TextField(blank=True)
    failure = models.TextField(blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("payload", "answer", "failure", "mark")

    objects = LaunchManager()

    class Meta:
        verbose_name = _("launch")
        verbose_name_plural = _("launches")
        indexes = [
            models.Index(fields=["workspace", "-asked_at"], name="launch_by_time"),
            models.Index(fields=["workspace", "flow_id", "-asked_at"], name="launch_by_flow"),
            models.Index(fields=["user", "-asked_at"], name="launch_by_person"),
            models.Index(fields=["user", "payload_digest", "-asked_at"], name="launch_same_values"),
            models.Index(
                fields=["state", "claim_until"],
                condition=models.Q(state__in=["queued", "claimed"]) | models.Q(claim_until__isnull=False),
                name="launch_in_hand",
            ),
            models.Index(fields=["poll_at"], condition=models.Q(poll_at__isnull=False), name="launch_to_poll"),
            models.Index(fields=["workspace", "run_id"], name="launch_by_run"),
            models.Index(fields=["workspace", "state", "-asked_at"], name="launch_by_state"),
            models.Index(fields=["asked_at"], condition=models.Q(kept=True), name="launch_kept"),
            models.Index(fields=["workspace", "words_read", "-asked_at"], name="launch_by_words_read"),
            models.Index(
                fields=["workspace", "-ended_at"],
                condition=models.Q(state__in=["failed", "refused", "not_sent", "unknown"]),
                name="launch_went_wrong",
            ),
        ]

    def __str__(self) -> str:
        return self.id

    def mark_context(self) -> str:
        """The binding of the mark: who launches which flow, in which workspace and until when.

        The payload's ciphertext is bound to the row, as the mark is. Migrations call this with a historical model, which has the columns
        but no methods.
        """
        values: dict[str, str | int | None] = {
            "workspace": self.workspace_id,
            "user": self.user_id,
            "flow": self.flow_id,
            "wait": int(self.wait),
            "moves": self.moves,
            "send_by": canonical_text.moment(self.send_by),
        }
        # Rows of earlier releases, and historical models, have no choice.
        if getattr(self, "credential_chosen", False):
            values["credential"] = str(self.credential_id)
        if getattr(self, "kept", False):
            values |= {"kept": canonical_text.moment(self.asked_at), "flow_version": self.flow_version}
        return crypto.bind(f"workflows_ui.launch:{self.pk}:mark", values)

    @property
    def milliseconds(self) -> float | None:
        """How long its run took, without waiting before and after; None while it is under way, and if a time is not known."""
        start, end = self.run_started_at, self.run_finished_at
        return (end - start).total_seconds() * 1000 if start and end and end >= start else None

    @property
    def waits_for_engine(self) -> bool:
        """Whether it is kept and not sent yet."""
        return self.kept and self.state in UNSENT

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def searched_for(self) -> bool:
        """Whether the console is still searching for its run; see SEARCHED_FOR."""
        return self.state == State.UNKNOWN and self.misses < CONFIRMED and self.poll_at is not None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended, as far as is known; see OPEN."""
        return self.state in UNDER_WAY or self.searched_for or (self.state == State.OTHER and self.ended_at is None)

    @property
    def settled(self) -> bool:
        """Whether no change is expected: ended, no call in progress, and no longer followed.

        Launches concluded from run lists count as settled, although they are polled a few more times in case a run appears very late.
        """
        concluded = not self.run_id and self.misses >= CONFIRMED
        return self.ended and self.claim_until is None and (self.poll_at is None or concluded)


class RunRetry(models.Model):
    """A run that a person started again: from its failed step, which keeps its id, or on the latest version, as a new run."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: The launch that led to the run, perhaps by other retries.
    launch = models.ForeignKey(Launch, on_delete=models.SET_NULL, null=True, related_name="retries")
    run_id = models.CharField(max_length=64)
    new_run_id = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    #: When the new run is looked at next; empty once its end is known, and if no failed launch waits for it.
    poll_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("retry of a run")
        verbose_name_plural = _("retries of runs")
        indexes = [
            models.Index(fields=["workspace", "run_id"], name="retry_of_run"),
            models.Index(fields=["workspace", "new_run_id"], name="retry_as_run"),
            models.Index(fields=["poll_at"], condition=models.Q(poll_at__isnull=False), name="retry_to_poll"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.new_run_id}"


class LaunchFile(crypto.SealsFields, models.Model):
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
        #: Queried every few seconds (launches.services.sweeping.forget_files).
        indexes = [models.Index(fields=["launch"], condition=~models.Q(data=""), name="file_still_kept")]

    def __str__(self) -> str:
        return self.id


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
        return f"{self.launch_id} {self.pk}"


class LaunchWord(models.Model):
    """A word of a launch's inputs, answer or failure, as a hash with the key of the workspace's run index."""

    launch = models.ForeignKey(Launch, on_delete=models.CASCADE, related_name="words", db_index=False)
    word = models.BigIntegerField()

    class Meta:
        verbose_name = _("word of a launch")
        verbose_name_plural = _("words of launches")
        constraints = [models.UniqueConstraint(fields=["launch", "word"], name="word_of_launch_once")]
        indexes = [models.Index(fields=["word", "launch"], name="launches_with_word")]

    def __str__(self) -> str:
        return str(self.launch_id)


class LaunchText(models.Model):
    """The words of a launch as plain text, where the workspace's run index is searched by parts of words; spaces around each."""

    launch = models.OneToOneField(Launch, on_delete=models.CASCADE, related_name="plain_text")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    #: Has an index of its parts, which `migrate` makes (run_index/services/parts.py).
    text = models.TextField()

    class Meta:
        verbose_name = _("plain words of a launch")
        verbose_name_plural = _("plain words of launches")

    def __str__(self) -> str:
        return str(self.launch_id)


#: Launches of which no change is expected (Launch.settled).
SETTLED = models.Q(state__in=ENDED, claim_until=None) & (
    models.Q(poll_at=None) | models.Q(run_id="", misses__gte=CONFIRMED)
)
#: Unclear launches whose runs the console is still searching for.
SEARCHED_FOR = models.Q(state=State.UNKNOWN, misses__lt=CONFIRMED, poll_at__isnull=False)
#: Launches that are kept for an engine that does not answer.
KEPT = models.Q(kept=True, state__in=UNSENT)
#: Launches that have not ended, as far as is known.
OPEN = models.Q(state__in=UNDER_WAY) | SEARCHED_FOR | models.Q(state=State.OTHER, ended_at__isnull=True)


class Follow(models.Model):
    """The lease and the result of a workspace's polls. One row per workspace."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="follow")
    lease_until = models.DateTimeField(null=True, blank=True)
    #: No poll before this time, after a failed poll.
    not_before = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    #: Class name of the last poll's error; empty while polls succeed.
    trouble = models.CharField(max_length=40, blank=True)

    lease: ClassVar[Lease] = Lease()

    class Meta:
        verbose_name = _("follow")
        verbose_name_plural = _("follows")

    def __str__(self) -> str:
        return str(self.workspace_id)
