"""Teams: Django's groups with a description and owners."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _


class TeamProfile(models.Model):
    """The description of a team. A group without this row is a team without a description."""

    team = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    description = models.CharField(_("what it is for"), max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return str(self.team)


class TeamOwner(models.Model):
    """A person who may add people to a team and remove them, without necessarily being in it."""

    team = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="owners")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owned_teams")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("team owner")
        verbose_name_plural = _("team owners")
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_owner_a_team_and_person")]

    def __str__(self) -> str:
        return f"{self.user}: {self.team}"
