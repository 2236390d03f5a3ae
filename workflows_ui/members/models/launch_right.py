"""Rights to launch one flow, for a person or team, with an optional end and number of launches."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from workflows_ui.members.models.workspace import Workspace

#: Period after the end of a right (but not a withdrawal) in which its holder still sees their own launches and the last answer.
LOOK_BACK = timedelta(days=7)


class LaunchRights(models.QuerySet["LaunchRight"]):
    """Rights, filtered by validity."""

    def usable(self, now: datetime) -> "LaunchRights":
        """Filter rights that allow a launch: neither withdrawn, nor over, nor used up."""
        unspent = Q(most_launches__isnull=True) | Q(used__lt=F("most_launches"))
        return self.filter(Q(until__isnull=True) | Q(until__gt=now), unspent, revoked_at__isnull=True)

    def letting_in(self, now: datetime) -> "LaunchRights":
        """Filter rights that admit their holder to the workspace as a guest: usable ones, and those that ended within LOOK_BACK."""
        since = now - LOOK_BACK
        unspent = Q(most_launches__isnull=True) | Q(used__lt=F("most_launches")) | Q(last_used_at__gt=since)
        return self.filter(Q(until__isnull=True) | Q(until__gt=since), unspent, revoked_at__isnull=True)


class LaunchRight(models.Model):
    """Exactly one of `user` and `team` is set. `used` is changed by conditional updates only (members/services/launch_rights.py)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="launch_rights")
    flow_id = models.CharField(max_length=64)
    #: The flow's name when the right was given, to save requests to the engine.
    flow_name = models.TextField(blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="launch_rights"
    )
    team = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="launch_rights")
    until = models.DateTimeField(_("until"), null=True, blank=True)
    most_launches = models.PositiveIntegerField(_("number of launches"), null=True, blank=True)
    used = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = LaunchRights.as_manager()

    class Meta:
        verbose_name = _("launch right")
        verbose_name_plural = _("launch rights")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True) | Q(user__isnull=True, team__isnull=False),
                name="launch_right_is_a_persons_or_a_teams",
            ),
            models.CheckConstraint(
                condition=Q(most_launches__isnull=True) | Q(used__lte=F("most_launches")),
                name="launch_right_is_never_overused",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "flow_id"], name="launch_right_by_flow")]

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.flow_id}"

    @property
    def holder(self) -> str:
        """The name of the person or team."""
        return self.user.label if self.user else str(self.team)

    def usable(self, now: datetime) -> bool:
        """Return whether the loaded row allows a launch."""
        over = self.until is not None and self.until <= now
        spent = self.most_launches is not None and self.used >= self.most_launches
        return self.revoked_at is None and not over and not spent
