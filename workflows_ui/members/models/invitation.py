"""Invitations of colleagues: single-use links with an expiry, a role and teams."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from workflows_ui.members.models.workspace import Role, Workspace


class ColleagueInvitation(models.Model):
    """An invitation with digests of its tokens. The mail has its own token, whose use proves ownership of the address."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"), max_length=254)
    #: Empty for no role: then only the rights of the teams.
    role = models.CharField(_("role"), max_length=20, choices=Role, blank=True)
    teams = models.ManyToManyField(Group, blank=True, related_name="+")
    link_digest = models.CharField(max_length=64, unique=True)
    mail_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="invitations_given"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("invitation of a colleague")
        verbose_name_plural = _("invitations of colleagues")
        indexes = [models.Index(fields=["workspace", "-created_at"], name="invitation_by_time")]

    def __str__(self) -> str:
        return f"{self.email}: {self.workspace}"

    def open(self, now: datetime) -> bool:
        """Return whether the loaded row is open and not expired."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now


class InvitationRequest(models.Model):
    """A request to use the link with another address than the invited one. It gives no access until a manager confirms."""

    invitation = models.ForeignKey(ColleagueInvitation, on_delete=models.CASCADE, related_name="requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    granted = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("request to use an invitation")
        verbose_name_plural = _("requests to use invitations")
        constraints = [models.UniqueConstraint(fields=["invitation", "user"], name="invitation_asked_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.invitation}"
