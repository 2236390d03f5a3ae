"""Rhythms of flows, alarms about them, and the channels to which alarms are sent."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy

from workflows_ui.core.crypto import SealsFields
from workflows_ui.core.lease import Lease
from workflows_ui.core.states import StateChoices
from workflows_ui.members.models import Workspace
from workflows_ui.notifications.models import WatchKind
from workflows_ui.run_index.models import RunIndex

#: How old the list of flows may be.
FLOWS_KNOWN = timedelta(minutes=35)
#: The longest cron expression and the longest name of a time zone that are kept.
SCHEDULE = 100


class AlarmKind(models.TextChoices):
    """What may be wrong with a flow (detection.py), or with many flows at the same time (folding.py)."""

    QUIET = "quiet", _("No recent runs")
    MISSED = "missed", _("Scheduled time missed")
    FAILING = "failing", _("Fails more than usual")
    LONGER = "longer", _("Longer than usual")
    MANY = "many", _("Several flows stopped running")


class AlarmState(StateChoices):
    """Whether a problem lasts, or why there is no alarm about it any more. Computed from the row, never stored."""

    OPEN = "open", "triangle-alert", "red", pgettext_lazy("alarm", "Open")
    ENDED = "ended", "circle-check", "green", pgettext_lazy("alarm", "Ended")
    OFF = "off", "circle-minus", "secondary", pgettext_lazy("alarm", "Flow is off")
    MUTED = "muted", "bell-off", "secondary", pgettext_lazy("alarm", "Muted")
    FOLDED = "folded", "layers", "secondary", pgettext_lazy("alarm", "Part of another")
    FALSE = "false", "circle-minus", "secondary", pgettext_lazy("alarm", "False alarm")


class AlarmEnd(models.TextChoices):
    OVER = "over", _("The flow is back to normal.")
    OFF = "off", _("The flow was turned off or deleted.")
    MUTED = "muted", _("This type of alarm was muted for the flow.")
    FOLDED = "folded", _("Merged into the alarm “Several flows stopped running”.")
    FALSE = "false", _("Someone said that nothing was wrong.")


class FlowState(models.TextChoices):
    """Whether a flow runs, as the engine last said; unknown before that."""

    UNKNOWN = "", ""
    ON = "on", "on"
    OFF = "off", "off"


class AlarmWatch(models.Model):
    """The checks of the flows of a run index: when the next one is due, and the age of their data."""

    index = models.OneToOneField(RunIndex, on_delete=models.CASCADE, primary_key=True, related_name="+")
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    #: When the flows were last checked, when rhythms were last learnt, and when the last complete list of flows was begun.
    checked_at = models.DateTimeField(null=True)
    learnt_at = models.DateTimeField(null=True)
    flows_at = models.DateTimeField(null=True)
    #: When the list of flows is next read; while it is being read, when that began, and the engine's cursor of the next page.
    flows_due_at = models.DateTimeField(null=True)
    flows_started_at = models.DateTimeField(null=True)
    flows_cursor = models.TextField(blank=True)
    #: The primary keys of the members who own flows, by the engine's ids of these users (None: not a member), and when they were read.
    owners = models.JSONField(default=dict, db_default={}, blank=True)
    owners_at = models.DateTimeField(null=True)

    lease: ClassVar[Lease] = Lease()

    class Meta:
        verbose_name = _("alarm watch")
        verbose_name_plural = _("alarm watches")

    def __str__(self) -> str:
        return str(self.index_id)

    def knows_flows(self, now: datetime) -> bool:
        return self.flows_at is not None and self.flows_at > now - FLOWS_KNOWN


class FlowRhythm(models.Model):
    """The usual rhythm of a flow, and when it will be quiet or late."""

    index = models.ForeignKey(RunIndex, on_delete=models.CASCADE, related_name="+")
    flow_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    #: The engine's id of the user who owns it; empty for engines without owners.
    owner_id = models.CharField(max_length=64, blank=True, db_default="", default="")
    #: A detection.Rhythm.
    rhythm = models.JSONField(default=dict)
    last_run_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=3, choices=FlowState, default=FlowState.UNKNOWN, blank=True)
    #: The schedule that starts it; empty for other triggers.
    cron = models.CharField(max_length=SCHEDULE, blank=True)
    zone = models.CharField(max_length=SCHEDULE, blank=True)
    #: Since when it is on with this schedule, as far as known: earlier silence does not count.
    since = models.DateTimeField(null=True)
    #: When it is quiet, or the next time of its schedule is missed, unless it runs before.
    alarm_at = models.DateTimeField(null=True)
    #: The beginning of the last list that had it, or after which it was read by its id; and since when its rhythm is due for learning.
    listed_at = models.DateTimeField(null=True)
    learn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("rhythm of a flow")
        verbose_name_plural = _("rhythms of flows")
        constraints = [models.UniqueConstraint(fields=["index", "flow_id"], name="rhythm_of_flow_once")]
        indexes = [
            models.Index(fields=["index", "alarm_at"], condition=Q(alarm_at__isnull=False), name="rhythms_by_alarm"),
            models.Index(fields=["index", "learn_at"], condition=Q(learn_at__isnull=False), name="rhythms_to_learn"),
        ]

    def __str__(self) -> str:
        return self.flow_id

    @property
    def silent_since(self) -> datetime | None:
        """Since when it has not run: its last run, or since when it is on, if that is later."""
        return max(filter(None, (self.last_run_at, self.since)), default=None)


class Alarm(models.Model):
    """A problem of a flow, or of many (without a flow's id): one row, however long it lasts. One that returns soon is the same problem."""

    index = models.ForeignKey(RunIndex, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=AlarmKind)
    flow_id = models.CharField(max_length=64)
    flow_name = models.CharField(max_length=200, blank=True)
    #: When the problem began, such as the last run before a silence; None for alarms of earlier releases.
    began_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=AlarmEnd, blank=True)
    #: When people and channels will be notified, unless it ends before; None: they were.
    announce_at = models.DateTimeField(null=True)
    #: Whether a builder said that nothing was wrong; None without an answer (answers.py).
    false_alarm = models.BooleanField(null=True)
    #: How often it began.
    times = models.PositiveIntegerField(default=1)
    #: Plain values; the texts are made in the language of the reader (messages.py).
    facts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        constraints = [
            models.UniqueConstraint(
                fields=["index", "kind", "flow_id"], condition=Q(ended_at__isnull=True), name="one_open_alarm_a_problem"
            )
        ]
        indexes = [models.Index(fields=["index", "-opened_at", "-id"], name="alarms_by_time")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.flow_id}"

    @property
    def state(self) -> AlarmState:
        if self.ended_at is None:
            return AlarmState.OPEN
        return AlarmState(self.end) if self.end in AlarmState.values else AlarmState.ENDED

    @property
    def since(self) -> datetime:
        """When the problem began, as far as known; not when it was noticed."""
        return self.began_at or self.opened_at

    @property
    def asks(self) -> bool:
        """Whether people are asked if it was right: they were notified of this flow, and it lasts, is over, or was answered."""
        return (
            self.kind != AlarmKind.MANY and self.announce_at is None and self.end in {"", AlarmEnd.OVER, AlarmEnd.FALSE}
        )

    @property
    def title(self) -> str:
        """The flow's name, or its id; for many flows these words."""
        return self.flow_name or self.flow_id or gettext("Many flows")


