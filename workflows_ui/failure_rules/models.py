"""Rules for failures, the failures that they act on, and what they did.

A failure is written in the transaction that makes it known (noticing.py) and acted on by a worker (acting.py), once.
"""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.alarms.models import AlarmChannel, AlarmDelivery
from workflows_ui.audit.objects import AuditedObject
from workflows_ui.core import crypto
from workflows_ui.core.models import Marked
from workflows_ui.core.random_id import RandomIdField
from workflows_ui.core.states import Badge, StateChoices
from workflows_ui.credentials.models import Credential
from workflows_ui.jobs.models import Job
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Role, Workspace

#: The fewest and the most failures in a row after which a flow is turned off.
FEWEST, MOST = 2, 50
#: Failures that become known later than this are not acted on.
LATEST = timedelta(days=1)


class RuleKind(models.TextChoices):
    """What a rule does."""

    POST = "post", _("Post to a channel")
    LAUNCH = "launch", _("Run a flow")
    TURN_OFF = "turn_off", _("Turn the flow off")


class RuleState(StateChoices):
    """Whether a rule acts. Computed from the row, never stored."""

    ACTIVE = "active", "circle-check", "green", pgettext_lazy("rule", "Active")
    PAUSED = "paused", "circle-pause", "secondary", pgettext_lazy("rule", "Paused")
    STOPPED = "stopped", "circle-stop", "red", pgettext_lazy("rule", "Stopped")


class Stop(models.TextChoices):
    """Why the console stopped a rule."""

    NO_RIGHT = "no_right", _("Its owner may no longer have such a rule here.")
    NO_INDEX = "no_index", _("Its owner may no longer see the run index.")
    NO_CREDENTIAL = "no_credential", _("The credential can no longer be used by its owner.")
    REFUSED = "refused", _("The engine refused its owner's credential.")
    CHANGED = "changed", _("It was changed outside of the console.")
    MOVED = "moved", _("The workspace was moved.")


class FailureRule(Marked):
    """What happens when a flow of a workspace fails. One that launches or turns off acts for its owner, who added it.

    Flow, owner and what is launched are marked: nobody can make a rule act for another person by changing the database.
    """

    id = RandomIdField()
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=RuleKind)
    #: The flow whose failures it acts on; empty for every flow of the workspace.
    flow_id = models.CharField(max_length=64, blank=True)
    flow_name = models.CharField(max_length=200, blank=True)
    #: The person who added it, for whom it launches and turns off.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    #: Failures before this time are not acted on: when it was added, or was last turned on again.
    since = models.DateTimeField()
    #: Number of moves of the workspace at that time: flows of another engine are not launched.
    moves = models.PositiveIntegerField(default=0)
    paused_at = models.DateTimeField(null=True, blank=True)
    stopped = models.CharField(max_length=20, choices=Stop, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    #: How often it acted, and when it did last.
    times = models.PositiveIntegerField(default=0)
    acted_at = models.DateTimeField(null=True, blank=True)

    #: Of a post.
    channel = models.ForeignKey(AlarmChannel, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    #: Of a launch: the flow, and the owner's credential.
    handler_id = models.CharField(max_length=64, blank=True)
    handler_name = models.CharField(max_length=200, blank=True)
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: After how many failures in a row a flow is turned off.
    threshold = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(FEWEST), MaxValueValidator(MOST)]
    )

    sealed_fields: ClassVar[tuple[str, ...]] = ("mark",)

    class Meta:
        verbose_name = _("rule for failures")
        verbose_name_plural = _("rules for failures")
        indexes = [models.Index(fields=["workspace", "flow_id"], name="failure_rules_of_flow")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.flow_id}"

    def mark_context(self) -> str:
        """The binding of the mark: on which failures it acts, for whom, and what it does."""
        values: dict[str, str | int | None] = {
            "workspace": self.workspace_id,
            "kind": self.kind,
            "flow": self.flow_id,
            "owner": self.owner_id,
            "handler": self.handler_id,
            "credential": str(self.credential_id or ""),
            "threshold": self.threshold,
        }
        return crypto.bind(f"workflows_ui.failurerule:{self.pk}:mark", values)

    def audited_object(self) -> AuditedObject:
        return AuditedObject(self.workspace, "failure_rule", self.pk, self.get_kind_display())

    @property
    def role(self) -> Role:
        """The role that its owner needs, and everyone who changes it."""
        return Role.BUILDER if self.flow_id else Role.MANAGER

    @property
    def state(self) -> RuleState:
        if self.stopped or self.moves != self.workspace.moves:
            return RuleState.STOPPED
        return RuleState.PAUSED if self.paused_at else RuleState.ACTIVE

    @property
    def stop_reason(self) -> str:
        """Why the console stopped it, as a sentence; "" if it did not."""
        if self.stopped:
            return str(Stop(self.stopped).label) if self.stopped in Stop.values else self.stopped
        return str(Stop.MOVED.label) if self.moves != self.workspace.moves else ""


