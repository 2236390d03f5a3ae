"""Notifications of people: subscriptions, mutes, read state, and mail state; favourites and visits."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.lease import Lease


class NoticeKind(models.TextChoices):
    """Kinds of notifications. Their texts are in notifications/messages.py."""

    LAUNCH_ENDED = "launch_ended", _("A launch ended")
    LAUNCH_REPAIRED = "launch_repaired", _("A failed launch was repaired")
    KEPT_LAUNCH = "kept_launch", _("A kept launch was sent, or was not")
    FLOW_FAILED = "flow_failed", _("A flow failed")
    ALARM = "alarm", _("An alarm about a flow")
    FAILURE_RULE = "failure_rule", _("A rule turned a flow off, or was stopped")
    FAILURE_ASSIGNED = "failure_assigned", _("A failure was assigned to you")
    NOTE = "note", _("A note for you")
    JOB_ENDED = "job_ended", _("A job ended")
    ACCESS_ASKED = "access_asked", _("Access request")
    ACCESS_DECIDED = "access_decided", _("An access request was decided")
    CREDENTIAL_ENDS = "credential_ends", _("A credential expires soon")
    CREDENTIAL_TO_ENTER = "credential_to_enter", _("A credential must be entered again")
    CONSENT_ASKED = "consent_asked", _("Someone wants to share your credential")
    CONSENT_DECIDED = "consent_decided", _("An owner decided about sharing a credential")
    RIGHT_GIVEN = "right_given", _("You can launch a flow")
    INVITATION_ACCEPTED = "invitation_accepted", _("Someone accepted your invitation")
    INVITATION_ASKED = "invitation_asked", _("An invitation needs your confirmation")
    INVITATION_DECIDED = "invitation_decided", _("An invitation was confirmed or declined")


class Topic(models.TextChoices):
    """What notifications are about, as people follow and mute it: flows and alarms in one workspace, the others in all."""

    FLOWS = "flows", _("Failures and alarms of a flow")
    ALARMS = "alarms", _("All alarms of a workspace")
    LAUNCHES = "launches", _("Your launches")
    NOTES = "notes", _("Notes that name you, and requests for help")
    FAILURES = "failures", _("Failures that are assigned to you")
    RULES = "rules", _("Rules on failure")
    JOBS = "jobs", _("Your exports and bulk actions")
    ACCESS = "access", _("Access and invitations")
    CREDENTIALS = "credentials", _("Your credentials")


#: The kinds of notifications of each topic.
KINDS_OF_TOPIC: Mapping[Topic, tuple[NoticeKind, ...]] = MappingProxyType(
    {
        Topic.FLOWS: (NoticeKind.FLOW_FAILED, NoticeKind.ALARM),
        Topic.ALARMS: (NoticeKind.ALARM,),
        Topic.LAUNCHES: (NoticeKind.LAUNCH_ENDED, NoticeKind.LAUNCH_REPAIRED, NoticeKind.KEPT_LAUNCH),
        Topic.NOTES: (NoticeKind.NOTE,),
        Topic.FAILURES: (NoticeKind.FAILURE_ASSIGNED,),
        Topic.RULES: (NoticeKind.FAILURE_RULE,),
        Topic.JOBS: (NoticeKind.JOB_ENDED,),
        Topic.ACCESS: (
            NoticeKind.ACCESS_ASKED,
            NoticeKind.ACCESS_DECIDED,
            NoticeKind.RIGHT_GIVEN,
            NoticeKind.INVITATION_ACCEPTED,
            NoticeKind.INVITATION_ASKED,
            NoticeKind.INVITATION_DECIDED,
        ),
        Topic.CREDENTIALS: (
            NoticeKind.CREDENTIAL_ENDS,
            NoticeKind.CREDENTIAL_TO_ENTER,
            NoticeKind.CONSENT_ASKED,
            NoticeKind.CONSENT_DECIDED,
        ),
    }
)
#: Topics of one workspace, and of one flow or all flows there.
OF_WORKSPACES = (Topic.FLOWS, Topic.ALARMS)


class WatchKind(models.TextChoices):
    LAUNCH = "launch", _("A launch")
    FLOW = "flow", _("A flow")
    ALARMS = "alarms", _("All alarms of a workspace")
    OWN_ALARMS = "own_alarms", _("Alarms of flows that one owns")


class Notice(models.Model):
    """One notification. Unique by person and key, so that it is never repeated.

    Events of one subject are folded into the person's unread notice about it: each has a row with its key, and the first one counts them.

    `about` holds plain values (names, states); the texts are made in the language of the reader.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    workspace = models.ForeignKey("workflows_ui.Workspace", on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=40, choices=NoticeKind)
    #: Object and event, such as `launch:<id>:failed`.
    key = models.CharField(max_length=160)
    about = models.JSONField(default=dict)
    #: The flow that it is about; empty if it is not about one flow.
    flow_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    #: Whether it was muted when it came: then it counts as read, and is in the list only.
    muted = models.BooleanField(default=False, db_default=False)
    #: A path of this console.
    url = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    #: What events are folded by, such as a flow; empty for a notice that stays single, and in folded rows.
    subject = models.CharField(max_length=160, blank=True)
    #: The notice that this event is folded into. Such a row counts as read: it is only there for its key.
    head = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")
    #: The number of events, and the time of the latest.
    count = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    #: Next attempt to mail it; empty if no mail is wanted, or it was sent, or given up.
    mail_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveIntegerField(default=0)
    #: The last attempt, set before the mail is handed to the server: a mail that may have been sent is never repeated.
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="news_is_told_once"),
            models.UniqueConstraint(
                fields=["user", "subject"],
                condition=Q(read_at__isnull=True) & ~Q(subject=""),
                name="one_unread_notice_a_subject",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-last_at"], condition=Q(head__isnull=True), name="notices_of_person"),
            models.Index(fields=["user", "subject"], condition=~Q(subject=""), name="notices_by_subject"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notices_unread"),
            models.Index(fields=["mail_at"], condition=Q(mail_at__isnull=False), name="notices_to_mail"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.key}"


class Watch(models.Model):
    """A subscription of a person: to the end of a launch, to the failures and alarms of a flow, or to all alarms of a workspace, or
    to those of the flows that the person owns there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watches")
    workspace = models.ForeignKey("workflows_ui.Workspace", on_delete=models.CASCADE, related_name="watches")
    kind = models.CharField(max_length=10, choices=WatchKind)
    object_id = models.CharField(max_length=64)
    name = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("watch")
        verbose_name_plural = _("watches")
        constraints = [
            models.UniqueConstraint(fields=["user", "workspace", "kind", "object_id"], name="watched_once"),
        ]
        indexes = [models.Index(fields=["kind", "object_id"], name="watches_by_object")]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind} {self.object_id}"


class Mute(models.Model):
    """What a person, or everyone in a workspace (no `user`), is not notified of until a moment: not at all, or not by mail."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="mutes")
    #: None for a topic that is not of one workspace.
    workspace = models.ForeignKey("workflows_ui.Workspace", on_delete=models.CASCADE, null=True, related_name="+")
    topic = models.CharField(max_length=20, choices=Topic)
    #: Empty for all flows of the workspace.
    flow_id = models.CharField(max_length=64, blank=True)
    #: The flow's name at that time.
    name = models.TextField(blank=True)
    #: Whether only mails are muted, and the bell still shows the notifications.
    mail_only = models.BooleanField(default=False)
    #: None until somebody ends it.
    until = models.DateTimeField(null=True)
    muted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    muted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("mute")
        verbose_name_plural = _("mutes")
        constraints = [
            models.UniqueConstraint(
                Coalesce("user", 0), Coalesce("workspace", 0), "topic", "flow_id", "mail_only", name="muted_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.flow_id}"


class WatchPoll(models.Model):
    """State of the poll for failed runs of watched flows in a workspace, with its lease."""

    workspace = models.OneToOneField(
        "workflows_ui.Workspace", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    lease: ClassVar[Lease] = Lease()

    class Meta:
        verbose_name = _("watch poll")
        verbose_name_plural = _("watch polls")

    def __str__(self) -> str:
        return str(self.workspace)


class Favourite(models.Model):
    """A flow that a person keeps at the top of their home page."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    workspace = models.ForeignKey("workflows_ui.Workspace", on_delete=models.CASCADE, related_name="+")
    flow_id = models.CharField(max_length=64)
    flow_name = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        constraints = [models.UniqueConstraint(fields=["user", "workspace", "flow_id"], name="favourite_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.flow_id}"


class Visit(models.Model):
    """A person's last two visits to a workspace's home page, to show what failed since, and how they arranged its parts."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="visits")
    workspace = models.ForeignKey("workflows_ui.Workspace", on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    #: The end of the visit before this one.
    before = models.DateTimeField(null=True)
    #: The keys of the parts in the chosen `order`, and those that are `hidden` (home/services.py); empty for the page as it is made.
    parts = models.JSONField(default=dict, db_default={}, blank=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="visit_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.workspace}"
