"""A launch: one person's one request to run a flow, from the click to its end. The row is the truth about it."""

import secrets
import string
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.crypto import SealsFields
from workflows_ui.models.credential import Credential
from workflows_ui.models.launch_right import LaunchRight
from workflows_ui.models.workspace import Workspace

_ALPHABET = string.digits + string.ascii_letters


def new_id() -> str:
    """A launch's id: 21 characters of [0-9A-Za-z], the shape of the engine's own ids, since it goes out as the marker
    `ap-parent-run-id` and comes back as `parentRunId` (recording `webhook_headers_parent_run`)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(21))


class State(models.TextChoices):
    """Where a launch stands. Words as people read them; queued and claimed read the same."""

    QUEUED = "queued", _("Waiting to be sent")
    CLAIMED = "claimed", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    ACCEPTED = "accepted", _("Sent, run not seen yet")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    SUCCEEDED = "succeeded", _("Done")
    FAILED = "failed", _("Failed")
    REFUSED = "refused", _("Refused by the engine")
    NOT_SENT = "not_sent", _("Not sent")
    UNKNOWN = "unknown", _("Unclear: it may have run")


#: States in which nothing has left the console: safe to send (again), or to withdraw.
UNSENT = (State.QUEUED, State.CLAIMED)
#: States that nothing changes by itself, except that a trace found later still settles UNKNOWN.
ENDED = (State.SUCCEEDED, State.FAILED, State.REFUSED, State.NOT_SENT, State.UNKNOWN)
#: Everything else: named one by one, since no index helps with "none of".
UNDER_WAY = tuple(state for state in State if state not in ENDED)
#: Ended, but not well.
WENT_WRONG = (State.FAILED, State.REFUSED, State.NOT_SENT, State.UNKNOWN)


class Launch(SealsFields, models.Model):
    """One request to run a flow. Changed only by services.launches and services.following, by conditional updates.

    payload, answer and failure are ciphertexts (`seal`, `open`).
    """

    id = models.CharField(primary_key=True, max_length=21, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="launches")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="launches")
    credential = models.ForeignKey(
        Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="launches"
    )
    #: The right on this one flow that it was asked for by; empty where the person's role was enough.
    right = models.ForeignKey(LaunchRight, on_delete=models.SET_NULL, null=True, blank=True, related_name="launches")
    #: The one-use ticket of the form that asked for it: a double click finds this row instead of making another.
    ticket = models.CharField(max_length=64, unique=True)
    flow_id = models.CharField(max_length=64)
    flow_name = models.TextField(blank=True)
    wait = models.BooleanField(_("wait for the answer"), default=False)
    #: The version of the flow's launch form that it was asked for by; none where there was no such form.
    form_version = models.ForeignKey(
        "LaunchFormVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="launches"
    )
    #: JSON text, as it goes out. Empty once the retention time is over.
    payload = models.TextField(blank=True)
    #: Keyed digest of flow and payload, to notice the same values asked for twice. Not invertible.
    payload_digest = models.CharField(max_length=64)

    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    #: Why it is in this state, as a word of services.launches.Reason; empty where the state says it all.
    reason = models.CharField(max_length=40, blank=True)
    #: The engine's or the network's own words about it, secrets removed; for the folded technical part.
    technical = models.TextField(blank=True)

    asked_at = models.DateTimeField()
    #: Not sent before this moment (a try that never reached the engine waits a little).
    not_before = models.DateTimeField()
    #: Not sent after this moment: then it ends as "not sent: too late".
    send_by = models.DateTimeField()
    #: When the bell was last rung for it.
    rung_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    claim_until = models.DateTimeField(null=True, blank=True)
    sending_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    #: What came back: HTTP status, content type, and the body (at most 256 kB) of a waiting launch's answer.
    answer_status = models.PositiveIntegerField(null=True, blank=True)
    answer_type = models.CharField(max_length=200, blank=True)
    answer = models.TextField(blank=True)
    answer_cut = models.BooleanField(default=False)
    #: Where the answer comes from: "flow" (its response) or "step" (the last step's output); empty while there is none.
    answer_from = models.CharField(max_length=10, blank=True)
    #: Where a redirecting answer points; never followed.
    answer_location = models.TextField(blank=True)
    #: The engine's clock minus ours in seconds, from the answer's Date header.
    clock_offset = models.FloatField(default=0.0)
    #: When the engine is next asked about it; empty while there is nothing to ask.
    look_at = models.DateTimeField(null=True, blank=True)

    run_id = models.CharField(max_length=64, blank=True)
    run_status = models.CharField(max_length=60, blank=True)
    run_started_at = models.DateTimeField(null=True, blank=True)
    run_finished_at = models.DateTimeField(null=True, blank=True)
    failed_step = models.TextField(blank=True)
    failure = models.TextField(blank=True)

    sealed_fields: ClassVar[tuple[str, ...]] = ("payload", "answer", "failure")

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
            models.Index(fields=["look_at"], condition=models.Q(look_at__isnull=False), name="launch_to_look_at"),
            models.Index(fields=["workspace", "run_id"], name="launch_by_run"),
            models.Index(fields=["workspace", "state", "-asked_at"], name="launch_by_state"),
            models.Index(
                fields=["workspace", "-ended_at"],
                condition=models.Q(state__in=["failed", "refused", "not_sent", "unknown"]),
                name="launch_went_wrong",
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def ended(self) -> bool:
        """Whether it has come to an end, as far as is known."""
        return self.state in ENDED

    @property
    def settled(self) -> bool:
        """Whether nothing more is going to change by itself: ended, not asked about any more, no call in the air."""
        return self.ended and self.look_at is None and self.claim_until is None


class Follow(models.Model):
    """Who is asking a workspace's engine about its launches right now, and how that went. One row a workspace."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="follow")
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Not asked before this moment, after a poll that failed.
    not_before = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    #: The name of the error the last poll met; empty while polls succeed.
    trouble = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("follow")
        verbose_name_plural = _("follows")

    def __str__(self) -> str:
        return str(self.workspace_id)