#: The rules that act.
ACTIVE = Q(paused_at=None, stopped="", moves=F("workspace__moves"))


class Failure(models.Model):
    """A failed run or launch in a workspace that has a rule for it. Unique by its key, however often and wherever it is noticed."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    #: The id of the run; of a launch whose run is not known, `launch:` and its id.
    key = models.CharField(max_length=80)
    flow_id = models.CharField(max_length=64)
    flow_name = models.CharField(max_length=200, blank=True)
    run_id = models.CharField(max_length=64, blank=True)
    #: What the engine says started the run: another run, or a launch by its marker.
    parent_id = models.CharField(max_length=64, blank=True)
    launch = models.ForeignKey(Launch, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    step = models.CharField(max_length=100, blank=True)
    step_title = models.CharField(max_length=200, blank=True)
    failed_at = models.DateTimeField()
    noticed_at = models.DateTimeField()
    #: When a worker acts on it; None once that is done.
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("failure that rules act on")
        verbose_name_plural = _("failures that rules act on")
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="failure_noticed_once")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="failures_to_act_on")]

    def __str__(self) -> str:
        return self.key


class ActionState(StateChoices):
    """How far the action of a rule is."""

    WAITING = "waiting", "clock", "blue", pgettext_lazy("action of a rule", "Waiting")
    DONE = "done", "circle-check", "green", pgettext_lazy("action of a rule", "Done")
    NOT_DONE = "not_done", "circle-minus", "secondary", pgettext_lazy("action of a rule", "Not done")
    UNCLEAR = "unclear", "circle-question-mark", "orange", pgettext_lazy("action of a rule", "Unclear")


class Skip(models.TextChoices):
    """Why a rule did nothing about a failure, or could not."""

    OWN_CHAIN = "own_chain", _("A rule led to this failure: it starts no flow.")
    TOO_MANY = "too_many", _("It had launched often enough within the hour.")
    LAUNCHING_PAUSED = "launching_paused", _("Launching was paused in this workspace.")
    REFUSED = "refused", _("The launch was not accepted.")
    STOPPED = "stopped", _("The rule was stopped.")
    PAUSED = "paused", _("The rule or its channel was paused.")
    LATE = "late", _("It was too late to act.")
    ALREADY_OFF = "already_off", _("The flow was off already.")
    NOT_TURNED_OFF = "not_turned_off", _("The flow could not be turned off.")


class FailureAction(models.Model):
    """What a rule did about a failure: at most once. Its launch, job or message is created in the same transaction."""

    #: None once the rule was removed: its launches still count as those of a rule (chains.py).
    rule = models.ForeignKey(FailureRule, on_delete=models.SET_NULL, null=True, related_name="actions")
    failure = models.ForeignKey(Failure, on_delete=models.CASCADE, related_name="actions")
    state = models.CharField(max_length=10, choices=ActionState, default=ActionState.WAITING)
    reason = models.CharField(max_length=20, choices=Skip, blank=True)
    at = models.DateTimeField()
    launch = models.OneToOneField(
        Launch, on_delete=models.SET_NULL, null=True, blank=True, related_name="failure_action"
    )
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    delivery = models.ForeignKey(AlarmDelivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("action of a rule for failures")
        verbose_name_plural = _("actions of rules for failures")
        constraints = [models.UniqueConstraint(fields=["rule", "failure"], name="failure_acted_on_once")]
        indexes = [
            models.Index(fields=["rule", "-at"], name="failure_actions_of_rule"),
            models.Index(fields=["at"], condition=Q(state="waiting"), name="failure_actions_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.failure_id}"

    @property
    def badge(self) -> Badge:
        return ActionState(self.state).badge

    @property
    def explanation(self) -> str:
        """Why it was not done, as a sentence; "" without a reason."""
        return str(Skip(self.reason).label) if self.reason in Skip.values else self.reason
