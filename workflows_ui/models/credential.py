"""A secret that opens a workspace: one person's own, or a team's."""

import uuid

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workflows_ui.crypto import SealsFields
from workflows_ui.models.workspace import Workspace


class Kind(models.TextChoices):
    """What kind of secret it is; which kinds an engine takes depends on its flavour."""

    API_KEY = "api_key", _("API key")
    ACCESS_TOKEN = "access_token", _("Access token")
    BEARER_TOKEN = "bearer_token", _("Activepieces token")


class Health(models.TextChoices):
    """What the last test found."""

    WORKS = "works", _("Works")
    REFUSED = "refused", _("Refused by the engine")
    UNREACHABLE = "unreachable", _("Engine not reachable")


class Credential(SealsFields, models.Model):
    """One secret. `secret` is encrypted at rest, opened only to build a client, and shown on no page.

    Exactly one of `owner` and `team` is set. The id is made before the row is saved, since the ciphertext names it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="credentials")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="credentials"
    )
    team = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="credentials")
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    organization_id = models.CharField(_("organization"), max_length=120, blank=True)
    #: Ciphertext; see `open`.
    secret = models.TextField(_("secret"))
    health = models.CharField(_("health"), max_length=20, choices=Health, blank=True)
    #: What the last test found, as plain values: who, organization, project, version, round_trip_ms, problem. Never a secret.
    findings = models.JSONField(default=dict, blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        constraints = [
            models.CheckConstraint(
                condition=Q(owner__isnull=False, team__isnull=True) | Q(owner__isnull=True, team__isnull=False),
                name="credential_is_a_persons_or_a_teams",
            ),
        ]

    def __str__(self) -> str:
        return self.name