class DefaultWatch(models.Model):
    """A note that a person was given a subscription without asking for it. It is given once: whoever leaves it does not get it again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=WatchKind)
    given_at = models.DateTimeField()

    class Meta:
        verbose_name = _("default subscription")
        verbose_name_plural = _("default subscriptions")
        constraints = [models.UniqueConstraint(fields=["user", "workspace", "kind"], name="default_watch_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class AlarmMute(models.Model):
    """A kind of alarm that is not wanted for a flow."""

    index = models.ForeignKey(RunIndex, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=AlarmKind)
    flow_id = models.CharField(max_length=64)
    flow_name = models.CharField(max_length=200, blank=True)
    muted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    muted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("muted alarm")
        verbose_name_plural = _("muted alarms")
        constraints = [models.UniqueConstraint(fields=["index", "kind", "flow_id"], name="alarm_muted_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.flow_id}"


class ChannelShape(models.TextChoices):
    """The form of messages that a channel's server understands."""

    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    DISCORD = "discord", "Discord"
    GENERIC = "generic", _("Other, signed")


class AlarmChannel(SealsFields, models.Model):
    """An address to which alarms of a workspace are posted. Anyone who knows it can post there, so it is sealed like a secret."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    shape = models.CharField(_("kind of channel"), max_length=10, choices=ChannelShape)
    #: Ciphertexts: the address, and the key that signs what is sent (for the shape `generic`).
    address = models.TextField()
    signing_key = models.TextField(blank=True)
    #: The address's host, which is shown.
    host = models.CharField(max_length=255)
    kinds = models.JSONField(default=list)
    language = models.CharField(max_length=10)
    #: Whether messages about failures name the cause, which everyone who reads the channel can read then.
    causes = models.BooleanField(default=False, db_default=False)
    #: The number of moves of the workspace at that time: alarms of another engine are not sent.
    moves = models.PositiveIntegerField(default=0)
    paused = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    sealed_fields: ClassVar[tuple[str, ...]] = ("address", "signing_key")

    class Meta:
        verbose_name = _("alarm channel")
        verbose_name_plural = _("alarm channels")

    def __str__(self) -> str:
        return self.name

    def bound_values(self) -> Mapping[str, str | int | None]:
        return {"workspace": self.workspace_id, "host": self.host, "shape": self.shape}


#: The event of a test message.
TEST = "test"


class DeliveryState(StateChoices):
    """How far a message to a channel is. Computed from the row, never stored."""

    WAITING = "waiting", "clock", "blue", pgettext_lazy("message", "Waiting")
    SENT = "sent", "circle-check", "green", pgettext_lazy("message", "Sent")
    GIVEN_UP = "given_up", "circle-x", "red", pgettext_lazy("message", "Delivery failed")


class AlarmDelivery(models.Model):
    """A message to a channel, sent until its server accepts it or it is given up. A server recognizes a repeated message by its id."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    channel = models.ForeignKey(AlarmChannel, on_delete=models.CASCADE, related_name="deliveries")
    #: None for a test message.
    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, null=True, related_name="+")
    #: What happened: `opened:<times>`, `ended:<times>` or `test`.
    event = models.CharField(max_length=20)
    #: The alarm at that time.
    content = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    #: The last failure: the status of the answer, 0 without one, and the code of the error.
    status = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=40, blank=True)

    lease: ClassVar[Lease] = Lease()

    class Meta:
        verbose_name = _("message to a channel")
        verbose_name_plural = _("messages to channels")
        constraints = [models.UniqueConstraint(fields=["channel", "alarm", "event"], name="alarm_delivered_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="deliveries_to_send"),
            models.Index(fields=["channel", "-created_at"], name="deliveries_of_channel"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def state(self) -> DeliveryState:
        if self.sent_at is not None:
            return DeliveryState.SENT
        return DeliveryState.WAITING if self.due_at is not None else DeliveryState.GIVEN_UP
