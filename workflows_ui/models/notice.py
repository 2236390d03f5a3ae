"""News for one person: what they asked to be told, whether they have read it, and whether a mail of it has left."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workflows_ui.models.workspace import Workspace


class NoticeKind(models.TextChoices):
    """What happened. The words are in kit/notice_words.py."""

    LAUNCH_ENDED = "launch_ended", _("A launch ended")
    FLOW_FAILED = "flow_failed", _("A flow failed")
    JOB_ENDED = "job_ended", _("A job ended")
    ACCESS_ASKED = "access_asked", _("Somebody asks to be let in")
    CREDENTIAL_ENDS = "credential_ends", _("A credential ends soon")
    RIGHT_GIVEN = "right_given", _("You may launch a flow")
    INVITATION_ACCEPTED = "invitation_accepted", _("Somebody accepted your invitation")


class WatchKind(models.TextChoices):
    """What a person may ask to be told about."""

    LAUNCH = "launch", _("A launch")
    FLOW = "flow", _("A flow")


class Notice(models.Model):
    """One piece of news. Unique by person and key, so that the same is never told twice.

    `about` holds plain values (names, states), which are put into words in the language of whoever reads them.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=40, choices=NoticeKind)
    #: What it is about and what became of it, such as `launch:<id>:failed`.
    key = models.CharField(max_length=160)
    about = models.JSONField(default=dict)
    #: Where it is to be seen: a path of this console.
    url = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    #: When a mail of it is tried next; empty where none is wanted, or it has left, or it was given up.
    mail_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveIntegerField(default=0)
    #: Set before the mail is handed over: one that may have left is never sent again.
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="news_is_told_once")]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notices_of_person"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notices_unread"),
            models.Index(fields=["mail_at"], condition=Q(mail_at__isnull=False), name="notices_to_mail"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.key}"


class Watch(models.Model):
    """A person asked to be told: when this launch ends, or whenever this flow fails."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watches")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="watches")
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


class Lookout(models.Model):
    """When the engine of a workspace was last asked for failed runs of watched flows, and who is asking now."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="+")
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("lookout")
        verbose_name_plural = _("lookouts")

    def __str__(self) -> str:
        return str(self.workspace)


class Favourite(models.Model):
    """A flow that a person wants at the top of their home page."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
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
    """When a person was last at a workspace's home, and the time before that: what failed since is news to them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="visits")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    #: The end of the visit before this one.
    before = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="visit_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.workspace}"
